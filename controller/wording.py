"""The one table from codes to words. Records hold codes and numbers; sentences are made here.

An unknown code falls back to itself and its values, so that nothing is ever hidden for want of a word.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from controller.messages import Alarm, CallView, DueView, LogEntry, Status

Values = Mapping[str, str | float]
Template = str | Callable[[Values], str]

NOT_A_MEDICAL_DEVICE = "Not a medical device. An addition to the wired nurse call, never instead of it."
NOT_DELIVERED = "NOT DELIVERED - use the wall button"
NOT_SIGNED = "programme not signed"

ALARM_COLUMNS = 76

ACTS: dict[str, str] = {
    "start": "start a session", "dose": "note a dose", "vitals": "note vitals", "pause": "pause", "resume": "go on",
    "hold": "hold the phase", "go": "go to a phase", "quiet": "make silence", "volume": "change the volume",
    "light": "change the light", "mark": "mark", "note": "note", "call": "call", "stand_down": "stand the call down",
    "take_back": "take back", "see_alarm": "silence an alarm", "end": "end the session",
}  # fmt: skip

STATES: dict[str, str] = {
    "idle": "IDLE", "ready": "READY", "running": "RUNNING", "paused": "PAUSED", "waiting": "WAITING", "ended": "ENDED",
}  # fmt: skip

WAITS: dict[str, str] = {
    "ingestion": "waits for the dose",
    "onset": "waits for onset",
    "choice": "waits for your choice",
}

SCENES: dict[str, str] = {
    "arc": "follows arc",
    "exit": "light to stand up by",
    "medical": "medical light",
    "manual": "set by hand",
}

DEVICES: dict[str, str] = {
    "sound": "SOUND",
    "broker": "MQTT BROKER",
    "caller": "CALL PATH",
    "journal": "RECORD",
    "light": "LIGHT",
}

DUE: dict[str, str] = {
    "vitals": "BP",
    "booster_opens": "booster window opens",
    "booster_closes": "booster window closes",
    "release": "release earliest",
    "arc_ends": "programme ends",
}

_ALREADY: dict[str, str] = {
    "pause": "it is paused already",
    "resume": "nothing to go on from: it is running",
    "hold": "the phase is held already",
    "light_arc": "the light follows the arc already",
}


def duration(seconds: float) -> str:
    """A length of time as a tired person reads it once: "40 s", "4 min", "5 h 10"."""
    whole = round(abs(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d}" if rest else f"{hours} h"


def clock(seconds: float | None) -> str:
    """T+ as "2:28:06"; "-:--:--" before ingestion."""
    if seconds is None:
        return "-:--:--"
    whole = int(max(0.0, seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def countdown(seconds: float) -> str:
    """What is left of a piece: "5:41", "1:02:03"."""
    whole = int(max(0.0, seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def percent_of_db(level_db: float) -> int:
    """Perceived loudness in percent of the calibrated level: ten decibels down is half as loud (Stevens)."""
    return round(100.0 * math.pow(2.0, level_db / 10.0))


def percent(level: float) -> str:
    """A perceived light level 0..1."""
    return f"{round(100.0 * level)} %"


def number(value: str | float) -> str:
    """A number without a needless fraction."""
    return f"{value:g}" if isinstance(value, float | int) else value


def state(status: Status) -> str:
    """The one word of the header."""
    if status.state == "running":
        if status.landing:
            return "LANDING"
        if status.quiet:
            return "SILENCE"
        if status.hold:
            return "HOLDING"
    return STATES.get(status.state, status.state.upper())


def refusal(code: str, values: Values) -> str:
    """Why something was not done, as one sentence without a full stop."""
    return _worded(_REFUSALS, code, values)


def fact(code: str, values: Values) -> tuple[str, str]:
    """A fact of the rules as (kind word, text)."""
    found = _FACTS.get(code)
    if found is None:
        return _kind_of(code), _fallback(code, values)
    return found[0], _filled(found[1], values)


def entry(item: LogEntry) -> tuple[str, str]:
    """A line of the log as (kind word of at most 7 letters, text)."""
    values = {**item.values, "text": item.text} if item.text else item.values
    kind, text = fact(item.kind, values)
    return kind, f"{text} (taken back)" if item.taken_back else text


def alarm(item: Alarm) -> str:
    """An alarm in at most 76 columns."""
    return fit(_worded(_ALARMS, item.code, item.values), ALARM_COLUMNS)


def call(view: CallView) -> str:
    """How far the open call has come; "" when there is none."""
    if not view.call or view.stage == "stood_down":
        return ""
    what = "EMERGENCY CALLED" if view.level == "emergency" else "SUPPORT CALLED"
    match view.stage:
        case "not_delivered":
            return f"{'EMERGENCY CALL' if view.level == 'emergency' else 'CALL'} {NOT_DELIVERED}"
        case "acknowledged":
            return f"{what}: {view.by or 'somebody'} is coming"
        case "sent":
            return f"{what}: sent, nobody has answered yet"
        case _:
            return f"{what}: placed, not sent yet"


def due(item: DueView, *, named: bool = False) -> str:
    """What falls due, e.g. "BP due in 4 min", "BP overdue 3 min"."""
    what = DUE.get(item.code, item.code.replace("_", " "))
    if named and item.participant:
        what = f"{item.participant} {what}"
    windows = item.code in DUE and item.code != "vitals"
    if item.in_s < -30.0:
        return f"{what} {'since' if windows else 'overdue'} {duration(item.in_s)}"
    if abs(item.in_s) <= 30.0:
        return f"{what} {'now' if windows else 'due now'}"
    return f"{what} {'in' if windows else 'due in'} {duration(item.in_s)}"


def fit(text: str, columns: int) -> str:
    """The text in so many columns, cut at the end where it must be."""
    if len(text) <= columns:
        return text
    return f"{text[: columns - 1].rstrip()}…" if columns > 1 else text[:columns]


def _worded(table: Mapping[str, Template], code: str, values: Values) -> str:
    template = table.get(code)
    return _fallback(code, values) if template is None else _filled(template, values)


def _filled(template: Template, values: Values) -> str:
    if callable(template):
        return template(values)
    return template.format_map(_Lenient({key: number(value) for key, value in values.items()})).strip()


class _Lenient(dict[str, str]):
    """A value that is missing leaves nothing behind."""

    def __missing__(self, key: str) -> str:
        return ""


def _fallback(code: str, values: Values) -> str:
    told = ", ".join(f"{key} {number(value)}" for key, value in values.items() if value not in ("", None))
    return f"{code.replace('_', ' ')}{': ' if told else ''}{told}"


def _kind_of(code: str) -> str:
    return code.split("_", maxsplit=1)[0][:7]


def _text(values: Values, key: str) -> str:
    value = values.get(key)
    return "" if value is None else number(value)


def _nearest(what: str, key: str) -> Callable[[Values], str]:
    def words(values: Values) -> str:
        told = f'no {what} "{_text(values, key)}"'
        if _text(values, "nearest"):
            return f'{told}; did you mean "{_text(values, "nearest")}"?'
        return f"{told}; there is {_text(values, 'allowed')}" if _text(values, "allowed") else told

    return words


def _act(values: Values) -> str:
    what = _text(values, "what")
    return ACTS.get(what, what.replace("_", " "))


def _wrong_state(values: Values) -> str:
    named = _text(values, "state")
    return f"cannot {_act(values)} while {STATES.get(named, named).lower()}"


def _short(values: Values) -> str:
    minutes = values.get("minutes", 0.0)
    return f"the library has {number(minutes)} min of music too few for this programme"


def _vitals(values: Values) -> str:
    if _text(values, "missed"):
        return f"missed: {_text(values, 'missed')}"
    told = []
    if _text(values, "systolic"):
        told.append(f"{_text(values, 'systolic')}/{_text(values, 'diastolic')}")
    if _text(values, "pulse"):
        told.append(f"pulse {_text(values, 'pulse')}")
    if _text(values, "spo2"):
        told.append(f"SpO2 {_text(values, 'spo2')} %")
    if _text(values, "celsius"):
        told.append(f"{_text(values, 'celsius')} °C")
    return _whose(values, "  ".join(told) or "empty")


def _dose(values: Values) -> str:
    told = [part for part in (f"{_text(values, 'amount')} {_text(values, 'unit')}".strip(),) if part]
    if _text(values, "kit"):
        told.append(f"kit {_text(values, 'kit')}")
    ago = values.get("minutes_ago")
    if isinstance(ago, float | int) and ago > 0:
        told.append(f"taken {number(ago)} min before")
    if _text(values, "witness"):
        told.append(f"witness {_text(values, 'witness')}")
    return _whose(values, ", ".join(told) or "taken")


def _whose(values: Values, told: str) -> str:
    whose = _text(values, "participants") or _text(values, "participant")
    return f"{told}  ({whose})" if whose else told


def _volume(values: Values) -> str:
    bus = _text(values, "bus") or "all"
    level, step = values.get("level_db"), values.get("step_db")
    if isinstance(level, float | int):
        return f"{bus} {percent_of_db(level)} %"
    if isinstance(step, float | int):
        return f"{bus} {'louder' if step > 0 else 'softer'}"
    return bus


def _light(values: Values) -> str:
    level, step = values.get("level"), values.get("step")
    if isinstance(level, float | int):
        return f"set to {percent(level)}"
    if isinstance(step, float | int):
        return "brighter" if step > 0 else "darker"
    scene = _text(values, "scene")
    return SCENES.get(scene, scene)


def _mark(values: Values) -> str:
    return _whose(values, _text(values, "label") or _text(values, "code").replace("_", " "))


def _note(values: Values) -> str:
    return _whose(values, _text(values, "text") or "(no words)")


def _call(values: Values) -> str:
    return "EMERGENCY" if _text(values, "level") == "emergency" else "support called"


def _outage(values: Values) -> str:
    seconds = values.get("seconds")
    if isinstance(seconds, float | int) and seconds >= 0:
        return f"went on after {duration(seconds)} without power or program"
    return "went on after an outage of unknown length: T+ is at least what it says"


def _quiet(values: Values) -> str:
    minutes = values.get("minutes")
    return f"silence for {number(minutes)} min" if minutes else "silence until r"


def _refused(values: Values) -> str:
    act = _text(values, "act")
    rest = {key: value for key, value in values.items() if key not in ("act", "code")}
    return f"{ACTS.get(act, act)}: {refusal(_text(values, 'code'), rest)}"


def _alarm_of(prefix: str) -> Callable[[Values], str]:
    def words(values: Values) -> str:
        rest = {key: value for key, value in values.items() if key != "code"}
        return f"{prefix}{_worded(_ALARMS, _text(values, 'code'), rest)}"

    return words


def _lost(values: Values) -> str:
    name = _text(values, "name")
    kind, _, which = name.partition(".")
    told = f"{DEVICES.get(kind, kind.upper())} {which}".strip()
    why = _text(values, "why").replace("_", " ")
    return f"{told} does not answer{': ' if why else ''}{why}"


def _light_unconfirmed(values: Values) -> str:
    level = values.get("level")
    told = f": {percent(level)} not confirmed" if isinstance(level, float | int) else ""
    return f"LIGHT {_text(values, 'name')} does not answer{told}"


_REFUSALS: dict[str, Template] = {
    "wrong_state": _wrong_state,
    "no_session": "no session is open: m, then 5, starts one",
    "session_open": "a session is open already: end it first",
    "unknown_phase": _nearest("phase", "phase"),
    "unknown_participant": _nearest("participant", "code"),
    "unknown_mark": _nearest("mark", "code"),
    "unknown_bus": _nearest("loudspeaker group", "bus"),
    "programme_unknown": _nearest("programme", "name"),
    "already": lambda v: _ALREADY.get(_text(v, "what"), f"already done: {_act(v)}"),
    "nothing_to_take_back": "nothing of this console is left to take back",
    "not_yours": "that came from another console: it can be taken back there",
    "changed_since": "something changed it since: nothing was taken back",
    "no_call": "no call is open",
    "no_participant": lambda v: (
        f"whose? Tab chooses: {_text(v, 'allowed')}" if _text(v, "allowed") else "a participant's code is needed"
    ),
    "bad_value": "{what}: {why}",
    "disk_full": "the disk is full: no new session can be recorded",
    "not_reached": "the room did not answer: not done",
    "no_answer": "no answer from the room: look whether it was done",
}

_FACTS: dict[str, tuple[str, Template]] = {
    # What people do.
    "start": ("session", lambda v: f"opened: {_text(v, 'programme')}"),
    "dose": ("dose", _dose),
    "vitals": ("vitals", _vitals),
    "pause": ("music", "pause"),
    "resume": ("music", "go on"),
    "hold": ("phase", "hold"),
    "go": ("phase", "go to {phase}"),
    "quiet": ("music", _quiet),
    "volume": ("volume", _volume),
    "light": ("light", _light),
    "mark": ("mark", _mark),
    "note": ("note", _note),
    "call": ("call", _call),
    "stand_down": ("call", "stood down"),
    "take_back": ("undo", "took back entry {seq}"),
    "see_alarm": ("alarm", "seen"),
    "end": ("session", "end"),
    # What followed.
    "phase_entered": ("phase", "{title} begins"),
    "session_started": ("session", "started: {programme}"),
    "session_ended": ("session", "ended"),
    "hold_began": ("phase", "held"),
    "hold_ended": ("phase", "goes on"),
    "paused": ("music", "paused"),
    "resumed": ("music", "goes on"),
    "quiet_began": ("music", _quiet),
    "quiet_ended": ("music", "silence ends, music returns"),
    "arc_waits": ("phase", lambda v: WAITS.get(_text(v, "for"), f"waits for {_text(v, 'for')}")),
    "music_short": ("music", _short),
    "piece_broken": ("music", "{title} could not be played: {why}"),
    "vitals_due": ("due", lambda v: _whose(v, "BP due")),
    "call_placed": ("call", "placed"),
    "call_sent": ("call", "sent"),
    "call_acknowledged": ("call", lambda v: f"{_text(v, 'by') or 'somebody'} is coming"),
    "call_not_delivered": ("call", NOT_DELIVERED),
    "call_stood_down": ("call", "stood down"),
    "taken_back": ("undo", "{what} (entry {seq}) taken back"),
    "alarm_raised": ("alarm", _alarm_of("")),
    "alarm_cleared": ("alarm", _alarm_of("over: ")),
    "light_scene": ("light", lambda v: SCENES.get(_text(v, "scene"), _text(v, "scene"))),
    "resumed_after_outage": ("room", _outage),
    "journal_late": ("record", "the disk is slow: entries are kept and written late"),
    # What the machine says.
    "opened": ("room", "the room's program started"),
    "piece_started": ("music", "{title}"),
    "piece_ended": ("music", lambda v: f"{_text(v, 'title')} ended: {_text(v, 'why')}"),
    "filler_changed": ("music", lambda v: "filler plays" if v.get("on") else "filler ends"),
    "device_lost": ("alarm", _lost),
    "device_back": ("room", lambda v: f"{DEVICES.get(_text(v, 'name').split('.')[0], _text(v, 'name'))} answers again"),
    "clock_synced": ("room", "the clock was set right by {offset_s} s"),
    "refused": ("refused", _refused),
}

_ALARMS: dict[str, Template] = {
    "call_not_delivered": f"CALL {NOT_DELIVERED}",
    "sound_lost": "SOUND does not answer: the music may have stopped",
    "caller_lost": "CALL PATH BROKEN - use the wall button",
    "journal_lost": "RECORD is not being written: entries are kept in memory",
    "journal_late": "RECORD is late: entries are kept and written as soon as the disk allows",
    "disk_full": "DISK FULL: this session goes on, entries are kept in memory",
    "broker_lost": "MQTT BROKER does not answer: light and call may not get through",
    "light_lost": _lost,
    "light_unconfirmed": _light_unconfirmed,
    "device_lost": _lost,
    "filler": lambda v: f"FILLER plays instead of the music{': ' if _text(v, 'why') else ''}{_text(v, 'why')}",
    "music_short": _short,
    "piece_broken": "{name} could not be played: {why}",
    "choose_after_outage": "AFTER AN OUTAGE: r goes on where it was, g goes elsewhere",
}
