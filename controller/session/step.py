"""The rules: `step(state, input, now, seq)` gives the next state, the effects and the facts. Pure.

1. `table.check_allowed` says whether the state allows the act; a refused act changes nothing.
2. The act's own rule gives the new state and facts. What time alone brings is the rule of `Timer`: whoever calls
   `step` lets a `Timer` pass first wherever `next_deadline` has come.
3. The light follows what happened; the picture of the room (`room_effects`) is drawn anew, and the effects are what
   differs from the picture before. So start, resume, a restart and a device that comes back are one function.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from controller.messages import (
    LATE_ACTS,
    ROOMS_ACTS,
    ArchiveAct,
    Dose,
    Effect,
    Fact,
    FadeBus,
    FadeLight,
    FadeMusic,
    Input,
    Leave,
    Opened,
    PlaceCall,
    PlayCues,
    Refused,
    Release,
    SetTransport,
)
from controller.nearest import nearest
from controller.session import archive, devices, duty, fire, probing, timetable, transport
from controller.session.light import settle_light
from controller.session.limits import faders
from controller.session.reminders import tell
from controller.session.rules import RULES
from controller.session.silence import settle_music
from controller.session.state import State, light_points
from controller.session.table import check_allowed, check_session


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a step came to. `effects` in the order in which they are to be done."""

    state: State
    effects: tuple[Effect, ...] = ()
    facts: tuple[Fact, ...] = ()


def step(state: State, given: Input, now: float, seq: int) -> Outcome:
    """Apply one Input at room time `now`; `seq` is the number its record will have. Raises Refused."""
    duty.check_signed_on(state, given)
    check_allowed(given.act, state.mode)
    check_session(given, state.session)
    fire.check_fire(state, given.act)
    if given.ago_s and not isinstance(given.act, LATE_ACTS):
        raise Refused("bad_value", what="time", why="this is done now or not at all")
    _check_participants(state, given)
    before = state
    state, facts = RULES[given.act.kind](state, given, now, seq)
    if isinstance(given.act, ArchiveAct):
        return Outcome(state=state, effects=archive.effects(given.act), facts=facts)
    if before.in_session and isinstance(given.act, ROOMS_ACTS):
        return Outcome(state=replace(before, timetable=state.timetable, preflight=state.preflight), facts=facts)
    state = probing.followed(before, state, given, now, seq)
    state, told = tell(state, now)
    state, alarmed = duty.settle(before, state, now)
    facts += told + alarmed + probing.facts(before, state)
    jumped = _jumped(before, state, given)
    rebooted = isinstance(given.act, Opened) and given.act.rebooted
    state = settle_music(state)
    state = settle_light(before, state, now, jumped=jumped or rebooted)
    state = fire.keep_fire(before, state, given.act)
    fresh = state.session != before.session
    asks = state.plan != state.plan_held and (state.plan != before.plan or fresh or isinstance(given.act, Opened))
    picture = room_effects(state)
    repeated = devices.to_repeat(given.act, picture)
    effects = [effect for effect in picture if effect not in before.room or effect in repeated]
    if asks and state.in_session:
        effects.append(transport.replan_effect(state, now))
    effects += timetable.effects(given.act, facts)
    effects += probing.effects(before, state, given)
    return Outcome(state=replace(state, room=picture), effects=tuple(effects), facts=facts)


def room_effects(state: State) -> tuple[Effect, ...]:
    """Everything that puts the room right, whatever it did before. Sending any of it twice is harmless."""
    effects: list[Effect] = []
    if state.call.call:
        over = state.call.stage == "stood_down"
        effects.append(PlaceCall(call=state.call.call, level=state.call.level, stood_down=over))
    effects += probing.picture(state)
    fade = state.light
    effects += [
        FadeLight(lamp=lamp, start=fade.start, end=fade.end, swift=fade.swift, scene=state.scene)
        for lamp in state.rules.lamps
    ]
    effects += [
        FadeBus(bus=bus, level_db=level, fade_s=state.buses_fade_s or state.rules.volume_fade_s)
        for bus, level in faders(state).items()
    ]
    effects.append(FadeMusic(level=state.music, fade_s=state.music_fade_s))
    if state.session and state.mode != "ready":
        if state.plan_held and state.transport != "stop":  # an engine that has stopped holds no session any more
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
    """Whether the arc's place, or the light that belongs to it, moved by anything but time."""
    if given.act.kind in ("start", "end", "go", "land", "catch_up"):
        return True
    if isinstance(given.act, Dose | Leave | Release) and before.phase != after.phase:
        return True
    bent = after.programme is not before.programme and after.programme is not None and before.programme is not None
    return bent and light_points(after) != light_points(before)
