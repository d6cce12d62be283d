"""What the room's timetable says: what is booked, what the wall clock brings, what was found at night.

Moments on the wall clock are Unix times in seconds (`…_unix`); they steer nothing in a session.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from controller.messages.codec import Tagged

BookingJob = Literal["warm_up", "preflight", "begin", "over"]
Check = Literal["library_check", "self_test", "backup", "retention"]
Job = Literal[
    "warm_up", "preflight", "begin", "over", "lights_off", "library_check", "self_test", "backup", "retention"
]


class Booking(Struct, frozen=True, kw_only=True):
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


class Book(Tagged, frozen=True, kw_only=True, tag="book"):
    """Keep the room for a session at local time `wanted`. The daemon fills in the rest before the rules see it."""

    programme: str
    participants: tuple[str, ...]
    wanted: str
    at: str = ""
    """`wanted`, or where a clock change leaves that out, what the clock shows instead."""
    zone: str = ""
    starts_unix: float = 0.0
    length_s: float = 0.0


class CancelBooking(Tagged, frozen=True, kw_only=True, tag="cancel_booking"):
    """The room is not needed then."""

    booking: int


class TimetableDue(Tagged, frozen=True, kw_only=True, tag="timetable_due"):
    """The wall clock has come to a job, which was due at `due_unix`. `missed`: it is too late for it now."""

    job: Job
    due_unix: float
    booking: int = 0
    missed: bool = False
    oldest_s: float = 0.0
    """For a backup: how old the last good one may be before the room says so; 0 for never."""


class BookingBegun(Tagged, frozen=True, kw_only=True, tag="booking_begun"):
    """The session that was booked has been opened."""

    booking: int
    session: str


class Trouble(Struct, frozen=True, kw_only=True):
    """One thing that a check found. Codes: "file" (of music), "sound", "journal", "disk", "broker", "check" itself."""

    code: str
    name: str = ""
    why: str = ""


class Checked(Tagged, frozen=True, kw_only=True, tag="checked"):
    """What a nightly check found: `troubles` (at most 20 of `count`) among `looked_at` things."""

    check: Check
    looked_at: int = 0
    count: int = 0
    troubles: tuple[Trouble, ...] = ()


TIMETABLE_ACTS: tuple[type, ...] = (Book, CancelBooking, TimetableDue, BookingBegun, Checked)
"""Acts that concern the room and never its session; they are recorded in the room's own book."""
