"""`stillroom ctl preflight …`: what is looked at before a session, from a script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from controller import wording
from controller.ctl.asking import Person, Whom, seen
from controller.ctl.verb import verb
from controller.messages import (
    Act,
    AnswerPreflight,
    BeginPreflight,
    DropPreflight,
    OverridePreflight,
    RunPreflight,
    to_plain,
)
from controller.options import AsJson, StateDir
from controller.places import STATE

app = typer.Typer(
    help="What is looked at before a session.\n\nExample: stillroom ctl preflight begin psilocybin-25mg",
    no_args_is_help=True,
)

Check = Annotated[str, typer.Argument(metavar="CHECK", help="As `show` names it: lights, touch.C-0412 …")]

_SIGNS = {"green": "ok", "red": "RED", "overridden": "over", "running": "…", "asked": "?", "open": ""}


@verb(app)
def begin(
    programme: Annotated[str, typer.Argument(help="Name of a programme.")],
    participant: Whom = None,
) -> Act:
    """Look at everything before a session; the room makes its own checks at once.

    Example: stillroom ctl preflight begin psilocybin-25mg --participant C-0412 --person AB
    """
    return BeginPreflight(programme=programme, participants=tuple(participant or ()))


@verb(app)
def run(check: Annotated[str, typer.Argument(metavar="CHECK", help="All that are red without.")] = "") -> Act:
    """Make a check: play a bus's tone, place the test call, move the lights, look again.

    Example: stillroom ctl preflight run sound.headphones
    """
    return RunPreflight(check=check)


@verb(app)
def answer(
    check: Check,
    value: Annotated[
        list[str] | None, typer.Argument(help="heard or not_heard; initials; codes; a scope of touch; none; a key.")
    ] = None,
    limits: Annotated[Path | None, typer.Option(help="File of what is not wanted to be heard.")] = None,
) -> Act:
    """Answer what only a person can: what was heard, who is there, what was consented to.

    Example: stillroom ctl preflight answer sound.headphones heard
    """
    from controller.ctl.limits import read_limits

    given = " ".join(value or ())
    if check == "limits":
        known = limits is not None or given == "none"
        return AnswerPreflight(check=check, limits=read_limits(limits) if known else None)
    return AnswerPreflight(check=check, value=given)


@verb(app)
def override(check: Check) -> Act:
    """Begin without a check being green; the reason and who gave it stay in the record.

    Example: stillroom ctl preflight override card --why "amplifier was serviced" --person AB
    """
    return OverridePreflight(check=check)


@verb(app)
def drop() -> Act:
    """There will be no session: what was found counts no more.

    Example: stillroom ctl preflight drop
    """
    return DropPreflight()


@app.command()
def show(as_json: AsJson = False, state: StateDir = STATE, person: Person = None) -> None:
    """How each check stands; exit 1 while one is neither green nor overridden.

    Example: stillroom ctl preflight show
    """
    found = seen(state, person).preflight
    if as_json:
        print(json.dumps({**to_plain(found), "ready": found.ready}, ensure_ascii=False))
    else:
        print(wording.preflight.summary(found) or "no preflight is under way, and none is asked for")
        for line in found.lines:
            print(f"{_SIGNS[line.stage]:<5}{line.check:<18} {wording.preflight.check(line.check):<30} ", end="")
            print(wording.preflight.how(line))
    if not found.ready and (found.required or found.programme):
        raise typer.Exit(1)
