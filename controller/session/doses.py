"""Rules of doses: logged, perhaps late, by their part; and corrected, with everything that counts from them."""

from __future__ import annotations

from msgspec.structs import replace

from controller.arc.programme import Programme
from controller.messages import CorrectDose, Dose, DosePart, Fact, Input, Refused
from controller.session import booster, entries, release
from controller.session.blinding import check_dose
from controller.session.calls import Ruled
from controller.session.course import begin_arc
from controller.session.duty import in_room
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
    _check_witness(state, given, act.witness)
    people = whom(state, given)
    at = entries.happened(given, now) - act.minutes_ago * 60.0
    for person in people:
        _check_part(state, person, act, at)
    unit = act.unit or (state.programme.dose.unit if act.amount is not None else "")
    taken = DoseTaken(t=at, amount=act.amount, unit=unit, kit=act.kit, part=act.part, seq=seq, witness=act.witness)
    told = [fact for person in people for fact in _sooner(state, person, act, at)]
    fresh = {person.code: replace(person, doses=_in_order((*person.doses, taken))) for person in people}
    first_booster = act.part == "booster" and not any(map(booster.given_t, state.participants))
    state, facts = begin_arc(changed(state, fresh), now)
    if first_booster:
        state, more = booster.lengthened(state)
        facts += more
    told += [fact for code in fresh for fact in _in_all(state, code)]
    return state, (*told, *facts)


def _check_witness(state: State, given: Input, witness: str) -> None:
    """Where two are in the room, nobody is the witness of what they give themselves."""
    giver = given.origin.person or ""
    others = [one for one in in_room(state.duty) if one.casefold() != giver.casefold()]
    if giver and others and witness.casefold() == giver.casefold():
        raise Refused("witness_self", who=giver, others=" or ".join(others))


def _sooner(state: State, person: Participant, act: Dose, at: float) -> list[Fact]:
    """That a device came sooner after another one than the programme has it."""
    assert state.programme is not None
    apart = state.programme.dose.apart_minutes
    between = [abs(at - dose.t) / 60.0 for dose in person.doses if dose.part == "device"]
    if act.part != "device" or not between or min(between) >= apart:
        return []
    values: dict[str, str | int | float] = {"participant": person.code, "minutes": round(min(between), 1)}
    return [Fact(code="device_early", values={**values, "apart": apart})]


def total_of_parts(state: State, person: Participant) -> float | None:
    """What somebody's parts come to; None for one alone, and where an amount is not known."""
    if sum(dose.amount is not None for dose in person.doses) < 2:
        return None
    total = release.total_amount(state, person)
    return None if total is None else round(total, 6)


def _in_all(state: State, code: str) -> list[Fact]:
    """What several parts come to, where their amounts are known."""
    assert state.programme is not None
    person = next(one for one in state.participants if one.code == code)
    total = total_of_parts(state, person)
    if total is None:
        return []
    values: dict[str, str | int | float] = {"participant": code, "amount": total}
    return [Fact(code="dose_total", values={**values, "unit": state.programme.dose.unit})]


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
    asked = {"amount": act.amount, "unit": act.unit, "kit": act.kit, "witness": act.witness}
    said: dict[str, str | int | float] = {name: value for name, value in asked.items() if value is not None}
    timed = act.minutes_ago is not None or act.by_minutes is not None
    if not timed and not said:
        raise Refused("bad_value", what="dose", why="needs its true minute, amount, kit or witness")
    assert state.programme is not None
    fresh: dict[str, Participant] = {}
    before = after = 0.0
    stood: dict[str, str | int | float] = {}
    for person in found:
        old = next(dose for dose in person.doses if dose.seq == act.dose)
        before, after = old.t, _true_time(act, old.t, now)
        fixed = replace(old, t=after, **said)
        doses = tuple(fixed if dose is old else dose for dose in person.doses)
        stood = {f"was_{name}": getattr(old, name) or "" for name in said if getattr(old, name) != said[name]}
        fresh[person.code] = replace(person, doses=_in_order(doses), at_least=person.at_least and not timed)
    moved = forget_coming(changed(state, fresh), tuple(fresh), now)
    minutes = round((after - before) / 60.0, 1)
    values: dict[str, str | int | float] = {"dose": act.dose, "minutes": minutes, "participants": ",".join(fresh)}
    totals = [fact for code in fresh for fact in _in_all(moved, code)] if "amount" in said else []
    return moved, (Fact(code="dose_corrected", values={**values, **said, **stood}), *totals)


def _true_time(act: CorrectDose, old_t: float, now: float) -> float:
    ago, by = act.minutes_ago, act.by_minutes or 0.0
    at = now - ago * 60.0 if ago is not None else old_t + by * 60.0
    if not now - LONGEST_AGO_MINUTES * 60.0 <= at <= now:
        raise Refused("bad_value", what="dose", why="it was taken within the last 24 hours, and not in the future")
    return at
