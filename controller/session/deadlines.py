"""The one question about time: when must the rules be asked again?"""

from __future__ import annotations

from math import inf

from controller.session import duty
from controller.session.preflight import next_age
from controller.session.reminders import untold
from controller.session.state import State, flows


def next_deadline(state: State) -> float | None:
    """Room time at which a `Timer` is due, or None when only an Input can change anything."""
    times: list[float] = []
    if state.programme is not None and flows(state):
        times.append(state.arc_t + state.programme.end_s(state.phase) - state.arc_s)
        if state.scene == "arc":
            times.append(state.light.end.t)
    if state.quiet_until is not None:
        times.append(state.quiet_until)
    if state.mode == "waiting" and state.wait_until is not None:
        times.append(state.wait_until)
    times += [reminder.t for reminder in untold(state)]
    times += duty.deadlines(state)
    if state.preflight.programme and not state.in_session:
        times.append(next_age(state.preflight, state.rules))
    return min((t for t in times if t < inf), default=None)
