"""Straight lines between points: the arc's intensity and light, and fades as two absolute points."""

from __future__ import annotations

from bisect import bisect_right

from controller.arc.programme import Programme

LIGHT_JOIN_S = 120.0
"""How long the light takes from one phase's last level to the next one's first (our judgement)."""

Curve = tuple[tuple[float, float], ...]
"""Points (arc second, level), ascending."""


def light_curve(programme: Programme, floor: float, ceiling: float) -> Curve:
    """The light over the whole arc, inside the room's floor and ceiling, without a step at any phase's border."""
    return _curve(programme, "light", floor, ceiling)


def intensity_curve(programme: Programme) -> Curve:
    """The intensity over the whole arc."""
    return _curve(programme, "intensity", 0.0, 1.0)


def kelvin_curve(programme: Programme) -> Curve:
    """The colour temperature over the phases that say one; empty where none does."""
    return _curve(programme, "kelvin", 0.0, 10_000.0)


def _curve(programme: Programme, what: str, low: float, high: float) -> Curve:
    points: list[tuple[float, float]] = []
    for index, phase in enumerate(programme.phases):
        levels: tuple[float, ...] = getattr(phase, what)
        if not levels:
            continue
        levels = tuple(min(high, max(low, level)) for level in levels)
        start = programme.start_s(index)
        steps = max(1, len(levels) - 1)
        longest = min(phase.length_s / 4, phase.length_s / steps / 2)
        join = min(LIGHT_JOIN_S, longest) if points and points[-1][1] != levels[0] else 0.0
        for step in range(steps + 1):
            level = levels[min(step, len(levels) - 1)]
            at = start + phase.length_s * step / steps
            points.append((at + join if step == 0 else at, level))
    return tuple(points)


def level_at(curve: Curve, at: float) -> float:
    """The level at `at`; flat before the first point and after the last."""
    index = bisect_right(curve, at, key=lambda point: point[0])
    if index == 0:
        return curve[0][1]
    if index == len(curve):
        return curve[-1][1]
    (x0, y0), (x1, y1) = curve[index - 1], curve[index]
    return y0 + (y1 - y0) * (at - x0) / (x1 - x0)


def next_point(curve: Curve, after: float) -> tuple[float, float] | None:
    """The first point later than `after`, or None."""
    index = bisect_right(curve, after + 1e-6, key=lambda point: point[0])
    return curve[index] if index < len(curve) else None
