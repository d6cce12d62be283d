"""The words of the preflight: its checks, how each stands, and what to do about one that is red."""

from __future__ import annotations

from controller.messages.preflight import PreflightLine, PreflightView
from controller.wording.reasons import why_words
from controller.wording.templates import Template, Values, figure, nearest, text, worded

CHECKS: dict[str, str] = {
    "engine": "sound engine answers",
    "broker": "MQTT broker answers",
    "disk": "record can be written",
    "clock": "clock is right",
    "commissioning": "room and commissioning",
    "card": "sound card as measured",
    "library": "music of this programme",
    "lights": "lights answered",
    "call": "call path answered",
    "keys": "keys 1, 9, c, Space",
    "sitter": "sitter signed on",
    "participants": "participant's code",
    "touch": "touch consent",
    "limits": "limits of what is heard",
}

_SHORT: dict[str, str] = {
    "engine": "sound engine",
    "broker": "broker",
    "disk": "record",
    "clock": "clock",
    "commissioning": "commissioning",
    "card": "sound card",
    "library": "music",
    "lights": "lights",
    "call": "call path",
    "keys": "keys",
    "sitter": "sitter",
    "participants": "code",
    "touch": "touch",
    "limits": "limits",
}

_KEYS = {"space": "Space"}

WHYS: dict[str, Template] = {
    "no_answer": "does not answer",
    "no_device": "no sound device: nobody would hear it",
    "disk_short": "only {free} free: make room",
    "late": "the disk is too slow",
    "clock_unsynchronised": "not synchronised: look at the network",
    "room_file_wrong": "the room file has a mistake: {why}",
    "room_file_changed": "the room file has changed: restart the daemon",
    "commissioning_missing": "never done: stillroom devices commission",
    "commissioning_stale": "changed since ({changed}): commission again",
    "commissioning_troubled": "{name} failed at commissioning",
    "card_moved": lambda v: f"{text(v, 'first')}{_more(v)}: stillroom sound check",
    "library_unwell": lambda v: f"{text(v, 'first')}{_more(v)}",
    "no_echo": "{name} did not answer: power, radio?",
    "light_in_use": "somebody needs the light",
    "not_played": lambda v: text(v, "why") or "the tone could not sound",
    "not_heard": "not heard: plug, amplifier, card?",
    "not_delivered": "NOT DELIVERED: broker, network?",
    "not_answered": "nobody answered: ring the desk up",
    "nobody": "answered without a name",
    "stood_down": "was stood down",
    "lost": lambda v: f"was lost since{why_words(v)}",
    "changed": "changed since: look again",
    "old": "older than {minutes} min: look again",
    "not_made": lambda v: f"could not be made{why_words(v)}",
}
"""Why a check is red and what to do, short enough for a line."""

_RUNNING: dict[str, str] = {
    "placed": "test call placed",
    "sent": "test call received there; waits for a person",
}


def _more(values: Values) -> str:
    count = figure(values, "count")
    return f" and {int(count) - 1} more" if count is not None and count > 1 else ""


def check(name: str, *, short: bool = False) -> str:
    """A check in words: "headphones heard"."""
    kind, _, which = name.partition(".")
    if which and kind == "sound":
        return f"{which} heard"
    if which:
        return f"{_SHORT[kind] if short else CHECKS[kind]} {which}"
    return (_SHORT if short else CHECKS).get(kind, kind.replace("_", " "))


def how(line: PreflightLine) -> str:
    """How a check stands, and what is wanted."""
    kind = line.check.partition(".")[0]
    match line.stage:
        case "red":
            return worded(WHYS, line.code, line.values)
        case "overridden":
            return f"overridden by {line.by}"
        case "asked":
            return "left, then right: heard?"
        case "running":
            if kind == "keys":
                left = [_KEYS.get(key, key) for key in ("1", "9", "c", "space") if key not in pressed(line)]
                return f"press {', '.join(left)}"
            return _RUNNING.get(line.code, "one moment …")
        case "open":
            return {"sound": "play it", "call": "place a test call", "keys": "try them"}.get(kind, "enter it")
        case _:  # whose code it is stands before whose hand it was: initials alone would be read as the code
            codes = text(line.values, "codes")
            return f"{codes}, by {line.by}" if codes and line.by else codes or line.by


