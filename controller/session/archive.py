"""Rules of the written record: what is done with it is noted, and moves nothing in the room."""

from __future__ import annotations

from msgspec.structs import replace

from controller.messages import AboutABook, Act, Effect, Erase, Fact, Input, Redaction, Removal, Retention
from controller.session import adverse, entries, people, preflight
from controller.session.bookings import keep
from controller.session.calls import Ruled
from controller.session.state import State

ROOM = "room"

OPENING = 1
"""The record that opens a session."""


def ruled(state: State, given: Input, now: float, seq: int) -> Ruled:
    """Keep when the last good backup was made, and no word that was redacted; all else stands in the record alone."""
    act = given.act
    if isinstance(act, Redaction):
        state = _redacted(state, act)
        state = replace(state, preflight=preflight.keep(state.preflight, given, state.rules, now, seq))
    timetable = state.timetable if isinstance(act, AboutABook) else keep(state.timetable, act, now, seq)
    return replace(state, timetable=timetable), facts(act)


def _redacted(state: State, act: Redaction) -> State:
    """The state without the words of that record."""
    if act.session != state.session:
        return state
    state = adverse.redacted(entries.redacted(state, act.seq), act.seq)
    return people.redacted(state) if act.seq == OPENING else state


def facts(act: Act) -> tuple[Fact, ...]:
    """What was removed, one fact a session."""
    removed = act.removed if isinstance(act, Retention) else ()
    return tuple(Fact(code="session_removed", values=_removed(it)) for it in removed)


def _removed(it: Removal) -> dict[str, str | int | float]:
    beside = {name: count for name, count in (("sheets", it.sheets), ("copies", it.copies)) if count}
    return {"opened": it.opened_utc[:10], "records": it.records, "days": it.days, **beside}


def effects(act: Act) -> tuple[Effect, ...]:
    """What is to be taken away once that is on record."""
    match act:
        case Redaction():
            return (Erase(book=act.session),)
        case Retention():
            return (Erase(book=ROOM),)
        case _:
            return ()
