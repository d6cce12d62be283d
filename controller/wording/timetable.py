"""The words of the room's timetable: bookings, what the wall clock brings, what the checks found."""

from __future__ import annotations

from datetime import datetime

from controller.wording.reasons import why_words
from controller.wording.templates import Template, Values, text, whose, worded

JOBS: dict[str, str] = {
    "warm_up": "room light up",
    "preflight": "preflight is due",
    "begin": "its time has come",
    "over": "its time is over",
    "lights_off": "evening: light down",
    "library_check": "library check",
    "self_test": "self-test",
    "backup": "backup",
    "retention": "retention",
}

TROUBLES: dict[str, Template] = {
    "file": "{name}",
    "sound": "SOUND did not answer",
    "broker": "MQTT BROKER did not answer",
    "disk": "only {name} free on the disk",
    "journal": "RECORD {name} DAMAGED",
    "check": "{name} could not be made",
}


def clock_time(at: str) -> str:
    """A room's clock time ("2026-12-01T09:30") as a person says it: "Tue 1 Dec 09:30"."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return at
    return f"{moment:%a} {moment.day} {moment:%b %H:%M}"


def _booked(values: Values) -> str:
    at = text(values, "at") or text(values, "wanted")
    return whose(values, f"{clock_time(at)} booked: {text(values, 'programme')}")


def _job(values: Values) -> str:
    job = JOBS.get(text(values, "job"), text(values, "job").replace("_", " "))
    if not text(values, "programme"):
        return job
    booked = f"{text(values, 'programme')} of {clock_time(text(values, 'at'))}"
    if text(values, "job") == "over" and not text(values, "session"):
        return whose(values, f"{booked}: no session was opened for it")
    return whose(values, f"{booked}: {job}")


def _checked(values: Values) -> str:
    check = text(values, "job") or text(values, "check")
    job = JOBS.get(check, check)
    if not values.get("count"):
        return f"{job}: all well ({text(values, 'looked_at')} looked at)"
    return f"{job}: {text(values, 'count')} of {text(values, 'looked_at')} not well"


def _trouble(values: Values) -> str:
    return f"{worded(TROUBLES, text(values, 'what'), values)}{why_words(values)}"


def _library_broken(values: Values) -> str:
    count = text(values, "count")
    name = text(values, "name").rpartition("/")[2]
    files = "1 FILE" if count == "1" else f"{count} FILES"
    return f"LIBRARY: {files} cannot be played: {name}{why_words(values)}"


REFUSALS: dict[str, Template] = {
    "unknown_booking": lambda v: (
        f"no booking {text(v, 'booking')}" + (f"; there is {text(v, 'allowed')}" if text(v, "allowed") else "")
    ),
    "booking_past": lambda v: f"{clock_time(text(v, 'at'))} has gone by",
    "booking_overlaps": lambda v: (
        f"the room is booked then: {clock_time(text(v, 'at'))} {text(v, 'programme')} for {text(v, 'whom')}"
        f" (booking {text(v, 'booking')})"
    ),
    "too_many_bookings": "no more than {most} bookings",
    "not_a_code": "that looks like a name: a code is needed, like C-0412",
}

FACTS: dict[str, tuple[str, Template]] = {
    "book": ("booking", _booked),
    "cancel_booking": ("booking", "booking {booking} cancelled"),
    # What the wall clock brings.
    "timetable_due": ("planned", _job),
    "booking_begun": ("booking", "{booking} has begun"),
    "checked": ("check", _checked),
    "timetable_done": ("planned", _job),
    "timetable_skipped": ("planned", lambda v: f"left out{why_words(v)}: {_job(v)}"),
    "timetable_missed": ("planned", lambda v: f"missed, the room was off: {_job(v)}"),
    "check_well": ("check", _checked),
    "check_found": ("check", _checked),
    "check_trouble": ("check", _trouble),
}

ALARMS: dict[str, Template] = {
    "library_check": _library_broken,
    "self_test": lambda v: f"SELF-TEST: {_trouble(v)}",
}
