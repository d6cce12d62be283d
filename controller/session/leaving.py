"""Rules of who goes: released through the gate, over it by two people, or left early on one person's word.

The gate informs; it never detains anybody. Landing the music and closing the record are acts of their own.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from controller.messages import Fact, Input, Leave, Refused, Release
from controller.session import release
from controller.session.calls import Ruled
from controller.session.course import begin_arc
from controller.session.duty import second_at
from controller.session.entries import happened, undoable
from controller.session.people import changed, short, whom
from controller.session.state import Participant, State


def leave(state: State, given: Input, now: float, seq: int) -> Ruled:
    """Somebody leaves before release; what was due for them is due no longer. Nobody is kept."""
    act = given.act
    assert isinstance(act, Leave)
    for what, text in (("condition", act.condition), ("told", act.told), ("transport", act.transport)):
        short(what, text)
    at = happened(given, now)
    people = whom(state, given)
    facts = tuple(Fact(code="participant_left", values={"participant": person.code}) for person in people)
    return _gone(state, given, now, seq, people, facts, lambda person: replace(person, left_t=at))


def let_go(state: State, given: Input, now: float, seq: int) -> Ruled:
    """Release, where time and every criterion are met and no open event blocks; otherwise by an override."""
    act = given.act
    assert isinstance(act, Release)
    short("reason", act.reason)
    at = happened(given, now)
    people = whom(state, given)
    against = {person.code: release.against(state, person, at) for person in people}
    how = ""
    if any(against.values()):
        if not act.override:
            code, first = next((code, found[0]) for code, found in against.items() if found)
            raise Refused("not_ready", participant=code, count=len(against[code]), **first)
        how = _second(state, given, act, now)

    def gone(person: Participant) -> Participant:
        return replace(person, released_t=at, overridden=bool(against[person.code]))

    facts = []
    for person in people:
        facts.append(Fact(code="released", values={"participant": person.code}))
        if how and against[person.code]:
            two: dict[str, str | int | float] = {"participant": person.code, "second": act.second.strip(), "how": how}
            facts.append(Fact(code="seconded", values=two))
        facts += [
            Fact(code="released_without", values={"participant": person.code, **one}) for one in against[person.code]
        ]
    return _gone(state, given, now, seq, people, tuple(facts), gone)


def _second(state: State, given: Input, act: Release, now: float) -> str:
    """An override is two people's decision, and says why: how the second one is known, or Refused.

    "pin": by their own PIN at this console; "desk": of the support desk, reached by phone, and verified by nothing
    here; "word": by initials alone, in a room where nobody signs on.
    """
    first, second = (given.origin.person or "").strip(), act.second.strip()
    if not first:
        raise Refused("override_needs", what="who")
    if not act.reason.strip():
        raise Refused("override_needs", what="reason")
    if not second or second.casefold() == first.casefold():
        raise Refused("override_needs", what="second")
    short("second", second, 8)
    if act.desk:
        return "desk"
    if not state.duty.signs_on:
        return "word"
    if second_at(state.duty, given.origin.console, now).casefold() != second.casefold():
        raise Refused("override_needs", what="second_pin")
    return "pin"


def _gone(
    state: State,
    given: Input,
    now: float,
    seq: int,
    people: tuple[Participant, ...],
    facts: tuple[Fact, ...],
    gone: Callable[[Participant], Participant],
) -> Ruled:
    state = changed(state, {person.code: gone(person) for person in people})
    state = undoable(state, given, seq, tuple(person.code for person in people))
    state, began = begin_arc(state, now)  # the one may have gone for whose dose the arc was waiting
    return state, facts + began
