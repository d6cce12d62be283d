"""The measured library, kept by content so that a piece is measured once, wherever it moves."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from controller.library.folders import Found, Problem, find_music, is_under
from controller.library.measurement import MEASURE_VERSION, Measurement
from controller.library.notes import Note, Notes
from controller.library.schema import prepare
from controller.messages import Piece, decode, encode
from controller.one_line import one_line

if TYPE_CHECKING:
    from controller.library.measuring import Outcome

Progress = Callable[[int, int, Path], None]
"""Called with how many files are done, how many there are, and the newest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """All that is known of a usable file. `stale`: measured by an older version."""

    path: str
    digest: str
    measurement: Measurement
    note: Note
    stale: bool

    @property
    def said(self) -> Note:
        """What clinic and file say of the music, the clinic first; None where neither says anything."""
        measured = self.measurement
        tagged = Note(
            title=one_line(measured.title) or None,
            artist=one_line(measured.artist) or None,
            album=one_line(measured.album) or None,
            track=_track(measured) or None,
            vocals=measured.vocals,
            language=one_line(measured.language) or None,
            tradition=one_line(measured.tradition) or None,
        )
        return self.note.over(tagged)

    @property
    def genres(self) -> tuple[str, ...]:
        """What the file itself calls its music."""
        return tuple(one_line(genre) for genre in self.measurement.genres)

    @property
    def piece(self) -> Piece:
        """The piece as a planner sees it; genres count as tags."""
        measured, said = self.measurement, self.said
        return Piece(
            path=self.path,
            title=said.title or Path(self.path).stem,
            artist=said.artist or "",
            duration_s=measured.duration_s,
            lufs=measured.lufs,
            true_peak_dbfs=measured.true_peak_dbfs,
            digest=self.digest,
            head_s=measured.head_s,
            tail_s=measured.tail_s,
            loudness_range_lu=measured.loudness_range_lu,
            centroid_hz=measured.centroid_hz,
            onset_rate_hz=measured.onset_rate_hz,
            onset_regularity=measured.onset_regularity,
            rise_db=measured.rise_db,
            album=said.album or "",
            track_number=said.track or 0,
            vocals=bool(said.vocals),
            language=said.language or "",
            tradition=said.tradition or "",
            tags=tuple(dict.fromkeys((*(said.tags or ()), *(genre.lower() for genre in self.genres)))),
        )


