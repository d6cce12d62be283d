"""Rules of the light: it follows the arc, gives way to a scene or a hand, and comes back smoothly."""

from __future__ import annotations

from dataclasses import replace

from controller.arc.curves import level_at, next_point
from controller.messages import Light, Point, Refused
from controller.session.state import Fade, State, arc_position, flows, light_points

STEP_FADE_S = 1.0
"""A press of a light key moves one step within this time; the drivers' slew limit holds beneath it."""


APART = 0.005
"""Light this far from the arc's curve is led back to it rather than set."""

FLAT_S = 60.0
"""Length of a fade that stays where it is."""


def bounded(state: State, level: float) -> float:
    """The level inside the room's floor and ceiling."""
    return min(state.rules.light_ceiling, max(state.rules.light_floor, level))


def fade_to(state: State, now: float, level: float, seconds: float, *, swift: bool = False) -> Fade:
    """From where the light is wanted now to `level` in `seconds`."""
    start = Point(level=state.light.level(now), t=now)
    return Fade(start=start, end=Point(level=bounded(state, level), t=now + seconds), swift=swift)


def follow_arc(state: State, now: float, join_s: float = 0.0) -> Fade:
    """The fade that the arc asks for now: to its next point, or, with `join_s`, from here onto the curve first."""
    if state.programme is None or not state.in_session:
        return fade_to(state, now, state.rules.rest_light, join_s or state.rules.end_fade_s)
    curve = light_points(state)
    place = arc_position(state, now)
    if join_s:
        ahead = level_at(curve, place + (join_s if flows(state) else 0.0))
        return fade_to(state, now, ahead, join_s)
    level = Point(level=level_at(curve, place), t=now)
    following = next_point(curve, place)
    if not flows(state) or following is None:
        return Fade(start=level, end=Point(level=level.level, t=now + FLAT_S))
    return Fade(start=level, end=Point(level=following[1], t=now + following[0] - place))


def settle_light(before: State, after: State, now: float, *, jumped: bool) -> State:
    """The light after an Input: on its way along the arc, unless a scene or a hand holds it."""
    if after.scene != "arc" or after.light is not before.light:
        return after
    if jumped or after.in_session != before.in_session:
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
        light = fade_to(state, now, rules.medical_light, rules.scene_fade_s, swift=True)
        return replace(state, scene="medical", light=light)
    if act.level is None and act.step is None:
        raise Refused("bad_value", what="light", why="needs a level or a step")
    if act.level is not None and not 0.0 <= act.level <= 1.0:
        raise Refused("bad_value", what="light", why="a level lies between 0 and 100 %")
    base = state.light.level(now) if state.scene == "arc" else state.light.end.level
    wanted = act.level if act.level is not None else base + (act.step or 0.0)
    return replace(state, scene="manual", light=fade_to(state, now, wanted, STEP_FADE_S))
