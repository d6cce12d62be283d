"""Fades and the one envelope that everything sent to a lamp goes through. Pure: time is an argument.

A fade is two absolute points; sending one again is harmless. Levels are perceived brightness 0..1, times room time.
"""

from __future__ import annotations

from dataclasses import dataclass

from controller.messages import Point

_LONGEST_STEP_S = 0.25
"""At the slew that rooms start with: 2.5 of the eye's 100 steps, less than a coarse lamp's own step at the floor."""
_MISSED_STEPS = 4
"""A late step makes up for so many at most."""


@dataclass(frozen=True, slots=True)
class Fade:
    """A straight line from `start` to `end`, level before and after."""

    start: Point
    end: Point
    swift: bool = False

    def level_at(self, t: float) -> float:
        """The level at room time `t`."""
        share = self._share(t)
        return self.end.level if share >= 1.0 else self.start.level + share * (self.end.level - self.start.level)

    def kelvin_at(self, t: float) -> float | None:
        """The colour temperature at room time `t`; None where the fade says nothing of it.

        A straight line in mired: equal steps there look equal.
        """
        start, end = self.start.kelvin, self.end.kelvin
        if start is None or end is None:
            return end or start
        mired = 1e6 / start + self._share(t) * (1e6 / end - 1e6 / start)
        return 1e6 / mired

    def _share(self, t: float) -> float:
        if t >= self.end.t:
            return 1.0
        return 0.0 if t <= self.start.t else (t - self.start.t) / (self.end.t - self.start.t)


def steady(level: float, t: float = 0.0) -> Fade:
    """A fade that has arrived."""
    return Fade(Point(level=level, t=t), Point(level=level, t=t))


@dataclass(frozen=True, slots=True)
class Envelope:
    """What may leave for a lamp: between floor and ceiling, and no faster than the slew, in level per second.

    `swift_per_s`: the exit and medical light's own limit, a full change in 2 s. `mired_per_s`: of the colour; the whole
    way from candle to daylight (300 mired) in 10 s.
    """

    floor: float = 0.05
    ceiling: float = 0.8
    slew_per_s: float = 0.10
    swift_per_s: float = 0.5
    mired_per_s: float = 30.0

    def rate(self, swift: bool) -> float:
        """The fastest change allowed."""
        return max(self.slew_per_s, self.swift_per_s) if swift else self.slew_per_s

    def bound(self, level: float) -> float:
        """The level within floor and ceiling."""
        return min(self.ceiling, max(self.floor, level))

    def allow(self, wanted: float, present: float, over_s: float, *, swift: bool = False) -> float:
        """The level that a lamp which is at `present` may be told to reach in `over_s` seconds.

        From outside floor and ceiling the way back in keeps to the slew too.
        """
        reach = self.rate(swift) * over_s
        return min(present + reach, max(present - reach, self.bound(wanted)))

    def step_s(self, since_s: float, pace_s: float, *, swift: bool = False) -> float:
        """The seconds of slew that one step may use up, of a lamp that is moved in steps every `pace_s` seconds.

        `since_s`: since its last step. What a stall kept from the lamp is not made up for at once, but late, by steps
        of the usual kind. The exit and medical light of a lamp with slow steps may take these whole: there time counts.
        """
        earned = min(since_s, _MISSED_STEPS * pace_s)
        return earned if swift else min(earned, _LONGEST_STEP_S)

    def allow_mired(self, wanted: float, present: float, over_s: float, *, swift: bool = False) -> float:
        """The colour, in mired, that a lamp of colour `present` may be told to reach in `over_s` seconds."""
        reach = self.mired_per_s * (self.rate(swift) / self.slew_per_s) * over_s
        return min(present + reach, max(present - reach, wanted))
