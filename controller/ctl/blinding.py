"""`stillroom ctl`, the verb of blinded sessions."""

from __future__ import annotations

import sys
from typing import Annotated, Literal, cast, get_args

import typer

from controller.ctl import Person, Whom, Why, app, send
from controller.messages import MaskingGuess
from controller.options import STATE, StateDir

__all__ = ["app"]

Of = Literal["participant", "sitter"]


@app.command("guess")
def guess(
    which: Annotated[str, typer.Argument(help="One of the study's words, e.g. experimental, comparator, unsure.")],
    of: Annotated[str, typer.Option("--of", help="Whose belief it is: participant or sitter.")] = "participant",
    certainty: Annotated[int | None, typer.Option(help="0 (none) to 10.")] = None,
    participant: Whom = None,
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """Record which arm somebody believes it was; no console shows what was guessed.

    Example: stillroom ctl guess unsure --of sitter --certainty 3
    """
    if of not in get_args(Of):
        print(f'"{of}" is nobody who guesses; allowed: {", ".join(get_args(Of))}', file=sys.stderr)
        raise typer.Exit(1)
    send(state, person, why, MaskingGuess(guess=which, of=cast(Of, of), certainty=certainty), participant)
