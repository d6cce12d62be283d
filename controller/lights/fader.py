"""Fades and the one envelope that everything sent to a lamp goes through. Pure: time is an argument.

A fade is two absolute points; sending one again is harmless. Levels are perceived brightness 0..1, times room time.
"""

from __future__ import annotations

from dataclasses import dataclass

from controller.messages import Point


@dataclass(frozen=True, slots=True)
class Fade:
    """A straight line from `start` to `end`, level before and after."""

    start: Point
    end: Point
    swift: bool = False

    def level_at(self, t: float) -> float:
        """The level at room time `t`."""
        if t >= self.end.t:
            return self.end.level
        if t <= self.start.t:
            return self.start.level
        share = (t - self.start.t) / (self.end.t - self.start.t)
        return self.start.level + share * (self.end.level - self.start.level)


def steady(level: float, t: float = 0.0) -> Fade:
    """A fade that has arrived."""
    return Fade(Point(level=level, t=t), Point(level=level, t=t))


@dataclass(frozen=True, slots=True)
class Envelope:
    """What may leave for a lamp: between floor and ceiling, and no faster than the slew, in level per second.

    `swift_per_s`: the exit and medical light's own limit, a full change in 2 s.
    """

    floor: float = 0.05
    ceiling: float = 0.8
    slew_per_s: float = 0.10
    swift_per_s: float = 0.5

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
