"""Rules of the support call: always allowed, never lost, and only as far along as the caller says."""

from __future__ import annotations

from msgspec.structs import replace

from controller.messages import Call, CallChanged, CallView, Fact, Refused, StandDown, TakeBack
from controller.session.alarms import cleared, raised
from controller.session.state import UNDO_KEPT, State, Undoable

Ruled = tuple[State, tuple[Fact, ...]]


def is_open(call: CallView) -> bool:
    """Whether somebody was called and nobody has stood the call down."""
    return bool(call.call) and call.stage != "stood_down"


def place_call(state: State, act: Call, now: float, seq: int, console: str) -> Ruled:
    """A new call, or an emergency made of the one that stands; the same level again changes nothing."""
    if act.call in state.calls_over:
        return state, ()
    standing = state.call
    if is_open(standing):
        if standing.level in (act.level, "emergency"):
            return state, ()
        return replace(state, call=replace(standing, level="emergency", stage="placed", by="")), ()
    view = CallView(call=act.call, level=act.level, stage="placed", since_t=now, seq=seq)
    undo = Undoable(seq=seq, console=console, kind="call", targets=(act.call,))
    return replace(state, call=view, undoable=(*state.undoable, undo)[-UNDO_KEPT:]), ()


def stand_down(state: State, act: StandDown) -> Ruled:
    """End the call that stands."""
    if not is_open(state.call) or act.call not in ("", state.call.call):
        raise Refused("no_call")
    over = state.calls_over | {state.call.call}
    state = cleared(state, "call_not_delivered")
    return replace(state, call=replace(state.call, stage="stood_down"), calls_over=over), ()


def take_back_call(state: State, _act: TakeBack) -> Ruled:
    """An assist can be taken back at once; an emergency is stood down, which is recorded as such."""
    if not is_open(state.call):
        raise Refused("no_call")
    if state.call.level == "emergency":
        raise Refused("changed_since", seq=state.call.seq)
    return stand_down(state, StandDown())


def call_changed(state: State, act: CallChanged, now: float, seq: int) -> Ruled:
    """The caller's word on a call; one that was placed past a dead daemon is taken up here."""
    if act.call in state.calls_over or act.test:  # a test is the preflight's own business
        return state, ()
    if act.call != state.call.call:
        if act.stage == "stood_down":
            return replace(state, calls_over=state.calls_over | {act.call}), ()
        view = CallView(call=act.call, level=act.level, since_t=act.placed_t or now, seq=seq)
        state = replace(state, call=view)
    if act.stage == "stood_down":
        state = replace(state, calls_over=state.calls_over | {act.call})
    level = "emergency" if "emergency" in (act.level, state.call.level) else act.level
    state = replace(state, call=replace(state.call, stage=act.stage, by=act.by, level=level))
    fact = Fact(code=f"call_{act.stage}", values={"level": act.level, "by": act.by})
    if act.stage == "not_delivered":
        return raised(state, "call_not_delivered", "high", now, {}), (fact,)
    return cleared(state, "call_not_delivered"), (fact,)
