"""A technician's hand on a room's lamps: the daemon's own drivers, in its place, and an ear for what the lamps say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, get_args

from controller.broker import BrokerLink, BrokerSettings
from controller.clock import RoomClock, boottime
from controller.commissioning.listening import CONNECT_S, NoBroker
from controller.config import Room
from controller.lights.dialect import Dialect, Reports, announced_name
from controller.lights.profile import Announce, Availability, Profile, StateReport
from controller.lights.relays import HYSTERESIS
from controller.messages import Act, DeviceLost, FadeLight, LampView, Point, Scene
from controller.payloads import read_word
from controller.room_lights import make_lights

_TURN_S = 0.05
_LOST_S = 3.0
"""One that cannot be reached for so long is not waited for."""
_ARRIVED = 0.02
_SPARE_S = 3.0
_HALF = 0.5
_SCENES: tuple[Scene, ...] = get_args(Scene)


@dataclass(frozen=True, slots=True)
class Sign:
    """What a lamp said: CLOCK_BOOTTIME, and its level; or that it is gone, or back."""

    t: float
    level: float | None = None
    there: bool | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A message that was sent: CLOCK_BOOTTIME, topic and payload."""

    t: float
    topic: str
    payload: bytes


class _HeardLink(BrokerLink):
    """A link that tells of what it sends."""

    def __init__(self, settings: BrokerSettings, sent: Callable[[Order], None]) -> None:
        super().__init__(settings)
        self._sent = sent

    def publish(self, topic: str, payload: bytes | str, qos: int = 0, *, retain: bool = False) -> bool:
        """As ever."""
        at = boottime()
        done = super().publish(topic, payload, qos, retain=retain)
        if done:
            self._sent(Order(at, topic, payload.encode() if isinstance(payload, str) else payload))
        return done


