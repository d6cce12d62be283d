"""Rules of adverse events and of a challenging experience, which is none: what stood before an update stays told."""

from __future__ import annotations

from msgspec.structs import replace

from controller.messages import AdverseEvent, Challenge, Fact, Input, Refused, UpdateEvent, plain_fields
from controller.messages.free_words import REDACTED, plain_without, reference
from controller.session.calls import Ruled
from controller.session.entries import going_on, happened, noted, undoable
from controller.session.people import anybody, short, whom
from controller.session.state import Adverse, Participant, State

BLOCKING_GRADE = 3
"""An open event of this grade or above stands against release."""

RESCUE_LETTERS = 60


def log_event(state: State, given: Input, now: float, seq: int) -> Ruled:
    """An adverse event, from its onset; also of somebody who has left already."""
    act = given.act
    assert isinstance(act, AdverseEvent)
    _check(act)
    codes = tuple(person.code for person in anybody(state, given))
    entry = Adverse(
        seq=seq, t=happened(given, now), event=act, participants=codes, person=given.origin.person or ""
    )  # fmt: skip
    return undoable(replace(state, adverse=(*state.adverse, entry)), given, seq), ()


def _check(event: AdverseEvent) -> None:
    if not event.event.strip():
        raise Refused("bad_value", what="event", why="a word or two for what it is")
    short("event", event.event)
    short("rescue", event.rescue, RESCUE_LETTERS)
    if not 1 <= event.grade <= 5:
        raise Refused("bad_value", what="grade", why="1 to 5")
    if "none" in event.needed and len(event.needed) > 1:
        raise Refused("bad_value", what="needed", why="either none or what it needed")


def update(state: State, given: Input, now: float, seq: int) -> Ruled:
    """What is true of an event now; a release that it stood against may come free."""
    act = given.act
    assert isinstance(act, UpdateEvent)
    old = next((one for one in state.adverse if one.seq == act.event), None)
    if old is None:
        raise Refused("unknown_event", seq=act.event)
    said = {
        "event": act.code, "grade": act.grade, "serious": act.serious, "related": act.related, "needed": act.needed,
        "rescue": act.rescue, "resolved": act.resolved,
    }  # fmt: skip
    event = replace(old.event, **{name: value for name, value in said.items() if value is not None})
    _check(event)
    codes = tuple(one.code for one in anybody(state, given)) if given.participants else old.participants
    onset = old.t
    if act.onset_minutes_ago is not None:
        onset = happened(replace(given, ago_s=act.onset_minutes_ago * 60.0), now)
    happened(given, now)
    new = replace(old, event=event, participants=codes, t=onset)
    if new == old:
        raise Refused("already", what="update_event")
    if event.rescue != old.event.rescue:
        new = replace(new, rescue_in=seq)
    before, after = _plain(old), _plain(new)
    values: dict[str, str | int | float] = {**after, "entry": old.seq, "participants": ",".join(codes)}
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    values |= {f"was_{name}": before.get(name, "") for name in names}
    if codes != old.participants:
        values["was_participants"] = ",".join(old.participants)
    if onset != old.t:
        values["moved_s"] = round(onset - old.t, 1)
    adverse = tuple(new if one is old else one for one in state.adverse)
    return replace(state, adverse=adverse), (Fact(code="event_updated", values=values),)


def redacted(state: State, seq: int) -> State:
    """The state without the words of record `seq`."""
    adverse = tuple(
        replace(one, event=replace(one.event, rescue=REDACTED)) if one.said_in == seq and one.event.rescue else one
        for one in state.adverse
    )
    return replace(state, adverse=adverse)


def _plain(one: Adverse) -> dict[str, str | int | float]:
    return plain_without(one.event.kind, plain_fields(one.event), reference(one.said_in))


def blocking(state: State, person: Participant) -> tuple[Adverse, ...]:
    """The open events that stand against this person's release."""
    return tuple(
        one
        for one in state.adverse
        if person.code in one.participants and not one.event.resolved and one.event.grade >= BLOCKING_GRADE
    )


def challenge(state: State, given: Input, now: float, seq: int) -> Ruled:
    """A challenging experience begins or ends, with its length."""
    act = given.act
    assert isinstance(act, Challenge)
    people = whom(state, given)
    at = happened(given, now)
    facts = []
    for person in people:
        before = going_on(state, person.code, Challenge)
        if act.part == "start":
            if before is not None:
                raise Refused("already", what="challenge")
            continue
        if before is None:
            raise Refused("no_challenge", participant=person.code)
        if at < before.t:
            raise Refused("bad_value", what="time", why="it ends after it began")
        minutes = round((at - before.t) / 60.0, 1)
        facts.append(Fact(code="challenge_over", values={"participant": person.code, "minutes": minutes}))
    return noted(state, given, now, seq, tuple(person.code for person in people)), tuple(facts)
