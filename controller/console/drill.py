"""Trying the keys before a session: which arrivals are the trial, and which are meant in earnest. Pure; time is given.

Each of the keys is a trial once. Whatever else arrives is what it always is, and above all: a second press of the call
calls, for nobody may press for help and be taken for a rehearsal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from controller.console.repeat import REST_S, STEP_S

KEYS = ("1", "9", "c", "space")
LASTS_S = 60.0
"""A trial that was left open ends by itself: after this every key is meant."""

Meaning = Literal["trial", "held", "meant"]


@dataclass
class KeyDrill:
    """One trial, begun at `began` on this console. `tried`: the keys that have arrived."""

    began: float
    tried: set[str] = field(default_factory=set)
    _last: dict[str, float] = field(default_factory=dict)
    _repeats: dict[str, int] = field(default_factory=dict)

    @property
    def left(self) -> tuple[str, ...]:
        """The keys that have not arrived yet."""
        return tuple(key for key in KEYS if key not in self.tried)

    def over(self, now: float) -> bool:
        """Whether it has lasted too long."""
        return now - self.began > LASTS_S

    def takes(self, key: str, now: float) -> Meaning:
        """What an arrival of this key is.

        A held key comes again after 250-500 ms and then every 33-92 ms: a gap that is longer than that, after the first
        one, is a hand that presses again.
        """
        if key not in KEYS or self.over(now):
            return "meant"
        if key not in self.tried:
            self.tried.add(key)
            self._last[key], self._repeats[key] = now, 0
            return "trial"
        gap, self._last[key] = now - self._last[key], now
        self._repeats[key] += 1
        again = gap >= REST_S or (gap >= STEP_S and self._repeats[key] > 1)
        return "meant" if again else "held"
