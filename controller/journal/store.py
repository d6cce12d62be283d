"""One journal file: SQLite that can only grow.

Every commit is on disk when it returns (WAL, synchronous=FULL). Triggers refuse to change or delete a line or a
snapshot; a free text may be blanked, and nothing else. One connection writes; any number read meanwhile.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from controller.files import private, to_disk
from controller.journal import chain
from controller.journal.mark import ENDING, Mark, read_mark, remove_mark
from controller.journal.tables import FILE_FORMAT, TABLES, has_tables

Commit = Callable[[Callable[[], None]], None]
"""Runs the commit that it is given; a test's may dawdle or raise instead."""

_FOLD_EVERY = 100
"""Commits after which the write-ahead log is folded into the file, and then written anew from its beginning."""
COMPANIONS = ("-wal", "-shm", ENDING)
"""Endings of the files that belong to a journal file."""

_BUSY_S = 1.0
"""How long a writer waits for a redaction that holds the file."""


class JournalInUse(Exception):
    """Another process writes to this state directory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """What is to be written. `seq` is None for a head hash in the room's book."""

    seq: int | None
    body: bytes
    text: str = ""
    snapshot: bytes | None = None
    parts: tuple[bytes, ...] = ()
    """What the record names by its digest and is too large for its body; kept compressed."""


def room_file(state_dir: Path) -> Path:
    """The room's own journal."""
    return state_dir / "room.db"


def sessions_dir(state_dir: Path) -> Path:
    """Where the sessions' journals lie."""
    return state_dir / "sessions"


def session_file(state_dir: Path, session: str) -> Path:
    """A session's journal; raises ValueError for a name that cannot be one."""
    return sessions_dir(state_dir) / f"{chain.check_book(session)}.db"


def book_file(state_dir: Path, book: str) -> Path:
    """The journal of a session, or of the room."""
    return room_file(state_dir) if book == chain.ROOM else session_file(state_dir, book)


def journal_files(state_dir: Path) -> list[Path]:
    """Every journal that is there: the room's first, then the sessions' by name."""
    room = room_file(state_dir)
    return ([room] if room.is_file() else []) + sorted(sessions_dir(state_dir).glob("*.db"))


def set_aside(state_dir: Path) -> list[Path]:
    """The journals that recovery found damaged, and kept under another name."""
    found = [file for top in (state_dir, sessions_dir(state_dir)) for file in top.glob("*.db.damaged-*")]
    return sorted(file for file in found if not file.name.endswith(COMPANIONS))


def damaged_copies(state_dir: Path, book: str) -> list[Path]:
    """Those of one book."""
    return [file for file in set_aside(state_dir) if file.name.startswith(f"{book}.db.")]


def lone_copies(state_dir: Path) -> dict[str, list[Path]]:
    """Those of sessions of which nothing goes on, oldest first, by session."""
    found: dict[str, list[Path]] = {}
    for file in set_aside(state_dir):
        session = file.name.partition(".")[0]
        if file.parent == sessions_dir(state_dir) and not file.with_name(f"{session}.db").exists():
            found.setdefault(session, []).append(file)
    return found


def with_log(kept: Path) -> list[Path]:
    """A damaged journal with the log that was set aside with it: what was written last may lie there alone."""
    return [file for file in (kept.with_name(f"{kept.name}-wal"), kept) if file.exists()]


def log_bytes(file: Path) -> int:
    """The size of the log beside a journal file; 0 where there is none, also since a moment ago."""
    try:
        return file.with_name(f"{file.name}-wal").stat().st_size
    except FileNotFoundError:
        return 0


def sheets_dir(state_dir: Path) -> Path:
    """Where consoles write the sheets for paramedics, each named by its session and the time of writing."""
    return state_dir / "sheets"


def sheets_of(state_dir: Path, session: str = "") -> list[Path]:
    """The sheets that were written for a session; all of them for ""."""
    found = [file for file in sheets_dir(state_dir).glob("*-*") if file.suffix in (".pdf", ".txt")]
    return sorted(file for file in found if session in ("", file.stem.rpartition("-")[0]))


def make_dirs(state_dir: Path) -> None:
    """Make the state directory, readable by the group and no further; raises OSError."""
    for directory in (state_dir, sessions_dir(state_dir)):
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)


