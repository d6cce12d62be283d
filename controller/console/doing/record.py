"""Marks, notes, whom they mean, and taking them back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from controller.console import clinical_forms
from controller.console.doing.action import Action
from controller.console.menu import Line
from controller.messages import Mark, Note, TakeBack

if TYPE_CHECKING:
    from controller.console.commands import Commands


def note(do: Commands, key: str) -> None:
    """A few words, with the time of the key."""
    do.ask(clinical_forms.note_form(do.pressed_t(), do.clock, blinded=do.status.blinded), key)


def mark(do: Commands, key: str) -> None:
    """The mark of this digit; without one, the list of them."""
    marks = do.status.marks
    at = int(key or 1) - 1
    if not marks:
        do.say("this programme has no marks" if do.status.session else "no session is open", "bad")
    elif not key:
        lines = [Line(label=label, run=partial(mark, do, str(at))) for at, (_, label) in enumerate(marks, 1)]
        do.choose("Marks", lines)
    elif at >= len(marks):
        do.say(f"no mark {key}: 1-{len(marks)}", "bad")
    else:
        do.send(Mark(code=marks[at][0]), f"{key} {marks[at][1]}")


def next_whom(do: Commands, _key: str) -> None:
    """Both, the one, the other; a mark of a moment ago moves with it."""
    do.choose_whom()


def take_back(do: Commands, _key: str) -> None:
    """The newest entry of this console that can be."""
    do.take_back()


ACTIONS = (
    Action(
        name="note", run=note, keys=("n",), shown="n", short="note", long="note", ctl="note", sends=(Note,),
        help="a few words, no names; the time is that of the key",
    ),
    Action(
        name="mark", run=mark, keys=tuple("123456789"), shown="1-9", short="mark", long="marks", ctl="mark",
        sends=(Mark,), help="a timed mark; the list is the programme's",
    ),
    Action(
        name="next_whom", run=next_whom, keys=("tab",), shown="Tab", short="whom", long="whom",
        ctl="mark --participant", sends=(TakeBack, Mark), help="whom the next entry means, and a fresh last mark",
    ),
    Action(
        name="take_back", run=take_back, keys=("backspace", "ctrl+h"), shown="⌫", shown_plain="Bs", short="undo",
        long="take back", ctl="take-back", sends=(TakeBack,),
        help="Backspace: this console's last mark, note, step, assist",
    ),
)  # fmt: skip
