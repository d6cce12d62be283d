"""What the room's timetable says: what is booked, what the wall clock brings, what was found at night.

Moments on the wall clock are Unix times in seconds (`…_unix`); they steer nothing in a session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BookingJob = Literal["warm_up", "preflight", "begin", "over"]
Check = Literal["library_check", "self_test", "backup", "retention"]
Job = Literal[
    "warm_up", "preflight", "begin", "over", "lights_off", "library_check", "self_test", "backup", "retention"
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Booking:
    """The room is kept for a session. `id` is the seq of its record in the room's book."""

    id: int
    programme: str
    participants: tuple[str, ...]
    at: str
    """What the wall clock there will show when it begins: "2026-12-01T09:30"."""
    zone: str
    starts_unix: float
    length_s: float
    told: tuple[BookingJob, ...] = ()
    """The jobs whose time has come."""
    session: str = ""
    """The session that was opened for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Book:
    """Keep the room for a session at local time `wanted`. The daemon fills in the rest before the rules see it."""

    kind: Literal["book"] = "book"
    programme: str
    participants: tuple[str, ...]
    wanted: str
    at: str = ""
    """`wanted`, or where a clock change leaves that out, what the clock shows instead."""
    zone: str = ""
    starts_unix: float = 0.0
    length_s: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelBooking:
    """The room is not needed then."""

    kind: Literal["cancel_booking"] = "cancel_booking"
    booking: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TimetableDue:
    """The wall clock has come to a job, which was due at `due_unix`. `missed`: it is too late for it now."""

    kind: Literal["timetable_due"] = "timetable_due"
    job: Job
    due_unix: float
    booking: int = 0
    missed: bool = False
    oldest_s: float = 0.0
    """For a backup: how old the last good one may be before the room says so; 0 for never."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BookingBegun:
    """The session that was booked has been opened."""

    kind: Literal["booking_begun"] = "booking_begun"
    booking: int
    session: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """One thing that a check found. Codes: "file" (of music), "sound", "journal", "disk", "broker", "check" itself."""

    code: str
    name: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What a nightly check found: `troubles` (at most 20 of `count`) among `looked_at` things."""

    kind: Literal["checked"] = "checked"
    check: Check
    looked_at: int = 0
    count: int = 0
    troubles: tuple[Trouble, ...] = ()


TIMETABLE_ACTS: tuple[type, ...] = (Book, CancelBooking, TimetableDue, BookingBegun, Checked)
"""Acts that concern the room and never its session; they are recorded in the room's own book."""
