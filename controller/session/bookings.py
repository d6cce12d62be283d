"""What the room's timetable holds: bookings, which daily job was last due when, and what the checks found. Pure.

It is kept in the room's own book, beside any session: `keep` alone changes it, now as in a replay.
"""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

from controller.messages import (
    Act,
    Alarm,
    BackedUp,
    Book,
    Booking,
    BookingBegun,
    CancelBooking,
    Checked,
    Refused,
    SeeAlarm,
    TimetableDue,
)

MOST_BOOKINGS = 100
"""Half a year of a busy room; every console is told all of them."""


class Timetable(Struct, frozen=True, kw_only=True):
    """The room's timetable at one moment."""

    bookings: tuple[Booking, ...] = ()
    """Soonest first; a booking stays until its time is over."""
    done: dict[str, float] = field(default_factory=dict)
    """Unix time for which a daily job was last due."""
    alarms: tuple[Alarm, ...] = ()
    """What the newest checks found; shown while no session is open."""
    backup_unix: float | None = None
    """Unix time of the last good backup, or of the first night on which one was wanted."""

    def booking(self, booking_id: int) -> Booking:
        """A booking. Raises Refused."""
        found = next((booking for booking in self.bookings if booking.id == booking_id), None)
        if found is None:
            known = ", ".join(str(booking.id) for booking in self.bookings)
            raise Refused("unknown_booking", booking=booking_id, allowed=known)
        return found


def keep(timetable: Timetable, act: Act, t: float, seq: int) -> Timetable:
    """The timetable after an act, recorded as `seq` at room time `t`; other acts leave it alone. Raises Refused."""
    match act:
        case Book():
            return _booked(timetable, act, seq)
        case CancelBooking():
            return _without(timetable, timetable.booking(act.booking))
        case TimetableDue(booking=0):
            if timetable.done.get(act.job) == act.due_unix:
                raise Refused("already", what=act.job)
            kept = replace(timetable, done={**timetable.done, act.job: act.due_unix})
            return _backup_wanted(kept, act, t) if act.job == "backup" else kept
        case TimetableDue():
            booking = timetable.booking(act.booking)
            if act.job in booking.told:
                raise Refused("already", what=act.job)
            if act.job == "over":
                return _without(timetable, booking)
            return _with(timetable, replace(booking, told=(*booking.told, act.job)))
        case BookingBegun():
            return _with(timetable, replace(timetable.booking(act.booking), session=act.session))
        case Checked():
            others = tuple(alarm for alarm in timetable.alarms if alarm.code != act.check)
            return replace(timetable, alarms=(*others, *_alarms(act, t)))
        case BackedUp(ok=True):
            others = tuple(alarm for alarm in timetable.alarms if alarm.code != "backup")
            return replace(timetable, alarms=others, backup_unix=act.at_unix)
        case SeeAlarm():
            return replace(timetable, alarms=tuple(_seen(alarm, act.code) for alarm in timetable.alarms))
        case _:
            return timetable


def _booked(timetable: Timetable, act: Book, seq: int) -> Timetable:
    if not act.participants:
        raise Refused("no_participant", what="book")
    if len(set(act.participants)) != len(act.participants):
        raise Refused("bad_value", what="participants", why="a code is given twice")
    if len(timetable.bookings) >= MOST_BOOKINGS:
        raise Refused("too_many_bookings", most=MOST_BOOKINGS)
    for other in timetable.bookings:
        if act.starts_unix < other.starts_unix + other.length_s and other.starts_unix < act.starts_unix + act.length_s:
            whom = ", ".join(other.participants)
            raise Refused("booking_overlaps", booking=other.id, at=other.at, programme=other.programme, whom=whom)
    booking = Booking(
        id=seq,
        programme=act.programme,
        participants=act.participants,
        at=act.at,
        zone=act.zone,
        starts_unix=act.starts_unix,
        length_s=act.length_s,
    )
    return _with(timetable, booking)


def _with(timetable: Timetable, booking: Booking) -> Timetable:
    kept = [*_without(timetable, booking).bookings, booking]
    return replace(timetable, bookings=tuple(sorted(kept, key=lambda it: (it.starts_unix, it.id))))


def _without(timetable: Timetable, booking: Booking) -> Timetable:
    return replace(timetable, bookings=tuple(it for it in timetable.bookings if it.id != booking.id))


def _backup_wanted(timetable: Timetable, act: TimetableDue, t: float) -> Timetable:
    """A night on which a backup is to be made: an alarm where the last good one is too old by then."""
    since = timetable.backup_unix
    if since is None:
        return replace(timetable, backup_unix=act.due_unix)
    if not act.oldest_s or act.due_unix - since <= act.oldest_s:
        return timetable
    others = tuple(alarm for alarm in timetable.alarms if alarm.code != "backup")
    days = round((act.due_unix - since) / 86400.0, 1)
    return replace(timetable, alarms=(*others, Alarm(code="backup", priority="low", since_t=t, values={"days": days})))


def _alarms(act: Checked, t: float) -> tuple[Alarm, ...]:
    """One alarm for the whole library, one for each thing that the self-test found."""
    if act.check == "self_test":
        return tuple(
            Alarm(
                code="self_test",
                priority="medium",
                since_t=t,
                values={"what": trouble.code, "name": trouble.name, "why": trouble.why},
            )
            for trouble in act.troubles
        )
    if not act.count:
        return ()
    first = act.troubles[0]
    values: dict[str, str | int | float] = {"count": act.count, "name": first.name, "why": first.why}
    return (Alarm(code=act.check, priority="low", since_t=t, values=values),)


def _seen(alarm: Alarm, code: str) -> Alarm:
    return replace(alarm, seen=True) if code in ("", alarm.code) else alarm
