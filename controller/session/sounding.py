"""The sound set going, stood still or stopped: the timeline's anchor moves with it."""

from __future__ import annotations

from msgspec.structs import replace

from controller.messages import Transport
from controller.session.state import State, timeline_position


def with_sound(state: State, now: float, transport: Transport, fade_s: float) -> State:
    """The state whose music plays, pauses or stops from `now` on, by a fade of `fade_s`."""
    if transport == "play":
        place = timeline_position(state, now)
        if state.transport == "stop":  # an engine that has stopped holds nothing of the session any more
            state = replace(state, timeline_base=place)
        return replace(
            state, transport="play", transport_fade_s=fade_s, timeline_s=place, timeline_t=now, timeline_stop_t=None
        )
    stop_t = now + fade_s if state.timeline_stop_t is None else min(state.timeline_stop_t, now + fade_s)
    return replace(state, transport=transport, transport_fade_s=fade_s, timeline_stop_t=stop_t)
