"""From the state of a session to a request to the planner: the one place that knows both."""

from __future__ import annotations

from collections.abc import Callable

from controller.arc.planner import Plan, PlanRequest, plan
from controller.arc.programme import Programme
from controller.arc.shelves import Pool
from controller.messages import Replan
from controller.session.course import begun
from controller.session.state import State, arc_position, timeline_position


def make_plan(state: State, ask: Replan, pool: Pool, now: float) -> Plan:
    """Plan from where arc and sound stand at room time `now`: the record of the request may have taken its time."""
    assert state.programme is not None
    return plan(
        PlanRequest(
            programme=state.programme,
            pool=pool,
            arc_s=arc_position(state, now),
            phase=state.phase,
            timeline_s=timeline_position(state, now),
            cues=state.cues,
            played=state.played,
            broken=state.broken,
            held=ask.held,
            waits=waits_to_come(state),
            cut=ask.cut,
            limits=pool.meant(state.limits),
            set_code=state.set_code,
            set_until_s=state.set_until_s,
            seed=state.seed,
            target_lufs=state.rules.target_lufs,
            peak_dbfs=state.rules.peak_dbfs,
        )
    )


def waits_to_come(state: State) -> frozenset[str]:
    """The codes of the phases at whose end the arc will wait, as things stand."""
    assert state.programme is not None
    kinds = ("onset",) if begun(state) else ("onset", "ingestion")
    return frozenset(phase.code for phase in state.programme.phases if phase.wait_for in kinds)


def planner_for(pool: Callable[[Programme], Pool], now: Callable[[], float]) -> Callable[[State, Replan], Plan]:
    """A planner for the runner, over the pool of the session's programme as it is when asked."""

    def planned(state: State, ask: Replan) -> Plan:
        assert state.programme is not None
        return make_plan(state, ask, pool(state.programme), now())

    return planned
