"""Rules of what people do that is no matter of time: opening, marks, volume and light, taking back."""

from __future__ import annotations

from msgspec.structs import replace

from controller.arc.programme import ONSET, parse_programme
from controller.messages import Fact, Input, Light, Mark, Refused, Softer, Start, TakeBack, Volume
from controller.nearest import nearest
from controller.session import calls, entries, onset
from controller.session.blinding import check_codes
from controller.session.calls import Ruled
from controller.session.codes import check_are_codes
from controller.session.entries import undoable
from controller.session.light import fade_to, follow_arc, set_light
from controller.session.limits import check_limits
from controller.session.people import back_again
from controller.session.preflight import carried_facts, check_start
from controller.session.state import Participant, State, Undoable, opening

MOST_SOFTER_DB = 20.0


def start(state: State, given: Input, now: float, seq: int) -> Ruled:
    """Open a session: everything of the last one is gone but the room itself."""
    act = given.act
    assert isinstance(act, Start)
    if not act.participants:
        raise Refused("no_participant", what="start")
    if len(set(act.participants)) != len(act.participants):
        raise Refused("bad_value", what="participants", why="a code is given twice")
    programme = parse_programme(act.programme_text)
    if not programme.participants_least <= len(act.participants) <= programme.participants_most:
        least, most = programme.participants_least, programme.participants_most
        number = f"{least}" if least == most else f"{least} to {most}"
        raise Refused("bad_value", what="participants", why=f"this programme is for {number}")
    check_codes(programme, act.participants)
    check_are_codes(state.rules, act.participants)
    check_limits(act.limits, state.rules)
    for code in act.touch_scopes:
        if code not in act.participants:
            allowed = ", ".join(act.participants)
            raise Refused("unknown_participant", code=code, nearest=nearest(code, act.participants), allowed=allowed)
    check_start(state.preflight, act, state.rules)
    if act.minutes is not None:
        if not 1 <= act.minutes <= 24 * 60:
            raise Refused("bad_value", what="minutes", why="a programme lasts from 1 to 1440 minutes")
        programme = programme.scaled(act.minutes)
    fresh = replace(
        opening(state.rules, now),
        mode="ready",
        session=act.session,
        programme=programme,
        booked=programme,
        started_t=now,
        limits=act.limits,
        seed=act.seed or 0,
        participants=tuple(
            Participant(code=code, touch_scope=act.touch_scopes.get(code, act.touch_scope)) for code in act.participants
        ),
        arc_s=programme.start_s(0),
        arc_t=now,
        plan=1,
        light=state.light,
        music_fade_s=state.rules.resume_fade_s,  # the last session's music may still fade out beneath a silence
        buses=state.buses,
        alarms=state.alarms,
        call=state.call,
        calls_over=state.calls_over,
        timetable=state.timetable,
        duty=state.duty,
        preflight=state.preflight,
        room=state.room,
    )
    started = Fact(code="session_started", values={"programme": programme.name, "session": act.session})
    return fresh, (started, *carried_facts(act))


def mark(state: State, given: Input, now: float, seq: int) -> Ruled:
    """A one-key event of the programme's list."""
    act = given.act
    assert isinstance(act, Mark)
    entries.check(state, act)
    state = entries.noted(state, given, now, seq)
    return onset.marked(state, now) if act.code == ONSET else (state, ())


def note(state: State, given: Input, now: float, seq: int) -> Ruled:
    """A few words; the rules never read them."""
    return entries.noted(state, given, now, seq), ()


def volume(state: State, given: Input, now: float, seq: int) -> Ruled:
    """Move one fader or all of them, between the room's least and its calibrated level."""
    act = given.act
    assert isinstance(act, Volume)
    names = list(state.buses)
    if act.bus and act.bus not in names:
        raise Refused("unknown_bus", bus=act.bus, nearest=nearest(act.bus, names), allowed=", ".join(names))
    if (act.level_db is None) == (act.step_db is None):
        raise Refused("bad_value", what="volume", why="needs either a level or a step")
    chosen = [act.bus] if act.bus else names
    levels = dict(state.buses)
    for name in chosen:
        wanted = act.level_db if act.level_db is not None else levels[name] + (act.step_db or 0.0)
        levels[name] = min(state.limits.volume_cap_db, max(state.rules.volume_min_db, wanted))
    return _moved(state, given, seq, levels, None), ()


