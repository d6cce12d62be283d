"""Releasing a person, and a person who goes before that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.console import live_forms
from controller.console.doing.action import Action, in_session
from controller.console.menu import Line, menu_of
from controller.messages import Leave, ReleaseAnswer, ReleaseView, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.console.commands import Commands

_ANSWERS = {None: "not answered", True: "yes", False: "NO"}


def release(do: Commands, _key: str) -> None:
    """The checklist of one person; Enter turns an answer to yes, and a yes to no."""
    lists = {view.participant: view for view in do.status.release}
    people = [person for person in do.meant() if person.code in lists]
    do.for_one("Whose release", people, lambda person: _checklist(do, lists[person.code]))


def _checklist(do: Commands, view: ReleaseView, at: int = 0) -> None:
    def turn(index: int) -> Callable[[], None]:
        code, label, answered = view.criteria[index]
        met = answered is not True

        def run() -> None:
            act = ReleaseAnswer(criterion=code, met=met)
            do.send(act, f"{label}: {'yes' if met else 'no'}", (view.participant,))
            answers = tuple((one[0], one[1], met) if place == index else one for place, one in enumerate(view.criteria))
            turned = ReleaseView(participant=view.participant, earliest_t=view.earliest_t, criteria=answers)
            _checklist(do, turned, min(index + 1, len(answers) - 1))

        return run

    lines = [
        Line(label=f"{_ANSWERS[answered]:<13} {label}", run=turn(index), confirm=True)
        for index, (_, label, answered) in enumerate(view.criteria)
    ]
    footer = "digit or ↑↓    Enter: yes, and again no    Esc: done"
    do.show(menu_of(f"Release of {view.participant}", lines, do.show, at=at, footer=footer))


def leave(do: Commands, key: str) -> None:
    """Somebody goes before the session is over."""
    do.for_one("Who leaves", do.meant(), lambda person: do.ask(live_forms.leave_form(person.code), key))


def _has_checklist(status: Status) -> str:
    asked = any(view.criteria for view in status.release)
    return in_session(status) or ("" if asked else "this programme asks nothing before release")


def _begun(status: Status) -> str:
    return in_session(status) or ("nobody has taken the dose yet" if status.state == "ready" else "")


def _release(status: Status) -> str:
    return ", ".join(f"{view.participant} {_told(view)}" for view in status.release)


def _told(view: ReleaseView) -> str:
    met = sum(answered is True for _, _, answered in view.criteria)
    return "ready" if view.ready else f"{met} of {len(view.criteria)} yes"


ACTIONS = (
    Action(
        name="release", run=release, menu="leaving", long="release: the checklist …", ctl="release-answer",
        sends=(ReleaseAnswer,), offered=_has_checklist, stands=_release, help="what must hold before somebody goes",
    ),
    Action(
        name="leave", run=leave, menu="leaving", long="somebody leaves …", ctl="leave", sends=(Leave,), offered=_begun,
        help="before the session is over: how, and who was told",
    ),
)  # fmt: skip
