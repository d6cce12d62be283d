"""Rules of the light: it follows the arc, gives way to a scene or a hand, and comes back smoothly."""

from __future__ import annotations

from msgspec.structs import replace

from controller.arc.curves import level_at, next_point
from controller.messages import Light, Point, Refused
from controller.session.state import Fade, State, arc_position, flows, kelvin_points, light_points

STEP_FADE_S = 1.0
"""A press of a light key moves one step within this time; the drivers' slew limit holds beneath it."""


APART = 0.005
"""Light this far from the arc's curve is led back to it rather than set."""

FLAT_S = 60.0
"""Length of a fade that stays where it is."""


def bounded(state: State, level: float) -> float:
    """The level inside the room's floor and ceiling."""
    return min(state.rules.light_ceiling, max(state.rules.light_floor, level))


def fade_to(
    state: State, now: float, level: float, seconds: float, *, swift: bool = False, kelvin: float | None = None
) -> Fade:
    """From where the light is wanted now to `level` in `seconds`; the colour goes to `kelvin`, or stays."""
    here = state.light.kelvin(now)
    towards = here if kelvin is None else kelvin
    start = Point(level=state.light.level(now), t=now, kelvin=here if here is not None else towards)
    end = Point(level=bounded(state, level), t=now + seconds, kelvin=towards)
    return Fade(start=start, end=end, swift=swift)


def follow_arc(state: State, now: float, join_s: float = 0.0) -> Fade:
    """The fade that the arc asks for now: to its next point, or, with `join_s`, from here onto the curve first."""
    if state.programme is None or not state.in_session:
        rest_s = join_s or state.rules.end_fade_s
        return fade_to(state, now, state.rules.rest_light, rest_s, kelvin=_rest_kelvin(state, now))
    if state.waiting_for == "choice":
        soft_s = join_s or state.rules.release_fade_s
        return fade_to(state, now, state.rules.soft_light, soft_s, kelvin=_kelvin_at(state, state.arc_s, now))
    place = arc_position(state, now)
    curve = light_points(state)
    if join_s:
        ahead = place + (join_s if flows(state) else 0.0)
        return fade_to(state, now, level_at(curve, ahead), join_s, kelvin=_kelvin_at(state, ahead, now))
    following = _next_place(state, place)
    if not flows(state) or following is None:
        ends = (place, now), (place, now + FLAT_S)
    else:
        ends = (place, now), (following, now + following - place)
    start, end = (Point(level=level_at(curve, s), t=t, kelvin=_kelvin_at(state, s, now)) for s, t in ends)
    return Fade(start=start, end=end)


def _next_place(state: State, place: float) -> float | None:
    """The next place on the arc at which light or colour change their way."""
    points = (next_point(curve, place) for curve in (light_points(state), kelvin_points(state)))
    return min((point[0] for point in points if point is not None), default=None)


def _kelvin_at(state: State, place: float, now: float) -> float | None:
    """The colour at a place; where the programme says nothing, the lamps' own, or the room's if we changed it."""
    curve = kelvin_points(state)
    return level_at(curve, place) if curve else _rest_kelvin(state, now)


def _rest_kelvin(state: State, now: float) -> float | None:
    return None if state.light.kelvin(now) is None else state.rules.rest_kelvin


def settle_light(before: State, after: State, now: float, *, jumped: bool) -> State:
    """The light after an Input: on its way along the arc, unless a scene or a hand holds it."""
    if after.scene != "arc" or after.light is not before.light:
        return after
    chooses = "choice" in (before.waiting_for, after.waiting_for) and before.waiting_for != after.waiting_for
    released = before.scene != "arc"
    if jumped or chooses or released or after.in_session != before.in_session:
        join = after.rules.release_fade_s if after.in_session else after.rules.end_fade_s
        return replace(after, light=follow_arc(after, now, join))
    if flows(before) != flows(after):
        onto = follow_arc(after, now)
        apart = abs(onto.start.level - before.light.level(now)) > APART
        return replace(after, light=follow_arc(after, now, after.rules.release_fade_s) if apart else onto)
    if now >= after.light.end.t and flows(after):
        return replace(after, light=follow_arc(after, now))
    return after


def set_light(state: State, act: Light, now: float) -> State:
    """Take the light over, or give it back."""
    rules = state.rules
    if act.scene == "arc":
        if state.scene == "arc":
            raise Refused("already", what="light_arc")
        free = replace(state, scene="arc")
        return replace(free, light=follow_arc(free, now, rules.release_fade_s))
    if act.scene == "exit":
        level = max(rules.exit_light, state.light.level(now))
        return replace(state, scene="exit", light=fade_to(state, now, level, rules.scene_fade_s, swift=True))
    if act.scene == "medical":
        level, kelvin = rules.medical_light, rules.medical_kelvin
        light = fade_to(state, now, level, rules.scene_fade_s, swift=True, kelvin=kelvin)
        return replace(state, scene="medical", light=light)
    if act.level is None and act.step is None:
        raise Refused("bad_value", what="light", why="needs a level or a step")
    if act.level is not None and not 0.0 <= act.level <= 1.0:
        raise Refused("bad_value", what="light", why="a level lies between 0 and 100 %")
    base = state.light.level(now) if state.scene == "arc" else state.light.end.level
    wanted = act.level if act.level is not None else base + (act.step or 0.0)
    return replace(state, scene="manual", light=fade_to(state, now, wanted, STEP_FADE_S))
