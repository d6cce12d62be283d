"""Rules of what the machine says: the planner, the engine, lamps and links."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from controller.messages import (
    Act,
    BatteryChanged,
    DeviceBack,
    DeviceLost,
    Effect,
    EngineReported,
    Fact,
    FadeBus,
    FadeLight,
    FadeMusic,
    FillerChanged,
    LampChanged,
    LampTakenOver,
    Opened,
    PieceEnded,
    PieceStarted,
    PlaceCall,
    Planned,
    PlayCues,
    Resume,
    SetTransport,
    Start,
)
from controller.session.alarms import cleared, raised
from controller.session.calls import Ruled
from controller.session.course import phase_fact
from controller.session.pieces import runs_low
from controller.session.sounding import with_sound
from controller.session.state import State, replanned, timeline_position

PRIORITY: dict[str, Literal["high", "medium", "low"]] = {
    "caller": "high",
    "sound": "high",
    "place": "low",
    "journal": "high",
    "broker": "medium",
    "light": "medium",
    "port": "medium",
    "button": "high",
    "buttons": "high",
    "sitters": "medium",
}
"""Alarm priority by the first part of a device's name (our judgement, in the order of IEC 60601-1-8)."""

SHORT_S = 60.0
"""A plan that misses this much music raises an alarm."""


