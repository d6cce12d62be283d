"""Rules of the participants' limits: the planner keeps them in the music, and these in the faders."""

from __future__ import annotations

from msgspec.structs import replace

from controller.messages import Fact, Limits, Refused, RoomRules, SetLimits
from controller.session.calls import Ruled
from controller.session.state import State, replanned

SILENT_DB = -120.0
"""A bus that is to carry nothing; below what 24 bits can hold."""


def check_limits(limits: Limits, rules: RoomRules) -> None:
    """Raise Refused where this room cannot keep them."""
    if limits.headphones_only and not rules.headphones:
        raise Refused("bad_value", what="headphones only", why="this room has no headphones of their own")
    if not rules.volume_min_db <= limits.volume_cap_db <= 0.0:
        why = f"between {rules.volume_min_db:g} and 0 dB"
        raise Refused("bad_value", what="volume cap", why=why)


def set_limits(state: State, act: SetLimits, _now: float) -> Ruled:
    """Other limits from now on; what plays goes on, and what comes is planned anew."""
    check_limits(act.limits, state.rules)
    if act.limits == state.limits:
        return state, ()
    quieter = faders(replace(state, limits=act.limits)) != faders(state)
    fade = state.rules.softer_fade_s if quieter else state.buses_fade_s
    state = replace(state, limits=act.limits, buses_fade_s=fade)
    return replanned(state), (Fact(code="limits_set", values=act.limits.told()),)


def faders(state: State) -> dict[str, float]:
    """What each bus is to be at, in dB below calibrated: as people set it, under the cap, silent where asked."""
    limits = state.limits
    return {
        bus: SILENT_DB
        if limits.headphones_only and bus not in state.rules.headphones
        else min(level, limits.volume_cap_db)
        for bus, level in state.buses.items()
    }
