"""The menus of a session: where to go, and what is rare. Drawn anew from the Status each time one is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from controller import wording
from controller.console import live_forms
from controller.console.forms import Form
from controller.console.widgets.sheet import Choice, Menu
from controller.messages import (
    Act,
    CatchUp,
    DeclineBooster,
    Evacuate,
    Go,
    Ground,
    Land,
    Next,
    ParticipantView,
    ReleaseAnswer,
    ReleaseView,
    Resume,
    Shorten,
    Skip,
    Softer,
    Stable,
    Status,
)

FOOTER = "digit or ↑↓, then Enter    Esc: back"
BEHIND_S = 60.0
"""An arc this far behind T+ is offered to catch up."""


@dataclass(frozen=True, kw_only=True)
class Doing:
    """What a line of a menu can do. `send(act, words, whom)` sends; `ask` opens a question, `show` a further menu."""

    send: Callable[[Act, str, tuple[str, ...]], None]
    ask: Callable[[Form], None]
    show: Callable[[Menu], None]
    whom: tuple[str, ...]

    def sender(self, act: Act, words: str, whom: tuple[str, ...] = ()) -> Callable[[], None]:
        """Sends it when the line is chosen."""
        return lambda: self.send(act, words, whom)

    def asker(self, form: Form) -> Callable[[], None]:
        """Asks it when the line is chosen."""
        return lambda: self.ask(form)


def go_menu(status: Status, do: Doing) -> Menu:
    """Phases first, in their order; then everything else that moves the arc or chooses the music."""
    codes = [phase.code for phase in status.phases]
    phases = [
        Choice(
            label=f"{phase.title}{'   (now)' if phase.code == status.phase else ''}",
            run=do.sender(Go(phase=phase.code), f"go to {phase.title}"),
        )
        for phase in status.phases
    ]
    here = codes.index(status.phase) if status.phase in codes else 0
    at = min(here + 1, len(codes) - 1)
    first: list[Choice] = []
    if status.waiting_for == "choice":
        first.append(Choice(label="continue where it was", run=do.sender(Resume(), "go on")))
        first += _catch_up(status, do)
        at = 0
    choices = [*first, *phases, *_elsewhere(status, do)]
    return Menu(title="Go to", choices=tuple(choices), at=at, at_once=False, footer=FOOTER)


def _elsewhere(status: Status, do: Doing) -> list[Choice]:
    found: list[Choice] = []
    if status.waiting_for != "choice":
        if offered := wording.offers(status):
            found.append(Choice(label=offered, run=do.sender(Shorten(), offered)))
        if _behind_s(status) >= BEHIND_S:
            found += _catch_up(status, do)
    if status.grounding:
        found.append(Choice(label="grounding piece, then the plan", run=do.sender(Ground(), "grounding piece")))
    minutes = f" over {status.landing_minutes:g} min" if status.landing_minutes else ""
    found.append(Choice(label=f"land: early, gentle end{minutes}", run=do.sender(Land(), "land")))
    found.append(Choice(label="land over other minutes", run=do.asker(live_forms.land_form(status.landing_minutes))))
    found.append(Choice(label="skip this piece", run=do.sender(Skip(), "skip")))
    for code, title in status.sets:
        chosen = "   (chosen)" if code == status.set_code else ""
        found.append(Choice(label=f"next: {title}{chosen}", run=do.sender(Next(set=code), f"next: {title}")))
    if status.set_code:
        found.append(Choice(label="next: the plan again", run=do.sender(Next(), "the plan again")))
    out = "EVACUATE: music out, light to leave by"
    found.append(Choice(label=out, run=do.sender(Evacuate(), "EVACUATE; r brings all back")))
    return found


def _catch_up(status: Status, do: Doing) -> list[Choice]:
    behind = _behind_s(status)
    told = f"catch up with T+, {wording.duration(behind)} on" if behind >= BEHIND_S else "catch up with T+"
    return [Choice(label=told, run=do.sender(CatchUp(), "catch up with T+"))]


def _behind_s(status: Status) -> float:
    """So far the arc is behind the T+ that leads."""
    person = next((one for one in status.participants if one.code == status.leads), None)
    if person is None or person.t_plus_s is None:
        return 0.0
    return person.t_plus_s - status.arc_s


def session_menu(status: Status, do: Doing) -> Menu:
    """What is rare in a session and belongs to it: release, limits, doses, who leaves."""
    choices = [Choice(label="softer by 6 dB; Backspace takes it back", run=do.sender(Softer(), "softer by 6 dB"))]
    choices.append(Choice(label=f"limits: {wording.limits(status.limits) or 'none'}", run=_limits(status, do)))
    many = len(status.participants) > 1
    for person in _meant(status, do):
        of = f" of {person.code}" if many else ""
        choices += _of_person(status, do, person, of)
    return Menu(title="This session", choices=tuple(choices), at_once=False, footer=FOOTER)


def _limits(status: Status, do: Doing) -> Callable[[], None]:
    return do.asker(live_forms.limits_form(status.limits))


def _meant(status: Status, do: Doing) -> list[ParticipantView]:
    return [person for person in status.participants if person.code in do.whom and not person.left]


def _of_person(status: Status, do: Doing, person: ParticipantView, of: str) -> list[Choice]:
    whom = (person.code,)
    found: list[Choice] = []
    checklist = next((view for view in status.release if view.participant == person.code), None)
    if checklist is not None:
        found.append(
            Choice(label=f"release{of}: {_checked(checklist)}", run=lambda: do.show(release_menu(checklist, do)))
        )
    if person.last_dose:
        form = live_forms.correct_form(person)
        found.append(Choice(label=f"correct when the dose{of} was taken", run=do.asker(form)))
    window = next((view for view in status.booster if view.participant == person.code), None)
    if window is not None and window.state in ("coming", "open"):
        act = DeclineBooster()
        found.append(Choice(label=f"booster{of} is not wanted", run=do.sender(act, "booster declined", whom)))
    if status.repeats_vitals:
        found.append(Choice(label=f"vitals{of} are stable", run=do.sender(Stable(), "vitals are stable", whom)))
    if status.state != "ready":
        found.append(Choice(label=f"{person.code} leaves", run=do.asker(live_forms.leave_form(person.code))))
    return found


def _checked(view: ReleaseView) -> str:
    met = sum(answered is True for _, _, answered in view.criteria)
    return "ready" if view.ready else f"{met} of {len(view.criteria)} answered with yes"


_MARKS = {None: "not answered", True: "yes", False: "NO"}


def release_menu(view: ReleaseView, do: Doing, at: int = 0) -> Menu:
    """The checklist; Enter turns an answer to yes, and a yes to no."""

    def turn(index: int) -> Callable[[], None]:
        code, label, answered = view.criteria[index]
        met = answered is not True

        def run() -> None:
            do.send(ReleaseAnswer(criterion=code, met=met), f"{label}: {'yes' if met else 'no'}", (view.participant,))
            answers = tuple((one[0], one[1], met) if place == index else one for place, one in enumerate(view.criteria))
            turned = ReleaseView(participant=view.participant, earliest_t=view.earliest_t, criteria=answers)
            do.show(release_menu(turned, do, min(index + 1, len(answers) - 1)))

        return run

    choices = tuple(
        Choice(label=f"{_MARKS[answered]:<13} {label}", run=turn(index))
        for index, (_, label, answered) in enumerate(view.criteria)
    )
    footer = "Enter: yes, and again no    Esc: done"
    return Menu(title=f"Release of {view.participant}", choices=choices, at=at, at_once=False, footer=footer)