def to_repeat(act: Act, picture: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """The effects of the picture that are sent again although nothing about them changed."""
    match act:
        case Opened() | Start():
            return picture
        case EngineReported() | DeviceBack(name="sound"):
            return tuple(e for e in picture if isinstance(e, PlayCues | SetTransport | FadeMusic | FadeBus))
        case Resume(direct_t=float()):  # an engine that was asked directly has brought the music back by itself
            return tuple(e for e in picture if isinstance(e, FadeMusic))
        case DeviceBack(name="broker"):
            return tuple(e for e in picture if isinstance(e, FadeLight))
        case DeviceBack(name="caller"):
            return tuple(e for e in picture if isinstance(e, PlaceCall) and not e.stood_down)
        case DeviceBack(name=name) if name.startswith("light."):
            return tuple(e for e in picture if isinstance(e, FadeLight) and f"light.{e.lamp}" == name)
        case _:
            return ()


def planned(state: State, act: Planned, now: float) -> Ruled:
    """Take up a plan, unless a newer one was asked for meanwhile. The first plan sets the session going."""
    if act.plan != state.plan:
        return state, ()
    facts: list[Fact] = []
    first = not state.plan_held
    state = replace(state, cues=act.cues, plan_held=act.plan, plan_cut=False)
    here = timeline_position(state, now)
    if not any(cue.set == state.set_code and cue.end_s > here for cue in act.cues):  # lost with the power, or empty
        state = replace(state, set_code="", set_until_s=0.0)
    if first and state.mode == "running":  # the dose was logged before there was a plan
        state = with_sound(state, now, "play", state.rules.resume_fade_s)
    if state.mode == "ready":
        state = replace(state, mode="running", arc_t=now)
        state = with_sound(state, now, "play", state.rules.resume_fade_s)
    if first and state.phase == 0:
        facts += phase_fact(state)
    if act.short_s > SHORT_S:
        minutes = round(act.short_s / 60.0)
        if not any(alarm.code == "music_short" for alarm in state.alarms):  # told once, not at every plan
            facts.append(Fact(code="music_short", values={"minutes": minutes}))
        state = raised(state, "music_short", "low", now, {"minutes": minutes})
    else:
        state = cleared(state, "music_short")
    return state, tuple(facts)


def engine_reported(state: State, act: EngineReported, now: float) -> Ruled:
    """The engine's link is up: an engine that lost the session gets the timeline's place with its cues."""
    state = cleared(state, "sound_lost", "sound.output")
    if act.filler is False:  # an engine that was started anew does not know that its forerunner's filler played
        state = cleared(state, "filler")
    if not state.in_session:
        if act.session and act.session != state.session:  # one that this room's record lost: `Pause` ends it
            state = replace(state, session=act.session, transport=act.transport, plan=0, plan_held=0, cues=())
        return state, ()
    if act.session != state.session:
        place = timeline_position(state, now)
        return replace(state, timeline_s=place, timeline_t=now, timeline_base=place), ()
    return replace(state, timeline_s=act.timeline_s, timeline_t=now), ()


def piece_started(state: State, act: PieceStarted, now: float) -> Ruled:
    """A piece plays: it may not come again, and it tells where the timeline stands."""
    if _of_another(state, act):
        return state, ()
    cue = next((cue for cue in state.cues if cue.id == act.cue), None)
    state = replace(state, played=state.played | {act.path})
    if cue is None:
        return state, ()
    if state.transport == "play":
        state = replace(state, timeline_s=cue.start_s, timeline_t=act.at_t)
    return replanned(state) if runs_low(state, cue) else state, ()


def piece_ended(state: State, act: PieceEnded, now: float) -> Ruled:
    """A piece is over; one that could not be played is left out of the rest of the plan."""
    if _of_another(state, act):
        return state, ()
    if act.why in ("end", "cut"):
        return _set_over(state, act), ()
    cue = next((cue for cue in state.cues if cue.id == act.cue), None)
    fact = Fact(code="piece_broken", values={"title": act.title, "why": act.why})
    if cue is None or not state.in_session:
        return state, (fact,)
    state = raised(state, "piece_broken", "low", now, {"name": act.title, "why": act.why})
    return replanned(replace(state, broken=state.broken | {cue.piece.path})), (fact,)


def _set_over(state: State, act: PieceEnded) -> State:
    """The state in which a set that a sitter chose is over, once its last piece is."""
    cue = next((cue for cue in state.cues if cue.id == act.cue), None)
    last = cue is not None and cue.set and cue.set == state.set_code and cue.end_s >= state.set_until_s
    return replace(state, set_code="", set_until_s=0.0) if last else state


def filler_changed(state: State, act: FillerChanged, now: float) -> Ruled:
    """The filler bed stands in for music that was expected."""
    if act.on:
        return raised(state, "filler", "medium", now, {"why": act.why, "title": act.title}), ()
    return cleared(state, "filler"), ()


def _of_another(state: State, act: PieceStarted | PieceEnded) -> bool:
    """Whether a piece belongs to an earlier session, whose music still fades out: its cue is none of ours."""
    return bool(act.session) and act.session != state.session


def device_lost(state: State, act: DeviceLost, now: float) -> Ruled:
    """Something does not answer: an alarm, and the session goes on."""
    kind, _, which = act.name.partition(".")
    values: dict[str, str | int | float] = {"name": act.name, "why": act.why}
    if kind == "journal" and which:  # a file of another time; this daemon's own record goes on
        return raised(state, "journal_damaged", "high", now, values), ()
    return raised(state, f"{kind}_lost", PRIORITY.get(kind, "medium"), now, values), ()


def device_back(state: State, act: DeviceBack) -> Ruled:
    """It answers again; `to_repeat` puts it right."""
    kind = act.name.split(".", maxsplit=1)[0]
    late = Fact(code="journal_late", values={"first": act.late_from, "last": act.late_to})
    return cleared(state, f"{kind}_lost", act.name), (late,) if act.late_to else ()


def lamp_changed(state: State, act: LampChanged, now: float) -> Ruled:
    """A lamp did, or did not, confirm its level."""
    if act.confirmed:
        return cleared(cleared(state, "light_unconfirmed", act.lamp), "light_taken", act.lamp), ()
    return raised(state, "light_unconfirmed", "medium", now, {"name": act.lamp, "level": act.level}), ()


def battery_changed(state: State, act: BatteryChanged, now: float) -> Ruled:
    """A button's battery wants changing, or was changed."""
    if not act.low:
        return cleared(state, "battery_low", act.name), ()
    values: dict[str, str | int | float] = {"name": act.name}
    if act.percent is not None:
        values["percent"] = act.percent
    return raised(state, "battery_low", "low", now, values), ()


def lamp_taken_over(state: State, act: LampTakenOver, now: float) -> Ruled:
    """Something else moved a lamp; its next confirmation clears the alarm."""
    return raised(state, "light_taken", "medium", now, {"name": act.lamp, "level": act.level}), ()
