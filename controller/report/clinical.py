"""The clinical part of a session for exports: as it stands after every correction, with the times at which it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from controller import bedside, wording
from controller.messages import Touch, Vitals, plain_fields
from controller.messages.free_words import REDACTED
from controller.session.state import Participant, State
from controller.session.touch import is_outside, where
from controller.wording.quantities import counted

NO_SCOPE = "no scope entered"

Stamps = Mapping[int, tuple[float, str]]
"""By the record: its room time, and its UTC with the clock's later corrections."""


@dataclass(frozen=True, kw_only=True)
class VitalsTaken:
    """One line of vitals, or why there is none. `remarks`: limits passed, what was asked about, corrections."""

    t: float
    utc: str
    participant: str
    by: str
    vitals: Vitals
    remarks: str = ""


@dataclass(frozen=True, kw_only=True)
class Told:
    """Something of one participant or of several, at a time, in words."""

    t: float
    utc: str
    whom: str
    text: str


def vitals_taken(state: State, stamps: Stamps, corrected: Mapping[int, tuple[int, ...]]) -> Iterator[VitalsTaken]:
    """Every line that stands, in the order in which they were read."""
    limits = _limits(state)
    for entry in sorted(state.entries, key=lambda entry: entry.t):
        if not isinstance(entry.act, Vitals):
            continue
        told = [wording.beyond(one) for one in bedside.beyond_limits(limits, entry.act)]
        if entry.act.kept:
            told.append(f"asked and kept: {wording.doubts(entry.act.kept.split(), plain_fields(entry.act))}")
        told += [f"corrected in no. {seq}" for seq in corrected.get(entry.seq, ())]
        for code in entry.participants:
            yield VitalsTaken(
                t=entry.t, utc=_utc(stamps, entry.seq, entry.t), participant=code, by=entry.person,
                vitals=entry.act, remarks=", ".join(told),
            )  # fmt: skip


def _limits(state: State) -> list[tuple[str, float, float]]:
    given = state.programme.vitals.limits.given() if state.programme else {}
    return [(name, *limit) for name, limit in given.items()]


def limits_told(state: State) -> str:
    """The limits that vitals stand beside; "" where the programme has none."""
    return wording.limits_words(_limits(state))


def doses(state: State) -> Iterator[tuple[float, str, str]]:
    """(room time, participant, words) of every dose as it stands."""
    for person in state.participants:
        for dose in person.doses:
            part = plain_fields(dose, ("t", "seq"))
            yield dose.t, person.code, wording.dose_words(part)


def adverse_events(state: State, stamps: Stamps) -> tuple[Told, ...]:
    """Every adverse event as it stands, from its onset."""
    return tuple(
        Told(
            t=one.t, utc=_utc(stamps, one.seq, one.t), whom=", ".join(one.participants),
            text=wording.event_words(plain_fields(one.event)),
        )
        for one in sorted(state.adverse, key=lambda one: one.t)
    )  # fmt: skip


def gone(state: State) -> Iterator[tuple[float | None, str, str]]:
    """(room time, participant, what) of everybody: released, left early, or neither."""
    for person in state.participants:
        if person.released_t is not None:
            yield person.released_t, person.code, "released by override" if person.overridden else "released"
        elif person.left_t is not None:
            yield person.left_t, person.code, "left early"
        else:
            yield None, person.code, "neither released nor left"


def touch(state: State) -> Iterator[str]:
    """Of each participant: what touch was consented to, how often it was given, where, and how often outside that."""
    several = len(state.participants) > 1
    for person in state.participants:
        agreed = person.touch_scope or NO_SCOPE
        yield f"{f'{person.code}: ' if several else ''}{agreed}; {_touch_given(state, person)}"


def _touch_given(state: State, person: Participant) -> str:
    given = [
        entry.act for entry in state.entries
        if isinstance(entry.act, Touch) and entry.act.part != "stop" and person.code in entry.participants
    ]  # fmt: skip
    if not given:
        return "none was recorded"
    places = ", ".join(dict.fromkeys(where(act) for act in given))
    told = f"{counted(len(given), 'entry', 'entries')} ({places})"
    if person.touch_scope == REDACTED:
        return f"{told}; which of them lay outside the scope stands with each"
    outside = sum(is_outside(act, person.touch_scope) for act in given)
    return f"{told}, {outside or 'none'} outside the scope consented to"


def utc_before(utc: str, seconds: float) -> str:
    """The UTC so many seconds earlier."""
    moment = datetime.fromisoformat(utc.replace("Z", "+00:00")) - timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _utc(stamps: Stamps, seq: int, t: float) -> str:
    if seq not in stamps:
        return ""
    entered_t, utc = stamps[seq]
    return utc_before(utc, entered_t - t) if abs(entered_t - t) >= 0.001 else utc
