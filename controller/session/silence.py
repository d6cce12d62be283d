"""Rules of silence: the one that was asked for, and the one that the programme has in it."""

from __future__ import annotations

from msgspec.structs import replace

from controller.arc.programme import SILENCE
from controller.session.state import State

LEAST_RETURN_S = 20.0
"""Out of a silence music never returns faster than this."""


def is_silent_phase(state: State) -> bool:
    """Whether the programme itself is silent now; a set that a sitter chose sounds all the same."""
    if state.programme is None or not state.in_session or state.waiting_for == "choice":
        return False
    return state.here.source == SILENCE and not state.set_code


def settle_music(after: State) -> State:
    """The music let out or brought back as a whole, as the state asks; the engine fills no silence that is wanted."""
    level = 0.0 if after.quiet or is_silent_phase(after) else 1.0
    if not after.in_session or level == after.music:
        return after
    slow = max(LEAST_RETURN_S, after.rules.quiet_return_s)
    return replace(after, music=level, music_fade_s=after.rules.pause_fade_s if after.quiet else slow)
