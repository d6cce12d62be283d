"""What a console asks of sessions that are over, and what it is shown: read from their files, changing nothing."""

from __future__ import annotations

from msgspec import Struct, field

from controller.messages.status import LogEntry


class LookUp(Struct, frozen=True, kw_only=True):
    """Show the closed sessions, or with `session` one of them: its newest entries, or those before record `before`."""

    id: str
    session: str = ""
    before: int = 0


class ClosedSession(Struct, frozen=True, kw_only=True):
    """One session that is over, at a glance. `length_s` from its opening to its end; `signed_by` "" for nobody."""

    session: str
    opened_utc: str
    length_s: float
    programme: str = ""
    participants: tuple[str, ...] = ()
    signed_by: str = ""
    later: int = 0
    """Records that were added after its end, signatures included."""


class LookedUp(Struct, frozen=True, kw_only=True):
    """The answer: newest first. `refused` is "" unless nothing is shown."""

    id: str
    refused: str = ""
    values: dict[str, str | int | float] = field(default_factory=dict)
    sessions: tuple[ClosedSession, ...] = ()
    entries: tuple[LogEntry, ...] = ()
    older: bool = False
    """Whether there are entries before these."""
    opened_utc: str = ""
    opened_t: float = 0.0
    """The room time at `opened_utc`."""
    length_s: float = 0.0
