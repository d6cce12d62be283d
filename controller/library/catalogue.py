"""The measured library, kept so that a file is measured once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from controller.messages import Piece

Progress = Callable[[int, int, Path], None]
"""Called with how many files are done, how many there are, and the newest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """A file that cannot be used, and why."""

    path: str
    why: str


class Catalogue:
    """STATE/library.db: measurements by path, size and time of change."""

    def __init__(self, state_dir: Path) -> None:
        """Open or make the catalogue."""
        raise NotImplementedError

    def scan(self, dirs: Sequence[Path], progress: Progress | None = None) -> tuple[list[Piece], list[Problem]]:
        """Measure what is new or changed under `dirs`; gives all that lies there, in the order of the paths.

        Blocks; may be stopped at any moment and goes on from there. Files that are gone are forgotten.
        """
        raise NotImplementedError

    def pieces(self, dirs: Sequence[Path] | None = None) -> list[Piece]:
        """The pieces of the last scan (under `dirs`) in the order of their paths; nothing is measured."""
        raise NotImplementedError

    def problems(self, dirs: Sequence[Path] | None = None) -> list[Problem]:
        """The files of the last scan that cannot be used."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the file; twice is fine."""
        raise NotImplementedError
