"""`stillroom ctl`, the verbs that keep the room; `stillroom book` says more of what became of it."""

from __future__ import annotations

from typing import Annotated

import typer

from controller.ctl import Person, Whom, Why, app, send
from controller.messages import Book, CancelBooking
from controller.options import STATE, StateDir


@app.command()
def book(
    when: Annotated[str, typer.Argument(help="The room's clock time, like 2026-12-01T09:30.")],
    programme: Annotated[str, typer.Argument(help="Name of a programme.")],
    participant: Whom = None,
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """Keep the room for a session; it is never started by itself.

    Example: stillroom ctl book 2026-12-01T09:30 psilocybin-25mg --participant C-0412
    """
    send(state, person, why, Book(programme=programme, participants=tuple(participant or ()), wanted=when))


@app.command("cancel-booking")
def cancel_booking(
    booking: Annotated[int, typer.Argument(help="Number of the booking.")],
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """The room is not needed then.

    Example: stillroom ctl cancel-booking 31
    """
    send(state, person, why, CancelBooking(booking=booking))
