"""Rules of time in a session: pause, go on, hold, silence, going to a phase, and the arc's own way through them."""

from __future__ import annotations

from dataclasses import replace

from controller.messages import Dose, End, Fact, Go, Hold, Input, Pause, Quiet, Refused, Replan, Resume
from controller.session.alarms import cleared
from controller.session.calls import Ruled
from controller.session.names import nearest
from controller.session.state import DoseTaken, State, arc_position, dosed, flows, timeline_position

REACHED = 1e-6
"""A place on the arc counts as reached this many seconds before it, against rounding."""


def with_sound(state: State, now: float, transport: str, fade_s: float) -> State:
    """The sound set going, stood still or stopped; the timeline's anchor moves with it."""
    if transport == "play":
        place = timeline_position(state, now)
        if state.transport == "stop":  # an engine that has stopped holds nothing of the session any more
            state = replace(state, timeline_base=place)
        return replace(
            state, transport="play", transport_fade_s=fade_s, timeline_s=place, timeline_t=now, timeline_stop_t=None
        )
    stop_t = now + fade_s if state.timeline_stop_t is None else min(state.timeline_stop_t, now + fade_s)
    return replace(
        state, transport="pause" if transport == "pause" else "stop", transport_fade_s=fade_s, timeline_stop_t=stop_t
    )


def replanned(state: State) -> State:
    """The state that waits for a new plan; `step` asks for it."""
    return replace(state, plan=state.plan + 1)


def pause(state: State, act: Pause, now: float) -> Ruled:
    """Fade to silence; pressing twice is safe. Outside a session it stops whatever sounds still."""
    if state.mode == "paused":
        return state, ()
    if not state.in_session:
        return (with_sound(state, now, "stop", state.rules.pause_fade_s) if state.session else state), ()
    at = min(now, act.direct_t) if act.direct_t is not None else now
    state = frozen_arc(state, max(at, state.arc_t))
    if state.programme is not None and at < now:
        state = _back_in_phase(state)
    if state.transport != "stop":
        state = with_sound(state, at, "pause", state.rules.pause_fade_s)
    return replace(state, mode="paused"), (Fact(code="paused"),)


def _back_in_phase(state: State) -> State:
    """The state in the phase that its place on the arc lies in, after a pause that is older than a border."""
    assert state.programme is not None
    phase = state.phase
    while phase > 0 and state.arc_s < state.programme.start_s(phase) - REACHED:
        phase -= 1
    return replace(state, phase=phase)


def resume(state: State, act: Resume, now: float) -> Ruled:
    """Go on, one key out of everything: pause, silence, hold, or the wait for a choice after an outage."""
    facts: list[Fact] = []
    if state.mode == "paused":
        at = min(now, act.direct_t) if act.direct_t is not None else now
        facts.append(Fact(code="resumed"))
        if state.quiet:
            state, quiet_facts = end_quiet(state)
            facts += quiet_facts
        if not state.plan_held:
            return replace(state, mode="ready", arc_t=at), tuple(facts)
        state = replace(state, mode="waiting" if state.waiting_for else "running", arc_t=at)
        if state.waiting_for != "end":
            state = with_sound(state, at, "play", state.rules.resume_fade_s)
        return state, tuple(facts)
    if state.waiting_for == "choice":
        state = replace(state, mode="running", waiting_for="", arc_t=now)
        state = cleared(state, "choose_after_outage")
        return replanned(with_sound(state, now, "play", state.rules.resume_fade_s)), (Fact(code="resumed"),)
    if state.quiet:
        state, quiet_facts = end_quiet(state)
        facts += quiet_facts
    if state.hold:
        state = replanned(replace(state, hold=False, arc_t=now))
        facts.append(Fact(code="hold_ended"))
    if not facts:
        raise Refused("already", what="resume")
    return state, tuple(facts)


def hold(state: State, _act: Hold, now: float) -> Ruled:
    """Stay in this phase; the music goes on inside it."""
    if state.hold:
        raise Refused("already", what="hold")
    if not state.here.may_hold:
        raise Refused("bad_value", what="hold", why=f"the programme does not allow it in {state.here.title}")
    state = frozen_arc(state, now)
    return replanned(replace(state, hold=True)), (Fact(code="hold_began"),)


def quiet(state: State, act: Quiet, now: float) -> Ruled:
    """Silence that was asked for; the arc goes on beneath."""
    if act.minutes is not None and not 0 < act.minutes <= 240:
        raise Refused("bad_value", what="minutes", why="a silence lasts more than 0 and at most 240 minutes")
    until = now + act.minutes * 60.0 if act.minutes is not None else None
    was = state.quiet
    state = replace(state, quiet=True, quiet_until=until, music=0.0, music_fade_s=state.rules.pause_fade_s)
    return state, () if was else (Fact(code="quiet_began", values={"minutes": act.minutes or 0.0}),)


