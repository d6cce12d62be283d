"""Rules of which music: skip, the next set, a grounding piece. The planner chooses; these say from what."""

from __future__ import annotations

from msgspec.structs import replace

from controller.messages import Cue, Fact, Ground, Next, Refused, Skip
from controller.nearest import nearest
from controller.session.calls import Ruled
from controller.session.course import begun
from controller.session.state import State, replanned, timeline_position

ONE_PIECE_S = 10.0
"""A set that ends this soon after now gives one piece: it is drawn from until a piece ends beyond that."""

LEAST_AHEAD_S = 3600.0
"""With less music than this ahead, a phase that is held, or waits for ingestion, is planned further."""


def skip(state: State, _act: Skip, _now: float) -> Ruled:
    """Cross over to another piece; the arc goes on."""
    _check_sounding(state, "skip")
    return replanned(state, cut=True), ()


def choose_next(state: State, act: Next, now: float) -> Ruled:
    """What comes after the piece that plays is drawn from a set; "" takes the choice back."""
    _check_sounding(state, "next")
    assert state.programme is not None
    if not act.set:
        if not state.set_code:
            raise Refused("already", what="next")
        return replanned(replace(state, set_code="", set_until_s=0.0)), (Fact(code="set_over"),)
    sets = {one.code: one for one in state.programme.sets}
    if act.set not in sets:
        raise Refused("unknown_set", set=act.set, nearest=nearest(act.set, sets), allowed=", ".join(sets))
    here = timeline_position(state, now)
    playing = [cue.end_s for cue in state.cues if cue.start_s <= here < cue.end_s]
    chosen = sets[act.set]
    until = max(playing, default=here) + chosen.minutes * 60.0
    fact = Fact(code="set_chosen", values={"set": chosen.code, "title": chosen.title})
    return replanned(replace(state, set_code=chosen.code, set_until_s=until)), (fact,)


def ground(state: State, _act: Ground, now: float) -> Ruled:
    """Cross over to a grounding piece now; the plan goes on behind it."""
    _check_sounding(state, "ground")
    assert state.programme is not None
    found = next((one for one in state.programme.sets if one.kind == "grounding"), None)
    if found is None:
        raise Refused("no_grounding_set")
    until = timeline_position(state, now) + ONE_PIECE_S
    return replanned(replace(state, set_code=found.code, set_until_s=until), cut=True), ()


def runs_low(state: State, begins: Cue) -> bool:
    """Whether a phase that does not end by itself has little music left behind the piece that begins."""
    if state.programme is None or state.plan != state.plan_held:
        return False
    if not state.hold and (state.here.wait_for != "ingestion" or begun(state)):
        return False
    ends = max((cue.end_s for cue in state.cues if cue.phase == state.here.code), default=0.0)
    return ends - begins.start_s < LEAST_AHEAD_S


def _check_sounding(state: State, what: str) -> None:
    if state.waiting_for in ("choice", "end"):
        raise Refused("wrong_state", what=what, state=state.waiting_for)
