"""The sentences of what is clinical: doses, vitals, touch, adverse events, corrections, and who goes.

Whatever words an amount does so through `amount`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from controller.messages import Vitals, plain_fields
from controller.messages.free_words import refers_to
from controller.wording.quantities import number
from controller.wording.templates import Template, Values, fallback, figure, text, whose

PARTS: dict[str, str] = {"booster": "booster", "device": "device", "start": "infusion starts", "stop": "infusion stops"}

READINGS: dict[str, tuple[str, str]] = {
    "systolic": ("systolic", ""), "diastolic": ("diastolic", ""), "pulse": ("pulse", ""), "spo2": ("SpO2", " %"),
    "celsius": ("temperature", " °C"),
}  # fmt: skip
"""Name and unit."""

NEEDED: dict[str, str] = {
    "none": "nothing", "rescue": "rescue medicine", "provider": "medical provider", "emergency": "emergency services",
    "transport": "transport",
}  # fmt: skip

RELATED: dict[str, str] = {
    "related": "related", "possible": "possibly related", "unrelated": "not related", "unknown": "relation unknown",
}  # fmt: skip

ACTS: dict[str, str] = {
    "touch": "note touch", "adverse_event": "note an adverse event", "update_event": "update an adverse event",
    "challenge": "note a challenging experience", "release": "release somebody", "amend": "correct an entry",
}  # fmt: skip

ALREADY: dict[str, str] = {
    "challenge": "a challenging experience goes on already",
    "update_event": "that is what stands there already",
    "amend": "that is what stands there already",
}


def amount(value: float | str | None, unit: str = "", kit: str = "") -> str:
    """What was given, as people read it: the one place that words an amount. "" where nothing is known of it."""
    told = f"{number(value)} {unit}".strip() if value not in (None, "") else ""
    return ", ".join(part for part in (told, f"kit {kit}" if kit else "") if part)


def dose_words(values: Values, *, ago: bool = True) -> str:
    """Part, amount or kit, how long before it was entered, witness."""
    part = text(values, "part")
    told = [PARTS.get(part, part)] if part and part != "dose" else []
    given = amount(values.get("amount"), text(values, "unit"), text(values, "kit"))
    told += [given] if given else []
    minutes = figure(values, "minutes_ago")
    if ago and minutes is not None and minutes > 0:
        told.append(f"taken {number(minutes)} min before")
    if text(values, "witness"):
        told.append(f"witness {text(values, 'witness')}")
    return ", ".join(told) or "taken"


def vitals_words(values: Values) -> str:
    """A line of vitals, and what was asked about and kept."""
    if text(values, "missed"):
        return f"missed: {_words(values, 'missed')}"
    told = []
    if text(values, "systolic"):
        told.append(f"{text(values, 'systolic')}/{text(values, 'diastolic')}")
    for reading in ("pulse", "spo2", "celsius"):
        if text(values, reading):
            name, unit = READINGS[reading]
            told.append(f"{text(values, reading)}{unit}" if unit == " °C" else f"{name} {text(values, reading)}{unit}")
    line = "  ".join(told) or "empty"
    return f"{line}  (asked and kept: {doubts(text(values, 'kept').split(), values)})" if text(values, "kept") else line


def doubts(codes: Iterable[str], values: Values) -> str:
    """What is implausible, e.g. "systolic 12, pulse 190 far from the last one"."""
    return ", ".join(_doubt(code, values) for code in codes)


def _doubt(code: str, values: Values) -> str:
    if code == "pressure_order":
        return "diastolic not below systolic"
    reading, _, what = code.rpartition("_")
    name, unit = READINGS.get(reading, (reading, ""))
    told = f"{name} {text(values, reading)}{unit}"
    return f"{told} far from the last one" if what == "far" else told


def read(vitals: Vitals) -> str:
    """A line of vitals as it was read."""
    return vitals_words({**plain_fields(vitals), "kept": ""})


def limits_words(limits: Iterable[tuple[str, float, float]]) -> str:
    """The limits that vitals are shown beside, in one line; "" for none."""
    ranges = {name: (low, high) for name, low, high in limits}
    told = []
    if "systolic" in ranges or "diastolic" in ranges:
        told.append(f"BP {_range(ranges.get('systolic'))}/{_range(ranges.get('diastolic'))}")
    for name in ("pulse", "spo2", "celsius"):
        if name in ranges:
            told.append(f"{'°C' if name == 'celsius' else READINGS[name][0]} {_range(ranges[name])}")
    return "  ".join(told)


def _range(limit: tuple[float, float] | None) -> str:
    return f"{number(limit[0])}-{number(limit[1])}" if limit else "any"


def beyond(values: Values) -> str:
    """A reading beside the limit that it passes."""
    name, unit = READINGS.get(text(values, "reading"), (text(values, "reading"), ""))
    return f"{name} {text(values, 'value')}{unit}, limit {text(values, 'limit')}{unit}"


def touch_words(values: Values) -> str:
    """Kind, place, and how long or which end of it."""
    told = " ".join(part for part in (text(values, "touch"), text(values, "where")) if part) or "touch"
    part = text(values, "part")
    if part in ("start", "stop"):
        told = f"{told} {'begins' if part == 'start' else 'ends'}"
    minutes = text(values, "minutes")
    outside = ", OUTSIDE SCOPE" if text(values, "outside") == "1" else ""
    return f"{told}{f', {minutes} min' if minutes else ''}{outside}"


def _scope(values: Values) -> str:
    return f" ({text(values, 'scope') or 'no scope was entered'})" if "scope" in values else ""


def _words(values: Values, name: str) -> str:
    """What a person said, or where that stands."""
    said = text(values, name)
    return f"as in entry {refers_to(said)}" if refers_to(said) else said


def event_words(values: Values) -> str:
    """An adverse event as it stands: what, grade, how serious, related, what it needed, whether it is over."""
    told = [f"{text(values, 'event')}, grade {text(values, 'grade')}"]
    if text(values, "serious") == "1":
        told.append("SERIOUS")
    related = text(values, "related")
    told.append(RELATED.get(related, related))
    needed = text(values, "needed").split()
    if needed:
        told.append(f"needed {' and '.join(NEEDED.get(one, one) for one in needed)}")
    if text(values, "rescue"):
        told.append(f"given {_words(values, 'rescue')}")
    told.append("resolved" if text(values, "resolved") == "1" else "open")
    return ", ".join(part for part in told if part)


def _challenge(values: Values) -> str:
    return "challenging experience ends" if text(values, "part") == "end" else "challenging experience begins"


WORDS: dict[str, Callable[[Values], str]] = {
    "vitals": vitals_words,
    "touch": touch_words,
    "challenge": _challenge,
    "mark": lambda v: text(v, "label") or text(v, "code").replace("_", " "),
    "note": lambda v: text(v, "text") or "(no words)",
    "dose": lambda v: dose_words(v, ago=False),
    "adverse_event": event_words,
}
"""How an entry reads by its kind, before and after a correction."""


def _entered(words: Callable[[Values], str]) -> Callable[[Values], str]:
    return lambda values: whose(values, words(values))


def corrected(kind: str, values: Values) -> str:
    """What stood before and what stands now, e.g. "12/80 is 120/80 (entry 41)"."""
    words = WORDS[kind]
    now = dict(values)
    was: dict[str, Any] = {**now, **{key[4:]: value for key, value in values.items() if key.startswith("was_")}}
    before, after = words(was), words(now)
    told = [f"{before} -> {after}" if before != after else after]
    if "was_participants" in values:
        told.append(f"was of {text(values, 'was_participants') or 'nobody'}")
    moved = figure(values, "moved_s")
    if moved is not None and moved:
        told.append(f"{number(round(abs(moved) / 60.0, 1))} min {'earlier' if moved < 0 else 'later'}")
    return f"{', '.join(told)}  [entry {text(values, 'entry')}]"


def _amended(values: Values) -> str:
    kind = text(values, "what")
    if kind not in WORDS:
        return fallback("amend", values)
    return whose(values, f"{kind.replace('_', ' ')} {corrected(kind, values)}")


def _dose_corrected(values: Values) -> str:
    told = []
    names = [name for name in ("amount", "unit", "kit", "witness") if name in values]
    if names:
        was = {name: values.get(f"was_{name}", values.get(name, "")) for name in names}
        told.append(f"{dose_words(was)} -> {dose_words({name: values[name] for name in names})}")
    minutes = figure(values, "minutes")
    if minutes is not None and minutes:
        way = "earlier" if minutes < 0 else "later"
        told.append(f"taken {number(abs(minutes))} min {way}: vitals, booster and release move with it")
    return whose(values, f"corrected: {', '.join(told) or 'as it was'}  [entry {text(values, 'dose')}]")


def _left(values: Values) -> str:
    parts = (("", "condition"), ("told ", "told"), ("transport: ", "transport"))
    told = [f"{word}{text(values, key)}" for word, key in parts if text(values, key)]
    return whose(values, ", ".join(["left early", *told]))


def _release(values: Values) -> str:
    if text(values, "override") != "1":
        return whose(values, "released")
    desk = " of the support desk" if text(values, "desk") == "1" else ""
    told = f"released by override with {text(values, 'second')}{desk}: {text(values, 'reason')}"
    return whose(values, told)


def against(values: Values) -> str:
    """One thing that stands against a release."""
    match text(values, "what"):
        case "infusion":
            return "the infusion runs, or has not stopped"
        case "time":
            return f"{text(values, 'minutes')} min too early"
        case "criterion":
            told = text(values, "code").replace("-", " ")
            return f"{told}: {'NO' if text(values, 'answer') == 'no' else 'not answered'}"
        case "event":
            return f"open adverse event of grade {text(values, 'grade')} [entry {text(values, 'event')}]"
        case what:
            return what


def _not_ready(values: Values) -> str:
    count = figure(values, "count")
    more = f" and {int(count) - 1} more" if count is not None and count > 1 else ""
    return f"{text(values, 'participant')} is not ready: {against(values)}{more}; two people can override"


_SECONDED = {
    "pin": "by their own PIN", "desk": "of the support desk, by phone: not verified here",
    "word": "by initials alone: nobody signs on here",
}  # fmt: skip

_OVERRIDE_NEEDS = {
    "who": "an override needs to know who does it: sign on first",
    "reason": "an override needs its reason",
    "second": "an override needs the initials of a second person",
    "second_pin": "the second sitter confirms by their own PIN, here and now; or name somebody at the support desk",
}

REFUSALS: dict[str, Template] = {
    "unknown_entry": "entry {seq} is none that can be corrected",
    "unknown_event": "entry {seq} is no adverse event",
    "not_this_kind": lambda v: f"entry {text(v, 'seq')} is of another kind: {text(v, 'what')}",
    "no_challenge": "no challenging experience goes on",
    "not_ready": _not_ready,
    "override_needs": lambda v: _OVERRIDE_NEEDS.get(text(v, "what"), text(v, "what")),
    "witness_self": "the witness is somebody else than {who}, who gives it: {others} is here",
    "not_yours": lambda v: (
        f"{text(v, 'who')} entered that: {text(v, 'who')} can take it back, anybody can correct it"
        if text(v, "who")
        else "that came from another console: it can be taken back there"
    ),
}  # fmt: skip

FACTS: dict[str, tuple[str, Template]] = {
    # What people do.
    "mark": ("mark", _entered(WORDS["mark"])),
    "note": ("note", _entered(WORDS["note"])),
    "dose": ("dose", _entered(dose_words)),
    "correct_dose": ("dose", _dose_corrected),
    "vitals": ("vitals", _entered(vitals_words)),
    "touch": ("touch", _entered(touch_words)),
    "adverse_event": ("EVENT", _entered(event_words)),
    "update_event": ("EVENT", lambda v: whose(v, corrected("adverse_event", v))),
    "challenge": ("hard", _entered(_challenge)),
    "release": ("release", _release),
    "leave": ("release", _left),
    "amend": ("correct", _amended),
    # What followed.
    "beyond_limit": ("vitals", _entered(beyond)),
    "touch_outside": (
        "touch",
        lambda v: whose(v, f"{text(v, 'where')}: OUTSIDE SCOPE{_scope(v)}"),
    ),
    "touch_over": ("touch", lambda v: whose(v, f"{text(v, 'where')} was {text(v, 'minutes')} min")),
    "challenge_over": ("hard", lambda v: whose(v, f"it was {text(v, 'minutes')} min")),
    "seconded": ("release", lambda v: whose(v, f"second: {text(v, 'second')}, {_SECONDED.get(text(v, 'how'), '')}")),
    "released": ("release", lambda v: whose(v, "released")),
    "released_without": ("release", lambda v: whose(v, f"released although {against(v)}")),
    "participant_left": ("release", lambda v: whose(v, "left")),
    "closed_with": ("session", lambda v: f"closed; neither released nor left: {text(v, 'participants')}"),
    "dose_total": ("dose", lambda v: whose(v, f"in all {amount(v.get('amount'), text(v, 'unit'))}")),
    "device_early": (
        "dose",
        lambda v: whose(v, f"{text(v, 'minutes')} min after another device, {text(v, 'apart')} min apart"),
    ),
    "amended": ("correct", _amended),
    "event_updated": ("EVENT", lambda v: whose(v, corrected("adverse_event", v))),
    "dose_corrected": ("dose", _dose_corrected),
}
