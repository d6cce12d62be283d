"""The measured library, kept so that a file is measured once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from controller.library.measure import Unmeasurable, measure
from controller.messages import Piece, decode, encode

SUFFIXES = (".flac", ".mp3", ".ogg", ".oga", ".opus", ".wav", ".m4a", ".aac", ".aif", ".aiff", ".wma")
"""What counts as music in a folder; covers, lists and notes may lie beside it."""

_WORKERS = 2

_MEASURE_VERSION = 1
"""Raise it when measuring gives other numbers: everything is then measured again."""

_TABLE = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, piece BLOB, why TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID
"""

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
        state_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._connection = sqlite3.connect(state_dir / "library.db", timeout=10.0, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        if self._connection.execute("PRAGMA user_version").fetchone()[0] != _MEASURE_VERSION:
            self._connection.execute("DROP TABLE IF EXISTS files")
            self._connection.execute(f"PRAGMA user_version = {_MEASURE_VERSION}")
        self._connection.execute(_TABLE)

    def scan(self, dirs: Sequence[Path], progress: Progress | None = None) -> tuple[list[Piece], list[Problem]]:
        """Measure what is new or changed under `dirs`; gives all that lies there, in the order of the paths.

        Blocks; may be stopped at any moment and goes on from there. Files that are gone are forgotten. A folder that
        is not there is a problem of its own.
        """
        found, problems = _find_files(dirs)
        self._forget(dirs, found)
        todo = [path for path in found if not self._is_known(path, *found[path])]
        done = len(found) - len(todo)
        if progress and found:
            progress(done, len(found), next(iter(found)))
        for path, piece, why in _measure_all(todo):
            row = (str(path), *found[path], encode(piece) if piece else None, why)
            self._connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", row)
            done += 1
            if progress:
                progress(done, len(found), path)
        return self.pieces(dirs), problems + self.problems(dirs)

    def pieces(self, dirs: Sequence[Path] | None = None) -> list[Piece]:
        """The pieces of the last scan (under `dirs`) in the order of their paths; nothing is measured."""
        rows = self._connection.execute("SELECT path, piece FROM files WHERE piece IS NOT NULL ORDER BY path")
        return [decode(Piece, piece) for path, piece in rows if _is_under(path, dirs)]

    def problems(self, dirs: Sequence[Path] | None = None) -> list[Problem]:
        """The files of the last scan that cannot be used."""
        rows = self._connection.execute("SELECT path, why FROM files WHERE piece IS NULL ORDER BY path")
        return [Problem(path=path, why=why) for path, why in rows if _is_under(path, dirs)]

    def close(self) -> None:
        """Close the file; twice is fine."""
        self._connection.close()

    def _is_known(self, path: Path, size: int, mtime_ns: int) -> bool:
        row = self._connection.execute("SELECT size, mtime_ns FROM files WHERE path = ?", (str(path),)).fetchone()
        return row is not None and row == (size, mtime_ns)

    def _forget(self, dirs: Sequence[Path], found: dict[Path, tuple[int, int]]) -> None:
        known = [path for (path,) in self._connection.execute("SELECT path FROM files").fetchall()]
        gone = [(path,) for path in known if _is_under(path, dirs) and Path(path) not in found]
        self._connection.executemany("DELETE FROM files WHERE path = ?", gone)


def _find_files(dirs: Sequence[Path]) -> tuple[dict[Path, tuple[int, int]], list[Problem]]:
    """Size and time of change of each music file, in the order of the paths; a folder may also be one file."""
    found: dict[Path, tuple[int, int]] = {}
    problems = []
    for top in [path.absolute() for path in dirs]:
        if not top.exists():
            problems.append(Problem(path=str(top), why="missing"))
            continue
        for path in [top] if top.is_file() else top.rglob("*"):
            if path == top or (path.suffix.lower() in SUFFIXES and not path.name.startswith(".")):
                try:
                    stat = path.stat()
                except OSError as error:
                    problems.append(Problem(path=str(path), why=f"unreadable: {error.strerror}"))
                    continue
                found[path] = (stat.st_size, stat.st_mtime_ns)
    return dict(sorted(found.items())), problems


def _is_under(path: str, dirs: Sequence[Path] | None) -> bool:
    return dirs is None or any(Path(path).is_relative_to(top.absolute()) for top in dirs)


def _measure_all(paths: list[Path]) -> Iterator[tuple[Path, Piece | None, str]]:
    if not paths:
        return
    # Each thread waits for an ffmpeg of its own: the work is done by processes.
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="measure") as pool:
        waiting = {pool.submit(measure, path): path for path in paths}
        try:
            for future in as_completed(waiting):
                path = waiting[future]
                try:
                    yield path, future.result(), ""
                except Unmeasurable as problem:
                    yield path, None, problem.why
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
