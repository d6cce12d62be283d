"""Rules of what the wall clock brings. They move the room's light when nothing runs, and never a session.

1. While a session is open only the timetable itself is kept; what a job would have done is left out, and said so.
2. The light is left alone too while a call stands or somebody has put it on to stand up by or to help.
3. Each job of a booking, and each day's job, happens once: a second time it is refused.
"""

from __future__ import annotations

from typing import get_args

from msgspec.structs import replace

from controller.messages import (
    Book,
    Booking,
    Check,
    Checked,
    Effect,
    Fact,
    Input,
    RunCheck,
    TimetableDue,
)
from controller.session.bookings import keep
from controller.session.calls import Ruled, is_open
from controller.session.codes import check_are_codes
from controller.session.light import fade_to
from controller.session.state import State

CHECKS = get_args(Check)
LIGHT_JOBS = ("warm_up", "lights_off")


def ruled(state: State, given: Input, now: float, seq: int) -> Ruled:
    """Keep the timetable, and do what a job asks where nothing stands against it."""
    act = given.act
    if isinstance(act, Book):
        check_are_codes(state.rules, act.participants)
    kept = replace(state, timetable=keep(state.timetable, act, now, seq))
    if isinstance(act, TimetableDue):
        booking = state.timetable.booking(act.booking) if act.booking else None
        why = _against(state, act, booking)
        fact = Fact(code=_what_became(act, why), values=_values(act, booking, why))
        return kept if why or act.missed else _moved(kept, act, now), (fact,)
    if isinstance(act, Checked):
        return kept, _found(act)
    return kept, ()


def effects(act: object, facts: tuple[Fact, ...]) -> tuple[Effect, ...]:
    """The check that a job asks for, where it was not left out."""
    if isinstance(act, TimetableDue) and act.job in CHECKS and facts[0].code == "timetable_done":
        return (RunCheck(check=act.job),)  # type: ignore[arg-type]
    return ()


def _against(state: State, act: TimetableDue, booking: Booking | None) -> str:
    """Why the job is left out; "" where nothing stands against it."""
    if act.job == "over" or (booking is not None and booking.session):
        return ""
    if state.in_session:
        return "session_open"
    if act.job in LIGHT_JOBS and (is_open(state.call) or state.scene in ("exit", "medical")):
        return "light_in_use"
    return ""


def _what_became(act: TimetableDue, why: str) -> str:
    return "timetable_missed" if act.missed else "timetable_skipped" if why else "timetable_done"


def _values(act: TimetableDue, booking: Booking | None, why: str) -> dict[str, str | int | float]:
    values: dict[str, str | int | float] = {"job": act.job}
    if why:
        values["why"] = why
    if booking is not None:
        whom = ",".join(booking.participants)
        values |= {"booking": booking.id, "programme": booking.programme, "participants": whom, "at": booking.at}
        values["session"] = booking.session
    return values


def _moved(state: State, act: TimetableDue, now: float) -> State:
    """The light for a session that comes, or for the night: down to the room's floor, never to black."""
    rules = state.rules
    if state.in_session:
        return state
    if act.job == "warm_up":
        return replace(state, scene="warm_up", light=fade_to(state, now, rules.warm_up_light, rules.warm_up_fade_s))
    if act.job == "lights_off":
        light = fade_to(state, now, rules.light_floor, rules.lights_off_fade_s)
        return replace(state, scene="lights_off", light=light)
    return state


def _found(act: Checked) -> tuple[Fact, ...]:
    if not act.count:
        return (Fact(code="check_well", values={"job": act.check, "looked_at": act.looked_at}),)
    facts = [Fact(code="check_found", values={"job": act.check, "count": act.count, "looked_at": act.looked_at})]
    facts += [
        Fact(code="check_trouble", values={"what": trouble.code, "name": trouble.name, "why": trouble.why})
        for trouble in act.troubles[:5]
    ]
    return tuple(facts)
