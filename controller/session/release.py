"""Rules of release: the earliest time of each person, and the checklist. It informs; it never detains anybody."""

from __future__ import annotations

from msgspec.structs import replace

from controller import bedside
from controller.messages import Input, Refused, ReleaseAnswer, ReleaseView
from controller.nearest import nearest
from controller.session import adverse
from controller.session.calls import Ruled
from controller.session.people import changed, whom
from controller.session.state import Participant, State


def answer(state: State, given: Input, _now: float, _seq: int) -> Ruled:
    """Keep the answer to one question; a later one takes its place, and the record keeps both."""
    act = given.act
    assert isinstance(act, ReleaseAnswer) and state.programme is not None
    codes = [criterion.code for criterion in state.programme.release.criteria]
    if act.criterion not in codes:
        near = nearest(act.criterion, codes)
        raise Refused("unknown_criterion", code=act.criterion, nearest=near, allowed=", ".join(codes))
    people = whom(state, given)
    fresh = {person.code: replace(person, answers={**person.answers, act.criterion: act.met}) for person in people}
    return changed(state, fresh), ()


def total_amount(state: State, person: Participant) -> float | None:
    """All that was taken, in the programme's unit; None where an amount is unknown (a kit, or another unit)."""
    assert state.programme is not None
    unit = state.programme.dose.unit
    amounts = [dose for dose in person.doses if dose.part != "stop" and not (dose.part == "start" and not dose.amount)]
    if not amounts or any(dose.amount is None or (unit and dose.unit not in ("", unit)) for dose in amounts):
        return None
    return sum(dose.amount or 0.0 for dose in amounts)


def counts_from_t(state: State, person: Participant) -> float | None:
    """Room time that release counts from: the last dose, or the stop of the infusion; None while there is none."""
    assert state.programme is not None
    ends = [dose for dose in person.doses if dose.part in ("start", "stop")]
    if ends and ends[-1].part == "start":
        return None  # nobody is released while it runs
    if state.programme.release.counts_from == "stop":
        return max((dose.t for dose in ends if dose.part == "stop"), default=None)
    return max((dose.t for dose in person.doses), default=None)


def against(state: State, person: Participant, at: float) -> list[dict[str, str | int | float]]:
    """All that stands against a release at `at`: time, questions not answered with yes, open grave events."""
    shown = view(state, person, at)
    found = bedside.unmet(shown, at) if shown is not None else []
    found += [{"what": "event", "event": one.seq, "grade": one.event.grade} for one in adverse.blocking(state, person)]
    return found


def view(state: State, person: Participant, now: float) -> ReleaseView | None:
    """Earliest release and checklist of one person; None before ingestion, and where the programme has no rule."""
    assert state.programme is not None
    plan = state.programme.release
    if person.ingestion_t is None or not person.present:
        return None
    criteria = tuple((one.code, one.label, person.answers.get(one.code)) for one in plan.criteria)
    met = all(answered is True for _, _, answered in criteria)
    minutes = plan.earliest_minutes(total_amount(state, person), criteria_met=met and bool(criteria))
    start = counts_from_t(state, person)
    events = tuple(one.seq for one in adverse.blocking(state, person))
    if not minutes and not criteria and not events:
        return None
    earliest = None if start is None else start + minutes * 60.0
    ready = met and earliest is not None and now >= earliest and not events
    return ReleaseView(
        participant=person.code, earliest_t=earliest, criteria=criteria, ready=ready, events=events
    )  # fmt: skip
