"""The sentences behind the codes, one table each for refusals, facts and alarms."""

from __future__ import annotations

from collections.abc import Callable

from controller.wording import archive as archive_words
from controller.wording import blinding as blinding_words
from controller.wording import clinical as clinical_words
from controller.wording import live as live_words
from controller.wording import people as people_words
from controller.wording import preflight as preflight_words
from controller.wording import record as record_words
from controller.wording import timetable as timetable_words
from controller.wording.quantities import duration, number, percent, percent_of_db
from controller.wording.reasons import BROKER, why_words
from controller.wording.templates import Template, Values, figure, filled, nearest, text, worded

NOT_A_MEDICAL_DEVICE = "Not a medical device. An addition to the wired nurse call, never instead of it."
NOT_DELIVERED = "NOT DELIVERED - use the wall button"
NOT_SIGNED = "programme not signed"

ACTS: dict[str, str] = {
    "start": "start a session", "dose": "note a dose", "vitals": "note vitals", "pause": "pause", "resume": "go on",
    "hold": "hold the phase", "go": "go to a phase", "quiet": "make silence", "volume": "change the volume",
    "light": "change the light", "mark": "mark", "note": "note", "call": "call", "stand_down": "stand the call down",
    "take_back": "take back", "see_alarm": "silence an alarm", "end": "end the session",
    "book": "book a session", "cancel_booking": "cancel a booking",
    **live_words.ACTS,
    **people_words.ACTS,
    **blinding_words.ACTS,
    **preflight_words.ACTS,
    **clinical_words.ACTS,
}  # fmt: skip

STATES: dict[str, str] = {
    "idle": "IDLE", "ready": "READY", "running": "RUNNING", "paused": "PAUSED", "waiting": "WAITING", "ended": "ENDED",
}  # fmt: skip

WAITS: dict[str, str] = {
    "ingestion": "waits for the dose",
    "onset": "waits for onset",
    "choice": "waits for your choice",
    "end": "over: waits to be ended",
}

SCENES: dict[str, str] = {
    "arc": "follows arc",
    "exit": "light to stand up by",
    "medical": "medical light",
    "manual": "set by hand",
    "warm_up": "warm-up for a session",
    "lights_off": "low for the night",
}

DEVICES: dict[str, str] = {
    "sound": "SOUND",
    "place": "SOUND's file of where it is",
    "broker": "MQTT BROKER",
    "caller": "CALL PATH",
    "journal": "RECORD",
    "light": "LIGHT",
    "port": "SERIAL PORT",
    "button": "BUTTON",
    "buttons": "BUTTONS",
    "sitters": "REGISTER OF SITTERS",
}

DUE: dict[str, str] = {
    "vitals": "BP",
    "vitals_baseline": "baseline",
    "vitals_booster": "BP for booster",
    "device": "next device",
    "quiet_ends": "music returns",
    "wait_ends": "wait for onset ends",
    "booster_opens": "booster window opens",
    "booster_closes": "booster window closes",
    "release": "release earliest",
    "arc_ends": "programme ends",
    "break_ends": "break ends",
}

_ALREADY: dict[str, str] = {
    "pause": "it is paused already",
    "resume": "nothing to go on from: nothing is stopped or held",
    "hold": "the phase is held already",
    "light_arc": "the light follows the arc already",
    "green": "it is green already",
    **live_words.ALREADY,
    **people_words.ALREADY,
    **clinical_words.ALREADY,
}


def _act(values: Values) -> str:
    what = text(values, "what")
    return ACTS.get(what, what.replace("_", " "))


def _wrong_state(values: Values) -> str:
    named = text(values, "state")
    return f"cannot {_act(values)} while {STATES.get(named, named).lower()}"


def _short(values: Values) -> str:
    minutes = values.get("minutes", 0.0)
    return f"the library has {number(minutes)} min of music less than this programme needs"


