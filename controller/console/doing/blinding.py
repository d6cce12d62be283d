"""What a blinded session has of its own: guesses of the arm."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from controller import wording
from controller.console.doing.action import Action, in_session
from controller.console.forms import Filled, Form
from controller.console.menu import Line
from controller.messages import MaskingGuess, Status

if TYPE_CHECKING:
    from controller.console.commands import Commands

MOST_CERTAIN = 10


def guess(do: Commands, _key: str) -> None:
    """Whose belief, which arm, how certain; no console shows it afterwards."""
    people = [
        Line(label=f"{person.code} believes", run=partial(_which, do, "participant", (person.code,)), confirm=True)
        for person in do.status.participants
        if not person.left
    ]
    mine = Line(label="the sitter believes", run=partial(_which, do, "sitter", ()), confirm=True)
    do.choose("Masking guess: whose", [*people, mine])


def _which(do: Commands, of: Literal["participant", "sitter"], whom: tuple[str, ...]) -> None:
    lines = [
        Line(label=word, run=lambda word=word: do.ask(_certain(MaskingGuess(guess=word, of=of), whom)))  # type: ignore[misc]
        for word in do.status.guesses
    ]
    do.choose("Masking guess: which arm it was", lines)


def _certain(act: MaskingGuess, whom: tuple[str, ...]) -> Form:
    def read(text: str) -> Filled:
        if text and not (text.isdigit() and int(text) <= MOST_CERTAIN):
            raise ValueError(f"a whole number, 0 to {MOST_CERTAIN}, or nothing")
        said = MaskingGuess(guess=act.guess, of=act.of, certainty=int(text) if text else None)
        return Filled(act=said, words="masking guess", participants=whom)

    return Form(title="How certain", hint="0 (not at all) to 10    empty: not asked", read=read)


def _blinded(status: Status) -> str:
    return in_session(status) or ("" if status.blinded else wording.refusal("not_blinded", {}))


ACTIONS = (
    Action(
        name="masking_guess", run=guess, long="masking guess", menu="record", ctl="guess", sends=(MaskingGuess,),
        offered=_blinded, help="blinded sessions: which arm somebody believes it was; kept, never shown",
    ),
)  # fmt: skip
