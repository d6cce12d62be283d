"""Alarms: raised once, kept until put right, `seen` in between."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from controller.messages import Alarm, SeeAlarm
from controller.session.bookings import keep
from controller.session.state import State

Values = dict[str, str | int | float]


def raised(state: State, code: str, priority: Literal["high", "medium", "low"], now: float, values: Values) -> State:
    """The state with this alarm standing; one that stands already is left as it is."""
    if any(alarm.code == code and alarm.values.get("name") == values.get("name") for alarm in state.alarms):
        return state
    alarm = Alarm(code=code, priority=priority, since_t=now, values=values)
    return replace(state, alarms=(*state.alarms, alarm))


def cleared(state: State, code: str, name: str | None = None) -> State:
    """The state without this alarm."""
    kept = tuple(
        alarm for alarm in state.alarms if alarm.code != code or (name is not None and alarm.values.get("name") != name)
    )
    return replace(state, alarms=kept) if len(kept) != len(state.alarms) else state


def seen(state: State, code: str) -> State:
    """The state with this alarm (or all, for "") seen; those of the timetable too, while they are shown."""
    alarms = tuple(replace(alarm, seen=True) if code in ("", alarm.code) else alarm for alarm in state.alarms)
    timetable = state.timetable if state.in_session else keep(state.timetable, SeeAlarm(code=code), 0.0, 0)
    return replace(state, alarms=alarms, timetable=timetable)
