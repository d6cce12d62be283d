"""Releasing a person, a person who goes before that, and the sheet for paramedics."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from controller import wording
from controller.console import clinical_forms
from controller.console.doing.action import Action, in_session
from controller.console.menu import Line, Menu
from controller.messages import Leave, ParticipantView, Release, ReleaseAnswer, ReleaseView, Status
from controller.wording.handover import Sheet, sheet_of, sheet_text

if TYPE_CHECKING:
    from controller.console.commands import Commands

_ANSWERS = {None: "not answered", True: "yes", False: "NO"}


def checklist(do: Commands, _key: str) -> None:
    """The checklist of one person, as it stands; Enter turns an answer to yes, and a yes to no."""
    asked = {view.participant for view in do.status.release}
    people = [person for person in do.meant() if person.code in asked]
    do.for_one("Whose release", people, lambda person: _checklist(do, person.code))


def _checklist(do: Commands, code: str, at: int = 0) -> None:
    empty = Menu(title="", lines=(), at=at, fresh=partial(_answered, do, code))
    do.show(_answered(do, code, empty))


def _answered(do: Commands, code: str, menu: Menu) -> Menu:
    """The list with the answers that the room has now, whoever gave them."""
    view = next((view for view in do.status.release if view.participant == code), None)
    criteria = view.criteria if view is not None else ()
    lines = tuple(
        Line(label=f"{_ANSWERS[met]:<13} {label}", run=partial(_turn, do, code, at), confirm=True)
        for at, (_, label, met) in enumerate(criteria)
    )
    footer = "digit or ↑↓    Enter: yes, and again no    Esc: done" if lines else "Esc: back"
    title = f"Release of {code}" if lines else f"Release of {code}: nothing is asked any more"
    return replace(menu, title=title, lines=lines, at=min(menu.at, max(0, len(lines) - 1)), footer=footer)


def _turn(do: Commands, code: str, at: int) -> None:
    """The other answer than the one that stands; the list goes on to the next question."""
    view = next((view for view in do.status.release if view.participant == code), None)
    if view is None:
        return
    criterion, label, answered = view.criteria[at]
    met = answered is not True
    do.send(ReleaseAnswer(criterion=criterion, met=met), f"{label}: {'yes' if met else 'no'}", (code,))
    _checklist(do, code, min(at + 1, len(view.criteria) - 1))


def release(do: Commands, key: str) -> None:
    """Enter where nothing stands against it; otherwise what does, and an override by two people."""

    def ask(person: ParticipantView) -> None:
        do.ask(clinical_forms.release_form(person.code, _against(do, person.code), signs_on=do.status.signs_on), key)

    do.for_one("Release whom", do.meant(), ask)


def _against(do: Commands, code: str) -> list[str]:
    view = next((one for one in do.status.release if one.participant == code), None)
    if view is None:
        return []
    return wording.all_against(view, do.client.room_time, do.status.events)


def leave(do: Commands, key: str) -> None:
    """Somebody goes before release; one person's word is enough."""
    do.for_one("Who leaves", do.meant(), lambda one: do.ask(clinical_forms.leave_form(one.code, do.clock), key))


def sheet(do: Commands, _key: str) -> None:
    """One screen; Enter writes it as PDF and as text beside the record."""
    made, session = sheet_of(do.status), do.status.session
    head, written, _, *rows = sheet_text(made).splitlines()
    lines = [Line(label=row, run=partial(write_sheet, do, made, session)) for row in rows]
    footer = "Enter: write it as PDF and text    ↑↓: more of it    Esc: back"
    do.show_page(f"{head}   {written}", lines, footer)


def write_sheet(do: Commands, made: Sheet, session: str) -> None:
    """The sheet as it was shown, as files, for a printer."""
    folder = do.client.runtime_dir.parent / "sheets"

    def write() -> str:
        from controller.drawing.handover import write_sheet  # with all that drawing needs; only for this
        from controller.files import ConfigError

        stem = f"{session}-{made.made[11:].replace(':', '')}"
        try:
            for suffix in ("pdf", "txt"):
                write_sheet(made, folder / f"{stem}.{suffix}")
        except ConfigError as error:
            return error.mistakes[0]
        return f"written: {folder / stem}.pdf and .txt"

    do.beside(write)


def _has_checklist(status: Status) -> str:
    asked = any(view.criteria for view in status.release)
    return in_session(status) or ("" if asked else "this programme asks nothing before release")


def _was_any(status: Status) -> str:
    """Also after its end: people fall ill on the way home."""
    return "" if status.session and status.participants else wording.refusal("no_session", {})


def _begun(status: Status) -> str:
    return in_session(status) or ("nobody has taken the dose yet" if status.state == "ready" else "")


def _release(status: Status) -> str:
    return ", ".join(f"{view.participant} {_told(view)}" for view in status.release)


def _told(view: ReleaseView) -> str:
    met = sum(answered is True for _, _, answered in view.criteria)
    return "ready" if view.ready else f"{met} of {len(view.criteria)} yes"


ACTIONS = (
    Action(
        name="checklist", run=checklist, menu="leaving", long="release: the checklist …", ctl="release-answer",
        sends=(ReleaseAnswer,), offered=_has_checklist, stands=_release, help="what must hold before somebody goes",
    ),
    Action(
        name="release", run=release, menu="leaving", long="release somebody …", ctl="release", sends=(Release,),
        offered=_begun, help="when all is met; else by two people, with a reason",
    ),
    Action(
        name="leave", run=leave, menu="leaving", long="somebody leaves early …", ctl="leave", sends=(Leave,),
        offered=_begun, help="before release: how, who was told, transport",
    ),
    Action(
        name="sheet", run=sheet, menu="leaving", long="sheet for paramedics", ctl="sheet", offered=_was_any,
        help="T+, doses, vitals, events on one screen; Enter prints",
    ),
)  # fmt: skip
