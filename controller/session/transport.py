"""Rules of time in a session: pause, go on, hold, silence, and the arc's own way through its phases."""

from __future__ import annotations

from msgspec.structs import replace

from controller.messages import End, Fact, Hold, Pause, Quiet, Refused, Replan, Resume
from controller.session import onset
from controller.session.alarms import cleared
from controller.session.calls import Ruled
from controller.session.course import REACHED, begun, frozen_arc, phase_fact, stopped
from controller.session.evacuation import returned
from controller.session.long_pause import pause_over
from controller.session.people import not_gone
from controller.session.reminders import QUIET_WARNING_S, quiet_key
from controller.session.sounding import with_sound
from controller.session.state import State, arc_position, flows, replanned


def pause(state: State, act: Pause, now: float) -> Ruled:
    """Fade to silence; pressing twice is safe. Outside a session it stops whatever sounds still."""
    if state.mode == "paused":
        return state, ()
    if not state.in_session:
        return (with_sound(state, now, "stop", state.rules.pause_fade_s) if state.session else state), ()
    at = min(now, act.direct_t) if act.direct_t is not None else now
    state = stopped(state, at)
    if state.programme is not None and at < now:
        state = _back_in_phase(state)
    if state.transport != "stop":
        state = with_sound(state, at, "pause", state.rules.pause_fade_s)
    return state, (Fact(code="paused"),)


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
        state = pause_over(returned(state), at)
        if state.quiet:
            state, quiet_facts = end_quiet(state)
            facts += quiet_facts
        if not state.plan_held:
            return replace(state, mode="ready", arc_t=at), tuple(facts)
        state = replace(state, mode="waiting" if state.waiting_for else "running", arc_t=at)
        if state.waiting_for != "end":
            state = with_sound(state, at, "play", state.rules.resume_fade_s)
        return state, tuple(facts)
    if state.waiting_for == "onset":
        return onset.go_on(state, now)
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
    if state.landing:
        raise Refused("wrong_state", what="hold", state="landing")
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
    if until is not None and until - now <= QUIET_WARNING_S:  # whoever asks for so little knows when it ends
        state = replace(state, told=state.told | {quiet_key(until)})
    state = replace(state, quiet=True, quiet_until=until)
    return state, () if was else (Fact(code="quiet_began", values={"minutes": act.minutes or 0.0}),)


def end_quiet(state: State) -> Ruled:
    """Music comes back slowly."""
    return replace(state, quiet=False, quiet_until=None), (Fact(code="quiet_ended"),)


def end(state: State, _act: End, now: float) -> Ruled:
    """Close the session: the music fades out, the light goes to rest, the record is closed."""
    still_here = not_gone(state)
    state = frozen_arc(state, now)
    state = with_sound(state, now, "stop", state.rules.end_fade_s)
    scene = state.scene if state.evacuated else "arc"
    state = replace(
        state, mode="ended", hold=False, quiet=False, quiet_until=None, waiting_for="", wait_until=None, landing=False,
        evacuated=False, paused_t=None, lost_s=0.0, scene=scene, undoable=(),
    )  # fmt: skip
    for code in ("choose_after_outage", "music_short", "piece_broken", "filler"):
        state = cleared(state, code)
    facts = [Fact(code="session_ended")]
    if still_here:
        facts.append(Fact(code="closed_with", values={"participants": ",".join(still_here)}))
    return state, tuple(facts)


def pass_time(state: State, now: float) -> Ruled:
    """What time alone has brought by `now`: phases, waits, the end of the arc, the end of a timed silence."""
    facts: list[Fact] = []
    if state.quiet_until is not None and now >= state.quiet_until - REACHED:
        state, ended = end_quiet(state)
        facts += ended
    if state.mode == "waiting" and state.wait_until is not None and now >= state.wait_until - REACHED:
        state, over = onset.waited_out(state, now)
        facts += over
    while state.programme is not None and flows(state):
        boundary = state.programme.end_s(state.phase)
        place = arc_position(state, now)
        if place < boundary - REACHED:
            break
        since = min(now, state.arc_t + boundary - state.arc_s)
        waits_for = _waits_for(state)
        if waits_for:
            state = replace(state, mode="waiting", waiting_for=waits_for, arc_s=boundary, arc_t=now, lost_s=0.0)
            if waits_for == "onset":
                state = onset.wait(state, since)
            elif waits_for == "end":
                state = with_sound(replace(state, landing=False), now, "stop", state.rules.end_fade_s)
            facts.append(Fact(code="arc_waits", values={"for": waits_for}))
        else:
            state = replace(state, phase=state.phase + 1, lost_s=0.0)
            facts += phase_fact(state)
    return state, tuple(facts)


def _waits_for(state: State) -> str:
    """What keeps the arc at the end of this phase; "" for nothing."""
    assert state.programme is not None
    if state.phase + 1 == len(state.programme.phases):
        return "end"
    if state.here.wait_for == "ingestion" and begun(state):
        return ""
    return state.here.wait_for


def replan_effect(state: State, now: float) -> Replan:
    """The request that belongs to `state.plan`."""
    place = arc_position(state, now)
    return Replan(session=state.session, plan=state.plan, arc_s=place, held=state.hold, cut=state.plan_cut)