def _volume(values: Values) -> str:
    bus = text(values, "bus")
    level, step = figure(values, "level_db"), figure(values, "step_db")
    if level is not None:
        return f"{bus} {percent_of_db(level)} %".lstrip()
    if step is not None:
        return f"{bus} {'louder' if step > 0 else 'softer'}".lstrip()
    return bus or "set"


def _light(values: Values) -> str:
    level, step = figure(values, "level"), figure(values, "step")
    if level is not None:
        return f"set to {percent(level)}"
    if step is not None:
        return "brighter" if step > 0 else "darker"
    scene = text(values, "scene")
    return SCENES.get(scene, scene)


def _call(values: Values) -> str:
    return "EMERGENCY" if text(values, "level") == "emergency" else "support called"


def _outage(values: Values) -> str:
    seconds = figure(values, "seconds")
    if seconds is not None and seconds >= 0:
        return f"went on after {duration(seconds)} without power or program"
    return "went on after an outage of unknown length: T+ is at least what it says"


def _quiet(values: Values) -> str:
    minutes = values.get("minutes")
    return f"silence for {number(minutes)} min" if minutes else "silence until r"


def _refused(values: Values) -> str:
    act = text(values, "act")
    rest = {key: value for key, value in values.items() if key not in ("act", "code")}
    return f"{ACTS.get(act, act)}: {worded(REFUSALS, text(values, 'code'), rest)}"


def _alarm_of(prefix: str) -> Callable[[Values], str]:
    def words(values: Values) -> str:
        rest = {key: value for key, value in values.items() if key != "code"}
        return f"{prefix}{worded(ALARMS, text(values, 'code'), rest)}"

    return words


def _device(values: Values) -> str:
    name = text(values, "name")
    kind, _, which = name.partition(".")
    return f"{DEVICES.get(kind, kind.upper())} {which}".strip()


def _lost(values: Values) -> str:
    if text(values, "name").startswith("journal."):
        return f"{_device(values)}{why_words(values)}; it was set aside and is kept"
    return f"{_device(values)} does not answer{why_words(values)}"


def _broker_lost(values: Values) -> str:
    told = BROKER.get(text(values, "why"), "does not answer")
    return f"MQTT BROKER {told}: light and call may not get through"


def _sound_lost(values: Values) -> str:
    if text(values, "name") == "sound.output":
        return f"SOUND DEVICE lost, the room is silent{why_words(values)}"
    return "SOUND does not answer: the music may have stopped"


def _place_lost(values: Values) -> str:
    return f"SOUND cannot write down where it is{why_words(values)}"


def _journal_lost(values: Values) -> str:
    if text(values, "name").startswith("journal."):
        return _lost(values)
    return f"RECORD is not being written, entries are kept in memory{why_words(values)}"


def _lamp(values: Values) -> str:
    level = figure(values, "level")
    told = f" {percent(level)}" if level is not None else ""
    said = "confirms" if values.get("confirmed") else "does not confirm"
    return f"{text(values, 'lamp')} {said}{told}"


def _battery(values: Values) -> str:
    if not values.get("low"):
        return f"the battery of {_device(values)} is well again"
    percent_left = figure(values, "percent")
    told = f" ({number(percent_left)} %)" if percent_left is not None else ""
    return f"the battery of {_device(values)} wants changing{told}"


def _lamp_taken(values: Values) -> str:
    level = figure(values, "level")
    told = f" to {percent(level)}" if level is not None else ""
    return f"{text(values, 'lamp') or text(values, 'name')} was moved{told} by something else"


def _filler_changed(values: Values) -> str:
    return f"filler plays{_instead(values)}" if values.get("on") else "filler ends"


def _instead(values: Values) -> str:
    title = text(values, "title")
    return f"{f' instead of {title}' if title else ''}{why_words(values)}"


def _dropout(values: Values) -> str:
    return f"{number(values.get('lost_s', 0.0))} s of {text(values, 'title')} were not heard{why_words(values)}"


