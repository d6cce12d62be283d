"""What a console asks about before it is noted, and the rules record in the same way. Pure; nothing is refused.

Readings that a slip of the finger makes more likely than a body does, touch that the consent does not name, and what
stands against a release.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil

from controller.messages import ReleaseView, Vitals

RANGES: dict[str, tuple[float, float]] = {
    "systolic": (70, 220), "diastolic": (40, 130), "pulse": (35, 180), "spo2": (85, 100), "celsius": (34.5, 41),
}  # fmt: skip
"""Beyond these a reading of somebody who lies awake is asked about (our judgement)."""

FAR: dict[str, float] = {"systolic": 50, "diastolic": 35, "pulse": 60, "spo2": 10, "celsius": 2}
"""So far from the last one of the same person a reading is asked about (our judgement)."""

READINGS = tuple(RANGES)


def doubts(entered: Vitals, last: Vitals | None = None) -> tuple[str, ...]:
    """Codes of what is implausible: "systolic_range", "pulse_far", "pressure_order"; empty where nothing is."""
    found = []
    for reading in READINGS:
        value = getattr(entered, reading)
        if value is None:
            continue
        low, high = RANGES[reading]
        before = getattr(last, reading) if last is not None else None
        if not low <= value <= high:
            found.append(f"{reading}_range")
        elif before is not None and abs(value - before) > FAR[reading]:
            found.append(f"{reading}_far")
    if entered.systolic is not None and entered.diastolic is not None and entered.diastolic >= entered.systolic:
        found.append("pressure_order")
    return tuple(found)


def beyond_limits(limits: Iterable[tuple[str, float, float]], entered: Vitals) -> list[dict[str, str | int | float]]:
    """The readings that lie beyond (name, least, most), each with the limit it passes."""
    found: list[dict[str, str | int | float]] = []
    for reading, least, most in limits:
        value = getattr(entered, reading)
        if value is not None and not least <= value <= most:
            found.append({"reading": reading, "value": value, "limit": least if value < least else most})
    return found


def newest(readings: list[Vitals]) -> Vitals | None:
    """Each reading as it was last taken, from lines with the newest first; None where there are none."""
    found: dict[str, float] = {}
    for line in readings:
        for reading in READINGS:
            value = getattr(line, reading)
            if value is not None:
                found.setdefault(reading, value)
    return Vitals(**found) if found else None  # type: ignore[arg-type]


def unmet(view: ReleaseView, now: float) -> list[dict[str, str | int | float]]:
    """What of a release's own rules stands against it at `now`: an infusion, the time, questions not answered yes."""
    found: list[dict[str, str | int | float]] = []
    if view.earliest_t is None:
        found.append({"what": "infusion"})
    elif now < view.earliest_t:
        found.append({"what": "time", "minutes": ceil((view.earliest_t - now) / 60.0)})
    for code, _, met in view.criteria:
        if met is not True:
            found.append({"what": "criterion", "code": code, "answer": "no" if met is False else "unanswered"})
    return found


_AGO = re.compile(r"(\d{1,4}(?:[.,]\d+)?)(?: ?m(?:in(?:utes?)?)?)?(?: ago)?", re.IGNORECASE)
_CLOCK = re.compile(r"([01]?\d|2[0-3])[:.h]([0-5]\d)")


def seconds_ago(said: str, now: datetime) -> float:
    """How long before `now` "12", "12 min ago" or a wall time "14:41" was.

    A wall time is the last time at which this place's clocks showed it, also in a night in which they are changed.
    Raises ValueError for anything else.
    """
    if found := _AGO.fullmatch(said.strip()):
        return float(found[1].replace(",", ".")) * 60.0
    if found := _CLOCK.fullmatch(said.strip()):
        here = now.astimezone()
        today = here.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0, tzinfo=None)
        # Where the clocks go back they show an hour twice.
        shown = [day.replace(fold=fold).astimezone() for day in (today, today - timedelta(days=1)) for fold in (0, 1)]
        return min((here - moment).total_seconds() for moment in shown if moment <= here)
    raise ValueError(f'"{said}" is no time: minutes ago (12), or the wall clock (14:41)')


def covers(scope: str, touch: str, where: str) -> bool:
    """Whether the consent's own words name this place; "no …" or "none" names nothing, "any" names all."""
    agreed = {word for part in re.split(r"[,;/]", scope.lower()) if not _denies(part) for word in _words(part)}
    if "any" in agreed or "all" in agreed:
        return True
    asked = _words(where.lower()) or _words(touch.lower())
    return bool(asked) and asked <= agreed


def _denies(part: str) -> bool:
    return bool(re.match(r"\s*(no|none|not|without)\b", part))


def _words(text: str) -> set[str]:
    """Words without their plural, so that "hand" lies within "hands"."""
    found = (word.removesuffix("s") for word in re.findall(r"\w+", text))
    return {"foot" if word == "feet" else word for word in found}
