"""Rules of a long pause: it offers to leave out as much of the phase as was lost. Nothing of this is automatic."""

from __future__ import annotations

from msgspec.structs import replace

from controller.messages import Fact, Refused, Shorten
from controller.session.calls import Ruled
from controller.session.state import State, arc_position, replanned


def long_from(state: State) -> float:
    """Room time from which the pause counts as long."""
    assert state.programme is not None and state.paused_t is not None
    return state.paused_t + state.programme.long_pause_minutes * 60.0


def most_s(state: State) -> float:
    """So much of this phase could be left out: it keeps its least length, and what of it is past."""
    if state.programme is None or state.booked is None or state.waiting_for or state.landing:
        return 0.0
    index = state.phase
    if not index and state.programme.arrival_s:
        return 0.0
    past = state.arc_s - state.programme.start_s(index)
    least = max(state.booked.phases[index].least_s, past)
    return max(0.0, state.programme.phases[index].length_s - least)


def offered_s(state: State, now: float) -> float:
    """What the pause that lasts, or the last long one in this phase, offers to leave out; 0 for nothing."""
    lost = state.lost_s
    if state.paused_t is not None and now >= long_from(state):
        lost = max(lost, now - state.paused_t)
    if not lost or not state.in_session:
        return 0.0
    here = replace(state, arc_s=arc_position(state, now), arc_t=now)
    return min(lost, most_s(here))


def shorten(state: State, act: Shorten, now: float) -> Ruled:
    """Leave out `minutes` of this phase, or what is offered; less where the phase's least length says so."""
    state = replace(state, arc_s=arc_position(state, now), arc_t=now)
    if act.minutes is not None and act.minutes <= 0:
        raise Refused("bad_value", what="minutes", why="more than 0")
    asked = offered_s(state, now) if act.minutes is None else act.minutes * 60.0
    seconds = min(asked, most_s(state))
    if seconds < 1.0:
        raise Refused("nothing_to_shorten", phase=state.here.title)
    assert state.programme is not None
    bent = state.programme.with_minutes(state.phase, (state.here.length_s - seconds) / 60.0)
    fact = Fact(code="phase_shortened", values={"minutes": round(seconds / 60.0, 1), "title": state.here.title})
    state = replace(state, programme=bent, lost_s=0.0, paused_t=now if state.paused_t is not None else None)
    return replanned(state), (fact,)


def pause_over(state: State, now: float) -> State:
    """The state after a pause: a long one is remembered as long as the phase lasts; a wait for onset waits longer."""
    if state.paused_t is None:
        return state
    lost = now - state.paused_t if state.programme is not None and now >= long_from(state) else 0.0
    wait = state.wait_until + now - state.paused_t if state.wait_until is not None else None
    return replace(state, paused_t=None, lost_s=max(state.lost_s, lost), wait_until=wait)
