"""Pulling the plug, of one lamp or of the whole room, and watching what comes back."""

from __future__ import annotations

from collections.abc import Sequence

from controller.clock import boottime
from controller.commissioned import Finding, Value, Verdict
from controller.commissioning.hand import Hand
from controller.commissioning.terminal import Person, yes
from controller.lights.simulated_mqtt import understand

_RETURN_S = 60.0
"""Some lamps take that long to join again."""
_LED_DOWN_S = 5.0
_SPARE_S = 3.0


async def pull_plug(hand: Hand, lamps: Sequence[str], person: Person, *, whole_room: bool) -> dict[str, Finding]:
    """What each lamp did when its power was cut and came back; it is at the room's floor before."""
    step = "room_power" if whole_room else "lamp_power"
    what = "the whole room's mains" if whole_room else f"the plug of {lamps[0]}"
    if not await yes(person, f"  Pull {what} now, and look at what comes back?", "yes"):
        return {lamp: Finding(step=step, verdict="skipped", code="declined") for lamp in lamps}
    for lamp in lamps:
        await hand.move(lamp, hand.room.table.light.floor)
    cut = boottime()
    await person.ask(f"  Pull {what}, wait ten seconds, and press Enter.")
    dark = boottime()
    await person.ask("  Put it back, and press Enter as soon as it is lit.")
    lit = boottime()
    await hand.until(lambda: all(_returned(hand, lamp, dark) for lamp in lamps), _RETURN_S if hand.dialects else 0.0)
    await hand.until(lambda: all(_led_down(hand, lamp, dark) for lamp in lamps), _LED_DOWN_S)
    await hand.until(lambda: all(_down(hand, lamp, dark) for lamp in lamps), 1.0 / _slew(hand) + _SPARE_S)
    found = {}
    for lamp in lamps:
        bright = await yes(person, f"  Was {lamp} brighter than before, when it came back?")
        found[lamp] = _finding(hand, lamp, step, (cut, dark, lit), bright)
    return found


def _finding(hand: Hand, lamp: str, step: str, times: tuple[float, float, float], bright: bool) -> Finding:
    cut, dark, _lit = times
    values: dict[str, Value] = {"bright": bright}
    if lamp not in hand.dialects:
        return Finding(step=step, verdict="look" if bright else "ok", code="by_eye", values=values)
    gone = [sign.t for sign in hand.signs(lamp, cut) if sign.there is False]
    if gone:
        values["noticed_s"] = round(gone[0] - cut, 1)
    back = _returned(hand, lamp, dark)
    orders = hand.orders(lamp, back or dark)
    if back is None or not orders:
        verdict: Verdict = "failed" if bright else "look"
        return Finding(step=step, verdict=verdict, code="unnoticed" if back is None else "not_led", values=values)
    said = [sign.level for sign in hand.signs(lamp, back) if sign.level is not None]
    glare_s = _ends(hand, lamp, dark) - back if bright else 0.0
    values |= {"begun_s": round(orders[0].t - back, 2), "glare_s": round(glare_s, 1)}
    if said:
        values["said"] = round(said[0], 3)
    return Finding(step=step, verdict="look" if bright else "ok", code="glare" if bright else "gentle", values=values)


def _returned(hand: Hand, lamp: str, since: float) -> float | None:
    """When it gave its first sign of life again."""
    if lamp not in hand.dialects:
        return since
    return next((sign.t for sign in hand.signs(lamp, since) if sign.there is not False), None)


def _led_down(hand: Hand, lamp: str, since: float) -> bool:
    return lamp not in hand.dialects or bool(hand.orders(lamp, _returned(hand, lamp, since) or since))


def _down(hand: Hand, lamp: str, since: float) -> bool:
    """Whether it is where it was before: the last fade is over, and the last of many small steps is taken."""
    if boottime() < _ends(hand, lamp, since):
        return False
    if lamp not in hand.dialects:
        return True
    # Where nobody noticed the cut it is confirmed as it was before it, until it answers to the last order.
    orders = hand.orders(lamp, since)
    return hand.arrived(lamp, hand.room.table.light.floor, since=orders[-1].t if orders else since)


def _ends(hand: Hand, lamp: str, since: float) -> float:
    """When the last fade that it was sent after its return is over."""
    if lamp not in hand.dialects:
        return since
    ends = [since]
    for order in hand.orders(lamp, _returned(hand, lamp, since) or since):
        heard = understand(hand.dialects[lamp], order.payload)
        if heard is not None and heard.level is not None:
            ends.append(order.t + heard.seconds)
    return max(ends)


def _slew(hand: Hand) -> float:
    return hand.room.table.light.slew_per_s
