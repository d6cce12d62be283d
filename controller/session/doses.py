"""Rules of doses: logged, perhaps late, by their part; and corrected, with everything that counts from them."""

from __future__ import annotations

from dataclasses import replace

from controller.arc.programme import Programme
from controller.messages import CorrectDose, Dose, DosePart, Fact, Input, Refused
from controller.session import booster
from controller.session.blinding import check_dose
from controller.session.calls import Ruled
from controller.session.course import begin_arc
from controller.session.people import changed, whom
from controller.session.reminders import forget_coming
from controller.session.state import DoseTaken, Participant, State

PARTS: dict[str, tuple[DosePart, ...]] = {
    "single": ("dose",),
    "devices": ("device",),
    "infusion": ("dose", "start", "stop"),
    "none": (),
}
"""What can be given, by the shape of the programme's dose; a bolus before an infusion is a dose."""

LONGEST_AGO_MINUTES = 24 * 60.0


def parts_of(programme: Programme) -> tuple[DosePart, ...]:
    """What can be given in this programme."""
    parts = PARTS[programme.dose.shape]
    return (*parts, "booster") if programme.booster and parts else parts


def dose(state: State, given: Input, now: float, seq: int) -> Ruled:
    """Log an ingestion or a further dose; the first one ends the arrival."""
    act = given.act
    assert isinstance(act, Dose) and state.programme is not None
    if not 0.0 <= act.minutes_ago <= LONGEST_AGO_MINUTES:
        raise Refused("bad_value", what="minutes_ago", why="it lies between 0 and 1440")
    allowed = parts_of(state.programme)
    if act.part == "dose" and "device" in allowed:
        act = replace(act, part="device")
    check_dose(state.programme, act)
    if act.part == "booster" and allowed and "booster" not in allowed:
        raise Refused("no_booster")
    if act.part not in allowed:
        raise Refused("no_such_dose", part=act.part, allowed=", ".join(allowed))
    people = whom(state, given)
    at = now - act.minutes_ago * 60.0
    for person in people:
        _check_part(state, person, act, at)
    unit = act.unit or (state.programme.dose.unit if act.amount is not None else "")
    taken = DoseTaken(t=at, amount=act.amount, unit=unit, kit=act.kit, part=act.part, seq=seq)
    fresh = {person.code: replace(person, doses=_in_order((*person.doses, taken))) for person in people}
    first_booster = act.part == "booster" and not any(map(booster.given_t, state.participants))
    state, facts = begin_arc(changed(state, fresh), now)
    if first_booster:
        state, more = booster.lengthened(state)
        facts += more
    return state, facts


def _in_order(doses: tuple[DoseTaken, ...]) -> tuple[DoseTaken, ...]:
    """The doses themselves; Refused where an infusion would stop before it started, or a booster come first."""
    first = min(dose.t for dose in doses if dose.part != "booster")
    if any(dose.t < first for dose in doses if dose.part == "booster"):
        raise Refused("bad_value", what="dose", why="a booster comes after the first dose")
    ends = [dose.t for dose in doses if dose.part in ("start", "stop")]
    if ends != sorted(ends):
        raise Refused("bad_value", what="dose", why="an infusion stops after it starts")
    return doses


def _check_part(state: State, person: Participant, act: Dose, at: float) -> None:
    running = infusion_runs(person)
    if act.part == "stop" and not running:
        raise Refused("no_infusion", participant=person.code)
    if act.part == "start" and running:
        raise Refused("already", what="start")
    if act.part == "booster":
        booster.check(state, person, at, override=act.override)


def infusion_runs(person: Participant) -> bool:
    """Whether an infusion was started and not stopped."""
    ends = sorted((dose.t, dose.seq, dose.part) for dose in person.doses if dose.part in ("start", "stop"))
    return bool(ends) and ends[-1][2] == "start"


def correct_dose(state: State, given: Input, now: float, seq: int) -> Ruled:
    """Set a dose's true minute: vitals, booster window and release move with it, for they count from it.

    The arc stays where it is: nobody in the room is to hear a correction.
    """
    act = given.act
    assert isinstance(act, CorrectDose) and state.programme is not None
    check_dose(state.programme, act)
    found = [
        person
        for person in state.participants
        if any(dose.seq == act.dose for dose in person.doses)
        and (not given.participants or person.code in given.participants)
    ]
    if not found:
        raise Refused("unknown_dose", seq=act.dose)
    if act.minutes_ago is not None and act.by_minutes is not None:
        raise Refused("bad_value", what="dose", why="say either how long ago it was, or by how much it moves")
    if act.minutes_ago is None and act.by_minutes is None and act.amount is None:
        raise Refused("bad_value", what="dose", why="needs its true minute or its amount")
    fresh: dict[str, Participant] = {}
    before = after = 0.0
    for person in found:
        old = next(dose for dose in person.doses if dose.seq == act.dose)
        before, after = old.t, _true_time(act, old.t, now)
        amount = old.amount if act.amount is None else act.amount
        doses = tuple(replace(old, t=after, amount=amount) if dose is old else dose for dose in person.doses)
        timed = act.amount is None or after != before
        fresh[person.code] = replace(person, doses=_in_order(doses), at_least=person.at_least and not timed)
    moved = forget_coming(changed(state, fresh), tuple(fresh), now)
    minutes = round((after - before) / 60.0, 1)
    return moved, (Fact(code="dose_corrected", values={"dose": act.dose, "minutes": minutes}),)


def _true_time(act: CorrectDose, old_t: float, now: float) -> float:
    ago, by = act.minutes_ago, act.by_minutes or 0.0
    at = now - ago * 60.0 if ago is not None else old_t + by * 60.0
    if not now - LONGEST_AGO_MINUTES * 60.0 <= at <= now:
        raise Refused("bad_value", what="dose", why="it was taken within the last 24 hours, and not in the future")
    return at
