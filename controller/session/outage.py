"""Rules of a daemon that opens: within one boot nothing happened; after another one the room was without power.
Where the end of the record was lost to damage, what the room did since is unknown, and counts like an outage.

A short outage of known length: everything goes on where it was. A long one, or one whose length nobody can know: soft
light and filler, T+ "at least" what it says where it is unknown, and the sitter chooses: continue where it was
(`Resume`), catch up with T+ (`CatchUp`), or go to a phase (`Go`, `Land`).
"""

from __future__ import annotations

from msgspec.structs import replace

from controller.messages import Fact, Opened
from controller.session.alarms import cleared, raised
from controller.session.calls import Ruled
from controller.session.state import State, arc_position, flows, timeline_position

ANEW = (
    "sound_lost", "caller_lost", "journal_lost", "broker_lost", "light_lost", "light_unconfirmed", "light_taken",
    "port_lost", "place_lost", "button_lost", "buttons_lost", "battery_low", "sitters_lost", "journal_damaged",
    "disk_full",
)  # fmt: skip
"""Alarms of the links of a daemon; a daemon that opens makes its links anew, and says anew what it cannot reach."""


def opened(state: State, act: Opened, now: float) -> Ruled:
    """The daemon is up again. Within one boot the music never stopped; after another one arc and music waited."""
    buses = {name: state.buses.get(name, 0.0) for name in act.rules.buses}
    state = replace(state, rules=act.rules, buses=buses)
    for code in ANEW:
        state = cleared(state, code)
    if not state.in_session:
        return state, ()
    if not act.rebooted:
        return (_choice(state, now) if act.unrecorded_s > act.rules.ask_after_outage_s else state), ()
    outage = act.outage_s
    fact = Fact(code="resumed_after_outage", values={"seconds": outage if outage is not None else -1.0})
    stopped_at = now - (outage or 0.0)
    if flows(state):
        state = replace(state, arc_s=arc_position(state, stopped_at), arc_t=now)
    place = timeline_position(state, stopped_at)
    stop_t = None if state.timeline_stop_t is None else min(state.timeline_stop_t, now)  # no fade outlasts the power
    state = replace(state, timeline_s=place, timeline_t=now, timeline_stop_t=stop_t, timeline_base=place)
    if state.transport == "play":
        state = replace(state, transport_fade_s=state.rules.resume_fade_s)
    if outage is None:
        people = tuple(replace(person, at_least=bool(person.doses)) for person in state.participants)
        state = replace(state, participants=people)
    short = outage is not None and outage <= act.rules.ask_after_outage_s
    return (state if short else _choice(state, now)), (fact,)


def _choice(state: State, now: float) -> State:
    """Soft light, the filler, and the sitter chooses; a session that stands still anyway is left as it is."""
    if state.mode == "paused" or state.waiting_for == "end":
        return state
    plan = state.plan + 1
    state = replace(
        state, mode="waiting", waiting_for="choice", wait_until=None, hold=False, plan=plan, plan_held=plan, cues=()
    )
    return raised(state, "choose_after_outage", "medium", now, {})
