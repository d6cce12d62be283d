"""When which frame of a capture was played: in stretches, for the card of a test waits for the mixer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from controller.sound.capture import read_start

RATE = 48_000


@dataclass(frozen=True)
class Playing:
    """Each (CLOCK_BOOTTIME, frame) begins a stretch that was played without a halt."""

    stretches: tuple[tuple[float, int], ...]

    @classmethod
    def of(cls, wav: Path) -> Playing:
        """By the capture itself, and what tests/started wrote beside it."""
        start = read_start(wav)
        assert start is not None
        told = Path(f"{wav}.played")
        lines = told.read_text(encoding="ascii").splitlines() if told.exists() else []
        return cls(((start.boottime, 0), *((float(began), int(first)) for began, first in map(str.split, lines))))

    def frame_at(self, boottime: float) -> int:
        """The frame that was played then."""
        began, first = [known for known in self.stretches if known[0] <= boottime][-1]
        return first + round((boottime - began) * RATE)

    def boottime_of(self, frame: int) -> float:
        """When a frame was played."""
        began, first = [known for known in self.stretches if known[1] <= frame][-1]
        return began + (frame - first) / RATE
