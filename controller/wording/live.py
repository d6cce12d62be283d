"""The sentences of a session that is followed live: doses, vitals, release, and what bends the arc."""

from __future__ import annotations

from collections.abc import Iterable

from controller.wording.quantities import number, percent_of_db
from controller.wording.templates import Template, Values, figure, nearest, text, whose

READINGS: dict[str, str] = {"bp": "BP", "temperature": "temp", "spo2": "SpO2"}

LIMITED: tuple[tuple[str, str], ...] = (
    ("language", "languages"),
    ("tradition", "traditions"),
    ("piece", "pieces"),
)


def readings(needs: Iterable[str]) -> str:
    """What is to be read, as "BP + temp"; "BP" where nothing is said."""
    return " + ".join(READINGS.get(need, need) for need in needs) or READINGS["bp"]


ACTS: dict[str, str] = {
    "correct_dose": "correct a dose", "decline_booster": "decline the booster", "stable": "end the repeated vitals",
    "release_answer": "answer for release", "leave": "let somebody leave", "catch_up": "catch up with T+",
    "land": "land", "shorten": "shorten the phase", "skip": "skip the piece", "next": "choose the next set",
    "ground": "play a grounding piece", "softer": "make it softer", "set_limits": "set limits",
    "evacuate": "evacuate",
}  # fmt: skip

ALREADY: dict[str, str] = {
    "land": "the programme is over already",
    "next": "no set is chosen",
    "booster": "the booster was given already",
    "start": "an infusion runs already",
    "stable": "the vitals are stable already",
}


def _answer(values: Values) -> str:
    told = text(values, "criterion").replace("-", " ")
    return whose(values, f"{told}: {'met' if values.get('met') else 'not met'}")


def _land(values: Values) -> str:
    minutes = values.get("minutes")
    return f"land over {number(minutes)} min" if minutes else "land"


def _shorten(values: Values) -> str:
    minutes = values.get("minutes")
    return f"shorten it by {number(minutes)} min" if minutes else "shorten it as offered"


def limits(values: Values) -> str:
    """What may not be heard, in one line."""
    told = []
    if values.get("no_vocals"):
        told.append("no vocals")
    told += [f"{what} not {text(values, key)}" for what, key in LIMITED if text(values, key)]
    if text(values, "volume_cap_db"):
        told.append(f"at most {percent_of_db(float(values['volume_cap_db']))} %")
    if values.get("headphones_only"):
        told.append("headphones only")
    return ", ".join(told) or "none"


def _booster_closed(values: Values) -> str:
    opens = figure(values, "opens_minutes")
    if opens is not None and opens > 0:
        return f"the booster's window opens in {number(opens)} min; an override gives it before"
    return f"the booster's window closed {text(values, 'since_minutes')} min before; an override gives it after"


REFUSALS: dict[str, Template] = {
    "unknown_set": nearest("set", "set"),
    "unknown_criterion": nearest("question", "code"),
    "unknown_dose": "entry {seq} is no dose",
    "no_such_dose": lambda v: (
        f"this programme gives {text(v, 'allowed')}" if text(v, "allowed") else "this programme has no dose"
    ),
    "no_infusion": "no infusion runs",
    "no_booster": "there is no booster: the programme has none, or nobody has taken the dose",
    "booster_closed": _booster_closed,
    "no_grounding_set": "this programme has no grounding set",
    "not_repeated": "this programme repeats no vitals",
    "nothing_to_shorten": "{phase} cannot be made shorter than it is",
    "not_behind": "the arc is where T+ says already",
    "has_left": "{participant} has left",
}

FACTS: dict[str, tuple[str, Template]] = {
    # What people do.
    "decline_booster": ("dose", lambda v: whose(v, "booster declined")),
    "stable": ("vitals", lambda v: whose(v, "stable: no more repeats")),
    "release_answer": ("release", _answer),
    "catch_up": ("phase", "catch up with T+"),
    "land": ("phase", _land),
    "shorten": ("phase", _shorten),
    "skip": ("music", "skip"),
    "next": ("music", lambda v: f"next set: {text(v, 'set')}" if text(v, "set") else "the plan again"),
    "ground": ("music", "grounding piece"),
    "softer": ("volume", "softer by {db} dB"),
    "set_limits": ("music", "limits changed"),
    "evacuate": ("room", "EVACUATE"),
    # What followed.
    "vitals_due": ("due", lambda v: whose(v, f"{readings(text(v, 'needs').split())} due")),
    "vitals_overdue": ("due", lambda v: whose(v, f"{readings(text(v, 'needs').split())} overdue")),
    "vitals_stable": ("vitals", lambda v: whose(v, "stable")),
    "booster_opens": ("due", lambda v: whose(v, "booster window opens")),
    "booster_closes": ("due", lambda v: whose(v, "booster window closes")),
    "release_reached": ("due", lambda v: whose(v, "earliest release reached")),
    "quiet_ends_soon": ("music", "music returns in 2 min"),
    "pause_is_long": ("phase", "long pause: the phase can be shortened by it"),
    "phase_shortened": ("phase", "{title} is {minutes} min shorter"),
    "arc_lengthened": ("phase", "{title} is {minutes} min longer"),
    "landing_began": ("phase", "landing over {minutes} min"),
    "caught_up": ("phase", "where T+ says"),
    "wait_over": ("phase", "the wait for onset is over"),
    "set_chosen": ("music", "next: {title}"),
    "set_over": ("music", "the plan again"),
    "limits_set": ("music", limits),
    "evacuated": ("room", "EVACUATED: r brings light and music back"),
}
