"""`stillroom ctl`, the verbs that keep the room; `stillroom book` says more of what became of it."""

from __future__ import annotations

from typing import Annotated

import typer

from controller.ctl.asking import Whom
from controller.ctl.verb import verb
from controller.messages import Act, Book, CancelBooking

app = typer.Typer()


@verb(app)
def book(
    when: Annotated[str, typer.Argument(help="The room's clock time, like 2026-12-01T09:30.")],
    programme: Annotated[str, typer.Argument(help="Name of a programme.")],
    participant: Whom = None,
) -> Act:
    """Keep the room for a session; it is never started by itself.

    Example: stillroom ctl book 2026-12-01T09:30 psilocybin-25mg --participant C-0412
    """
    return Book(programme=programme, participants=tuple(participant or ()), wanted=when)


@verb(app)
def cancel_booking(booking: Annotated[int, typer.Argument(help="Number of the booking.")]) -> Act:
    """The room is not needed then.

    Example: stillroom ctl cancel-booking 31
    """
    return CancelBooking(booking=booking)
