"""The lights driver for DMX fixtures behind an ENTTEC DMX USB Pro: every fade rendered here, 40 frames a second.

The widget repeats its last frame for as long as it has power, and never answers: a level counts as confirmed when the
widget has taken a frame with it. Frames are rendered and written on the port's thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from controller.clock import Clock, boottime
from controller.lights.fader import Envelope, Fade
from controller.lights.fixture import Fixture
from controller.lights.kept import KeptLevels
from controller.messages import Act, DeviceBack, DeviceLost, Effect, FadeLight, LampChanged, LampView
from controller.serial_port import OpenPort, PortSettings, SerialPort

_log = logging.getLogger(__name__)

FRAMES_PER_S = 40.0
"""DMX512-A allows 44 whole universes a second."""
_FRAME_S = 1.0 / FRAMES_PER_S

LEAST_SLOTS = 24
"""The widget takes no shorter frame."""

_START, _SEND, _END = 0x7E, 6, 0xE7
_ARRIVED = 0.002


def frame(slots: bytes) -> bytes:
    """The widget's message for these slots, channel 1 first: label 6, length, start code 0, slots, end."""
    data = b"\x00" + slots.ljust(LEAST_SLOTS, b"\x00")
    return bytes((_START, _SEND, len(data) & 0xFF, len(data) >> 8)) + data + bytes((_END,))


@dataclass(frozen=True, slots=True)
class DmxLamp:
    """A lamp of the room: its name here, what it is, and its first channel (1..512).

    `lowest`: the lowest byte at which it burns steadily, where commissioning found one; the room's floor lies there.
    """

    lamp: str
    fixture: Fixture
    channel: int
    lowest: float | None = None


@dataclass(frozen=True, slots=True)
class DmxSettings:
    """One widget: its port, its lamps, what they may be sent, and where is kept what they were sent."""

    port: PortSettings
    lamps: tuple[DmxLamp, ...]
    envelope: Envelope
    kept: Path


class _Lamp:
    def __init__(self, settings: DmxLamp, floor: float) -> None:
        self.settings = settings
        self.fixture = settings.fixture
        self.scale = settings.fixture.scale(floor, settings.lowest)
        self._own = settings.fixture.scale()
        self.fade: Fade | None = None
        self.seq = -1
        self.resume(settings.fixture.power_on, settings.fixture.kelvin or 0.0)
        self.told = False
        """Whether the widget has taken a frame with a level that was asked for."""

    @property
    def kept(self) -> tuple[float, float]:
        """Level and kelvin, the level on the fixture's own scale: the room's may be another when that is read."""
        shown = self._own.from_device(self.scale.to_device(self.level)) if self.level > 0 else 0.0
        return shown, self.kelvin

    def resume(self, shown: float, kelvin: float) -> None:
        """Begin from a level on the fixture's own scale."""
        self.level = self.scale.from_device(self._own.to_device(shown)) if shown > 0 else 0.0
        self.kelvin = kelvin

    def move(self, now: float, since_s: float, envelope: Envelope) -> None:
        """Take the next step along the fade, `since_s` after the last one."""
        fade = self.fade
        if fade is None:
            return
        step_s = envelope.step_s(since_s, _FRAME_S, swift=fade.swift)
        self.level = envelope.allow(fade.level_at(now), self.level, step_s, swift=fade.swift)
        wanted = fade.kelvin_at(now) or self.fixture.kelvin
        if wanted and self.kelvin:
            self.kelvin = 1e6 / envelope.allow_mired(1e6 / wanted, 1e6 / self.kelvin, step_s, swift=fade.swift)


