"""The lights driver for lamps behind a relay board: on or off, never part of a fade.

A relay follows the level that its lamp is wanted at, with hysteresis and a rest between two switchings, or burns in
named scenes only. A board without an answer of its own is believed when it has taken the bytes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from controller.clock import Clock, boottime
from controller.lights.board import Board
from controller.lights.fader import Fade
from controller.messages import (
    Act,
    DeviceBack,
    DeviceLost,
    Effect,
    FadeLight,
    LampChanged,
    LampTakenOver,
    LampView,
    Scene,
)
from controller.serial_port import OpenPort, PortSettings, SerialPort

_log = logging.getLogger(__name__)

_TURN_S = 0.1
_REST_S = 1.0
"""A relay that has switched stays so for this long."""
_ANSWER_S = 0.5
_ASK_AGAIN_S = 2.0
HYSTERESIS = 0.05
"""A relay that follows a level goes off so much below where it goes on."""


@dataclass(frozen=True, slots=True)
class RelayLamp:
    """A lamp on a channel (1..). It burns above `on_above`, or where that is None in the scenes of `on_in`.

    `normally_closed`: the lamp burns while the relay is released, and so also without the board.
    """

    lamp: str
    channel: int
    on_above: float | None = None
    on_in: tuple[Scene, ...] = ()
    normally_closed: bool = False


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """One board: its port, its kind, its lamps."""

    port: PortSettings
    board: Board
    lamps: tuple[RelayLamp, ...]


class _Relay:
    def __init__(self, settings: RelayLamp) -> None:
        self.settings = settings
        self.effect: FadeLight | None = None
        self.seq = -1
        self.on = False
        """Whether the lamp is to burn."""
        self.sent: bool | None = None
        self.confirmed: bool | None = None
        self.posted: bool | None = None
        self.switched_at = -_REST_S
        self.ask_at = 0.0

    def wanted(self, now: float) -> bool:
        """Whether the lamp is to burn now."""
        effect, lamp = self.effect, self.settings
        if effect is None:
            return self.on
        if lamp.on_above is None:
            return effect.scene in lamp.on_in
        level = Fade(effect.start, effect.end).level_at(now)
        return level > lamp.on_above - (HYSTERESIS if self.on else 0.0)

    @property
    def energised(self) -> bool:
        """Whether the relay is to pull."""
        return self.on is not self.settings.normally_closed


class RelayLights:
    """Makes `FadeLight` real for the lamps of one board. Posts `DeviceLost("port.NAME")` for the board."""

    def __init__(self, settings: RelaySettings, clock: Clock) -> None:
        self._clock = clock
        self._board = settings.board
        self._name = f"port.{settings.port.name}"
        self._relays = {each.lamp: _Relay(each) for each in settings.lamps}
        self._port = SerialPort(settings.port, self, self._port_changed)
        self._post: Callable[[Act], None] = lambda act: None
        self._up: bool | None = None
        self._asked: tuple[_Relay, float] | None = None
        """Who was asked, and when: answers need not say of which channel they speak, so one is asked at a time."""
        self._said = b""

    async def start(self, post: Callable[[Act], None]) -> None:
        """Open the board, and follow what `apply` says."""
        self._post = post
        self._port.start()

    def apply(self, effect: Effect, seq: int) -> None:
        """Take over a `FadeLight`; anything else, a lamp that hangs elsewhere and an older seq are ignored."""
        relay = self._relays.get(effect.lamp) if isinstance(effect, FadeLight) else None
        if not isinstance(effect, FadeLight) or relay is None or seq < relay.seq:
            return
        relay.seq = seq
        relay.effect = effect
        self._port.wake()

    async def close(self) -> None:
        """Leave the relays as they are; twice is fine."""
        await self._port.close()

    def view(self, now: float) -> tuple[LampView, ...]:
        """Every lamp, in the room's order: 1 where it burns, 0 where it does not."""
        return tuple(self._view(name, relay, now) for name, relay in self._relays.items())

    def _view(self, name: str, relay: _Relay, now: float) -> LampView:
        target = float(relay.wanted(now))
        confirmed = None if relay.confirmed is None else float(relay.confirmed)
        if self._up is False:
            return LampView(lamp=name, target=target, confirmed=confirmed, state="lost")
        agrees = confirmed == target
        return LampView(lamp=name, target=target, confirmed=confirmed, state="confirmed" if agrees else "unconfirmed")

    # On the loop's thread

    def _port_changed(self, up: bool, why: str) -> None:
        before, self._up = self._up, up
        if not up:
            self._post(DeviceLost(name=self._name, why=why))
        elif before is False:
            self._post(DeviceBack(name=self._name))

    # On the port's thread

    def opened(self, port: OpenPort) -> None:
        """The board is there; without its USB it had no power, and all its relays were released."""
        self._asked = None
        for relay in self._relays.values():
            relay.sent = relay.confirmed = None

    def turn(self, port: OpenPort) -> float:
        """Switch what is to be switched, and ask what was."""
        at, now = boottime(), self._clock.now()
        for relay in self._relays.values():
            wanted = relay.wanted(now)
            if wanted is not relay.on and at - relay.switched_at >= _REST_S:
                relay.on, relay.switched_at = wanted, at
            if relay.effect is not None and relay.sent is not relay.energised:
                port.write(self._board.switch(relay.settings.channel, relay.energised))
                relay.sent, relay.ask_at = relay.energised, at
                if self._board.status is None:
                    self._settle(relay, relay.sent, at)
        if self._board.status is not None:
            self._ask(port, at)
        return _TURN_S

    def _ask(self, port: OpenPort, at: float) -> None:
        if self._asked is not None:
            relay, since = self._asked
            self._said += port.read(0.0)
            energised = self._board.answer(relay.settings.channel, self._said)
            if energised is not None or at - since > _ANSWER_S:
                self._asked = None
                self._settle(relay, energised, at)
            return
        due = [relay for relay in self._relays.values() if relay.sent is not None and relay.ask_at <= at]
        if due:
            port.read(0.0)  # what it said to the switching
            self._said = b""
            port.write(self._board.ask(due[0].settings.channel))
            self._asked = due[0], at

    def _settle(self, relay: _Relay, energised: bool | None, at: float) -> None:
        """What a relay does, as far as can be known; one that another hand has moved is switched again."""
        relay.confirmed = None if energised is None else energised is not relay.settings.normally_closed
        relay.ask_at = at + _ASK_AGAIN_S
        agrees = relay.confirmed is relay.on
        if not agrees:
            relay.sent = None
            if relay.confirmed is not None and relay.posted:
                relay.posted = False
                taken = LampTakenOver(lamp=relay.settings.lamp, level=float(relay.confirmed))
                self._port.hand_over(self._post, taken)
        if agrees is not relay.posted:
            relay.posted = agrees
            changed = LampChanged(lamp=relay.settings.lamp, confirmed=agrees, level=float(relay.on))
            self._port.hand_over(self._post, changed)
