"""What somebody typed into one line, read. It may end in when it was (@12, @14:41) and in "; why". Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, get_args

from msgspec import Struct
from msgspec.structs import replace

from controller import bedside, wording
from controller.messages import (
    Dose,
    DosePart,
    Needed,
    Related,
    Touch,
    Vitals,
)

Clock = Callable[[], datetime]
"""The room's clock, as the daemon reads it."""

WHEN = "@12 or @14:41: late"

_WHEN = re.compile(r"[, ]*@ ?(\S+)$|, ?(\d+(?: ?min)?) ago$")
_READING = re.compile(r"(\d{1,3})[/-](\d{1,3})")

_AGO = re.compile(r"[, ]+(\d+)(?: ?min(?:utes)?)? ago\b", re.IGNORECASE)
_WITNESS = re.compile(r"[, ]+(?:by|witness) (\S+)", re.IGNORECASE)
_AMOUNT = re.compile(r"^(\d+(?:[.,]\d+)?) ?([^\W\d]+)(?:[, ]+([A-Z]{2,3}))?$")
"""Capitals alone behind the unit are a witness's initials; they are shown before anything is noted."""

_PARTS: dict[str, DosePart] = {"booster": "booster", "device": "device", "start": "start", "stop": "stop"}


class Said(Struct, frozen=True, kw_only=True):
    """A line taken apart."""

    text: str
    ago_s: float = 0.0
    why: str = ""
    dated: bool = False


def taken_apart(line: str, clock: Clock) -> Said:
    """What was said, how long ago it was, and why. Raises ValueError for a time that is none."""
    text, _, why = (part.strip() for part in line.partition(";"))
    found = _WHEN.search(text)
    if found is None:
        return Said(text=text, why=why)
    ago_s = bedside.seconds_ago(found[1] or found[2], clock())
    return Said(text=text[: found.start()].strip(" ,"), ago_s=ago_s, why=why, dated=True)


def late_words(ago_s: float) -> str:
    """How long ago it was, behind what is shown before it is noted."""
    return f", {wording.duration(ago_s)} ago" if ago_s >= 60.0 else ""


def read_vitals(text: str) -> Vitals:
    """Vitals of a line such as "120/80 72 98 36.8": pressure, pulse, SpO2, temperature.

    The first whole number is the pulse, the second SpO2, one with a decimal point or comma the temperature. Raises
    ValueError for what is no reading; what is implausible is asked about.
    """
    found: dict[str, Any] = {}
    bare = iter(("pulse", "spo2"))
    for word in text.split():
        if pressure := _READING.fullmatch(word):
            found |= {"systolic": int(pressure[1]), "diastolic": int(pressure[2])}
        elif re.fullmatch(r"\d{1,2}[.,]\d+", word):
            found["celsius"] = float(word.replace(",", "."))
        elif re.fullmatch(r"\d{1,3}", word) and (name := next(bare, "")):
            found[name] = int(word)
        else:
            raise ValueError(f'"{word}" is no reading')
    if not found:
        raise ValueError("a reading, such as 120/80 72 98 36.8")
    return Vitals(**found)


def vitals_line(values: Mapping[str, str | int | float]) -> str:
    """The line that enters these readings."""
    pressure = f"{values['systolic']}/{values.get('diastolic', '')}" if "systolic" in values else ""
    parts = (pressure, *(values.get(reading, "") for reading in ("pulse", "spo2", "celsius")))
    return " ".join(str(part) for part in parts if part != "")


def read_dose(text: str) -> Dose:
    """A dose of a line such as "25 mg", "kit K-17, 5 ago, by AB", "booster 60 mg", "stop 2 ago".

    Raises ValueError for anything else.
    """
    rest = f" {text}"
    ago = _AGO.search(rest)
    rest = _AGO.sub("", rest)
    witness = _WITNESS.search(rest)
    rest = _WITNESS.sub("", rest).strip(" ,")
    override = rest.lower().endswith(" override")
    rest = rest[: -len(" override")].rstrip(" ,") if override else rest
    word, _, behind = rest.partition(" ")
    part = _PARTS.get(word.lower().strip(","), "dose")
    rest = behind.strip(" ,") if part != "dose" else rest
    given = Dose(
        minutes_ago=float(ago[1]) if ago else 0.0, witness=witness[1].strip(",") if witness else "", part=part,
        override=override,
    )  # fmt: skip
    if not rest and part in ("device", "start", "stop"):
        return given
    if amount := _AMOUNT.match(rest):
        by = given.witness or amount[3] or ""
        return replace(given, amount=float(amount[1].replace(",", ".")), unit=amount[2], witness=by)
    kit = re.fullmatch(r"(?:kit )?(\S+)", rest, re.IGNORECASE)
    if kit and not kit[1].replace(".", "").isdigit() and kit[1].lower() != "kit":
        return replace(given, kit=kit[1])
    raise ValueError("an amount with its unit (25 mg), or a kit (kit K-17)")


def read_touch(text: str) -> Touch:
    """Touch of a line such as "held hand 3 min", "start hand", "stop", "hand outside". Raises ValueError."""
    minutes = re.search(r"\b(\d+(?:[.,]\d+)?) ?m(?:in)?\b", text)
    if minutes:
        text = text.replace(minutes[0], " ")
    words = text.split()
    part = words.pop(0) if words[:1] in (["start"], ["stop"]) else "given"
    outside = next((word == "outside" for word in words if word in ("outside", "inside")), None)
    words = [word for word in words if word not in ("outside", "inside")]
    if part != "stop" and not words:
        raise ValueError("where, in a word: hand, shoulder ...")
    *how, where = words or [""]
    return Touch(
        touch=" ".join(how), where=where, part=part, outside=outside,  # type: ignore[arg-type]
        minutes=float(minutes[1].replace(",", ".")) if minutes else None,
    )  # fmt: skip


_FLAGS = {"serious": ("serious", True), "resolved": ("resolved", True), "open": ("resolved", False)}


def read_event(text: str) -> dict[str, Any]:
    """What a line says of an event: "chest pain, 3, serious, possible, provider, given 1 mg lorazepam".

    Raises ValueError. `event` is what is none of the words that are known.
    """
    found: dict[str, Any] = {}
    rest = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        if part.lower().startswith("given "):
            found["rescue"] = part[6:].strip()
            continue
        left = []
        for word in re.sub(r"(?i)\bnot serious\b", "not-serious", part).split():
            left += [] if _known(word.lower(), found) else [word]
        rest += [" ".join(left)] if left else []
    if rest:
        found["event"] = ", ".join(rest)
    return found


def _known(word: str, found: dict[str, Any]) -> bool:
    """Take a word that has a meaning of its own."""
    if word == "grade":
        return True
    if re.fullmatch(r"[1-5]", word):
        found["grade"] = int(word)
    elif word == "not-serious":
        found["serious"] = False
    elif word in _FLAGS:
        name, value = _FLAGS[word]
        found[name] = value
    elif word in get_args(Related):
        found["related"] = word
    elif word in get_args(Needed):
        found["needed"] = (*found.get("needed", ()), word)
    else:
        return False
    return True
