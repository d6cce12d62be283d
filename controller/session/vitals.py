"""Rules of vitals: when each reading falls due, and what became of it. Pure functions of state and time.

A reading serves the newest time whose window has opened; a reason for missing serves every time that has come.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Literal

from msgspec.structs import replace

from controller import bedside
from controller.messages import Fact, Input, Refused, Stable, Vitals
from controller.session import booster, entries
from controller.session.calls import Ruled
from controller.session.people import changed, whom
from controller.session.state import Participant, State

Standing = Literal["coming", "due", "overdue", "done", "missed", "lapsed"]
"""`lapsed`: a later time was served instead, and nobody said why."""

BP, TEMPERATURE, SPO2 = "bp", "temperature", "spo2"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A reading that the programme asks of one person, at room time `t`. `key` names it among the session's."""

    key: str
    participant: str
    t: float
    needs: tuple[str, ...] = (BP,)
    what: Literal["time", "baseline", "booster"] = "time"
    opens_t: float
    """From here on a reading counts for it."""
    closes_t: float
    """From here on a reading counts for a later one."""
    late_t: float
    """From here on it is overdue."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """A reading that was asked for, and how it stands. `lacks`: what was not read yet."""

    asked: Asked
    standing: Standing
    lacks: tuple[str, ...] = ()


def take(state: State, given: Input, now: float, seq: int) -> Ruled:
    """Keep vitals with the person they belong to, and tell what lies beyond the programme's limits."""
    act = given.act
    assert isinstance(act, Vitals) and state.programme is not None
    entries.check(state, act)
    limits = [(name, *limit) for name, limit in state.programme.vitals.limits.given().items()]
    at = entries.happened(given, now)
    people = whom(state, given)
    fresh = {
        person.code: replace(person, vitals=tuple(sorted((*person.vitals, (at, act)), key=lambda line: line[0])))
        for person in people
    }
    state = entries.noted(changed(state, fresh), given, now, seq, tuple(fresh))
    beyond = tuple(
        Fact(code="beyond_limit", values={"participant": code, **told})
        for code in fresh
        for told in bedside.beyond_limits(limits, act)
    )
    return state, beyond


def stable(state: State, given: Input, now: float, _seq: int) -> Ruled:
    """The repeated vitals end."""
    assert isinstance(given.act, Stable) and state.programme is not None
    if not state.programme.vitals.repeat_minutes:
        raise Refused("not_repeated")
    people = whom(state, given)
    if all(person.stable_t is not None for person in people):
        raise Refused("already", what="stable")
    fresh = {person.code: replace(person, stable_t=now) for person in people}
    return changed(state, fresh), tuple(Fact(code="vitals_stable", values={"participant": code}) for code in fresh)


def asked_of(state: State, person: Participant) -> list[Asked]:
    """Every reading asked of one person, soonest first; of those that repeat, the ones told and the next one."""
    plan = state.programme.vitals if state.programme else None
    if plan is None or not person.present or not state.in_session:
        return []
    early, late = plan.early_minutes * 60.0, plan.late_minutes * 60.0
    times = list(_times(state, person))
    found = [
        Asked(
            key=_key(person, name),
            participant=person.code,
            t=t,
            needs=needs,
            opens_t=t - early,
            closes_t=times[at + 1][1] - early if at + 1 < len(times) else float("inf"),
            late_t=t + late,
        )
        for at, (name, t, needs) in enumerate(times)
    ]
    return sorted([*found, *_apart(state, person)], key=lambda asked: asked.t)


def _key(person: Participant, name: str) -> str:
    return f"vitals/{person.code}/{name}"