class Catalogue:
    """STATE/library.db. Folders are taken as they resolve, so that a link and its target are one place."""

    def __init__(self, state_dir: Path) -> None:
        """Open, make or take over the catalogue. Raises OSError or sqlite3.Error."""
        state_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._connection = sqlite3.connect(state_dir / "library.db", timeout=10.0, isolation_level=None)
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            prepare(self._connection)
        except BaseException:
            self._connection.close()
            raise

    def scan(self, dirs: Sequence[Path], progress: Progress | None = None) -> tuple[list[Piece], list[Problem]]:
        """Measure what is new or changed under `dirs`; gives all that lies there, in the order of the paths.

        Blocks; may be stopped at any moment and goes on from there: each file is kept as it is done. Files that are
        gone are forgotten, unless their whole folder is away. Raises FileNotFoundError where there is no ffmpeg.
        """
        tops = [top.resolve() for top in dirs]
        known = self.folders()
        fresh = [(str(top),) for top in tops if top.exists() and top not in known]
        self._change("INSERT OR IGNORE INTO folders VALUES (?)", fresh)
        found, sheets, problems = find_music(tops)
        notes = Notes()
        problems += read_sheets(sheets, list(found), notes)
        self._forget([top for top in tops if top.exists()], found)
        todo = [path for path, as_found in found.items() if not self._is_known(path, as_found)]
        done = len(found) - len(todo)
        if progress and found:
            progress(done, len(found), next(iter(found)))
        from controller.library.measuring import measure_all  # numpy, which a daemon that only looks up does without

        with closing(measure_all(todo, self._known_digests())) as outcomes:
            for outcome in outcomes:
                self._keep(outcome, found[outcome.path])
                done += 1
                if progress:
                    progress(done, len(found), outcome.path)
        self._note(found, notes)
        return self.pieces(tops), problems + self.problems(tops)

    def entries(self, dirs: Sequence[Path] | None = None) -> Iterator[Entry]:
        """The usable files of the last scan (under `dirs`) in the order of their paths; nothing is measured."""
        tops = _resolved(dirs)
        rows = self._connection.execute(
            "SELECT path, digest, measurement, note, version FROM files JOIN contents USING (digest) "
            "WHERE measurement IS NOT NULL ORDER BY path"
        ).fetchall()
        for path, digest, measurement, note, version in rows:
            if is_under(path, tops):
                yield Entry(
                    path=path,
                    digest=digest,
                    measurement=decode(Measurement, measurement),
                    note=decode(Note, note) if note else Note(),
                    stale=version != MEASURE_VERSION,
                )

    def pieces(self, dirs: Sequence[Path] | None = None) -> list[Piece]:
        """The pieces of the last scan (under `dirs`) in the order of their paths."""
        return [entry.piece for entry in self.entries(dirs)]

    def problems(self, dirs: Sequence[Path] | None = None) -> list[Problem]:
        """The files of the last scan (under `dirs`) that cannot be used."""
        tops = _resolved(dirs)
        rows = self._connection.execute(
            "SELECT path, coalesce(nullif(files.why, ''), contents.why) FROM files LEFT JOIN contents USING (digest) "
            "WHERE files.why != '' OR contents.why != '' ORDER BY path"
        ).fetchall()
        return [Problem(path=path, why=why) for path, why in rows if is_under(path, tops)]

    def known(self) -> dict[str, Found]:
        """Every file of the last scan, usable or not, as it was found then."""
        rows = self._connection.execute("SELECT path, size, mtime_ns FROM files")
        return {path: Found(size, mtime_ns) for path, size, mtime_ns in rows}

    def folders(self) -> list[Path]:
        """The folders that were scanned."""
        return [Path(path) for (path,) in self._connection.execute("SELECT path FROM folders ORDER BY path")]

    def forget(self, folder: Path) -> int:
        """Forget a folder and the files below it; gives how many. Measurements stay, should the files come back."""
        top = folder.resolve()
        gone = [path for path in self.known() if is_under(path, [top])]
        self._change("DELETE FROM files WHERE path = ?", [(path,) for path in gone])
        known = [str(path) for path in self.folders() if is_under(str(path), [top])]
        self._change("DELETE FROM folders WHERE path = ?", [(path,) for path in known])
        return len(gone)

    def close(self) -> None:
        """Close the file; twice is fine."""
        self._connection.close()

    def _keep(self, outcome: Outcome, found: Found) -> None:
        if outcome.measured:
            measurement = encode(outcome.measurement) if outcome.measurement else None
            row = (outcome.digest, MEASURE_VERSION, measurement, outcome.why)
            self._connection.execute("INSERT OR REPLACE INTO contents VALUES (?, ?, ?, ?)", row)
        self._connection.execute(
            "INSERT INTO files (path, size, mtime_ns, digest, why) VALUES (?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE "
            "SET size = excluded.size, mtime_ns = excluded.mtime_ns, digest = excluded.digest, why = excluded.why",
            (str(outcome.path), found.size, found.mtime_ns, outcome.digest, "" if outcome.digest else outcome.why),
        )

    def _note(self, found: Iterable[Path], notes: Notes) -> None:
        """Keep what music.csv says now."""
        before = dict(self._connection.execute("SELECT path, note FROM files").fetchall())
        now = {str(path): encode(note) if (note := notes.of(path)) != Note() else None for path in found}
        changed = [(note, path) for path, note in now.items() if note != before.get(path)]
        self._change("UPDATE files SET note = ? WHERE path = ?", changed)

    def _change(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Many rows in one commit; none where there are no rows: readers look at when the file was last written."""
        if rows:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(statement, rows)
            self._connection.execute("COMMIT")

    def _is_known(self, path: Path, found: Found) -> bool:
        row = self._connection.execute(
            "SELECT size, mtime_ns, version FROM files JOIN contents USING (digest) WHERE path = ?", (str(path),)
        ).fetchone()
        return row is not None and row == (found.size, found.mtime_ns, MEASURE_VERSION)

    def _known_digests(self) -> frozenset[str]:
        rows = self._connection.execute("SELECT digest FROM contents WHERE version = ?", (MEASURE_VERSION,))
        return frozenset(digest for (digest,) in rows)

    def _forget(self, tops: Sequence[Path], found: dict[Path, Found]) -> None:
        gone = [(path,) for path in self.known() if is_under(path, tops) and Path(path) not in found]
        self._change("DELETE FROM files WHERE path = ?", gone)


def _resolved(dirs: Sequence[Path] | None) -> list[Path] | None:
    return None if dirs is None else [top.resolve() for top in dirs]


def read_sheets(sheets: Sequence[Path], pieces: Sequence[Path], notes: Notes) -> list[Problem]:
    """What is wrong with the music.csv files, by row; `pieces` are all that lie about."""
    problems = []
    for path in sheets:
        if (sheet := notes.sheet(path.parent)) is not None:
            sheet.name_strays([piece for piece in pieces if piece.is_relative_to(path.parent)])
            problems += [Problem(path=str(path), why=mistake) for mistake in sheet.mistakes]
    return problems


def _track(measured: Measurement) -> int:
    """Track 3 of the second disc sorts behind all of the first: 203."""
    return measured.track + 100 * measured.disc if measured.disc > 1 else measured.track
