"""What the record says of itself: what a session was run with, damage that was found, and the disk's reserve."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from controller.messages.codec import Tagged

KeptName = Literal["programme", "room", "devices", "limits", "library", "software"]
"""What is kept of a session as it was run: files as they were read, the rest as JSON or a line of text."""


class Kept(Struct, frozen=True, kw_only=True):
    """One of the things that a session was run with: its SHA-256 (hex) and bytes. The content lies in the journal."""

    name: KeptName
    sha256: str
    size: int


class JournalDamaged(Tagged, frozen=True, kw_only=True, tag="journal_damaged"):
    """A journal was found damaged when the daemon opened; the file is kept as `kept_as`.

    `book`: the session, or "room". `first_bad`: the first record that is not as it was written, None where only the
    file's structure is. `kept`: the book goes on after so many records; 0: it could not. `lost`: how many are known to
    be missing, None where nobody can know. `texts`, `states`, `parts`: free texts, snapshots, and things that the
    session was run with, lost beside those kept.
    """

    book: str
    kept_as: str
    first_bad: int | None = None
    kept: int = 0
    lost: int | None = None
    texts: int = 0
    states: int = 0
    parts: int = 0


class ReserveChanged(Tagged, frozen=True, kw_only=True, tag="reserve_changed"):
    """The disk was full and the reserve in the state directory was given up for the record, or it is there again."""

    there: bool
    megabytes: float