def begun(name: str) -> str:
    """A check that a person begins, for the answer line."""
    kind, _, bus = name.partition(".")
    if kind == "sound":
        return f"{bus}: left, then right"
    return "TEST call: nobody runs" if kind == "call" else f"{check(name, short=True)}: look again"


def pressed(line: PreflightLine) -> list[str]:
    """The keys that have arrived."""
    return text(line.values, "pressed").split()


def summary(view: PreflightView, *, due: bool = False) -> str:
    """One line: "preflight: 9 of 12, next: headphones heard?"; "" where none is wanted."""
    if not view.programme:
        return "preflight: not begun" if view.required or due else ""
    well = sum(line.settled for line in view.lines)
    told = f"preflight: {well} of {len(view.lines)}"
    following = next((line for line in view.lines if not line.settled), None)
    if following:
        return f"{told}, next: {check(following.check)}?"
    over = sum(line.stage == "overridden" for line in view.lines)
    return f"{told}, {f'{over} overridden' if over else 'all well'}: {view.programme}"


def _named(values: Values) -> str:
    return check(text(values, "check"))


def _answered(values: Values) -> str:
    value = text(values, "value").replace("_", " ")
    name = _named(values)
    if text(values, "check").startswith("sound."):
        return name if value == "heard" else f"{name}: NOT"
    return f"{name}: {value}" if value else f"{name}: entered"


def _began(values: Values) -> str:
    whom = text(values, "participants")
    return f"begun: {text(values, 'programme')}{f' for {whom}' if whom else ''}"


def _open(values: Values) -> str:
    names = [check(name, short=True) for name in text(values, "checks").split(", ") if name]
    return f"preflight, not green: {', '.join(names)}"


def _carried(values: Values) -> str:
    told = f"{text(values, 'green')} of {text(values, 'checks')} green"
    names = [check(name, short=True) for name in text(values, "overridden").split(", ") if name]
    return f"{told}, overridden: {', '.join(names)}" if names else told


ACTS: dict[str, str] = {
    "begin_preflight": "begin the preflight",
    "answer_preflight": "answer the preflight",
    "run_preflight": "make the check",
    "override_preflight": "override the check",
    "drop_preflight": "drop the preflight",
}

REFUSALS: dict[str, Template] = {
    "no_preflight": "no preflight is under way",
    "unknown_check": nearest("check", "check"),
    "no_reason": "an override needs a reason",
    "no_person": "an override needs a person: sign on first, or start with --person",
    "check_is_answered": lambda v: f"{_named(v)}: a person answers that",
    "check_is_made": lambda v: f"{_named(v)}: that is looked at, not answered",
    "not_played": lambda v: f"{_named(v)}: play it first",
    "preflight_missing": "this room asks for a preflight first: it is in the menu, m",
    "preflight_other": "the preflight was for {programme}, {whom}: begin another",
    "preflight_open": _open,
}

FACTS: dict[str, tuple[str, Template]] = {
    "begin_preflight": ("before", _began),
    "answer_preflight": ("before", _answered),
    "run_preflight": ("before", lambda v: f"{_named(v)}: looked at" if text(v, "check") else "looked at again"),
    "override_preflight": ("before", lambda v: f"{_named(v)}: OVERRIDDEN"),
    "drop_preflight": ("before", "preflight dropped"),
    "probed": ("before", lambda v: f"{_named(v)}: {'ok' if v.get('well') else worded(WHYS, text(v, 'code'), v)}"),
    "preflight_used": ("before", "the session has begun: its preflight is over"),
    "preflight_red": ("before", lambda v: f"{_named(v)}: {worded(WHYS, text(v, 'code'), v)}"),
    "preflight_ready": ("before", "preflight: ready"),
    "preflight_answered": ("before", "test call: {by} answered"),
    "preflight_carried": ("before", _carried),
    "preflight_overridden": (
        "before",
        lambda v: f"{_named(v)}: overridden by {text(v, 'by')} (room record {text(v, 'seq')})",
    ),
}
