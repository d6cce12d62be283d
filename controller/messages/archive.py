"""What is done with a record that is written: signed, added to, redacted, backed up, removed when its time is over.

The acts are a coordinator's, from `stillroom journal …`, or the room's timetable's; none of them moves anything in the
room. Free text stands in the Input's `why`. The daemon fills `after` and `head` from the file before the rules see it.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from controller.messages.codec import Tagged


class SignOff(Tagged, frozen=True, kw_only=True, tag="sign_off"):
    """The investigator has reviewed a closed session: its `after` records, whose last has the hash `head`."""

    session: str
    meaning: Literal["reviewed"] = "reviewed"
    """What the signature stands for: the record was reviewed and is complete."""
    after: int = 0
    head: str = ""


class Addendum(Tagged, frozen=True, kw_only=True, tag="addendum"):
    """A late entry to a closed session, or with `amends` the correction of one of its records; the old one stays.

    `about_t`: the room time that it speaks of.
    """

    session: str
    amends: int = 0
    about_t: float | None = None
    after: int = 0


class Redaction(Tagged, frozen=True, kw_only=True, tag="redaction"):
    """Blank the free text of record `seq` for good; `why` in the Input. `session` is "room", or "" for the open one."""

    session: str
    seq: int
    after: int = 0


class BackedUp(Tagged, frozen=True, kw_only=True, tag="backed_up"):
    """A backup was made, or failed (`why`). `backup`: the id of the one at `place`, whatever path it is mounted at."""

    backup: str = ""
    place: str
    at_unix: float
    ok: bool
    why: str = ""
    sessions: int = 0
    """Sessions that the backup holds now."""
    added: dict[str, int] = field(default_factory=dict)
    """What it holds of each session, in records, where no record before this one says the same."""
    bytes: int = 0
    manifest: str = ""
    """SHA-256 of the manifest."""


class Removal(Struct, frozen=True, kw_only=True):
    """One session's file that retention takes. `session` is the SHA-256 of its name; `head` of its last record."""

    session: str
    opened_utc: str
    closed_utc: str
    records: int
    head: str
    days: float
    """The rule: kept for so many days after its end."""
    kept_by: Literal["signature", "backup"]
    """What stands for it from now on."""
    sheets: int = 0
    """Files of sheets for paramedics that went with it."""
    copies: int = 0
    """Damaged copies of its file, set aside before, that went with it."""


class Retention(Tagged, frozen=True, kw_only=True, tag="retention"):
    """Sessions whose time is over; their files go once this is on record."""

    removed: tuple[Removal, ...]


AboutABook = SignOff | Addendum | Redaction
"""Acts that are recorded in the book that they are about, also when that is closed."""

ArchiveAct = AboutABook | BackedUp | Retention
"""Acts about what is written; BackedUp and Retention are recorded in the room's own book."""
