"""Telling a press from a held key, and a command from somebody typing. Pure; `now` is in seconds.

A terminal has no key-up: a held key arrives again after 250-500 ms and then every 33-92 ms.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

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


RUN_GAP_S = 0.6
"""Digits that follow each other sooner are one run: marks are chosen one by one (our judgement)."""

PIN_DIGITS = 4
"""So many in a run are a PIN that was typed where none was asked for; no PIN is shorter."""

HELD_DIGIT_S = 0.15
"""The same digit again within less than this is a held key, whose repeats a busy machine may bring late."""

AFTER_PIN_S = 2.0
"""A digit so soon after the last key of a PIN still belongs to it."""


class DigitRun:
    """Tells marks from a PIN that is typed where none is asked for. The first digit is a mark at once.

    Those behind it wait until it is known what they are: marks after all where the run stays short, else nothing. Any
    other key ends a run.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin afresh."""
        self._digits: list[str] = []
        self._before = ""
        self._secret = False
        self.since = self.last = float("-inf")
        """When the run began, and when its newest digit came."""
        self.held: list[tuple[str, float]] = []
        """What waits, with the times of the presses."""

    @property
    def is_pin(self) -> bool:
        """Whether the digits are somebody's PIN."""
        return self._secret or len(self._digits) >= PIN_DIGITS

    def secret(self, now: float) -> None:
        """A key of a PIN, where it was asked for."""
        self.clear()
        self._secret, self.since, self.last = True, now, now + AFTER_PIN_S - RUN_GAP_S

    def feed(self, digit: str, now: float) -> bool:
        """Take a digit; whether it is to be acted upon at once."""
        if now - self.last > RUN_GAP_S:
            self._digits, self._secret, self.since = [], False, now
        if digit == self._before and now - self.last < HELD_DIGIT_S:
            self._digits = []  # nobody holds a key down in a PIN
        else:
            self._digits.append(digit)
        self._before, self.last = digit, max(self.last, now)
        if self.is_pin:
            self.held.clear()
        return self._digits == [digit] and not self._secret


class TypingWatch:
    """Finds five letters within a second: somebody is typing, not commanding."""

    def __init__(self) -> None:
        self._letters: deque[tuple[float, str]] = deque()

    def feed(self, character: str, now: float) -> str:
        """The letters typed, once there are five within a second; "" before."""
        if self._letters:
            at, last = self._letters[-1]
            gap = now - at
            if character == last and (gap < HELD_GAP_S or gap > 2.5 * HELD_GAP_S):
                self._letters[-1] = (now, last)
                return ""
        self._letters.append((now, character))
        while self._letters and now - self._letters[0][0] > TYPING_S:
            self._letters.popleft()
        if sum(letter.isalpha() for _, letter in self._letters) < TYPING_LETTERS:
            return ""
        return "".join(letter for _, letter in self._letters)

    @property
    def letters(self) -> int:
        """How many are remembered."""
        return len(self._letters)

    def clear(self) -> None:
        """Begin afresh."""
        self._letters.clear()
