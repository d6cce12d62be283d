"""What the record says of itself: what a session was run with, damage that was found, and the disk's reserve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

KeptName = Literal["programme", "room", "devices", "limits", "library", "software"]
"""What is kept of a session as it was run: files as they were read, the rest as JSON or a line of text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """One of the things that a session was run with: its SHA-256 (hex) and bytes. The content lies in the journal."""

    name: KeptName
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalDamaged:
    """A journal was found damaged when the daemon opened; the file is kept as `kept_as`.

    `book`: the session, or "room". `first_bad`: the first record that is not as it was written, None where only the
    file's structure is. `kept`: the book goes on after so many records; 0: it could not. `lost`: how many are known to
    be missing, None where nobody can know. `texts`, `states`, `parts`: free texts, snapshots, and things that the
    session was run with, lost beside those kept.
    """

    kind: Literal["journal_damaged"] = "journal_damaged"
    book: str
    kept_as: str
    first_bad: int | None = None
    kept: int = 0
    lost: int | None = None
    texts: int = 0
    states: int = 0
    parts: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ReserveChanged:
    """The disk was full and the reserve in the state directory was given up for the record, or it is there again."""

    kind: Literal["reserve_changed"] = "reserve_changed"
    there: bool
    megabytes: float
