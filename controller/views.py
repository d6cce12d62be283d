"""Status and Telemetry: the state of the session and of the drivers, as consoles show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from controller.arc.blinding import BlindedPlan
from controller.arc.curves import intensity_curve
from controller.messages import (
    Challenge,
    DoseView,
    EntryView,
    EventView,
    JournalView,
    LampView,
    LogEntry,
    ParticipantView,
    PhaseView,
    PreflightView,
    SoundView,
    Status,
    Telemetry,
    Touch,
    TrackView,
    VitalsView,
    plain_fields,
)
from controller.session import booster, release
from controller.session.course import booked_end, leader, projected_end
from controller.session.doses import infusion_runs, parts_of, total_of_parts
from controller.session.due import due_views
from controller.session.entries import going_on
from controller.session.limits import faders
from controller.session.long_pause import offered_s
from controller.session.silence import is_silent_phase
from controller.session.state import Participant, State, arc_position, light_points, timeline_position
from controller.session.touch import where

ENTRIES_SHOWN = 20
VITALS_SHOWN = 4
"""So many lines of each participant, in which every reading is likely to be found once."""


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
        ParticipantView(
            code=person.code,
            t_plus_s=person.t_plus(now),
            at_least=person.at_least,
            doses=len(person.doses),
            last_dose=person.doses[-1].seq if person.doses else 0,
            infusion=infusion_runs(person),
            dose_total=total_of_parts(state, person) if state.programme else None,
            left=not person.present,
            released=person.released_t is not None,
            touch_scope=person.touch_scope,
            touching=where(touch.act) if (touch := going_on(state, person.code, Touch)) else "",
            challenging=going_on(state, person.code, Challenge) is not None,
        )
        for person in state.participants
    )
    return Telemetry(
        t=now,
        utc=around.utc,
        arc_s=arc_position(state, now),
        participants=people,
        track=around.track,
        light=around.lamps,
        sound=_with_faders(state, around.sound),
        journal=around.journal,
        due=due_views(state, now),
        projected_end_t=projected_end(state, now),
        booked_end_t=booked_end(state) if state.programme else None,
        shorten_s=offered_s(state, now),
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
        silent_phase=is_silent_phase(state),
        quiet_until_s=state.quiet_until,
        landing=state.landing,
        evacuated=state.evacuated,
        waiting_for=state.waiting_for,
        phase=state.here.code if programme and state.in_session else "",
        phases=phases,
        intensity=intensity_curve(programme) if programme else (),
        light_curve=light_points(state) if programme else (),
        scene=state.scene,
        marks=tuple((mark.code, mark.label) for mark in programme.marks) if programme else (),
        sets=tuple((one.code, one.title) for one in programme.sets) if programme else (),
        set_code=state.set_code if timeline_position(state, now) < state.set_until_s else "",
        grounding=any(one.kind == "grounding" for one in programme.sets) if programme else False,
        landing_minutes=programme.landing_minutes if programme else 0.0,
        limits=state.limits,
        call=state.call,
        alarms=state.alarms if state.in_session else state.alarms + state.timetable.alarms,
        bookings=state.timetable.bookings,
        preflight=_preflight(state),
        log=tuple(log),
        sitters=state.sitters,
        signs_on=state.duty.signs_on,
        break_minutes=state.rules.break_minutes,
        lock_after_s=state.rules.lock_after_s,
        simulated=around.simulated,
        **_handed_over(state),
        **_clinical(state, now),
        **{name: getattr(moving, name) for name in moving.__struct_fields__},
    )


def _preflight(state: State) -> PreflightView:
    known = state.preflight
    if state.in_session or not known.programme:
        return PreflightView(required=state.rules.preflight)
    return PreflightView(
        required=state.rules.preflight,
        programme=known.programme,
        participants=known.participants,
        touch=known.touch_scopes,
        limits=known.limits,
        lines=known.lines,
    )


def _handed_over(state: State) -> dict[str, Any]:
    """What paramedics are told: also of the session that was closed last, for people fall ill after it as well."""
    if state.programme is None:
        return {}
    return {
        **_blinded(state.programme.blinded),
        "dose_unit": state.programme.dose.unit,
        "doses": tuple(dose for person in state.participants for dose in _doses(person)),
        "vitals": tuple(line for person in state.participants for line in _vitals(person)),
        "vitals_limits": tuple((name, *limit) for name, limit in state.programme.vitals.limits.given().items()),
        "events": tuple(
            EventView(seq=one.seq, participants=one.participants, t=one.t, event=one.event)
            for one in reversed(state.adverse)
        ),
        "desk_phone": state.rules.desk_phone,
    }


def _clinical(state: State, now: float) -> dict[str, Any]:
    """The fields of Status on what may be given and noted now, on booster and release."""
    if state.programme is None or not state.in_session:
        return {}
    first = leader(state)
    present = [person for person in state.participants if person.present]
    windows = (booster.view(state, person, now) for person in present)
    releases = (release.view(state, person, now) for person in present)
    return {
        "dose_parts": parts_of(state.programme),
        "repeats_vitals": bool(state.programme.vitals.repeat_minutes)
        and any(person.stable_t is None for person in present if person.doses),
        "leads": first.code if first else "",
        "booster": tuple(view for view in windows if view is not None),
        "release": tuple(view for view in releases if view is not None),
        "apart_minutes": state.programme.dose.apart_minutes,
        "entries": _entries(state),
    }


def _blinded(plan: BlindedPlan | None) -> dict[str, Any]:
    if plan is None:
        return {}
    return {"blinded": True, "unblinding_phone": plan.unblinding_phone, "guesses": plan.guesses}


def _doses(person: Participant) -> list[DoseView]:
    return [
        DoseView(
            participant=person.code, t=dose.t, seq=dose.seq, part=dose.part, amount=dose.amount, unit=dose.unit,
            kit=dose.kit, witness=dose.witness,
        )
        for dose in person.doses
    ]  # fmt: skip


def _vitals(person: Participant) -> list[VitalsView]:
    newest = person.vitals[-VITALS_SHOWN:][::-1]
    return [VitalsView(participant=person.code, t=t, vitals=line) for t, line in newest]


def _entries(state: State) -> tuple[EntryView, ...]:
    return tuple(
        EntryView(
            seq=one.seq, kind=one.act.kind, t=one.t, values=plain_fields(one.act), participants=one.participants,
            who=one.person,
        )
        for one in reversed(state.entries[-ENTRIES_SHOWN:])
    )  # fmt: skip


def _with_faders(state: State, sound: SoundView) -> SoundView:
    """The faders as the rules want them, beside the levels that the engine measured."""
    wanted = faders(state)
    return replace(sound, buses=tuple(replace(bus, level_db=wanted.get(bus.bus, bus.level_db)) for bus in sound.buses))
