"""Reading journals while they are being written: nothing here ever changes a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from controller.messages import LogEntry, Record


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionInfo:
    """One session's file at a glance. `closed`: its end was recorded."""

    session: str
    file: Path
    records: int
    opened_utc: str
    last_utc: str
    closed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """Whether a journal is as it was written. `first_bad`: the line (for a session: the seq) where it is not."""

    ok: bool
    records: int
    first_bad: int | None = None
    why: str = ""
    redacted: int = 0
    heads: int = 0
    """Head hashes of the room's chain that were compared."""


def list_sessions(state_dir: Path) -> list[SessionInfo]:
    """All sessions, oldest first."""
    raise NotImplementedError


def room_file(state_dir: Path) -> Path:
    """The room's own journal."""
    raise NotImplementedError


def session_file(state_dir: Path, session: str) -> Path:
    """A session's journal; raises ValueError for a name that cannot be one."""
    raise NotImplementedError


def read_records(file: Path) -> Iterator[tuple[Record, str]]:
    """Every record of a file with its free text ("" where it has none or it was redacted), old schemas upcast."""
    raise NotImplementedError


def verify(file: Path) -> Verified:
    """Check each hash, digest and number of a file, and the head hashes that the room's chain keeps of it."""
    raise NotImplementedError


def log_entries(record: Record, text: str = "") -> list[LogEntry]:
    """How a record shows in a log: one entry for what happened (unless it is mere machinery), one for each fact."""
    raise NotImplementedError


def blank_text(file: Path, seq: int) -> None:
    """Redact the free text of one record for good; the chain stays valid. Raises KeyError where it has none."""
    raise NotImplementedError