def _times(state: State, person: Participant) -> Iterator[tuple[str, float, tuple[str, ...]]]:
    """(name, room time, needs) of the times that count from ingestion or stop, ascending."""
    assert state.programme is not None
    plan, start = state.programme.vitals, person.ingestion_t
    if start is None:
        return
    kinds = ((BP, plan.minutes), (TEMPERATURE, plan.temperature_minutes), (SPO2, plan.spo2_minutes))
    needs: dict[float, tuple[str, ...]] = {}
    for kind, minutes in kinds:
        for minute in minutes:
            needs[minute] = (*needs.get(minute, ()), kind)
    named = [(f"{minute:g}", start + minute * 60.0, kinds) for minute, kinds in needs.items()]
    stop = max((dose.t for dose in person.doses if dose.part == "stop"), default=None)
    if stop is not None:
        named += [(f"stop+{minute:g}", stop + minute * 60.0, (BP,)) for minute in plan.after_stop_minutes]
    named.sort(key=lambda one: one[1])
    yield from named
    if not plan.repeat_minutes or not named:
        return
    last, t, kinds_again = named[-1]
    for number in count(1):
        t += plan.repeat_minutes * 60.0
        if person.stable_t is not None and t > person.stable_t:
            return
        name = f"{last}+{number}"
        yield name, t, kinds_again
        if _key(person, name) not in state.told:
            return


def _apart(state: State, person: Participant) -> list[Asked]:
    """The baseline before ingestion, and what is read again before a booster."""
    assert state.programme is not None
    plan = state.programme.vitals
    everything = (BP, *((TEMPERATURE,) if plan.temperature_minutes else ()), *((SPO2,) if plan.spo2_minutes else ()))
    found = []
    asks_any = bool(plan.minutes or plan.temperature_minutes or plan.spo2_minutes or plan.after_stop_minutes)
    if plan.baseline and asks_any and state.programme.dose.shape != "none":
        ingestion = person.ingestion_t
        due = ingestion if ingestion is not None else state.started_t + state.programme.arrival_s
        found.append(
            Asked(
                key=f"vitals/{person.code}/baseline", participant=person.code, t=due, needs=everything,
                what="baseline", opens_t=float("-inf"), closes_t=float("inf") if ingestion is None else ingestion,
                late_t=float("inf"),
            )
        )  # fmt: skip
    window = booster.window(state, person) if plan.before_booster else None
    if window is not None and not person.booster_declined:
        taken = booster.given_t(person)
        found.append(
            Asked(
                key=f"vitals/{person.code}/booster", participant=person.code, t=window[0], needs=everything,
                what="booster", opens_t=window[0] - plan.early_minutes * 60.0,
                closes_t=window[1] if taken is None else taken, late_t=window[1],
            )
        )  # fmt: skip
    return found


def served(state: State, person: Participant, now: float) -> list[Served]:
    """How every reading stands that is asked of one person; soonest first."""
    return [_served(asked, person, now) for asked in asked_of(state, person)]


def is_open(asked: Asked, person: Participant) -> bool:
    """Whether it was neither read nor said to be missed."""
    return bool(lacks(asked, person)) and not _excused(asked, person)


def _served(asked: Asked, person: Participant, now: float) -> Served:
    missing = lacks(asked, person)
    standing: Standing
    if not missing:
        standing = "done"
    elif _excused(asked, person):
        standing = "missed"
    elif now >= asked.closes_t and (asked.what != "time" or _later(asked, person)):
        standing = "lapsed"
    elif now < asked.t:
        standing = "coming"
    else:
        standing = "overdue" if now >= asked.late_t else "due"
    return Served(asked=asked, standing=standing, lacks=missing)


def lacks(asked: Asked, person: Participant) -> tuple[str, ...]:
    """What of a reading was not read yet."""
    mine = [entry for t, entry in person.vitals if asked.opens_t <= t < asked.closes_t]
    return tuple(kind for kind in asked.needs if not any(_read(entry, kind) for entry in mine))


def _excused(asked: Asked, person: Participant) -> bool:
    return any(entry.missed and t >= asked.opens_t for t, entry in person.vitals)


def _later(asked: Asked, person: Participant) -> bool:
    return any(asked.closes_t <= t and not entry.missed for t, entry in person.vitals)


def _read(entry: Vitals, kind: str) -> bool:
    match kind:
        case "temperature":
            return entry.celsius is not None
        case "spo2":
            return entry.spo2 is not None
        case _:
            return entry.systolic is not None or entry.pulse is not None
