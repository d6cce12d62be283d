"""The lights driver: lamps behind MQTT, each as its device profile says.

Sends QoS 0, never retained, only right after a sign of life from the broker; the latest target of a lamp wins, and a
target that could not be sent is not sent later: what is sent is always the present one. Retained command messages are
cleared, because a bridge carries them out whenever it reconnects.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace

from controller.broker import BrokerLink
from controller.clock import Clock
from controller.lights.dialect import Ask, Dialect, Move, Reports, Said, announced_name
from controller.lights.fader import Envelope, Fade
from controller.lights.follower import FollowerDrive
from controller.lights.lamp import LampDrive
from controller.lights.profile import Announce, Availability, Profile, StateReport
from controller.messages import (
    Act,
    DeviceBack,
    DeviceLost,
    Effect,
    FadeLight,
    LampChanged,
    LampTakenOver,
    LampView,
    target,
)
from controller.payloads import read_word
from controller.tasks import cancel

_log = logging.getLogger(__name__)

_RETRY_S = 0.1
_LONGEST_WAIT_S = 1.0


@dataclass(frozen=True, slots=True)
class LampSettings:
    """A lamp of the room: its name here, how it is spoken to, its name and its bridge's prefix there.

    `lowest`: its lowest steady number on its own scale, where commissioning found one.
    """

    lamp: str
    profile: Profile
    device_name: str
    base: str = ""
    lowest: float | None = None


@dataclass(frozen=True, slots=True)
class LightSettings:
    """The room's lamps and the envelope of what they may be sent; levels 0..1, slews in level per second."""

    lamps: tuple[LampSettings, ...]
    floor: float = 0.05
    ceiling: float = 0.8
    slew_per_s: float = 0.10
    swift_per_s: float = 0.5

    @property
    def envelope(self) -> Envelope:
        """What may leave for a lamp."""
        return Envelope(self.floor, self.ceiling, self.slew_per_s, self.swift_per_s)


class _Bridge:
    """What several lamps share: one limit on how often they are spoken to."""

    def __init__(self) -> None:
        self.interval_s = 0.0
        self.lamps = 0
        self.free_at = 0.0


class _Lamp:
    def __init__(self, settings: LampSettings, envelope: Envelope, bridge: _Bridge) -> None:
        profile = settings.profile
        self.settings = settings
        self.bridge = bridge
        self.dialect = Dialect(
            profile, settings.device_name, settings.base, floor=envelope.floor, lowest=settings.lowest
        )
        self.reports = Reports(self.dialect)
        # Lamps behind one bridge wait for each other: a keyframe is as long as it takes until the next one's turn.
        interval = max(profile.rate.lamp_interval_s, bridge.lamps * bridge.interval_s)
        self.drive: LampDrive | FollowerDrive
        if profile.switch is not None:
            self.drive = FollowerDrive(settings.lamp, self.dialect, interval)
        else:
            self.drive = LampDrive(settings.lamp, self.dialect, envelope, interval)
        self.due = 0.0
        self.offline: set[str] = set()
        self.lost = False
        """Whether it cannot be reached."""
        self.faulty = False
        """Whether it cannot be served, by a fault of ours."""
        self.told_lost = False
        self.taken = False
        self.posted: bool | None = None
        self.seq = -1


