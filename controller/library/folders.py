"""The music that lies in folders: which files, how large, when last changed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from controller.library.notes import NAME as NOTES
from controller.one_line import breaks_lines

SUFFIXES = (".flac", ".mp3", ".ogg", ".oga", ".opus", ".wav", ".m4a", ".aac", ".aif", ".aiff", ".wma")
"""What counts as music in a folder; covers, lists and notes may lie beside it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """A file that cannot be used as it stands, and why."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """A file as the directory lists it."""

    size: int
    mtime_ns: int


def find_music(tops: Sequence[Path]) -> tuple[dict[Path, Found], list[Path], list[Problem]]:
    """The music under `tops` in the order of the paths, the music.csv files there, and what could not be looked at.

    A top may also be one file; it then counts whatever its name.
    """
    found: dict[Path, Found] = {}
    notes: list[Path] = []
    problems: list[Problem] = []

    def unreadable(error: OSError) -> None:
        problems.append(Problem(path=str(error.filename or ""), why=f"unreadable: {error.strerror}"))

    def look_at(path: Path) -> None:
        try:
            str(path).encode()
            if breaks_lines(str(path)):  # no list of music nor a music.csv could name it
                problems.append(Problem(path=str(path), why="there is a control character in its name: rename it"))
                return
            stat = path.stat()
            found[path] = Found(stat.st_size, stat.st_mtime_ns)
        except UnicodeEncodeError:
            printable = os.fsencode(path).decode("utf-8", "replace")
            problems.append(Problem(path=printable, why="its name is not UTF-8: rename it"))
        except OSError as error:
            unreadable(error)

    seen: set[tuple[int, int]] = set()  # a link may lead back to a folder above it

    def is_new(folder: str) -> bool:
        try:
            stat = Path(folder).stat()
        except OSError:
            return True
        size = len(seen)
        seen.add((stat.st_dev, stat.st_ino))
        return len(seen) > size

    real = [top.resolve() for top in tops]

    def leads_out(folder: Path) -> bool:
        """Whether it is no link to what is found by its own path anyway, under which programmes name it."""
        return not folder.is_symlink() or not is_under(str(Path(os.path.realpath(folder))), real)

    for top in tops:
        if top.is_file():
            look_at(top)
        elif not top.exists():
            problems.append(Problem(path=str(top), why="missing"))
            continue
        for folder, folders, names in os.walk(top, onerror=unreadable, followlinks=True):
            if not is_new(folder):
                folders.clear()
                continue
            folders[:] = sorted(name for name in folders if not name.startswith(".") and leads_out(Path(folder, name)))
            for name in names:
                path = Path(folder, name)
                if path.suffix.lower() in SUFFIXES and not name.startswith("."):
                    look_at(path)
                elif name == NOTES:
                    notes.append(path)
    return dict(sorted(found.items())), sorted(set(notes)), problems


def is_under(path: str, tops: Sequence[Path] | None) -> bool:
    """Whether a path is one of `tops` or lies below one; None means anywhere."""
    return tops is None or any(Path(path).is_relative_to(top) for top in tops)
