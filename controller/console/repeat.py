"""Telling a press from a held key, and a command from somebody typing. Pure; `now` is in seconds.

A terminal has no key-up: a held key arrives again after 250-500 ms and then every 33-92 ms.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import groupby

REST_S = 0.7
"""A command key counts again after it has rested for so long."""

STEP_S = 0.12
"""A held step key counts this often."""

TYPING_LETTERS = 5
TYPING_S = 1.0
HELD_GAP_S = 0.1
"""The same letter within less than this is a held key, not a typist's double letter."""


@dataclass
class KeyRests:
    """When each key was last seen, and when it last counted."""

    seen: dict[str, float] = field(default_factory=dict)
    counted: dict[str, float] = field(default_factory=dict)

    def counts(self, name: str, now: float, *, step: bool = False) -> bool:
        """Whether this arrival of the key `name` is to be acted upon."""
        before = self.seen.get(name)
        self.seen[name] = now
        if step:
            last = self.counted.get(name)
            if last is not None and now - last < STEP_S:
                return False
            self.counted[name] = now
            return True
        return before is None or now - before >= REST_S

    def lift(self, name: str) -> None:
        """Another key came between, so the next press of this one is a new one."""
        self.seen.pop(name, None)


@dataclass
class _Letter:
    """One that was typed, or a key that is held. `at`: when it last came; `soon`: how often it came again at once."""

    at: float
    character: str
    soon: int = 0


class TypingWatch:
    """Finds five letters within a second: somebody is typing, not commanding."""

    def __init__(self) -> None:
        self._letters: deque[_Letter] = deque()

    def feed(self, character: str, now: float) -> str:
        """The letters typed, once there are five within a second; "" before. A held key is none of them."""
        if self._letters:
            last = self._letters[-1]
            gap = now - last.at
            if character == last.character and (gap < HELD_GAP_S or 2.5 * HELD_GAP_S < gap <= TYPING_S):
                last.at = now
                last.soon += gap < HELD_GAP_S
                return ""
        self._letters.append(_Letter(now, character))
        while self._letters and now - self._letters[0].at > TYPING_S:
            self._letters.popleft()
        if sum(letter.character.isalpha() for letter in self._letters) < TYPING_LETTERS:
            return ""
        return "".join(_typed(list(same)) for _, same in groupby(self._letters, lambda letter: letter.character))

    @property
    def letters(self) -> int:
        """How many are remembered."""
        return len(self._letters)

    def clear(self) -> None:
        """Begin afresh."""
        self._letters.clear()


def _typed(same: list[_Letter]) -> str:
    """The same letter in a row as it was meant: twice where text came all at once, not at all from a held key."""
    if any(letter.soon > 1 for letter in same):
        return ""
    return "".join(letter.character * (1 + letter.soon) for letter in same)
