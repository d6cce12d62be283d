"""Every act and the rule that rules it: what `step` looks up, and the way into this folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.messages import Input
from controller.session import (
    adverse,
    archive,
    blinding,
    booster,
    calls,
    devices,
    doses,
    duty,
    entries,
    evacuation,
    events,
    fire,
    landing,
    leaving,
    limits,
    long_pause,
    outage,
    pieces,
    probing,
    record,
    release,
    timetable,
    touch,
    transport,
    vitals,
)
from controller.session.alarms import seen
from controller.session.calls import Ruled
from controller.session.state import State

Rule = Callable[[State, Input, float, int], Ruled]
"""(state, input, room time, seq of its record) to the next state and the facts. Raises Refused."""


def _timed(rule: Callable[[State, Any, float], Ruled]) -> Rule:
    return lambda state, given, now, _seq: rule(state, given.act, now)


def _bare(rule: Callable[[State, Any], Ruled]) -> Rule:
    return lambda state, given, _now, _seq: rule(state, given.act)


RULES: dict[str, Rule] = {
    "start": events.start,
    "mark": events.mark,
    "note": events.note,
    "volume": events.volume,
    "softer": events.softer,
    "light": events.light,
    "take_back": events.take_back,
    "dose": doses.dose,
    "correct_dose": doses.correct_dose,
    "decline_booster": booster.decline,
    "vitals": vitals.take,
    "stable": vitals.stable,
    "release_answer": release.answer,
    "masking_guess": blinding.guess,
    "leave": leaving.leave,
    "release": leaving.let_go,
    "touch": touch.touch,
    "adverse_event": adverse.log_event,
    "update_event": adverse.update,
    "challenge": adverse.challenge,
    "amend": entries.amend,
    "pause": _timed(transport.pause),
    "resume": _timed(transport.resume),
    "hold": _timed(transport.hold),
    "quiet": _timed(transport.quiet),
    "end": _timed(transport.end),
    "evacuate": _timed(evacuation.evacuate),
    "go": _timed(landing.go),
    "land": _timed(landing.land),
    "catch_up": _timed(landing.catch_up),
    "shorten": _timed(long_pause.shorten),
    "skip": _timed(pieces.skip),
    "next": _timed(pieces.choose_next),
    "ground": _timed(pieces.ground),
    "set_limits": _timed(limits.set_limits),
    "call": lambda state, given, now, seq: calls.place_call(state, given.act, now, seq, given.origin.console),  # type: ignore[arg-type]
    "call_changed": lambda state, given, now, seq: calls.call_changed(state, given.act, now, seq),  # type: ignore[arg-type]
    "stand_down": _bare(calls.stand_down),
    "see_alarm": _bare(lambda state, act: (seen(state, act.code), ())),
    "opened": _timed(outage.opened),
    "timer": lambda state, _given, now, _seq: transport.pass_time(state, now),
    "planned": _timed(devices.planned),
    "engine_reported": _timed(devices.engine_reported),
    "engine_restarted": _bare(lambda state, _act: (state, ())),
    "piece_started": _timed(devices.piece_started),
    "piece_ended": _timed(devices.piece_ended),
    "filler_changed": _timed(devices.filler_changed),
    "dropout": _bare(lambda state, _act: (state, ())),
    "device_lost": _timed(devices.device_lost),
    "device_back": _bare(devices.device_back),
    "lamp_changed": _timed(devices.lamp_changed),
    "lamp_taken_over": _timed(devices.lamp_taken_over),
    "battery_changed": _timed(devices.battery_changed),
    "fire": _timed(fire.fire),
    "fire_over": _timed(fire.fire_over),
    **dict.fromkeys(("book", "cancel_booking", "timetable_due", "booking_begun", "checked"), timetable.ruled),
    **dict.fromkeys(
        (
            "sitters_known",
            "signed_on",
            "sign_on_refused",
            "signed_off",
            "hand_over",
            "break_begun",
            "break_over",
            "duty_kept",
        ),
        duty.ruled,
    ),
    **dict.fromkeys(("sign_off", "addendum", "redaction", "backed_up", "retention"), archive.ruled),
    **dict.fromkeys(
        (
            "begin_preflight",
            "answer_preflight",
            "run_preflight",
            "override_preflight",
            "drop_preflight",
            "probed",
            "preflight_used",
        ),
        probing.ruled,
    ),
    "clock_synced": _bare(lambda state, _act: (state, ())),
    "journal_damaged": _timed(record.journal_damaged),
    "reserve_changed": _timed(record.reserve_changed),
    "refused": _bare(lambda state, _act: (state, ())),
}
"""By the act's kind."""
