"""The one question about time: when must the rules be asked again?"""

from __future__ import annotations

from controller.messages import DueView
from controller.session.state import State, arc_position, flows


def next_deadline(state: State) -> float | None:
    """Room time at which a `Timer` is due, or None when only an Input can change anything."""
    times: list[float] = []
    if state.programme is not None and flows(state):
        times.append(state.arc_t + state.programme.end_s(state.phase) - state.arc_s)
        if state.scene == "arc":
            times.append(state.light.end.t)
    if state.quiet_until is not None:
        times.append(state.quiet_until)
    times += [at for _, _, at in _vitals_times(state)]
    return min(times, default=None)


def vitals_fallen_due(state: State, now: float) -> list[tuple[str, str]]:
    """(key, participant) of vitals that are due by `now` and were not yet recorded as due."""
    return [(key, code) for key, code, at in _vitals_times(state) if at <= now]


def _vitals_times(state: State) -> list[tuple[str, str, float]]:
    """(key, participant, room time) of every vitals prompt that was not told yet."""
    if state.programme is None or not state.in_session:
        return []
    found = []
    for person in state.participants:
        if not person.doses:
            continue
        start = min(dose.t for dose in person.doses)
        for minute in state.programme.vitals.minutes:
            key = f"vitals/{person.code}/{minute:g}"
            if key not in state.told:
                found.append((key, person.code, start + minute * 60.0))
    return found


def due_views(state: State, now: float) -> tuple[DueView, ...]:
    """What the sitter should know is coming, soonest first: vitals, earliest release, the end of the arc."""
    views: list[DueView] = []
    programme = state.programme
    if programme is None or not state.in_session:
        return ()
    for person in state.participants:
        if not person.doses:
            continue
        start = min(dose.t for dose in person.doses)
        done = [at for at, _ in person.vitals]
        open_times = [
            start + minute * 60.0
            for minute in programme.vitals.minutes
            if not any(at >= start + minute * 60.0 - 300.0 for at in done)
        ]
        if open_times:
            views.append(DueView(code="vitals", in_s=min(open_times) - now, participant=person.code))
        release = programme.release
        minutes = max(release.law_minutes, release.programme_minutes, release.not_below_minutes)
        if minutes:
            last = max(dose.t for dose in person.doses)
            views.append(DueView(code="release", in_s=last + minutes * 60.0 - now, participant=person.code))
    if not state.waiting_for:
        views.append(DueView(code="arc_ends", in_s=programme.arc_end_s - arc_position(state, now)))
    return tuple(sorted(views, key=lambda view: view.in_s))