class Hand:
    """Moves lamps through the room's own drivers, within its envelope. Never beside a daemon: they would fight.

    `bare`: with the floor at 0 and no lamp's lowest number, to look for that number.
    """

    def __init__(self, room: Room, state_dir: Path, *, bare: bool = False) -> None:
        light = room.table.light
        if bare:
            lamps = tuple(lamp.model_copy(update={"lowest": None}) for lamp in light.lamps)
            light = light.model_copy(update={"floor": 0.0, "lamps": lamps})
            room = replace(room, table=room.table.model_copy(update={"light": light}))
        self.room = room
        self.clock = RoomClock()
        self.acts: list[tuple[float, Act]] = []
        self._floor = light.floor
        self._slew = light.slew_per_s
        self._seq = 0
        self._orders: list[Order] = []
        self._places = {lamp.name: lamp for lamp in light.lamps}
        self._signs: dict[str, list[Sign]] = {lamp.name: [] for lamp in light.lamps}
        self.dialects = {
            lamp.name: Dialect(profile, lamp.device, lamp.base, floor=light.floor, lowest=lamp.lowest)
            for lamp in light.lamps
            if isinstance(profile := room.profiles[lamp.profile], Profile)
        }
        self.link = _HeardLink(room.broker("technician"), self._orders.append)
        self._rig = make_lights(room, state_dir / "run", self.link, self.clock)

    async def __aenter__(self) -> Self:
        """Take the lamps in hand. Raises NoBroker where there are lamps behind one and it cannot be reached."""
        for name, dialect in self.dialects.items():
            self._listen(name, dialect)
        await self._rig.start(lambda act: self.acts.append((boottime(), act)))
        await self._until(lambda: self.link.connected or not self.dialects or self._told_lost(), CONNECT_S)
        if self.dialects and not self.link.connected:
            await self._rig.close()
            raise NoBroker(f"no broker at {self.link.settings.host}:{self.link.settings.port}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go; the lamps stay as they are."""
        await self._rig.close()

    def _told_lost(self) -> bool:
        return any(isinstance(act, DeviceLost) and act.name == "broker" for _, act in self.acts)

    # What is heard

    def signs(self, lamp: str, since: float = 0.0) -> list[Sign]:
        """What a lamp said after a boot time."""
        return [sign for sign in self._signs[lamp] if sign.t >= since]

    def orders(self, lamp: str, since: float = 0.0) -> list[Order]:
        """What was sent to move a lamp after a boot time; what asks or only lights it is not among it."""
        dialect = self.dialects.get(lamp)
        if dialect is None:
            return []
        others = {(topic, payload.encode()) for topic, payload in (*dialect.questions, dialect.wake or ("", ""))}
        return [
            order
            for order in self._orders
            if order.t >= since and order.topic in dialect.command_topics and (order.topic, order.payload) not in others
        ]

    def view(self, lamp: str) -> LampView:
        """The lamp as consoles would show it."""
        return next(view for view in self._rig.view(self.clock.now()) if view.lamp == lamp)

    async def ask(self, lamp: str) -> float | None:
        """The level that a lamp says it has, or said when the room was taken in hand; None where it does not say."""
        dialect = self.dialects.get(lamp)
        if dialect is None:
            return self.view(lamp).confirmed
        since = boottime() if dialect.questions else 0.0
        await self.ask_only(lamp)
        within = dialect.profile.echo.within_s if dialect.questions else _TURN_S
        await self._until(lambda: any(sign.level is not None for sign in self.signs(lamp, since)), within)
        said = [sign.level for sign in self.signs(lamp, since) if sign.level is not None]
        return said[-1] if said else None

    def askable(self, lamp: str) -> bool:
        """Whether it can be asked how it is."""
        dialect = self.dialects.get(lamp)
        return dialect is None or dialect.profile.ask is not None

    def what_it_said(self, lamp: str) -> str:
        """The last that was understood of it, in words; for who has to find out why it does not follow."""
        said = [sign.level for sign in self.signs(lamp) if sign.level is not None]
        if self.view(lamp).state == "lost":
            return "It cannot be reached."
        if said:
            return f"By its profile it says {said[-1]:.0%}."
        dialect = self.dialects.get(lamp)
        where = ", ".join(topic for topic, _ in dialect.states) if dialect else ""
        return f"Nothing that its profile understands came on {where}." if where else ""

    async def ask_only(self, lamp: str) -> None:
        """Put the question, where it can be put; what it says is among its signs."""
        for question in self.dialects[lamp].questions:
            self.link.publish(*question)

    # What is moved

    async def move(self, lamp: str, level: float, start: float | None = None) -> bool:
        """Fade a lamp to a level at no more than the room's slew; whether it said that it arrived.

        Ends early for one that cannot be reached. `start`: where it is, where that is known; the drivers ask otherwise.
        """
        here = self.view(lamp).target if start is None else start
        now = self.clock.now()
        takes = abs(level - here) / self._slew
        end = Point(level=level, t=now + takes)
        self._seq += 1
        fade = FadeLight(lamp=lamp, start=Point(level=here, t=now), end=end, scene=self._scene(lamp, level))
        self._rig.apply(fade, self._seq)
        within = takes + _SPARE_S + 1.0 / self._slew  # a lamp that came from elsewhere has the whole way to go
        dialect = self.dialects.get(lamp)
        if dialect is not None:
            within += dialect.profile.echo.within_s
        lost_at: float | None = None

        def over() -> bool:
            nonlocal lost_at
            lost_at = (lost_at or boottime()) if self.view(lamp).state == "lost" else None
            return self.arrived(lamp, level) or (lost_at is not None and boottime() - lost_at >= _LOST_S)

        await self._until(over, within)
        return self.arrived(lamp, level)

    def arrived(self, lamp: str, level: float, since: float | None = None) -> bool:
        """Whether a lamp has said that it is at a level; since when at the earliest, or whenever it was."""
        view = self.view(lamp)
        dialect = self.dialects.get(lamp)
        if view.state != "confirmed" or view.confirmed is None:
            return False
        burns = self._burns(lamp, level)
        if burns is not None:
            return burns is (view.confirmed > 0)
        if dialect is None or dialect.profile.switch is not None:
            return True
        wanted = min(self.room.table.light.ceiling, max(self._floor, level))
        near = max(_ARRIVED, dialect.scale.tolerance(wanted))
        if abs(view.confirmed - wanted) > near or since is None:
            return abs(view.confirmed - wanted) <= near
        said = [sign.level for sign in self.signs(lamp, since) if sign.level is not None]
        return bool(said) and abs(said[-1] - wanted) <= near

    def _burns(self, lamp: str, level: float) -> bool | None:
        """Whether a lamp that is only on or off burns at a level; None for any other, and where it stays as it is."""
        dialect, place = self.dialects.get(lamp), self._places[lamp]
        if dialect is not None and (switch := dialect.profile.switch) is not None:
            return True if level > switch.on_above else False if level < switch.off_below else None
        if place.on_above is not None:
            return True if level > place.on_above else False if level < place.on_above - HYSTERESIS else None
        return level > _HALF if place.on_in else None

    def _scene(self, lamp: str, level: float) -> Scene:
        """Who asks for it: a lamp that burns in certain scenes alone is lit by one of them, and put out by another."""
        on_in = self._places[lamp].on_in
        fitting = (scene for scene in _SCENES if not on_in or (scene in on_in) is (level > _HALF))
        return next(fitting, "arc")

    async def wait(self, seconds: float) -> None:
        """Let time go by."""
        await asyncio.sleep(seconds)

    async def until(self, true: Callable[[], object], within: float) -> bool:
        """Whether something came true in time."""
        return await self._until(true, within)

    async def _until(self, true: Callable[[], object], within: float) -> bool:
        deadline = boottime() + within
        while not true():
            if boottime() >= deadline:
                return False
            await asyncio.sleep(_TURN_S)
        return True

    # Hearing

    def _listen(self, name: str, dialect: Dialect) -> None:
        reports = Reports(dialect)
        for topic, report in dialect.states:
            self.link.subscribe(topic, partial(self._on_state, name, reports, report))
        for topic, how in dialect.availability:
            self.link.subscribe(topic, partial(self._on_reach, name, how))
        for topic, announce in dialect.announce:
            self.link.subscribe(topic, partial(self._on_announce, name, dialect, announce))

    def _on_state(
        self, name: str, reports: Reports, report: StateReport, _topic: str, payload: bytes, retained: bool, at: float
    ) -> None:
        level = None if retained else reports.take(report, payload)
        if level is not None:
            self._signs[name].append(Sign(at, level=level))

    def _on_reach(self, name: str, how: Availability, _topic: str, payload: bytes, retained: bool, at: float) -> None:
        word = read_word(payload, how.key)
        if word in (how.online, how.offline) and not (retained and word == how.online):
            self._signs[name].append(Sign(at, there=word == how.online))

    def _on_announce(
        self, name: str, dialect: Dialect, announce: Announce, _topic: str, payload: bytes, retained: bool, at: float
    ) -> None:
        if not retained and announced_name(announce, payload) in ("", dialect.name):
            self._signs[name].append(Sign(at, there=True))
