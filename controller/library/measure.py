"""What the audio of one file really is."""

from __future__ import annotations

from pathlib import Path

from controller.messages import Piece


class Unmeasurable(Exception):
    """A file that cannot be played as it stands. `why`: "missing", "empty", "not audio", "truncated …" and the like."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


def measure(path: Path) -> Piece:
    """Decode the whole file and measure it; raises `Unmeasurable`. `Piece.path` is absolute."""
    raise NotImplementedError
