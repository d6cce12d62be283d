"""Rules of jumps along the arc: going to a phase, landing early, and catching up with T+."""

from __future__ import annotations

from msgspec.structs import replace

from controller.arc.programme import Programme
from controller.messages import CatchUp, Fact, Go, Land, Refused
from controller.nearest import nearest
from controller.session.calls import Ruled
from controller.session.course import REACHED, begun, entered, index_at, origin_t, phase_fact
from controller.session.evacuation import returned
from controller.session.sounding import with_sound
from controller.session.state import State, arc_position, replanned

LONGEST_MINUTES = 240.0
NEAR_S = 1.0
"""An arc this little behind T+ is not behind."""


def go(state: State, act: Go, now: float) -> Ruled:
    """Cross over to the beginning of a phase; ends landing, hold, wait and pause."""
    assert state.programme is not None
    codes = [phase.code for phase in state.programme.phases]
    if act.phase not in codes:
        raise Refused("unknown_phase", phase=act.phase, nearest=nearest(act.phase, codes), allowed=", ".join(codes))
    index = codes.index(act.phase)
    if index > 0 and not begun(state):
        raise Refused("wrong_state", what="go", state="before ingestion")
    programme = _unlanded(state)
    state = replace(_sounding(state, now), programme=programme, landing=False, set_code="")
    state = entered(state, index, programme.start_s(index), now)
    return replanned(state, cut=True), phase_fact(state)


def land(state: State, act: Land, now: float) -> Ruled:
    """What is left becomes the last phase over so many minutes; in the last phase itself, its rest does."""
    assert state.programme is not None
    if act.minutes is not None and not 0.0 < act.minutes <= LONGEST_MINUTES:
        raise Refused("bad_value", what="minutes", why="a landing lasts more than 0 and at most 240 minutes")
    if state.waiting_for == "end":
        raise Refused("already", what="land")
    programme = state.programme
    last = len(programme.phases) - 1
    minutes = act.minutes or programme.landing_minutes
    place = arc_position(state, now)
    there = state.phase == last
    if there:
        past = (place - programme.start_s(last)) / 60.0
        if act.minutes is None:
            minutes = min(minutes, programme.phases[last].minutes - past)
        programme = programme.with_minutes(last, max(past + minutes, REACHED))
    else:
        programme = programme.with_minutes(last, minutes)
        place = max(place, programme.start_s(last))
    state = replace(_sounding(state, now), programme=programme, landing=True, set_code="")
    state = entered(state, last, place, now)
    fact = Fact(code="landing_began", values={"minutes": round(minutes, 1)})
    return replanned(state, cut=not there), (fact, *(() if there else phase_fact(state)))


def catch_up(state: State, _act: CatchUp, now: float) -> Ruled:
    """Cross over to where T+ says; never back, for that is what `Go` is for."""
    assert state.programme is not None
    origin = origin_t(state)
    if origin is None:
        raise Refused("wrong_state", what="catch_up", state="before ingestion")
    here = arc_position(state, now)
    place = max(here, min(now - origin, state.programme.arc_end_s))
    if place <= here + NEAR_S and state.waiting_for != "choice":
        raise Refused("not_behind")
    index = index_at(state, place)
    fresh = index != state.phase
    state = entered(_sounding(state, now), index, place, now)
    return replanned(state, cut=fresh), (Fact(code="caught_up"), *(phase_fact(state) if fresh else ()))


def _sounding(state: State, now: float) -> State:
    """Sound again, and no silence any more, out of whatever had stopped it."""
    state = returned(state)
    if state.mode == "paused" or state.waiting_for in ("choice", "end"):
        state = with_sound(state, now, "play", state.rules.resume_fade_s)
    return state


def _unlanded(state: State) -> Programme:
    """The programme with the last phase as it was before it was landed in."""
    assert state.programme is not None
    if not state.landing or state.booked is None:
        return state.programme
    phases = (*state.programme.phases[:-1], state.booked.phases[-1])
    return state.programme.model_copy(update={"phases": phases})
