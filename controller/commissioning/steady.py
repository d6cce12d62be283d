"""Finding a lamp's lowest steady number by asking: the search halves what is left. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

from controller.lights.profile import Level

_STEPS = 100
"""A scale that takes fractions is searched in so many steps."""


@dataclass(frozen=True, slots=True)
class Search:
    """Between `dark`, known not to be steady, and `lit`, taken to be; both in steps of the lamp's own scale.

    The darkest number of all is tried first: most lamps are steady there, and then one question is enough.
    """

    level: Level
    dark: int
    lit: int
    asked: bool = False

    @property
    def done(self) -> bool:
        """Whether the answer is known: `lit`."""
        return self.lit - self.dark <= 1

    @property
    def probe(self) -> int:
        """The step to look at next."""
        return self.dark + 1 if not self.asked else (self.dark + self.lit) // 2

    def number(self, step: int) -> float:
        """The lamp's own number of a step."""
        if self.level.whole:
            return self.level.min + step
        return round(self.level.min + step * (self.level.max - self.level.min) / _STEPS, 4)

    def answered(self, steady: bool) -> Search:
        """The search after a person has looked at the probe."""
        if steady:
            return replace(self, asked=True, lit=self.probe)
        return replace(self, asked=True, dark=self.probe)


def search_of(level: Level) -> Search:
    """A search over a whole scale; its brightest number is taken to be steady."""
    steps = ceil(level.max - level.min) if level.whole else _STEPS
    return Search(level, dark=-1, lit=steps)
