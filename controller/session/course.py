"""The arc's course: where it counts from, where T+ says it should be, and when it will end."""

from __future__ import annotations

from msgspec.structs import replace

from controller.messages import Fact
from controller.session.alarms import cleared
from controller.session.state import Participant, State, arc_position, replanned

REACHED = 1e-6
"""A place on the arc counts as reached this many seconds before it, against rounding."""


def leader(state: State) -> Participant | None:
    """Whose ingestion the arc counts from; None before the arc has begun, and in a programme without a dose."""
    assert state.programme is not None
    here = [person for person in state.participants if person.present] or list(state.participants)
    taken = [(person.ingestion_t, person) for person in here if person.ingestion_t is not None]
    if not taken:
        return None
    if state.programme.t_plus_of == "last-dosed":
        return max(taken, key=lambda one: one[0])[1] if len(taken) == len(here) else None
    return min(taken, key=lambda one: one[0])[1]


def origin_t(state: State) -> float | None:
    """Room time of the arc's second 0, by T+; None before ingestion."""
    assert state.programme is not None
    if state.programme.dose.shape == "none":
        return state.started_t
    first = leader(state)
    return first.ingestion_t if first else None


def begun(state: State) -> bool:
    """Whether the arc has left, or may leave, the arrival."""
    return origin_t(state) is not None


def index_at(state: State, arc_s: float) -> int:
    """The phase that a place on the arc lies in, never the arrival."""
    assert state.programme is not None
    first = 1 if state.programme.arrival_s else 0
    last = len(state.programme.phases) - 1
    return next((i for i in range(first, last) if arc_s <= state.programme.end_s(i)), last)


def entered(state: State, index: int, arc_s: float, now: float) -> State:
    """The state at a place in a phase, running; what held, kept waiting or was offered elsewhere is over."""
    state = cleared(state, "choose_after_outage")
    return replace(
        state, phase=index, arc_s=arc_s, arc_t=now, mode="running", waiting_for="", wait_until=None, hold=False,
        paused_t=None, lost_s=0.0, set_code="" if index != state.phase else state.set_code,
    )  # fmt: skip


def frozen_arc(state: State, at: float) -> State:
    """The arc anchored where it is at `at`."""
    return replace(state, arc_s=arc_position(state, at), arc_t=at)


def stopped(state: State, at: float) -> State:
    """The state paused since `at`; one that was paused already stays as it is."""
    if state.mode == "paused":
        return state
    return replace(frozen_arc(state, max(at, state.arc_t)), mode="paused", paused_t=at)


def phase_fact(state: State) -> tuple[Fact, ...]:
    """That the phase begins which the state is in."""
    return (Fact(code="phase_entered", values={"phase": state.here.code, "title": state.here.title}),)


def begin_arc(state: State, now: float) -> tuple[State, tuple[Fact, ...]]:
    """Out of the arrival, to where T+ says, once the one has ingested whom the arc counts from.

    A room that was paused stays so.
    """
    origin = origin_t(state)
    if origin is None or state.phase != 0 or state.programme is None or not state.programme.arrival_s:
        return state, ()
    place = min(max(0.0, now - origin), state.programme.arc_end_s)
    paused = state.mode == "paused"
    cuts = state.programme.pieces != "whole"
    moved = replanned(entered(state, index_at(state, place), place, now), cut=cuts)
    if paused:
        moved = replace(moved, mode="paused", paused_t=state.paused_t)
    return moved, phase_fact(moved)


def projected_end(state: State, now: float) -> float | None:
    """Room time at which the arc is over if nothing more is asked of it; it moves on while the arc stands."""
    if state.programme is None or not state.in_session or state.waiting_for == "end":
        return None
    return now + state.programme.arc_end_s - arc_position(state, now)


def booked_end(state: State) -> float | None:
    """Room time at which the programme would be over as it was opened, counted from the ingestion once it is known."""
    if state.booked is None or not state.in_session:
        return None
    origin = origin_t(state)
    if origin is None:
        origin = state.started_t + state.booked.arrival_s
    return origin + state.booked.arc_end_s
