"""`stillroom ctl`, the verbs of the room's people: signing on and off, handing over, breaks."""

from __future__ import annotations

from typing import Annotated

import typer

from controller.ctl.asking import sign_on_as
from controller.ctl.verb import verb
from controller.messages import Act, BreakBegun, BreakOver, HandOver, SignedOff, SignedOn
from controller.options import StateDir
from controller.places import STATE

app = typer.Typer()

Initials = Annotated[str, typer.Argument(help="Initials of a sitter.")]
WhoseOwn = Annotated[str, typer.Argument(help="Initials of a sitter; those of --person without.")]


@app.command()
def sign_on(initials: Initials, state: StateDir = STATE) -> None:
    """On duty, by PIN; it is asked for, or read as --pin-from says.

    Example: stillroom ctl sign-on AB
    """
    sign_on_as(state, SignedOn(initials=initials))


@verb(app)
def sign_off(initials: WhoseOwn = "") -> Act:
    """Off duty.

    Example: stillroom ctl sign-off --person AB
    """
    return SignedOff(initials=initials)


@app.command()
def hand_over(
    to: Annotated[str, typer.Argument(help="Initials of who takes over, and whose PIN is asked for.")],
    leaves: Annotated[str, typer.Option(help="Who leaves; the only one on duty without.")] = "",
    state: StateDir = STATE,
    why: Annotated[str, typer.Option("--why", help="A few words for whoever takes over; never a name.")] = "",
) -> None:
    """One sitter takes over from another.

    Example: stillroom ctl hand-over CD --leaves AB --why "settled since two"
    """
    sign_on_as(state, HandOver(to=to, leaves=leaves), why)


@verb(app, "break")
def break_(
    minutes: Annotated[float | None, typer.Argument(help="The room's own without.")] = None,
    cover: Annotated[str, typer.Option(help="Who stays in the room, where nobody else is on duty.")] = "",
    of: Annotated[str, typer.Option(help="Who goes; --person without.")] = "",
) -> Act:
    """Out of the room for some minutes; somebody stays.

    Example: stillroom ctl break 5 --person AB --cover EF
    """
    return BreakBegun(initials=of, minutes=minutes, cover=cover)


@verb(app)
def break_over(initials: WhoseOwn = "") -> Act:
    """Back in the room.

    Example: stillroom ctl break-over AB
    """
    return BreakOver(initials=initials)
