"""What was entered late or wrongly: late marks, corrections, and a text that must go."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from controller import wording
from controller.console import adverse_forms, clinical_forms, correcting_forms
from controller.console.doing.action import Action, in_session
from controller.console.forms import Form
from controller.console.menu import Line
from controller.messages import Amend, CorrectDose, Mark, Redaction, Status, UpdateEvent
from controller.messages.free_words import said_in

if TYPE_CHECKING:
    from controller.console.commands import Commands


def late_mark(do: Commands, key: str) -> None:
    """A mark, and when it was."""
    lines = [
        Line(label=label, run=partial(do.ask, clinical_forms.late_mark_form(code, label, do.clock), key))
        for code, label in do.status.marks
    ]
    do.choose("Which mark was it", lines)


def correct(do: Commands, key: str) -> None:
    """Marks, notes, vitals, touch, doses and adverse events, the newest first."""
    found = sorted(_correctable(do, key), key=lambda one: one[0], reverse=True)
    do.choose("Correct which entry", [line for _, line in found])


def _correctable(do: Commands, key: str) -> Iterator[tuple[int, Line]]:
    status = do.status
    texts = {item.seq: item.text for item in wording.newest_texts(status.log)}
    codes = tuple(person.code for person in status.participants)
    for entry in status.entries:
        text = texts.get(entry.seq, "")
        form = correcting_forms.correct_form(entry, text, status.marks, codes, do.clock)
        yield entry.seq, _line(do, wording.entry_line(status, entry, text), form, key)
    for dose in status.doses:
        form = correcting_forms.correct_dose_form(dose, do.clock)
        yield dose.seq, _line(do, wording.dose_line(status, dose), form, key)
    for one in status.events:
        form = adverse_forms.update_form(one, do.clock, onset=True)
        yield one.seq, _line(do, wording.event_line(status, one), form, key)


def _line(do: Commands, label: str, form: Form, key: str) -> Line:
    return Line(label=label, run=partial(do.ask, form, key), confirm=True)


def blank(do: Commands, key: str) -> None:
    """A text of this session that can be seen in the log."""
    lines = [
        Line(
            label=f"{item.seq}  {wording.entry(item)[1]}", confirm=True,
            run=partial(do.ask, correcting_forms.blank_form(do.status.session, item.seq, said), key),
        )
        for item in do.status.log
        if (said := said_in(item))
    ]  # fmt: skip
    if not lines:
        do.say("no text stands in the log", "bad")
        return
    do.choose("Blank which text for good", lines)


def _has_entries(status: Status) -> str:
    return in_session(status) or ("" if status.entries or status.doses or status.events else "nothing was entered yet")


def _has_marks(status: Status) -> str:
    return in_session(status) or ("" if status.marks else "this programme has no marks")


ACTIONS = (
    Action(
        name="late_mark", run=late_mark, menu="record", long="a mark of a while ago …", ctl="mark --ago",
        sends=(Mark,), offered=_has_marks, help="minutes ago, or the wall clock; other lines end in @12 or @14:41",
    ),
    Action(
        name="correct", run=correct, menu="record", long="correct an entry …", ctl="correct",
        sends=(Amend, CorrectDose, UpdateEvent), offered=_has_entries, help="from a list; what stood before stays told",
    ),
    Action(
        name="blank", run=blank, menu="record", long="blank a text …", ctl="blank", sends=(Redaction,),
        offered=in_session, help="a name typed by mistake; the chain stays whole",
    ),
)  # fmt: skip
