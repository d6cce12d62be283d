"""Rules of supportive touch: nothing is refused, and what lies outside the consented scope is recorded as that."""

from __future__ import annotations

from controller import bedside
from controller.messages import Fact, Input, Touch
from controller.session import entries
from controller.session.calls import Ruled
from controller.session.people import anybody
from controller.session.state import State


def touch(state: State, given: Input, now: float, seq: int) -> Ruled:
    """Touch was given, begins, moves to another place or ends."""
    act = given.act
    assert isinstance(act, Touch)
    entries.check(state, act)
    at = entries.happened(given, now)
    people = anybody(state, given)
    facts: list[Fact] = []
    for person in people:
        before = entries.going_on(state, person.code, Touch)
        if before is not None and act.part in ("start", "stop"):
            values: dict[str, str | int | float] = {"participant": person.code, "where": where(before.act)}
            facts.append(
                Fact(code="touch_over", values={**values, "minutes": round(max(0.0, at - before.t) / 60.0, 1)})
            )
        if act.part != "stop" and is_outside(act, person.touch_scope):
            told: dict[str, str | int | float] = {"participant": person.code, "where": where(act)}
            if not person.touch_scope:
                told["scope"] = ""
            facts.append(Fact(code="touch_outside", values=told))
    return entries.noted(state, given, now, seq, tuple(person.code for person in people)), tuple(facts)


def where(act: object) -> str:
    """The place of a touch in a word."""
    return act.where or act.touch or "touch" if isinstance(act, Touch) else ""


def is_outside(act: Touch, scope: str) -> bool:
    """Whether it lies outside: as the person says, or else as the scope's own words do."""
    return act.outside if act.outside is not None else not bedside.covers(scope, act.touch, act.where)
