"""One journal file: SQLite that can only grow.

Every commit is on disk when it returns (WAL, synchronous=FULL). Triggers refuse to change or delete a line or a
snapshot; a free text may be blanked, and nothing else. One connection writes; any number read meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from controller.journal import chain

FILE_FORMAT = 1
"""Version of the tables below."""

Commit = Callable[[Callable[[], None]], None]
"""Runs the commit that it is given; a test's may dawdle or raise instead."""

_FOLD_EVERY = 100
"""Commits after which the write-ahead log is folded into the file, and then written anew from its beginning."""

_BUSY_S = 1.0
"""How long a writer waits for a redaction that holds the file."""

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE records (
    line INTEGER PRIMARY KEY, seq INTEGER, body BLOB NOT NULL, text_digest BLOB, state_digest BLOB, hash BLOB NOT NULL
);
CREATE TABLE snapshots (line INTEGER PRIMARY KEY, state BLOB NOT NULL);
CREATE TABLE texts (line INTEGER PRIMARY KEY, salt BLOB, text TEXT);
CREATE TRIGGER records_grow BEFORE INSERT ON records
    WHEN NEW.line IS NOT (SELECT coalesce(max(line), 0) + 1 FROM records)
    BEGIN SELECT raise(ABORT, 'a journal only grows'); END;
CREATE TRIGGER snapshots_grow BEFORE INSERT ON snapshots
    WHEN NEW.line <= (SELECT coalesce(max(line), 0) FROM snapshots)
    BEGIN SELECT raise(ABORT, 'a journal only grows'); END;
CREATE TRIGGER texts_grow BEFORE INSERT ON texts
    WHEN NEW.line <= (SELECT coalesce(max(line), 0) FROM texts)
    BEGIN SELECT raise(ABORT, 'a journal only grows'); END;
CREATE TRIGGER records_stay BEFORE UPDATE ON records BEGIN SELECT raise(ABORT, 'a record never changes'); END;
CREATE TRIGGER records_remain BEFORE DELETE ON records BEGIN SELECT raise(ABORT, 'a record is never deleted'); END;
CREATE TRIGGER snapshots_stay BEFORE UPDATE ON snapshots BEGIN SELECT raise(ABORT, 'a snapshot never changes'); END;
CREATE TRIGGER snapshots_remain BEFORE DELETE ON snapshots
    BEGIN SELECT raise(ABORT, 'a snapshot is never deleted'); END;
CREATE TRIGGER texts_blank_only BEFORE UPDATE ON texts
    WHEN NEW.line IS NOT OLD.line OR NEW.text IS NOT NULL OR NEW.salt IS NOT NULL
    BEGIN SELECT raise(ABORT, 'a text may only be blanked'); END;
CREATE TRIGGER texts_remain BEFORE DELETE ON texts BEGIN SELECT raise(ABORT, 'a text may only be blanked'); END;
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """What is to be written. `seq` is None for a head hash in the room's book."""

    seq: int | None
    body: bytes
    text: str = ""
    snapshot: bytes | None = None


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
    return sorted(file for file in found if not file.name.endswith(("-wal", "-shm")))


def make_dirs(state_dir: Path) -> None:
    """Make the state directory, readable by the group and no further; raises OSError."""
    for directory in (state_dir, sessions_dir(state_dir)):
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)


class BookFile:
    """The writing end of one journal file. Raises `sqlite3.Error` or `OSError` where the disk fails."""

    def __init__(self, file: Path, book: str, opened_utc: str) -> None:
        """Open the file, or make it with mode 0640."""
        _make_empty(file)
        self.book = book
        self._connection = connect_writing(file)
        self._unfolded = 0
        try:
            self._connection.execute("PRAGMA wal_autocheckpoint = 0")
            if not _has_tables(self._connection):
                self._make_tables(opened_utc)
            self._find_end()
        except BaseException:
            self._connection.close()
            raise

    def _make_tables(self, opened_utc: str) -> None:
        meta = {"format": str(FILE_FORMAT), "book": self.book, "opened_utc": opened_utc, "closed_utc": ""}
        values = ",".join(f"('{key}', '{value}')" for key, value in meta.items())
        self._connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} INSERT INTO meta VALUES {values}; COMMIT;")

    def _find_end(self) -> None:
        last = self._connection.execute("SELECT line, hash FROM records ORDER BY line DESC LIMIT 1").fetchone()
        numbered = self._connection.execute(
            "SELECT seq FROM records WHERE seq IS NOT NULL ORDER BY line DESC LIMIT 1"
        ).fetchone()
        self.line: int = last[0] if last else 0
        self.head: bytes = last[1] if last else chain.genesis(self.book)
        self.seq: int = numbered[0] if numbered else 0

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
                head = chain.line_hash(head, line.body, text_digest, state_digest)
                row = (at, line.seq, line.body, text_digest, state_digest, head)
                execute("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)", row)
            commit(self._commit)
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._connection.rollback()
            raise
        self.line, self.seq, self.head = at, seq, head
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

    def close(self) -> None:
        """Close the file; twice is fine."""
        self._connection.close()


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
def reading(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write. Raises FileNotFoundError, or `sqlite3.Error` where it is no journal."""
    if not file.is_file():
        raise FileNotFoundError(file)
    uri = file.resolve().as_uri() + "?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None)
    try:
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            # A settled file in a directory that we may not write to: there is no log to share with a writer.
            wal = file.with_name(file.name + "-wal")
            if wal.exists() and wal.stat().st_size:
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
    if not _has_tables(connection):
        return {}
    meta = {str(key): str(value) for key, value in connection.execute("SELECT key, value FROM meta")}
    if meta.get("format") != str(FILE_FORMAT):
        raise sqlite3.DatabaseError(f"file format {meta.get('format')} is not one that this version reads")
    return meta


_PASSING = (
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_AUTH,
)  # fmt: skip


def is_passing(error: Exception) -> bool:
    """Whether an error speaks of the moment (locked, disk full, not allowed) and not of the file's content."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _PASSING


def _has_tables(connection: sqlite3.Connection) -> bool:
    row = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
    return row is not None


def _make_empty(file: Path) -> None:
    if file.exists():
        return
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o640))
    file.chmod(0o640)
    directory = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
