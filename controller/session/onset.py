"""Rules of the wait for onset: a phase that waits stretches at its end until onset is marked, or its most is over.

Where onset is marked before, the phases that would wait no longer do: the programme is bent, as by every such act.
"""

from __future__ import annotations

from msgspec.structs import replace

from controller.arc.programme import ONSET, Programme
from controller.messages import Fact
from controller.session.calls import Ruled
from controller.session.course import phase_fact
from controller.session.state import State, replanned


def wait(state: State, since: float) -> State:
    """The state at the end of a phase that waits, since room time `since`."""
    most = state.here.most_s
    until = None if most is None else since + max(0.0, most - state.here.length_s)
    return replace(state, wait_until=until)


def go_on(state: State, now: float) -> Ruled:
    """Over the border into the next phase; the wait has ended."""
    state = replace(state, mode="running", waiting_for="", wait_until=None, lost_s=0.0)
    state = replace(state, phase=state.phase + 1, arc_t=now)
    return replanned(state), phase_fact(state)


def marked(state: State, now: float) -> Ruled:
    """Onset was marked: nothing waits for it any more."""
    assert state.programme is not None
    bent = _waiting_or_not(state, state.programme, waits=False)
    if bent is state.programme:
        return state, ()
    state = replanned(replace(state, programme=bent))
    if state.waiting_for == ONSET:
        state = replace(state, wait_until=None)
        if state.mode == "waiting":
            return go_on(state, now)
        state = replace(state, waiting_for="")  # paused: at the border, and over it when the room goes on
    return state, ()


def mark_taken_back(state: State) -> State:
    """The mark was a slip: what still lies ahead waits again. A phase that has begun since is not left."""
    assert state.programme is not None
    bent = _waiting_or_not(state, state.programme, waits=True)
    return state if bent is state.programme else replanned(replace(state, programme=bent))


def _waiting_or_not(state: State, programme: Programme, *, waits: bool) -> Programme:
    booked = (state.booked or programme).phases
    changes = {
        index: phase.model_copy(update={"wait_for": ONSET if waits else ""})
        for index, phase in enumerate(programme.phases)
        if index >= state.phase and booked[index].wait_for == ONSET and (phase.wait_for == ONSET) is not waits
    }
    if not changes:
        return programme
    phases = tuple(changes.get(index, phase) for index, phase in enumerate(programme.phases))
    return programme.model_copy(update={"phases": phases})


def waited_out(state: State, now: float) -> tuple[State, tuple[Fact, ...]]:
    """Time alone has ended the wait; the border lies where it ended."""
    assert state.wait_until is not None
    at = min(now, state.wait_until)
    state, facts = go_on(state, at)
    return state, (Fact(code="wait_over"), *facts)