def take_lock(state_dir: Path) -> int:
    """The right to write here, until the descriptor is closed. Raises OSError or `JournalInUse`."""
    lock = os.open(state_dir / "journal.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise JournalInUse(f"{state_dir}: another process writes the journal here") from error
    return lock


@contextlib.contextmanager
def writing_alone(state_dir: Path) -> Iterator[None]:
    """Hold that right meanwhile."""
    lock = take_lock(state_dir)
    try:
        yield
    finally:
        os.close(lock)


class BookFile:
    """The writing end of one journal file. Raises `sqlite3.Error` or `OSError` where the disk fails."""

    def __init__(self, file: Path, book: str, opened_utc: str) -> None:
        """Open the file, or make it with mode 0640. Raises ValueError where it ends before its mark."""
        _make_empty(file)
        self.book = book
        self._file = file
        self._connection = connect_writing(file)
        self._unfolded = 0
        try:
            self._connection.execute("PRAGMA wal_autocheckpoint = 0")
            if not has_tables(self._connection):
                self._make_tables(opened_utc)
            self._find_end()
            self._mark = self._mark_end()
        except BaseException:
            self._connection.close()
            raise

    def _make_tables(self, opened_utc: str) -> None:
        meta = {"format": str(FILE_FORMAT), "book": self.book, "opened_utc": opened_utc, "closed_utc": ""}
        values = ",".join(f"('{key}', '{value}')" for key, value in meta.items())
        self._connection.executescript(
            f"BEGIN IMMEDIATE; {TABLES[FILE_FORMAT]} INSERT INTO meta VALUES {values}; COMMIT;"
        )

    def _find_end(self) -> None:
        last = self._connection.execute("SELECT line, hash FROM records ORDER BY line DESC LIMIT 1").fetchone()
        numbered = self._connection.execute(
            "SELECT seq FROM records WHERE seq IS NOT NULL ORDER BY line DESC LIMIT 1"
        ).fetchone()
        self.line: int = last[0] if last else 0
        self.head: bytes = last[1] if last else chain.genesis(self.book)
        self.seq: int = numbered[0] if numbered else 0

    def _mark_end(self) -> Mark:
        kept = read_mark(self._file)
        if kept is not None and kept[0] > self.line:
            raise ValueError(f"{self._file.name} ends at {self.line}, but was written up to {kept[0]}")
        return Mark(self._file, self.line, self.head)

    def holds(self, line: Line) -> bool:
        """Whether this very record is in the file already (its commit was doubtful)."""
        row = self._connection.execute(
            "SELECT body FROM records WHERE seq = ? AND line >= ?", (line.seq, line.seq)
        ).fetchone()
        return row is not None and row[0] == line.body

    def append(self, lines: Sequence[Line], commit: Commit) -> None:
        """Write `lines` in one commit. After an error the file must be opened anew: what was kept is uncertain."""
        at, seq, head = self.line, self.seq, self.head
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            for line in lines:
                at += 1
                if line.seq is not None:
                    if line.seq != seq + 1:
                        raise ValueError(f"record {line.seq} cannot follow {seq} in {self.book}")
                    seq = line.seq
                text_digest = state_digest = None
                if line.text:
                    salt = secrets.token_bytes(16)
                    text_digest = chain.text_digest(salt, line.text.encode())
                    execute("INSERT INTO texts VALUES (?, ?, ?)", (at, salt, line.text))
                if line.snapshot is not None:
                    state_digest = chain.state_digest(line.snapshot)
                    execute("INSERT INTO snapshots VALUES (?, ?)", (at, line.snapshot))
                for part in line.parts:
                    kept = (hashlib.sha256(part).digest(), zlib.compress(part, 9))
                    execute("INSERT INTO parts (digest, content) VALUES (?, ?)", kept)
                head = chain.line_hash(head, line.body, text_digest, state_digest)
                row = (at, line.seq, line.body, text_digest, state_digest, head)
                execute("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)", row)
            commit(self._commit)
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._connection.rollback()
            raise
        self.line, self.seq, self.head = at, seq, head
        self._mark.move(at, head)
        self._unfolded += 1

    def fold(self) -> None:
        """Fold the write-ahead log into the file where that is due; a reader may prevent it until the next time.

        SQLite would do so within a commit, after its record is on disk and before anybody is told.
        """
        if self._unfolded >= _FOLD_EVERY:
            self._unfolded = 0
            with contextlib.suppress(sqlite3.Error):  # a disk that fails is met at the next commit
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _commit(self) -> None:
        self._connection.execute("COMMIT")

    def mark_closed(self, utc: str) -> None:
        """Note the session's end; what is added to it later does not move that."""
        self._connection.execute("UPDATE meta SET value = ? WHERE key = 'closed_utc' AND value = ''", (utc,))

    def settle(self) -> None:
        """Fold the write-ahead log into the file, so that it can be copied alone; a reader may prevent it."""
        with contextlib.suppress(sqlite3.OperationalError):
            self._connection.execute("PRAGMA journal_mode = DELETE")

    def close(self, *, ended: bool = False) -> None:
        """Close the file; twice is fine. `ended`: the room's chain has its end, and the mark is done with."""
        self._connection.close()
        self._mark.close()
        if ended:
            remove_mark(self._file)


def connect_writing(file: Path) -> sqlite3.Connection:
    """A connection for writing to a file that exists; each statement stands alone unless a BEGIN says otherwise."""
    connection = sqlite3.connect(file, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def reading(file: Path, *, damaged: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write. Raises FileNotFoundError, or `sqlite3.Error` where it is no journal.

    `damaged`: also a file that is shorter than it should be is read, as far as it goes.
    """
    if not file.is_file():
        raise FileNotFoundError(file)
    if log_bytes(file) and not file.stat().st_size:  # in this order: a book that is just begun has no log while empty
        raise sqlite3.DatabaseError("the file is empty, and its log is not")  # which SQLite would delete
    uri = file.resolve().as_uri() + "?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None)
    try:
        try:
            if damaged:
                connection.execute("PRAGMA writable_schema = ON")  # what keeps SQLite from refusing it
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            # A settled file in a directory that we may not write to: there is no log to share with a writer.
            if log_bytes(file):
                raise
            connection.close()
            connection = sqlite3.connect(uri + "&immutable=1", uri=True, isolation_level=None)
        yield connection
    finally:
        connection.close()


def read_meta(connection: sqlite3.Connection) -> dict[str, str]:
    """What the file says of itself: format, book, opened_utc, closed_utc; empty where it was never begun.

    Raises `sqlite3.DatabaseError` for a format that this version cannot read.
    """
    if not has_tables(connection):
        return {}
    meta = {str(key): str(value) for key, value in connection.execute("SELECT key, value FROM meta")}
    if meta.get("format") not in {str(known) for known in TABLES}:
        raise sqlite3.DatabaseError(f"file format {meta.get('format')} is not one that this version reads")
    return meta


_PASSING = (
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_AUTH,
)  # fmt: skip


def is_passing(error: Exception) -> bool:
    """Whether an error speaks of the moment (locked, disk full, not allowed) and not of the file's content."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _PASSING


def _make_empty(file: Path) -> None:
    if file.exists():
        return
    private(file)
    to_disk(file.parent)