class MqttLights:
    """Makes `FadeLight` real. Owns `link`: starts it, and closes it at the end."""

    def __init__(self, settings: LightSettings, link: BrokerLink, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        bridges: dict[tuple[str, str], _Bridge] = {}
        for each in settings.lamps:
            bridge = bridges.setdefault(_bridge_of(each), _Bridge())
            bridge.interval_s = max(bridge.interval_s, each.profile.rate.bridge_interval_s)
            bridge.lamps += 1
        self._lamps = {each.lamp: _Lamp(each, settings.envelope, bridges[_bridge_of(each)]) for each in settings.lamps}
        self._post: Callable[[Act], None] = lambda act: None
        self._broker_lost = False
        self._waiting: list[_Lamp] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self, post: Callable[[Act], None]) -> None:
        """Connect, and follow what `apply` says."""
        self._post = post
        for lamp in self._lamps.values():
            self._listen(lamp)
        self._task = asyncio.get_running_loop().create_task(self._run(), name="lights")
        self._link.start(self._link_changed)

    def apply(self, effect: Effect, seq: int) -> None:
        """Take over a `FadeLight`; anything else, an unknown lamp and an older seq are ignored."""
        if not isinstance(effect, FadeLight):
            return
        lamp = self._lamps.get(effect.lamp)
        if lamp is None or seq < lamp.seq:
            _log.debug("%s seq %d is not for us", target(effect), seq)
            return
        lamp.seq = seq
        now = self._clock.now()
        lamp.drive.follow(Fade(effect.start, effect.end, effect.swift), now)
        self._touch(lamp)
        if lamp.due <= now:  # medical light is on its way before anything else is done in this turn of the loop
            self._attend(lamp, now)

    async def close(self) -> None:
        """Leave the lamps as they are; twice is fine."""
        task, self._task = self._task, None
        await cancel(task)
        await self._link.close()

    def view(self, now: float) -> tuple[LampView, ...]:
        """Every lamp, in the room's order."""
        up = self._link.connected
        views = ((lamp.drive.view(now), up and not lamp.faulty) for lamp in self._lamps.values())
        return tuple(view if served else replace(view, state="lost") for view, served in views)

    # Hearing

    def _listen(self, lamp: _Lamp) -> None:
        subscribe = self._link.subscribe
        for topic, report in lamp.dialect.states:
            subscribe(topic, partial(self._on_state, lamp, report))
        for topic in lamp.dialect.command_topics:
            subscribe(topic, self._on_command, own=False)
        for topic, how in lamp.dialect.availability:
            subscribe(topic, partial(self._on_availability, lamp, how))
        for topic, announce in lamp.dialect.announce:
            subscribe(topic, partial(self._on_announce, lamp, announce))

    def _on_state(
        self, lamp: _Lamp, report: StateReport, _topic: str, payload: bytes, retained: bool, _at: float
    ) -> None:
        level = None if retained else lamp.reports.take(report, payload)  # a retained one is older than this connection
        if level is None:
            return
        taken = lamp.drive.heard(level, self._clock.now())
        if taken and not lamp.taken:
            lamp.taken, lamp.posted = True, None
            self._post(LampTakenOver(lamp=lamp.settings.lamp, level=level))
        self._post_change(lamp)
        self._touch(lamp)

    def _on_command(self, topic: str, payload: bytes, retained: bool, _at: float) -> None:
        if retained and payload:
            _log.warning("cleared a retained command on %s", topic)
            self._link.publish(topic, b"", retain=True)

    def _on_availability(
        self, lamp: _Lamp, how: Availability, topic: str, payload: bytes, retained: bool, _at: float
    ) -> None:
        word = read_word(payload, how.key)
        if word == how.offline:
            lamp.offline.add(topic)
        elif word == how.online:
            lamp.offline.discard(topic)
            if not retained and not lamp.offline and not lamp.lost:  # it was born again just now
                self._back(lamp)
        self._post_reach(lamp, "the bridge is offline" if how.scope == "bridge" else "the lamp is offline")

    def _on_announce(
        self, lamp: _Lamp, announce: Announce, _topic: str, payload: bytes, retained: bool, _at: float
    ) -> None:
        if retained or announced_name(announce, payload) not in ("", lamp.settings.device_name):
            return
        lamp.offline.clear()
        if lamp.lost:
            self._post_reach(lamp, "")
        else:
            self._back(lamp)

    def _link_changed(self, up: bool, why: str) -> None:
        self._waiting.clear()
        if not up:
            self._broker_lost = True
            self._post(DeviceLost(name="broker", why=why))
            return
        for lamp in self._lamps.values():
            if not lamp.lost:  # one that was lost stays so until its availability says otherwise
                self._back(lamp, born=False)
        if self._broker_lost:
            self._broker_lost = False
            self._post(DeviceBack(name="broker"))

    def _post_reach(self, lamp: _Lamp, why: str) -> None:
        lost = bool(lamp.offline)
        if lost == lamp.lost:
            return
        lamp.lost = lost
        if lost:
            lamp.drive.lose()
        else:
            self._back(lamp)
        self._post_lost(lamp, why)

    def _post_lost(self, lamp: _Lamp, why: str) -> None:
        lost = lamp.lost or lamp.faulty
        if lost is lamp.told_lost:
            return
        lamp.told_lost = lost
        name = f"light.{lamp.settings.lamp}"
        self._post_soon(DeviceLost(name=name, why=why) if lost else DeviceBack(name=name))

    def _back(self, lamp: _Lamp, *, born: bool = True) -> None:
        lamp.reports.forget()
        lamp.drive.back(self._clock.now(), born=born)
        self._touch(lamp)

    def _post_change(self, lamp: _Lamp) -> None:
        drive = lamp.drive
        if drive.confirmed is None or drive.confirmed == lamp.posted or (lamp.taken and not drive.confirmed):
            return
        lamp.posted, lamp.taken = drive.confirmed, False
        level = drive.view(self._clock.now()).target if drive.confirmed_level is None else drive.confirmed_level
        self._post_soon(LampChanged(lamp=drive.lamp, confirmed=drive.confirmed, level=level))

    def _post_soon(self, act: Act) -> None:
        asyncio.get_running_loop().call_soon(self._post, act)  # whoever hands us an effect is ruling an act right now

    # Sending

    def _touch(self, lamp: _Lamp) -> None:
        """Something has changed for this lamp: look at it."""
        lamp.due = lamp.drive.next_at()
        self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            now = self._clock.now()
            for lamp in sorted((each for each in self._lamps.values() if each.due <= now), key=lambda each: each.due):
                self._attend(lamp, self._clock.now())  # one that waits for the others is that much later
            wait = min((lamp.due for lamp in self._lamps.values()), default=now + _LONGEST_WAIT_S) - self._clock.now()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(_LONGEST_WAIT_S, max(0.001, wait))):
                    await self._wake.wait()

    def _attend(self, lamp: _Lamp, now: float) -> None:
        try:
            self._serve(lamp, now)
        except Exception:
            if not lamp.faulty:
                _log.exception("lamp %s", lamp.settings.lamp)
            lamp.faulty = True
            lamp.due = now + _LONGEST_WAIT_S
            self._post_lost(lamp, "a fault of the program")

    def _serve(self, lamp: _Lamp, now: float) -> None:
        """Send what the lamp is due, within the limits."""
        if lamp.faulty:
            lamp.drive.forget(now)
        lamp.due = lamp.drive.next_at()
        if now < lamp.due:
            return
        if now < lamp.bridge.free_at:
            lamp.due = lamp.bridge.free_at
            return
        if not self._link.fresh:
            lamp.due = now + _RETRY_S
            if not self._waiting:
                self._link.prove(self._proved)
            if lamp not in self._waiting:
                self._waiting.append(lamp)
            return
        said = lamp.drive.step(now)
        self._post_change(lamp)
        if said is not None:
            lamp.bridge.free_at = now + lamp.bridge.interval_s
            if not self._say(lamp, said):
                lamp.drive.forget(now)
        lamp.faulty = False
        self._post_lost(lamp, "")
        lamp.due = max(lamp.drive.next_at(), lamp.bridge.free_at)

    def _proved(self) -> None:
        """The broker lives: now what was due can be said."""
        waiting, self._waiting = self._waiting, []
        for lamp in waiting:
            self._touch(lamp)

    def _say(self, lamp: _Lamp, said: Said) -> bool:
        if isinstance(said, Ask):
            messages = lamp.dialect.questions
        else:
            messages = (lamp.dialect.message(said),)
            if isinstance(said, Move) and lamp.dialect.wake is not None and not lamp.drive.burns:
                messages += (lamp.dialect.wake,)  # after the level, so that it does not light up at the one before
        return all([self._link.publish(*message) for message in messages])


def _bridge_of(lamp: LampSettings) -> tuple[str, str]:
    """The lamps of one bridge share a prefix; where the bridge sets no pace, every lamp is its own."""
    if lamp.profile.rate.bridge_interval_s > 0:
        return "bridge", lamp.base or lamp.profile.base
    return "lamp", lamp.lamp