def _engine_restarted(values: Values) -> str:
    return f"SOUND was started anew{why_words(values)}; {number(values.get('silent_s', 0.0))} s without music"


def _piece_ended(values: Values) -> str:
    title, why = text(values, "title"), text(values, "why")
    if why in ("", "end", "cut"):
        return f"{title} {'gave way' if why == 'cut' else 'ended'}"
    seconds = figure(values, "played_s")
    after = f" after {duration(seconds)}" if seconds is not None and seconds >= 1.0 else ""
    return (
        f"{title} broke off{after}{why_words(values)}" if after else f"{title} could not be played{why_words(values)}"
    )


def _piece_broken(key: str) -> Callable[[Values], str]:
    return lambda values: f"{text(values, key)} could not be played{why_words(values)}"


def _call_changed(values: Values) -> str:
    stage = text(values, "stage")
    known = FACTS.get(f"call_{stage}")
    return filled(known[1], values) if known else stage.replace("_", " ")


def _clock_synced(values: Values) -> str:
    offset = figure(values, "offset_s") or 0.0
    return f"the clock was set {'forward' if offset >= 0 else 'back'} by {duration(offset)}"


def _opened(values: Values) -> str:
    outage = figure(values, "outage_s")
    after = f" after {duration(outage)}" if outage is not None and outage >= 1.0 else ""
    again = ", the machine was started anew" if values.get("rebooted") else ""
    return f"the room's program started{after}{again}"


def _taken_back(values: Values) -> str:
    what = text(values, "text") or ACTS.get(text(values, "what"), text(values, "what"))
    return f"taken back: {what}" if what else f"entry {text(values, 'seq')} taken back"


def _phase(values: Values) -> str:
    return f"go to {text(values, 'phase').replace('_', ' ').capitalize()}"


def _light_unconfirmed(values: Values) -> str:
    level = figure(values, "level")
    told = f": {percent(level)} not confirmed" if level is not None else ""
    return f"LIGHT {text(values, 'name')} does not answer{told}"


REFUSALS: dict[str, Template] = {
    **timetable_words.REFUSALS,
    **blinding_words.REFUSALS,
    **archive_words.REFUSALS,
    "wrong_state": _wrong_state,
    "no_session": "no session is open; one is started from the menu, m",
    "other_session": "not done: it is of the session before; the menu, Record, adds it there",
    "session_open": "a session is open already: end it first",
    "unknown_phase": nearest("phase", "phase"),
    "unknown_participant": nearest("participant", "code"),
    "unknown_mark": nearest("mark", "code"),
    "unknown_bus": nearest("loudspeaker group", "bus"),
    "programme_unknown": nearest("programme", "name"),
    "already": lambda v: _ALREADY.get(text(v, "what"), f"already done: {_act(v)}"),
    **live_words.REFUSALS,
    **people_words.REFUSALS,
    **preflight_words.REFUSALS,
    **clinical_words.REFUSALS,
    "nothing_to_take_back": "nothing of this console is left to take back",
    "changed_since": "something changed it since, nothing was taken back",
    "no_call": "no call is open",
    "no_participant": lambda v: (
        f"whose? Tab chooses: {text(v, 'allowed')}" if text(v, "allowed") else "a participant's code is needed"
    ),
    "bad_value": "{what}: {why}",
    "fire_standing": "the fire panel calls to leave ({name}): no session begins",
    **record_words.REFUSALS,
    "disk_full": "the disk is full: no new session can be recorded",
    "not_reached": "the room did not answer: not done",
    "no_answer": "no answer from the room: look whether it was done",
}

