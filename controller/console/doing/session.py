"""Opening and closing a session, and keeping the room for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller import wording
from controller.console import forms, session_forms
from controller.console.doing.action import Action, in_session
from controller.console.menu import Line
from controller.console.view import booked_now
from controller.messages import Book, CancelBooking, End, Start, Status

if TYPE_CHECKING:
    from controller.console.commands import Commands


def start(do: Commands, key: str) -> None:
    """Programme, participants' codes, and Enter once more."""
    do.ask(forms.start_form(*coming(do.status)), key)


def coming(status: Status) -> tuple[str, tuple[str, ...], str]:
    """What the next session is likely to be: programme, participants, and why it is thought so."""
    ready = status.preflight
    if ready.programme:
        return ready.programme, ready.participants, "as in the preflight: Enter takes it"
    booked = booked_now(status)
    if booked is None:
        return "", (), ""
    return booked.programme, booked.participants, f"booked for {wording.clock_time(booked.at)}: Enter takes it"


def end(do: Commands, key: str) -> None:
    """Only for the typed word."""
    here = tuple(person.code for person in do.status.participants if not person.left)
    do.ask(forms.end_form(here if do.status.dose_parts else ()), key)


def book(do: Commands, key: str) -> None:
    """When, which programme, for whom."""
    do.ask(session_forms.book_form(), key)


def cancel_booking(do: Commands, _key: str) -> None:
    """One of what is booked."""
    lines = [
        Line(
            label=wording.booking(booking), confirm=True,
            run=do.sender(CancelBooking(booking=booking.id), f"booking {booking.id} cancelled"),
        )
        for booking in do.status.bookings
    ]  # fmt: skip
    do.choose("Cancel which", lines)


def no_session(status: Status) -> str:
    """Offered while no session is open."""
    return "" if in_session(status) else "a session is open"


def _has_bookings(status: Status) -> str:
    return "" if status.bookings else "nothing is booked"


ACTIONS = (
    Action(
        name="start", run=start, menu="session", long="start a session …", ctl="start", sends=(Start,),
        offered=no_session, help="programme, participant's code; Enter twice",
    ),
    Action(
        name="end", run=end, menu="session", long="end the session …", ctl="end", sends=(End,), offered=in_session,
        help="type end and Enter; answers no by itself after 10 s",
    ),
    Action(
        name="book", run=book, menu="session", long="book a session …", ctl="book", sends=(Book,),
        help="keeps the room: when, programme, participant's code",
    ),
    Action(
        name="cancel_booking", run=cancel_booking, menu="session", long="cancel a booking …", ctl="cancel-booking",
        sends=(CancelBooking,), offered=_has_bookings, help="the room is not needed then",
    ),
)  # fmt: skip
