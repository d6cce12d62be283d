"""`stillroom ctl`, the verbs of the room's people: signing on and off, handing over, breaks."""

from __future__ import annotations

from typing import Annotated

import typer

from controller.ctl import Person, Why, app, send, sign_on_as
from controller.messages import BreakBegun, BreakOver, HandOver, SignedOff, SignedOn
from controller.options import STATE, StateDir

Initials = Annotated[str, typer.Argument(help="Initials of a sitter.")]
WhoseOwn = Annotated[str, typer.Argument(help="Initials of a sitter; those of --person without.")]


@app.command("sign-on")
def sign_on(initials: Initials, state: StateDir = STATE) -> None:
    """On duty, by PIN; it is asked for, or read as --pin-from says.

    Example: stillroom ctl sign-on AB
    """
    sign_on_as(state, SignedOn(initials=initials))


@app.command("sign-off")
def sign_off(initials: WhoseOwn = "", state: StateDir = STATE, person: Person = None, why: Why = "") -> None:
    """Off duty.

    Example: stillroom ctl sign-off --person AB
    """
    send(state, person, why, SignedOff(initials=initials))


@app.command("hand-over")
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


@app.command("break")
def break_(
    minutes: Annotated[float | None, typer.Argument(help="The room's own without.")] = None,
    cover: Annotated[str, typer.Option(help="Who stays in the room, where nobody else is on duty.")] = "",
    of: Annotated[str, typer.Option(help="Who goes; --person without.")] = "",
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """Out of the room for some minutes; somebody stays.

    Example: stillroom ctl break 5 --person AB --cover EF
    """
    send(state, person, why, BreakBegun(initials=of, minutes=minutes, cover=cover))


@app.command("break-over")
def break_over(initials: WhoseOwn = "", state: StateDir = STATE, person: Person = None, why: Why = "") -> None:
    """Back in the room.

    Example: stillroom ctl break-over AB
    """
    send(state, person, why, BreakOver(initials=initials))
