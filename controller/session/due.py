"""What the sitter should know is coming, was due or is overdue: drawn from state and time alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec.structs import replace

from controller.messages import DueView
from controller.session import booster, release, vitals
from controller.session.course import projected_end
from controller.session.reminders import QUIET_WARNING_S
from controller.session.state import Participant, State


def due_views(state: State, now: float) -> tuple[DueView, ...]:
    """Soonest first; what is long past is left out where nothing can be done about it."""
    if state.programme is None or not state.in_session:
        return ()
    views = [view for person in state.participants if person.present for view in _of_person(state, person, now)]
    end = projected_end(state, now)
    if end is not None:
        views.append(DueView(code="arc_ends", in_s=end - now))
    if state.quiet_until is not None and state.quiet_until - now <= QUIET_WARNING_S:
        views.append(DueView(code="quiet_ends", in_s=state.quiet_until - now, state="due"))
    if state.wait_until is not None and state.mode == "waiting":
        views.append(DueView(code="wait_ends", in_s=state.wait_until - now))
    for sitter in state.sitters:
        if sitter.break_until_t is not None:
            left = sitter.break_until_t - now
            standing: Literal["due", "coming"] = "due" if left <= 0 else "coming"
            views.append(DueView(code="break_ends", in_s=left, name=sitter.initials, state=standing))
    return tuple(sorted(views, key=lambda view: view.in_s))


def _of_person(state: State, person: Participant, now: float) -> Iterator[DueView]:
    yield from _vitals(state, person, now)
    window = booster.view(state, person, now)
    if window is not None and window.state in ("coming", "open"):
        opens = window.state == "coming"
        yield DueView(
            code="booster_opens" if opens else "booster_closes",
            in_s=(window.opens_t if opens else window.closes_t) - now,
            participant=person.code,
            state="coming" if opens else "due",
        )
    yield from _next_device(state, person, now)
    earliest = release.view(state, person, now)
    if earliest is not None and earliest.earliest_t is not None:
        in_s = earliest.earliest_t - now
        yield DueView(code="release", in_s=in_s, participant=person.code, state="coming" if in_s > 0 else "due")


def _next_device(state: State, person: Participant, now: float) -> Iterator[DueView]:
    """The next device, as far behind the last one as the programme has them apart.

    How many there are is said nowhere: it is shown until as much time again has passed, and then no longer expected.
    """
    assert state.programme is not None
    apart_s = state.programme.dose.apart_minutes * 60.0
    taken = [dose.t for dose in person.doses if dose.part == "device"]
    if apart_s and taken and now < max(taken) + 2.0 * apart_s:
        in_s = max(taken) + apart_s - now
        yield DueView(code="device", in_s=in_s, participant=person.code, state="coming" if in_s > 0 else "due")


def _vitals(state: State, person: Participant, now: float) -> Iterator[DueView]:
    """The oldest reading that stands open, one that belongs to the booster or comes before ingestion, the next one."""
    open_ones = [one for one in vitals.served(state, person, now) if one.standing in ("coming", "due", "overdue")]
    past = [one for one in open_ones if one.standing != "coming" and one.asked.what == "time"]
    apart = [one for one in open_ones if one.standing != "coming" and one.asked.what != "time"]
    coming = [one for one in open_ones if one.standing == "coming"]
    for one in (*past[:1], *apart, *coming[:1]):
        code = "vitals" if one.asked.what == "time" else f"vitals_{one.asked.what}"
        view = DueView(code=code, in_s=one.asked.t - now, participant=person.code, needs=one.lacks)
        match one.standing:
            case "due" | "overdue" as standing:
                yield replace(view, state=standing)
            case _:
                yield view