def softer(state: State, given: Input, now: float, seq: int) -> Ruled:
    """All faders down by a slow ramp; taken back like any other step."""
    act = given.act
    assert isinstance(act, Softer)
    if not 0.0 < act.db <= MOST_SOFTER_DB:
        raise Refused("bad_value", what="softer", why=f"by more than 0 and at most {MOST_SOFTER_DB:g} dB")
    least, cap = state.rules.volume_min_db, state.limits.volume_cap_db
    levels = {name: max(least, min(level, cap) - act.db) for name, level in state.buses.items()}
    return _moved(state, given, seq, levels, state.rules.softer_fade_s), ()


def _moved(state: State, given: Input, seq: int, levels: dict[str, float], fade_s: float | None) -> State:
    """The faders at other levels, by a ramp of `fade_s` or the room's own."""
    if levels == state.buses:
        return state
    names = tuple(name for name in levels if levels[name] != state.buses[name])
    before = tuple(state.buses[name] for name in names)
    state = replace(state, buses=levels, buses_fade_s=fade_s)
    return undoable(state, given, seq, names, before, kind="volume")


def light(state: State, given: Input, now: float, seq: int) -> Ruled:
    """Take the light over or give it back."""
    act = given.act
    assert isinstance(act, Light)
    changed = set_light(state, act, now)
    changed = undoable(changed, given, seq, (state.scene,), (state.light.end.level,))
    return changed, () if changed.scene == state.scene else (Fact(code="light_scene", values={"scene": changed.scene}),)


def take_back(state: State, given: Input, now: float, seq: int) -> Ruled:
    """Undo one's own act by its seq: an amendment. Refused where something later changed the same thing."""
    act = given.act
    assert isinstance(act, TakeBack)
    found = next((item for item in state.undoable if item.seq == act.seq), None)
    if found is None:
        raise Refused("nothing_to_take_back")
    if not _is_own(found, given):
        raise Refused("not_yours", who=found.person)
    touched = found.kind in ("volume", "light")
    later = next(
        (
            item
            for item in state.undoable
            if touched and item.seq > found.seq and item.kind == found.kind
            and (found.kind == "light" or set(item.targets) & set(found.targets))
        ),
        None,
    )  # fmt: skip
    if later is not None:
        raise Refused("changed_since", seq=later.seq)
    fact = Fact(code="taken_back", values={"seq": found.seq, "what": found.kind})
    kept = tuple(item for item in state.undoable if item is not found)
    if found.kind == "call":
        state, _ = calls.take_back_call(state, act)
    elif found.kind == "volume":
        levels = {**state.buses, **dict(zip(found.targets, found.before, strict=True))}
        state = replace(state, buses=levels, buses_fade_s=state.rules.softer_fade_s)
    elif found.kind == "light":
        state = _light_back(state, found, now)
    elif found.kind in ("release", "leave"):
        state = back_again(state, found.targets)
    elif found.kind == "adverse_event":
        state = replace(state, adverse=tuple(one for one in state.adverse if one.seq != found.seq))
    else:
        state, entry = entries.removed(state, found.seq)
        if entry is not None and isinstance(entry.act, Mark) and entry.act.code == ONSET:
            state = onset.mark_taken_back(state)
    return replace(state, undoable=kept), (fact,)


def _is_own(found: Undoable, given: Input) -> bool:
    """Whether it is the same person's; where nobody has signed on, the same console's."""
    if found.person and given.origin.person:
        return found.person == given.origin.person
    return found.console == given.origin.console


def _light_back(state: State, found: Undoable, now: float) -> State:
    if found.targets == ("arc",):
        state = replace(state, scene="arc")
        return replace(state, light=follow_arc(state, now, state.rules.release_fade_s))
    light = fade_to(state, now, found.before[0], state.rules.scene_fade_s)
    return replace(state, scene="manual", light=light)
