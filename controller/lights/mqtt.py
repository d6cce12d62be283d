"""The lights driver: lamps behind MQTT, each as its device profile says.

Sends QoS 0, never retained, only while the broker answers; the latest target of a lamp wins, and a target that could
not be sent is not sent later: what is sent is always the present one. Retained command messages are cleared, because a
bridge carries them out whenever it reconnects.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from controller.broker import BrokerLink
from controller.clock import Clock
from controller.lights.fader import Envelope, Fade
from controller.lights.lamp import Ask, LampDrive, Move
from controller.lights.profile import Availability, Profile, Topics, announced_name, read_word
from controller.messages import Act, DeviceBack, DeviceLost, Effect, FadeLight, LampChanged, LampView, target

_log = logging.getLogger(__name__)

_RETRY_S = 0.1
_LONGEST_WAIT_S = 1.0


@dataclass(frozen=True, slots=True)
class LampSettings:
    """A lamp of the room: its name here, how it is spoken to, its name and its bridge's prefix there."""

    lamp: str
    profile: Profile
    device_name: str
    base: str = ""


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


class _Lamp:
    def __init__(self, settings: LampSettings, envelope: Envelope) -> None:
        self.settings = settings
        self.profile = settings.profile
        self.bridge = settings.base or settings.profile.base
        self.topics: Topics = settings.profile.topics(settings.device_name, settings.base)
        self.drive = LampDrive(settings.lamp, settings.profile, envelope)
        self.offline: set[str] = set()
        self.lost = False
        self.posted: bool | None = None
        self.seq = -1


class MqttLights:
    """Makes `FadeLight` real. Owns `link`: starts it, and closes it at the end."""

    def __init__(self, settings: LightSettings, link: BrokerLink, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._lamps = {each.lamp: _Lamp(each, settings.envelope) for each in settings.lamps}
        self._bridge_free_at: dict[str, float] = {}
        self._post: Callable[[Act], None] = lambda act: None
        self._broker_lost = False
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
        lamp.drive.follow(Fade(effect.start, effect.end, effect.swift), self._clock.now())
        self._wake.set()

    async def close(self) -> None:
        """Leave the lamps as they are; twice is fine."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._link.close()

    def view(self, now: float) -> tuple[LampView, ...]:
        """Every lamp, in the room's order."""
        views = (lamp.drive.view(now) for lamp in self._lamps.values())
        if self._link.connected:
            return tuple(views)
        return tuple(LampView(lamp=v.lamp, target=v.target, confirmed=v.confirmed, state="lost") for v in views)

    # Hearing

    def _listen(self, lamp: _Lamp) -> None:
        subscribe = self._link.subscribe
        subscribe(lamp.topics.state, partial(self._on_state, lamp))
        subscribe(lamp.topics.command, self._on_command, own=False)
        for topic, how in lamp.topics.availability:
            subscribe(topic, partial(self._on_availability, lamp, how))
        if lamp.topics.announce:
            subscribe(lamp.topics.announce, partial(self._on_announce, lamp))

    def _on_state(self, lamp: _Lamp, _topic: str, payload: bytes, retained: bool, _at: float) -> None:
        level = lamp.profile.read_level(payload)
        if retained or level is None:  # a retained state is older than this connection
            return
        lamp.drive.heard(level, self._clock.now())
        self._post_change(lamp)
        self._wake.set()

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
            if not retained and not lamp.offline:  # it was born again just now
                lamp.drive.back(self._clock.now())
                self._wake.set()
        self._post_reach(lamp, "the bridge is offline" if how.scope == "bridge" else "the lamp is offline")

    def _on_announce(self, lamp: _Lamp, _topic: str, payload: bytes, retained: bool, _at: float) -> None:
        announce = lamp.profile.announce
        if retained or announce is None or announced_name(announce, payload) not in ("", lamp.settings.device_name):
            return
        lamp.offline.clear()
        self._post_reach(lamp, "")
        lamp.drive.back(self._clock.now())
        self._wake.set()

    def _link_changed(self, up: bool, why: str) -> None:
        if not up:
            self._broker_lost = True
            self._post(DeviceLost(name="broker", why=why))
            return
        for lamp in self._lamps.values():
            if not lamp.lost:  # one that was lost stays so until its availability says otherwise
                lamp.drive.back(self._clock.now())
        self._wake.set()
        if self._broker_lost:
            self._broker_lost = False
            self._post(DeviceBack(name="broker"))

    def _post_reach(self, lamp: _Lamp, why: str) -> None:
        lost = bool(lamp.offline)
        if lost == lamp.lost:
            return
        lamp.lost = lost
        name = f"light.{lamp.settings.lamp}"
        if lost:
            lamp.drive.lose()
            self._post(DeviceLost(name=name, why=why))
        else:
            lamp.drive.back(self._clock.now())
            self._post(DeviceBack(name=name))
            self._wake.set()

    def _post_change(self, lamp: _Lamp) -> None:
        drive = lamp.drive
        if drive.confirmed is not None and drive.confirmed != lamp.posted:
            lamp.posted = drive.confirmed
            level = drive.view(self._clock.now()).target if drive.confirmed_level is None else drive.confirmed_level
            self._post(LampChanged(lamp=drive.lamp, confirmed=drive.confirmed, level=level))

    # Sending

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            wait = _LONGEST_WAIT_S
            for lamp in sorted(self._lamps.values(), key=lambda lamp: lamp.drive.next_at()):
                try:
                    wait = min(wait, self._serve(lamp, self._clock.now()))
                except Exception:
                    _log.exception("lamp %s", lamp.settings.lamp)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.001, wait)):
                    await self._wake.wait()

    def _serve(self, lamp: _Lamp, now: float) -> float:
        """Send what the lamp is due, within the limits; returns the seconds until it wants to be served again."""
        if not self._link.answering:
            return _RETRY_S
        due = max(lamp.drive.next_at(), self._bridge_free_at.get(lamp.bridge, now))
        if now < due:
            return due - now
        said = lamp.drive.step(now)
        self._post_change(lamp)
        if said is not None:
            self._bridge_free_at[lamp.bridge] = now + lamp.profile.rate.bridge_interval_s
            if not self._say(lamp, said):
                lamp.drive.forget(now)
        return max(0.0, lamp.drive.next_at() - now)

    def _say(self, lamp: _Lamp, said: Move | Ask) -> bool:
        if isinstance(said, Move):
            payload = lamp.profile.payload(said.level, said.transition_s, lamp.settings.device_name, lamp.settings.base)
            return self._link.publish(lamp.topics.command, payload)
        return not lamp.topics.ask or self._link.publish(lamp.topics.ask, lamp.profile.state.ask_payload)