class DmxLights:
    """Makes `FadeLight` real for the fixtures of one widget. Posts `DeviceLost("port.NAME")` for the widget."""

    def __init__(self, settings: DmxSettings, clock: Clock) -> None:
        self._clock = clock
        self._envelope = settings.envelope
        self._name = f"port.{settings.port.name}"
        self._lamps = {each.lamp: _Lamp(each, settings.envelope.floor) for each in settings.lamps}
        slots = max(each.channel - 1 + each.fixture.width for each in settings.lamps)
        self._slots = bytearray(max(LEAST_SLOTS, slots))
        what = repr([(each.lamp, each.channel, each.fixture.name) for each in settings.lamps])
        self._kept = KeptLevels(settings.kept, what, len(self._lamps))
        self._port = SerialPort(settings.port, self, self._port_changed)
        self._post: Callable[[Act], None] = lambda act: None
        self._up: bool | None = None
        self._opened_before = False
        self._last = 0.0
        self._next = 0.0

    async def start(self, post: Callable[[Act], None]) -> None:
        """Open the widget, and follow what `apply` says."""
        self._post = post
        kept = self._kept.read()
        for lamp, (shown, kelvin) in zip(self._lamps.values(), kept or (), strict=kept is not None):
            lamp.resume(shown, kelvin)
        self._port.start()

    def apply(self, effect: Effect, seq: int) -> None:
        """Take over a `FadeLight`; anything else, a lamp that hangs elsewhere and an older seq are ignored."""
        lamp = self._lamps.get(effect.lamp) if isinstance(effect, FadeLight) else None
        if not isinstance(effect, FadeLight) or lamp is None or seq < lamp.seq:
            return
        lamp.seq = seq
        lamp.fade = Fade(effect.start, effect.end, effect.swift)

    async def close(self) -> None:
        """Leave the widget sending what it sends; twice is fine."""
        await self._port.close()
        self._kept.close()

    def view(self, now: float) -> tuple[LampView, ...]:
        """Every lamp, in the room's order."""
        return tuple(self._view(lamp, now) for lamp in self._lamps.values())

    def _view(self, lamp: _Lamp, now: float) -> LampView:
        name, fade = lamp.settings.lamp, lamp.fade
        target = lamp.level if fade is None else self._envelope.bound(fade.level_at(now))
        if self._up is False:
            return LampView(lamp=name, target=target, confirmed=lamp.level, state="lost")
        if not lamp.told:
            return LampView(lamp=name, target=target)
        moving = abs(lamp.level - target) > _ARRIVED or (fade is not None and fade.start.t < now < fade.end.t)
        return LampView(lamp=name, target=target, confirmed=lamp.level, state="moving" if moving else "confirmed")

    # On the loop's thread

    def _port_changed(self, up: bool, why: str) -> None:
        before, self._up = self._up, up
        if not up:
            self._post(DeviceLost(name=self._name, why=why))
        elif before is False:
            self._post(DeviceBack(name=self._name))

    # On the port's thread

    def opened(self, port: OpenPort) -> None:
        """The widget is there, for the first time or again: begin from what the lamps show."""
        if self._opened_before and self._port.unplugged:
            for lamp in self._lamps.values():
                if lamp.fixture.signal_lost == "power_on":  # a widget without its USB has no power and sends nothing
                    lamp.resume(lamp.fixture.power_on, lamp.kelvin)
        self._opened_before = True
        self._last = self._next = boottime()

    def turn(self, port: OpenPort) -> float:
        """Send the next frame."""
        at = boottime()
        if at < self._next:
            return self._next - at
        since, self._last = at - self._last, at
        now = self._clock.now()
        carried = [lamp for lamp in self._lamps.values() if lamp.fade is not None and not lamp.told]
        for lamp in self._lamps.values():
            lamp.move(now, since, self._envelope)
            start = lamp.settings.channel - 1
            for place, value in lamp.fixture.render(lamp.level, lamp.kelvin or None, lamp.scale).items():
                self._slots[start + place] = value
        port.write(frame(bytes(self._slots)))
        self._kept.write([lamp.kept for lamp in self._lamps.values()])
        for lamp in carried:
            lamp.told = True
            first = LampChanged(lamp=lamp.settings.lamp, confirmed=True, level=lamp.level)
            self._port.hand_over(self._post, first)
        self._next += _FRAME_S
        if self._next < at:  # a stall: what was missed is not sent after
            self._next = at + _FRAME_S
        return self._next - boottime()
