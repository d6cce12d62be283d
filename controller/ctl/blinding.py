"""`stillroom ctl`, the verb of blinded sessions."""

from __future__ import annotations

from typing import Annotated, Literal, cast, get_args

import typer

from controller.ctl.verb import verb
from controller.messages import Act, MaskingGuess
from controller.options import fail

app = typer.Typer()

Of = Literal["participant", "sitter"]


@verb(app, whom=True)
def guess(
    which: Annotated[str, typer.Argument(help="One of the study's words, e.g. experimental, comparator, unsure.")],
    of: Annotated[str, typer.Option("--of", help="Whose belief it is: participant or sitter.")] = "participant",
    certainty: Annotated[int | None, typer.Option(help="0 (none) to 10.")] = None,
) -> Act:
    """Record which arm somebody believes it was; no console shows what was guessed.

    Example: stillroom ctl guess unsure --of sitter --certainty 3
    """
    if of not in get_args(Of):
        fail(f'"{of}" is nobody who guesses; allowed: {", ".join(get_args(Of))}')
    return MaskingGuess(guess=which, of=cast(Of, of), certainty=certainty)
