"""The colour temperature of one lamp: what it is to be told, and what was last told. Pure: time is an argument."""

from __future__ import annotations

from dataclasses import dataclass

from controller.lights.fader import Envelope, Fade
from controller.lights.profile import Colour

_STEP_MIRED = 5.0
"""Nobody sees less: one just noticeable difference of white light is about 5 mired."""
_UNKNOWN_S = 2.0
"""A lamp whose colour is not known is brought to it in this time."""


@dataclass(frozen=True, slots=True)
class Tinge:
    """Be of this colour in so many seconds."""

    kelvin: float
    transition_s: float


class ColourDrive:
    """Follows the colour of the lamp's fade, in steps that nobody sees and no faster than the envelope allows."""

    def __init__(self, colour: Colour, envelope: Envelope) -> None:
        self._colour = colour
        self._envelope = envelope
        self._from: float | None = None
        self._to = 0.0
        self._began = self._ends = 0.0

    def forget(self) -> None:
        """What colour it has is not known any more."""
        self._from = None

    def busy(self, now: float) -> bool:
        """Whether it is on its way to a colour."""
        return self._from is not None and now < self._ends

    def plan(self, fade: Fade, now: float, over_s: float) -> Tinge | None:
        """What it would have to be told now, to be there in `over_s`; None where nobody would see the difference."""
        kelvin = fade.kelvin_at(now + over_s)
        if kelvin is None:
            return None
        wanted = 1e6 / self._colour.nearest(kelvin)
        if self._from is None:
            return Tinge(1e6 / wanted, max(over_s, _UNKNOWN_S))
        arrived = now >= fade.end.t and self._colour.to_device(1e6 / wanted) != self._colour.to_device(1e6 / self._to)
        if abs(wanted - self._to) < _STEP_MIRED and not arrived:
            return None
        reached = self._envelope.allow_mired(wanted, self._at(now), over_s, swift=fade.swift)
        return Tinge(1e6 / reached, over_s)

    def sent(self, tinge: Tinge, now: float) -> None:
        """It was told."""
        target = 1e6 / tinge.kelvin
        self._from, self._to = (target if self._from is None else self._at(now)), target
        self._began, self._ends = now, now + tinge.transition_s

    def pending(self, fade: Fade, now: float) -> bool:
        """Whether it will have to be told something before the fade has ended."""
        if fade.kelvin_at(now) is None:
            return False
        return now < fade.end.t or self.plan(fade, now, 0.0) is not None

    def _at(self, now: float) -> float:
        assert self._from is not None
        if now >= self._ends:
            return self._to
        return self._from + (self._to - self._from) * (now - self._began) / (self._ends - self._began)
