"""Rules of leaving the room at once: music out, light to leave by, T+ runs on; and coming back by ramps."""

from __future__ import annotations

from msgspec.structs import replace

from controller.messages import LEAVING_FADE_S, Evacuate, Fact, Transport
from controller.session.calls import Ruled
from controller.session.course import stopped
from controller.session.light import fade_to
from controller.session.sounding import with_sound
from controller.session.state import State

LIGHT_S = 2.0
"""Longest fade of the light."""


def let_out(state: State, now: float) -> State:
    """The state with the music out and light to leave by, in a session and outside of any.

    What a hand did to the light before can no longer be taken back: that would take this light away.
    """
    if state.in_session:
        state = stopped(state, now)
    if state.session:
        transport: Transport = "pause" if state.in_session and state.transport != "stop" else "stop"
        state = with_sound(state, now, transport, min(LEAVING_FADE_S, state.rules.pause_fade_s))
    level = max(state.rules.exit_light, state.light.level(now))
    light = fade_to(state, now, level, min(LIGHT_S, state.rules.scene_fade_s), swift=True)
    undoable = tuple(item for item in state.undoable if item.kind != "light")
    return replace(state, scene="exit", light=light, undoable=undoable)


def evacuate(state: State, _act: Evacuate, now: float) -> Ruled:
    """Everybody out: always allowed; in a session it waits for `Resume`."""
    state = let_out(state, now)
    return replace(state, evacuated=state.in_session), (Fact(code="evacuated"),)


def returned(state: State) -> State:
    """The state after it: the light follows the arc again, unless a hand or another scene holds it by now."""
    if not state.evacuated:
        return state
    return replace(state, evacuated=False, scene="arc" if state.scene == "exit" else state.scene)
