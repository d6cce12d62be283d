"""The rules: `step(state, input, now, seq)` gives the next state, the effects and the facts. Pure.

1. `table.check_allowed` says whether the state allows the act; a refused act changes nothing.
2. The act's own rule gives the new state and facts. What time alone brings is the rule of `Timer`: whoever calls
   `step` lets a `Timer` pass first wherever `next_deadline` has come.
3. The light follows what happened; the picture of the room (`room_effects`) is drawn anew, and the effects are what
   differs from the picture before. So start, resume, a restart and a device that comes back are one function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from controller.messages import (
    TIMETABLE_ACTS,
    Call,
    CallChanged,
    DeviceBack,
    DeviceLost,
    Dose,
    Effect,
    EngineReported,
    Fact,
    FadeBus,
    FadeLight,
    FadeMusic,
    Input,
    Opened,
    PlaceCall,
    PlayCues,
    Refused,
    SetTransport,
)
from controller.session import calls, devices, events, fire, timetable, transport
from controller.session.alarms import seen
from controller.session.deadlines import vitals_fallen_due
from controller.session.light import settle_light
from controller.session.names import nearest
from controller.session.state import State
from controller.session.table import check_allowed


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a step came to. `effects` in the order in which they are to be done."""

    state: State
    effects: tuple[Effect, ...] = ()
    facts: tuple[Fact, ...] = ()


def step(state: State, given: Input, now: float, seq: int) -> Outcome:
    """Apply one Input at room time `now`; `seq` is the number its record will have. Raises Refused."""
    check_allowed(given.act, state.mode)
    fire.check_fire(state, given.act)
    _check_participants(state, given)
    before = state
    state, facts = _rule(state, given, now, seq)
    if before.in_session and isinstance(given.act, TIMETABLE_ACTS):
        return Outcome(state=replace(before, timetable=state.timetable), facts=facts)
    due = vitals_fallen_due(state, now)
    if due:
        state = replace(state, told=state.told | {key for key, _ in due})
        facts += tuple(Fact(code="vitals_due", values={"participant": code}) for _, code in due)
    jumped = _jumped(before, state, given)
    rebooted = isinstance(given.act, Opened) and given.act.rebooted
    state = settle_light(before, state, now, jumped=jumped or rebooted)
    state = fire.keep_fire(before, state, given.act)
    fresh = state.session != before.session
    asks = state.plan != state.plan_held and (state.plan != before.plan or fresh or isinstance(given.act, Opened))
    if asks:
        cuts = state.programme is not None and (given.act.kind == "go" or state.programme.pieces != "whole")
        state = replace(state, plan_cut=(jumped and cuts) or (before.plan_cut and not fresh))
    picture = room_effects(state)
    repeated = devices.to_repeat(given.act, picture)
    effects = [effect for effect in picture if effect not in before.room or effect in repeated]
    if asks and state.in_session:
        effects.append(transport.replan_effect(state, now))
    effects += timetable.effects(given.act, facts)
    return Outcome(state=replace(state, room=picture), effects=tuple(effects), facts=facts)


def room_effects(state: State) -> tuple[Effect, ...]:
    """Everything that puts the room right, whatever it did before. Sending any of it twice is harmless."""
    effects: list[Effect] = []
    if state.call.call:
        over = state.call.stage == "stood_down"
        effects.append(PlaceCall(call=state.call.call, level=state.call.level, stood_down=over))
    fade = state.light
    effects += [
        FadeLight(lamp=lamp, start=fade.start, end=fade.end, swift=fade.swift, scene=state.scene)
        for lamp in state.rules.lamps
    ]
    effects += [
        FadeBus(bus=bus, level_db=level, fade_s=state.rules.volume_fade_s) for bus, level in state.buses.items()
    ]
    effects.append(FadeMusic(level=state.music, fade_s=state.music_fade_s))
    if state.session and state.mode != "ready":
        if state.plan_held:
            effects.append(
                PlayCues(session=state.session, plan=state.plan_held, cues=state.cues, timeline_s=state.timeline_base)
            )
        effects.append(SetTransport(session=state.session, transport=state.transport, fade_s=state.transport_fade_s))
    return tuple(effects)


def _check_participants(state: State, given: Input) -> None:
    codes = {person.code for person in state.participants}
    for code in given.participants:
        if state.in_session and code not in codes:
            raise Refused("unknown_participant", code=code, nearest=nearest(code, codes), allowed=", ".join(codes))


def _jumped(before: State, after: State, given: Input) -> bool:
    """Whether the arc's place moved by anything but time."""
    if given.act.kind in ("start", "end", "go"):
        return True
    return isinstance(given.act, Dose) and before.phase != after.phase


def _rule(state: State, given: Input, now: float, seq: int) -> calls.Ruled:
    act = given.act
    console = given.origin.console
    match act:
        case Dose():
            return transport.dose(state, given, act, now)
        case Call():
            return calls.place_call(state, act, now, seq, console)
        case CallChanged():
            return calls.call_changed(state, act, now, seq)
        case EngineReported():
            return devices.engine_reported(state, act, now)
        case DeviceLost():
            return devices.device_lost(state, act, now)
        case DeviceBack():
            return devices.device_back(state, act)
        case _:
            return _RULES[act.kind](state, given, now, seq)


def _timed(rule: Callable[[State, Any, float], calls.Ruled]) -> Callable[[State, Input, float, int], calls.Ruled]:
    return lambda state, given, now, _seq: rule(state, given.act, now)


_RULES: dict[str, Callable[[State, Input, float, int], calls.Ruled]] = {
    "start": events.start,
    "opened": _timed(devices.opened),
    "pause": _timed(transport.pause),
    "resume": _timed(transport.resume),
    "hold": _timed(transport.hold),
    "quiet": _timed(transport.quiet),
    "go": _timed(transport.go),
    "end": _timed(transport.end),
    "planned": _timed(devices.planned),
    "piece_started": _timed(devices.piece_started),
    "piece_ended": _timed(devices.piece_ended),
    "filler_changed": _timed(devices.filler_changed),
    "lamp_changed": _timed(devices.lamp_changed),
    "lamp_taken_over": _timed(devices.lamp_taken_over),
    "battery_changed": _timed(devices.battery_changed),
    "fire": _timed(fire.fire),
    "fire_over": _timed(fire.fire_over),
    "vitals": events.vitals,
    "volume": events.volume,
    "light": events.light,
    "mark": events.mark,
    "note": events.note,
    "take_back": events.take_back,
    "stand_down": lambda state, given, _now, _seq: calls.stand_down(state, given.act),  # type: ignore[arg-type]
    "see_alarm": lambda state, given, _now, _seq: (seen(state, given.act.code), ()),  # type: ignore[union-attr]
    "engine_restarted": lambda state, _given, _now, _seq: (state, ()),
    "timer": lambda state, _given, now, _seq: transport.pass_time(state, now),
    **dict.fromkeys(("book", "cancel_booking", "timetable_due", "booking_begun", "checked"), timetable.ruled),
    "clock_synced": lambda state, _given, _now, _seq: (state, ()),
    "refused": lambda state, _given, _now, _seq: (state, ()),
}
"""Every act that is ruled by its kind alone."""
