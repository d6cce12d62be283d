"""Status and Telemetry: the state of the session and of the drivers, as consoles show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from controller.arc.curves import intensity_curve
from controller.messages import (
    JournalView,
    LampView,
    LogEntry,
    ParticipantView,
    PhaseView,
    SoundView,
    Status,
    Telemetry,
    TrackView,
)
from controller.session.deadlines import due_views
from controller.session.state import State, arc_position, light_points


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the drivers and the journal say at this moment."""

    utc: str
    sound: SoundView
    track: TrackView | None
    lamps: tuple[LampView, ...]
    journal: JournalView
    simulated: bool = False


def telemetry(state: State, now: float, around: Surroundings) -> Telemetry:
    """What changes by itself."""
    people = tuple(
        ParticipantView(code=person.code, t_plus_s=person.t_plus(now), doses=len(person.doses))
        for person in state.participants
    )
    return Telemetry(
        t=now,
        utc=around.utc,
        arc_s=arc_position(state, now) if state.in_session else 0.0,
        participants=people,
        track=around.track,
        light=around.lamps,
        sound=_with_faders(state, around.sound),
        journal=around.journal,
    )


def status(state: State, now: float, around: Surroundings, log: Iterable[LogEntry]) -> Status:
    """Everything."""
    moving = telemetry(state, now, around)
    programme = state.programme
    phases: tuple[PhaseView, ...] = ()
    if programme is not None:
        phases = tuple(
            PhaseView(code=phase.code, title=phase.title, start_s=programme.start_s(i), end_s=programme.end_s(i))
            for i, phase in enumerate(programme.phases)
        )
    return Status(
        room=state.rules.room,
        state=state.mode,
        session=state.session,
        programme=programme.name if programme else "",
        programme_title=programme.title if programme else "",
        reviewed=programme.reviewed if programme else False,
        hold=state.hold,
        quiet=state.quiet,
        quiet_until_s=state.quiet_until,
        landing=state.landing,
        waiting_for=state.waiting_for,
        phase=state.here.code if programme and state.in_session else "",
        phases=phases,
        intensity=intensity_curve(programme) if programme else (),
        light_curve=light_points(state) if programme else (),
        scene=state.scene,
        marks=tuple((mark.code, mark.label) for mark in programme.marks) if programme else (),
        due=due_views(state, now),
        call=state.call,
        alarms=state.alarms if state.in_session else state.alarms + state.timetable.alarms,
        bookings=state.timetable.bookings,
        log=tuple(log),
        simulated=around.simulated,
        **{field.name: getattr(moving, field.name) for field in fields(moving)},
    )


def _with_faders(state: State, sound: SoundView) -> SoundView:
    """The faders as the rules want them, beside the levels that the engine measured."""
    return replace(
        sound, buses=tuple(replace(bus, level_db=state.buses.get(bus.bus, bus.level_db)) for bus in sound.buses)
    )
