"""Whom an act concerns, and who is there."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from controller.messages import Input, Refused
from controller.messages.free_words import REDACTED
from controller.session.state import Participant, State

CODE_LETTERS = 40
"""Conditions, places and reasons are codes: longer ones would be stories."""


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


def anybody(state: State, given: Input) -> tuple[Participant, ...]:
    """As `whom`, those included who have left or were released: what happened to them is still theirs."""
    if given.participants:
        return tuple(person for person in state.participants if person.code in given.participants)
    if len(state.participants) == 1:
        return state.participants
    return whom(state, given)


def short(what: str, text: str, letters: int = CODE_LETTERS) -> None:
    """Raise Refused where a code has grown into a story."""
    if len(text) > letters:
        raise Refused("bad_value", what=what, why=f"at most {letters} letters; more behind a semicolon, as the reason")


def changed(state: State, fresh: Mapping[str, Participant]) -> State:
    """The state with these participants, by their codes."""
    return replace(state, participants=tuple(fresh.get(person.code, person) for person in state.participants))


def redacted(state: State) -> State:
    """The state without what each participant's consent to touch says; that there is one stays."""
    people = (replace(one, touch_scope=REDACTED if one.touch_scope else "") for one in state.participants)
    return replace(state, participants=tuple(people))


def not_gone(state: State) -> tuple[str, ...]:
    """Who was neither released nor left, where a dose makes that a question."""
    if state.programme is None or state.programme.dose.shape == "none":
        return ()
    return tuple(person.code for person in state.participants if person.present)


def back_again(state: State, codes: tuple[str, ...]) -> State:
    """The state in which these are here again, for that they had gone was taken back."""
    fresh = {
        one.code: replace(one, left_t=None, released_t=None, overridden=False)
        for one in state.participants
        if one.code in codes
    }
    return changed(state, fresh)
