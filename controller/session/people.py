"""Whom an act concerns, and rules of who is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from controller.messages import Fact, Input, Leave, Refused
from controller.session.calls import Ruled
from controller.session.course import begin_arc
from controller.session.state import Participant, State

CODE_LETTERS = 40
"""Condition and who was told are codes: longer ones would be stories."""


def whom(state: State, given: Input) -> tuple[Participant, ...]:
    """The participants that an act concerns: the named ones, or the only one there. Raises Refused."""
    here = [person for person in state.participants if person.present]
    codes = [person.code for person in here]
    chosen = given.participants or (tuple(codes) if len(codes) == 1 else ())
    if not chosen:
        raise Refused("no_participant", what=given.act.kind, allowed=", ".join(codes))
    gone = [code for code in chosen if code not in codes]
    if gone:
        raise Refused("has_left", participant=gone[0])
    return tuple(person for person in here if person.code in chosen)


def changed(state: State, fresh: Mapping[str, Participant]) -> State:
    """The state with these participants, by their codes."""
    return replace(state, participants=tuple(fresh.get(person.code, person) for person in state.participants))


def leave(state: State, given: Input, now: float, _seq: int) -> Ruled:
    """Somebody leaves before the session is over; what was due for them is due no longer. Nobody is kept."""
    act = given.act
    assert isinstance(act, Leave)
    for what, text in (("condition", act.condition), ("told", act.told)):
        if len(text) > CODE_LETTERS:
            raise Refused("bad_value", what=what, why=f"at most {CODE_LETTERS} letters")
    people = whom(state, given)
    state = changed(state, {person.code: replace(person, left_t=now) for person in people})
    facts = tuple(Fact(code="participant_left", values={"participant": person.code}) for person in people)
    state, began = begin_arc(state, now)  # the one may have gone for whose dose the arc was waiting
    return state, facts + began
