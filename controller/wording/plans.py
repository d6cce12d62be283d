"""The words for a plan's reasons: why a piece is there, what was left out, what could not be done."""

from __future__ import annotations

from controller.wording.quantities import counted, duration
from controller.wording.templates import Template, Values, figure, text

CHOSEN: dict[str, str] = {
    "fits": "fits, so that the phase ends where a piece ends",
    "listed": "as it is listed",
    "kept": "as it was planned",
    "cut": "fades out where the phase ends",
    "set": "from the set {source}",
    "held": "there if the phase lasts longer",
    "borrowed": "from {source}: the phase's own pieces do not reach",
    "again": "once more: nothing else may be played",
}

LEFT_OUT: dict[str, str] = {
    "vocals": "with a voice",
    "language": "sung in a language that is to be left out",
    "tradition": "of a tradition that is to be left out",
    "excluded": "left out by name",
    "too_short": "too short for the crossfades",
    "broken": "could not be played",
}


def _chosen(values: Values) -> str:
    why = CHOSEN.get(text(values, "why"), text(values, "why")).format(source=text(values, "source"))
    among = text(values, "among")
    of = f"; one of {among}" if among not in ("", "0", "1") and text(values, "why") in ("fits", "listed") else ""
    return f"{text(values, 'title')}, {text(values, 'minutes')} min: {why}{of}"


def _left_out(values: Values) -> str:
    pieces = figure(values, "pieces") or 0.0
    why = LEFT_OUT.get(text(values, "why"), text(values, "why").replace("_", " "))
    more = ", …" if pieces > text(values, "titles").count(", ") + 1 else ""
    return f"{text(values, 'phase')}: {counted(pieces, 'piece')} {why}: {text(values, 'titles')}{more}"


def _filled(values: Values) -> str:
    miss = figure(values, "miss_s") or 0.0
    side = f", {duration(miss)} {'late' if miss > 0 else 'early'}" if abs(miss) >= 0.5 else ""
    laid = counted(figure(values, "pieces") or 0, "piece")
    return f"{text(values, 'phase')}: {laid}, {text(values, 'minutes')} min{side}"


def _set_short(values: Values) -> str:
    if values.get("begun"):
        return f"the set {text(values, 'set')} is {text(values, 'minutes')} min short: the phase's own music follows"
    return f"the set {text(values, 'set')} has no piece that may be played: the phase's own music plays"


PLANNED: dict[str, Template] = {
    "plays": "{title}: plays, and is left alone",
    "chosen": _chosen,
    "dropped": lambda v: f"{text(v, 'title')}: taken out, {LEFT_OUT.get(text(v, 'why'), text(v, 'why'))}",
    "left_out": _left_out,
    "filled": _filled,
    "short": "{phase}: {minutes} min of music too few",
    "set_short": _set_short,
    "step": lambda v: f"{text(v, 'title')}: {_step(v)} than {text(v, 'before')} before it, even when levelled",
}
"""By the code of a reason, as `controller.arc.reasons` lists them."""


def _step(values: Values) -> str:
    step = figure(values, "db") or 0.0
    return f"{abs(step):.1f} dB {'louder' if step > 0 else 'softer'}"