def end_quiet(state: State) -> Ruled:
    """Music comes back slowly."""
    state = replace(state, quiet=False, quiet_until=None, music=1.0, music_fade_s=state.rules.quiet_return_s)
    return state, (Fact(code="quiet_ended"),)


def go(state: State, act: Go, now: float) -> Ruled:
    """Cross over to the beginning of a phase; ends hold, wait and pause."""
    programme = state.programme
    assert programme is not None
    codes = [phase.code for phase in programme.phases]
    if act.phase not in codes:
        raise Refused("unknown_phase", phase=act.phase, nearest=nearest(act.phase, codes), allowed=", ".join(codes))
    index = codes.index(act.phase)
    if index > 0 and not dosed(state):
        raise Refused("wrong_state", what="go", state="before ingestion")
    if state.mode == "paused" or state.waiting_for in ("choice", "end"):
        state = with_sound(state, now, "play", state.rules.resume_fade_s)
    return replanned(entered(state, index, programme.start_s(index), now)), _entered_fact(state, index)


def dose(state: State, given: Input, act: Dose, now: float) -> Ruled:
    """Log an ingestion or a further dose; the first one ends the arrival."""
    if act.minutes_ago < 0 or act.minutes_ago > 24 * 60:
        raise Refused("bad_value", what="minutes_ago", why="it lies between 0 and 1440")
    codes = [person.code for person in state.participants]
    whom = given.participants or (tuple(codes) if len(codes) == 1 else ())
    if not whom:
        raise Refused("no_participant", what="dose", allowed=", ".join(codes))
    first = not dosed(state)
    at = now - act.minutes_ago * 60.0
    taken = DoseTaken(t=at, amount=act.amount, unit=act.unit, kit=act.kit)
    people = tuple(
        replace(person, doses=(*person.doses, taken)) if person.code in whom else person
        for person in state.participants
    )
    state = replace(state, participants=people)
    if not (first and state.phase == 0 and state.programme is not None):
        return state, ()
    place = min(act.minutes_ago * 60.0, state.programme.arc_end_s)
    index = next(i for i in range(1, len(state.programme.phases)) if place <= state.programme.end_s(i))
    paused = state.mode == "paused"
    state = replanned(entered(state, index, place, now))
    return replace(state, mode="paused") if paused else state, _entered_fact(state, index)


def end(state: State, _act: End, now: float) -> Ruled:
    """Close the session: the music fades out, the light goes to rest, the record is closed."""
    state = frozen_arc(state, now)
    state = with_sound(state, now, "stop", state.rules.end_fade_s)
    state = replace(state, mode="ended", hold=False, quiet=False, quiet_until=None, waiting_for="", scene="arc")
    state = replace(state, undoable=())
    for code in ("choose_after_outage", "music_short", "piece_broken", "filler"):
        state = cleared(state, code)
    return state, (Fact(code="session_ended"),)


def entered(state: State, index: int, arc_s: float, now: float) -> State:
    """The state at a place in a phase, running; what held or kept waiting elsewhere is over."""
    state = cleared(state, "choose_after_outage")
    return replace(state, phase=index, arc_s=arc_s, arc_t=now, mode="running", waiting_for="", hold=False)


def frozen_arc(state: State, at: float) -> State:
    """The arc anchored where it is at `at`."""
    return replace(state, arc_s=arc_position(state, at), arc_t=at)


def pass_time(state: State, now: float) -> Ruled:
    """What time alone has brought by `now`: phases, waits, the end of the arc, the end of a timed silence."""
    facts: list[Fact] = []
    if state.quiet_until is not None and now >= state.quiet_until - REACHED:
        state, ended = end_quiet(state)
        facts += ended
    while state.programme is not None and flows(state):
        boundary = state.programme.end_s(state.phase)
        place = arc_position(state, now)
        if place < boundary - REACHED:
            break
        waits_for = ""
        if state.here.wait_for and not dosed(state):
            waits_for = state.here.wait_for
        elif state.phase + 1 == len(state.programme.phases):
            waits_for = "end"
        if waits_for:
            state = replace(state, mode="waiting", waiting_for=waits_for, arc_s=boundary, arc_t=now)
            if waits_for == "end":
                state = with_sound(state, now, "stop", state.rules.end_fade_s)
            facts.append(Fact(code="arc_waits", values={"for": waits_for}))
        else:
            state = replace(state, phase=state.phase + 1)
            facts += _entered_fact(state, state.phase)
    return state, tuple(facts)


def _entered_fact(state: State, index: int) -> tuple[Fact, ...]:
    assert state.programme is not None
    phase = state.programme.phases[index]
    return (Fact(code="phase_entered", values={"phase": phase.code, "title": phase.title}),)


def replan_effect(state: State, now: float) -> Replan:
    """The request that belongs to `state.plan`."""
    place = arc_position(state, now)
    return Replan(session=state.session, plan=state.plan, arc_s=place, held=state.hold, cut=state.plan_cut)