FACTS: dict[str, tuple[str, Template]] = {
    **timetable_words.FACTS,
    **blinding_words.FACTS,
    **archive_words.FACTS,
    # What people do.
    "start": ("session", lambda v: f"opened: {text(v, 'programme')}"),
    "pause": ("music", "pause"),
    "resume": ("music", "go on"),
    "hold": ("phase", "hold"),
    "go": ("phase", _phase),
    "quiet": ("music", _quiet),
    "volume": ("volume", _volume),
    "light": ("light", _light),
    "call": ("call", _call),
    "stand_down": ("call", "stood down"),
    "take_back": ("undo", _taken_back),
    "see_alarm": ("alarm", "seen"),
    "end": ("session", "end"),
    **live_words.FACTS,
    **people_words.FACTS,
    **preflight_words.FACTS,
    **record_words.FACTS,
    **clinical_words.FACTS,
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
    "arc_waits": ("phase", lambda v: WAITS.get(text(v, "for"), f"waits for {text(v, 'for')}")),
    "music_short": ("music", _short),
    "piece_broken": ("music", _piece_broken("title")),
    "call_placed": ("call", "placed"),
    "call_sent": ("call", "sent"),
    "call_acknowledged": ("call", lambda v: f"{text(v, 'by') or 'somebody'} is coming"),
    "call_not_delivered": ("call", NOT_DELIVERED),
    "call_stood_down": ("call", "stood down"),
    "taken_back": ("undo", _taken_back),
    "alarm_raised": ("alarm", _alarm_of("")),
    "alarm_cleared": ("alarm", _alarm_of("over: ")),
    "light_scene": ("light", lambda v: SCENES.get(text(v, "scene"), text(v, "scene"))),
    "resumed_after_outage": ("room", _outage),
    "journal_late": ("record", "the disk is slow: entries are kept and written late"),
    # What the machine says.
    "opened": ("room", _opened),
    "piece_started": ("music", "{title}"),
    "piece_ended": ("music", _piece_ended),
    "filler_changed": ("music", _filler_changed),
    "dropout": ("music", _dropout),
    "engine_restarted": ("alarm", _engine_restarted),
    "device_lost": ("alarm", _lost),
    "device_back": ("room", lambda v: f"{_device(v)} answers again"),
    "lamp_changed": ("light", _lamp),
    "lamp_taken_over": ("light", _lamp_taken),
    "call_changed": ("call", _call_changed),
    "fire": ("FIRE", "fire panel ({contact}): music out, light to leave by"),
    "fire_over": ("FIRE", "fire panel ({contact}) is well again; nothing comes back by itself"),
    "battery_changed": ("room", _battery),
    "timer": ("room", "something fell due"),
    "planned": ("music", "the music was planned anew"),
    "engine_reported": ("room", "SOUND says where it is"),
    "clock_synced": ("room", _clock_synced),
    "refused": ("refused", _refused),
}

ALARMS: dict[str, Template] = {
    **timetable_words.ALARMS,
    **people_words.ALARMS,
    **archive_words.ALARMS,
    "call_not_delivered": f"CALL {NOT_DELIVERED}",
    "sound_lost": _sound_lost,
    "place_lost": _place_lost,
    "caller_lost": "CALL PATH BROKEN - use the wall button",
    "journal_lost": _journal_lost,
    "journal_late": "RECORD is late: entries are kept and written as soon as the disk allows",
    **record_words.ALARMS,
    "broker_lost": _broker_lost,
    "light_lost": _lost,
    "light_unconfirmed": _light_unconfirmed,
    "light_taken": lambda v: f"LIGHT {_lamp_taken(v)}",
    "port_lost": _lost,
    "button_lost": _lost,
    "buttons_lost": "BUTTONS and fire contact do not answer: their program is gone",
    "battery_low": lambda v: _battery({**v, "low": True}),
    "fire": lambda v: f"FIRE PANEL ({text(v, 'name')}): music out, light to leave by",
    "fire_over": "FIRE PANEL is well again: r goes on, f gives the light back to the arc",
    "device_lost": _lost,
    "filler": lambda v: f"FILLER plays{_instead(v) if text(v, 'title') else f' instead of the music{why_words(v)}'}",
    "music_short": _short,
    "piece_broken": _piece_broken("name"),
    "choose_after_outage": "AFTER AN OUTAGE: r goes on where it was; g: catch up with T+, or a phase",
}
