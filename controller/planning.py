"""From the state of a session to a request to the planner: the one place that knows both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from controller.arc.planner import Plan, PlanRequest, plan
from controller.messages import Piece, Replan
from controller.session.state import State, arc_position, timeline_position

Pool = Mapping[str, Sequence[Piece]]


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
            cut=ask.cut,
            limits=state.limits,
            set_code=state.set_code,
            set_until_s=state.set_until_s,
            seed=state.seed,
            target_lufs=state.rules.target_lufs,
            peak_dbfs=state.rules.peak_dbfs,
        )
    )


def planner_for(pool: Callable[[], Pool], now: Callable[[], float]) -> Callable[[State, Replan], Plan]:
    """A planner for the runner, over the pool as it is when asked."""
    return lambda state, ask: make_plan(state, ask, pool(), now())
