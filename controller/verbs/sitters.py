"""`stillroom sitters …`: who may sign on in this room, and by which PIN."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from controller.ctl.signing import NoPin, PinFrom, read_pin
from controller.journal.reading import find_records, room_file
from controller.messages import DutyKept, SittersKnown
from controller.options import AsJson, StateDir, fail
from controller.places import STATE
from controller.sitters.register import NO_FILE, Register, check_initials, check_pin

app = typer.Typer(
    help="Who may sign on in this room. With the first sitter acts of people need a sign-on; call, pause, exit light "
    "and evacuation never do.",
    no_args_is_help=True,
)

Initials = Annotated[str, typer.Argument(help="Two to four capital letters.")]


@app.command("list")
def list_(state: StateDir = STATE, as_json: AsJson = False) -> None:
    """List who may sign on.

    Example: stillroom sitters list --state /var/lib/stillroom
    """
    known = Register(state).sitters()
    if gone := lost_sitters(state):
        fail(f"{Register(state).file} is gone, and {', '.join(gone)} are on record. {REPAIR}")
    if as_json:
        typer.echo(json.dumps(known))
        return
    for initials in known:
        typer.echo(initials)
    if not known:
        typer.echo(f"Nobody signs on in {state}: initials are taken as they are given.")


@app.command()
def add(initials: Initials, pin_from: PinFrom = None, state: StateDir = STATE) -> None:
    """Let a sitter sign on; the PIN, 0 and four digits or more, is asked for twice, hidden.

    Example: stillroom sitters add AB --state /var/lib/stillroom
    """
    register = Register(state)
    _checked(lambda: check_initials(initials))
    if initials in register.sitters():
        fail(f"{initials} can sign on already; another PIN: stillroom sitters pin {initials}")
    first = not register.sitters()
    _keep(register, initials, pin_from)
    typer.echo(f"{initials} can sign on." + (" From now on acts of people need a sign-on here." if first else ""))


@app.command()
def pin(initials: Initials, pin_from: PinFrom = None, state: StateDir = STATE) -> None:
    """Give a sitter another PIN; it holds at once, and nobody is signed off by it.

    Example: stillroom sitters pin AB --state /var/lib/stillroom
    """
    register = Register(state)
    _known(register, initials)
    _keep(register, initials, pin_from)
    typer.echo(f"{initials} has another PIN.")


@app.command()
def remove(initials: Initials, state: StateDir = STATE) -> None:
    """Let a sitter sign on no more; whoever is on duty is signed off within seconds.

    Example: stillroom sitters remove AB --state /var/lib/stillroom
    """
    register = Register(state)
    _known(register, initials)
    register.remove(initials)
    left = "" if register.sitters() else " Nobody is left: initials are taken as they are given."
    typer.echo(f"{initials} can sign on no more.{left}")


REPAIR = "Add each sitter again: stillroom sitters add AB. Without sitters: add one, and remove it again."


def lost_sitters(state: Path) -> tuple[str, ...]:
    """Who signed on here by the room's own record, where the register is gone: a file that is lost opens no door."""
    if Register(state).stamp() != NO_FILE or not room_file(state).is_file():
        return ()
    known: tuple[str, ...] = ()
    for record, _ in find_records(room_file(state), "sitters_known", "duty_kept"):
        act = record.input.act
        if isinstance(act, SittersKnown) and act.readable:
            known = act.initials
        elif isinstance(act, DutyKept):
            known = act.duty.known
    return known


def _keep(register: Register, initials: str, pin_from: Path | None) -> None:
    try:
        wanted = read_pin(initials, pin_from)
        _checked(lambda: check_pin(wanted))
        if pin_from is None and getpass.getpass(f"PIN of {initials} again: ").strip() != wanted:
            fail("the two are not the same; nothing was changed")
        register.keep(initials, wanted)
    except NoPin as why:
        fail(str(why))
    except OSError as error:
        fail(f"{register.file} cannot be written: {error.strerror}")


def _known(register: Register, initials: str) -> None:
    known = register.sitters()
    if initials not in known:
        fail(f'"{initials}" is no sitter here' + (f"; there is {', '.join(known)}" if known else ""))


def _checked(check: Callable[[], None]) -> None:
    try:
        check()
    except ValueError as wrong:
        fail(str(wrong))
