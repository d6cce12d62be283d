"""Moving one lamp for a person to see: a slow breath, or a level that stays."""

from __future__ import annotations

from dataclasses import dataclass

from controller.commissioning.hand import Hand
from controller.lights.fader import Fade
from controller.messages import Point

BREATH = 0.10
"""The most that a breath changes, in perceived level."""
_HOLD_S = 0.5


@dataclass(frozen=True, slots=True)
class Breath:
    """A breath that was taken: where the lamp was and how far it went; `put_back`: it is where it was."""

    start: float
    top: float
    put_back: bool


def breath_of(level: float, floor: float, ceiling: float) -> Fade:
    """From where a lamp is, brought into the room's limits, to at most 10 % brighter, or darker where that ends."""
    start = min(ceiling, max(floor, level))
    top = start + BREATH if start + BREATH <= ceiling else max(floor, start - BREATH)
    return Fade(Point(level=start, t=0.0), Point(level=top, t=1.0))


async def breathe(hand: Hand, lamp: str) -> Breath | None:
    """Let a lamp breathe once and put it back; None where it does not say how it is or does not follow.

    One that cannot be asked, and has not said where it is, breathes from the room's rest light.
    """
    light = hand.room.table.light
    level = await hand.ask(lamp)
    if level is None and hand.askable(lamp):
        return None
    breath = breath_of(light.rest if level is None else level, light.floor, light.ceiling)
    start, top = breath.start.level, breath.end.level
    if not await hand.move(lamp, start, level):
        return None
    reached = await hand.move(lamp, top, start)
    await hand.wait(_HOLD_S)
    back = await hand.move(lamp, start, top)
    put_back = back and level is not None and abs(start - level) < 0.01
    return Breath(start, top, put_back) if reached else None
