"""Rules of the wall clock: which moment a local time is, and which comes next. Pure; Unix times in seconds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, tzinfo

from controller.messages import Booking

TRUST_S = 3 * 3600.0
"""A job that was done later than this from now was done by a clock that was wrong (our judgement)."""

EARLY_S = 12 * 3600.0
"""A session that is opened at most so long before a booking can be the one that was booked (our judgement)."""


def resolve(local: datetime, zone: tzinfo) -> datetime:
    """The one moment of a wall-clock time, as that clock will show it.

    In autumn the first of the two; in spring a time that is left out is moved on by the length of the gap.
    """
    return datetime.fromtimestamp(local.replace(tzinfo=zone, fold=0).timestamp(), zone)


def occurrence(day: date, at: time, zone: tzinfo) -> datetime:
    """A daily time's one moment on a day."""
    return resolve(datetime.combine(day, at), zone)


def next_after(at: time, zone: tzinfo, after: float) -> datetime:
    """The first moment of a daily time that lies after `after`."""
    day = datetime.fromtimestamp(after, zone).date()
    moments = (occurrence(day + timedelta(days=ahead), at, zone) for ahead in range(-1, 4))
    return next(moment for moment in moments if moment.timestamp() > after)


def last_until(at: time, zone: tzinfo, until: float) -> datetime:
    """The newest moment of a daily time that is not later than `until`."""
    day = datetime.fromtimestamp(until, zone).date()
    moments = (occurrence(day - timedelta(days=back), at, zone) for back in range(-1, 4))
    return next(moment for moment in moments if moment.timestamp() <= until)


def next_due(at: time, zone: tzinfo, done: float | None, now: float, grace_s: float) -> datetime:
    """When a daily job is due that was last due at `done`: in the past where the room was off at the time.

    One that was never done is due as far back as its grace reaches.
    """
    if done is None:
        return next_after(at, zone, now - grace_s)
    return next_after(at, zone, now if done > now + TRUST_S else done)


def begun_by(bookings: Iterable[Booking], programme: str, participants: Iterable[str], now: float) -> Booking | None:
    """The booking that a session which is opened now was booked as."""
    codes = set(participants)
    for booking in bookings:
        near = booking.starts_unix - EARLY_S <= now < booking.starts_unix + booking.length_s
        if near and not booking.session and booking.programme == programme and set(booking.participants) == codes:
            return booking
    return None
