"""Lamps that are not there: a twin of the drivers for rehearsal. It keeps the same promises as they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from controller.clock import Clock
from controller.lights.fader import Envelope, Fade
from controller.messages import Act, DeviceBack, DeviceLost, Effect, FadeLight, LampChanged, LampTakenOver, LampView


@dataclass
class _Lamp:
    fade: Fade
    seq: int
    level: float
    at: float


class SimulatedLights:
    """Lamps that follow within the envelope and always confirm; posts each lamp's first confirmation, as drivers do.

    Raises `RuntimeError` where it is used as a real one may not be: before its start, or with a level outside 0..1.
    """

    def __init__(self, clock: Clock, envelope: Envelope | None = None, level: float | None = None) -> None:
        """`level`: where lamps are before anything was asked of them; at the first wish's beginning where None."""
        self._clock = clock
        self._envelope = envelope or Envelope()
        self._level = level
        self._lamps: dict[str, _Lamp] = {}
        self._lost_since: float | None = None
        self._post: Callable[[Act], None] | None = None

    async def start(self, post: Callable[[Act], None]) -> None:
        """Take effects from now on."""
        self._post = post

    def apply(self, effect: Effect, seq: int) -> None:
        """Take over a `FadeLight`; anything else and an older seq are ignored."""
        if self._post is None:
            raise RuntimeError("the lights were not started")
        if not isinstance(effect, FadeLight):
            return
        if not (0 <= effect.start.level <= 1 and 0 <= effect.end.level <= 1):
            raise RuntimeError(f"no level: {effect}")
        now, fade = self._clock.now(), Fade(effect.start, effect.end, effect.swift)
        lamp = self._lamps.get(effect.lamp)
        if lamp is not None:
            if seq >= lamp.seq:
                self._move(lamp, now)
                lamp.fade, lamp.seq = fade, seq
            return
        there = self._envelope.bound(fade.level_at(now)) if self._level is None else self._level
        self._lamps[effect.lamp] = _Lamp(fade, seq, there, now)
        self._post(LampChanged(lamp=effect.lamp, confirmed=True, level=there))

    async def close(self) -> None:
        """Nothing is held; twice is fine."""

    def view(self, now: float) -> tuple[LampView, ...]:
        """Every lamp that was ever told something."""
        return tuple(self._view(name, now) for name in self._lamps)

    def shown(self, name: str) -> float:
        """The level that a lamp shows now."""
        return self._move(self._lamps[name], self._clock.now())

    def unplug(self) -> None:
        """Every lamp stays as it is, and nothing reaches it."""
        assert self._post is not None
        for name in self._lamps:
            self.shown(name)
            self._post(DeviceLost(name=f"light.{name}", why="unplugged"))
        self._lost_since = self._clock.now()

    def replug(self) -> None:
        """They can be reached again."""
        assert self._post is not None
        self._lost_since = None
        for name, lamp in self._lamps.items():
            lamp.at = self._clock.now()
            self._post(DeviceBack(name=f"light.{name}"))

    def meddle(self, name: str, level: float) -> None:
        """Something else sets a lamp."""
        assert self._post is not None
        self._lamps[name].level, self._lamps[name].at = level, self._clock.now()
        self._post(LampTakenOver(lamp=name, level=level))

    def _move(self, lamp: _Lamp, now: float) -> float:
        if self._lost_since is None:
            wanted = lamp.fade.level_at(now)
            lamp.level = self._envelope.allow(wanted, lamp.level, max(0.0, now - lamp.at), swift=lamp.fade.swift)
            lamp.at = now
        return lamp.level

    def _view(self, name: str, now: float) -> LampView:
        lamp = self._lamps[name]
        target, level = self._envelope.bound(lamp.fade.level_at(now)), self._move(lamp, now)
        if self._lost_since is not None:
            return LampView(lamp=name, target=target, confirmed=level, state="lost")
        moving = lamp.fade.start.t < now < lamp.fade.end.t or level != target
        return LampView(lamp=name, target=target, confirmed=level, state="moving" if moving else "confirmed")
