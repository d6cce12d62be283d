"""The loop with the real journal: what is on record is what was, and nothing that goes wrong stops it."""

from __future__ import annotations

import asyncio
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from controller.arc.planner import Plan
from controller.journal.reading import kept_states, read_records, session_file, verify
from controller.messages import (
    Act,
    DeviceLost,
    Dose,
    End,
    EngineReported,
    Fact,
    Go,
    Hold,
    Input,
    Mark,
    Note,
    Opened,
    Origin,
    Pause,
    PieceStarted,
    Refused,
    Replan,
    Reply,
    Resume,
    SetTransport,
    Timer,
    Volume,
)
from controller.planning import planner_for
from controller.session.state import State, arc_position, opening
from tests.runner.room import Journaled, recovered, room
from tests.session.room import RULES, pool_of
from tests.session.test_random_sessions import acts
from tests.waiting import PATIENCE_S

TEXT = st.just("x")
more_acts: st.SearchStrategy[Act] = st.one_of(
    acts,
    st.builds(Note, text=st.text(st.characters(codec="utf-8"), max_size=20)),
    st.builds(PieceStarted, cue=st.integers(1, 9), title=TEXT, path=TEXT, at_t=st.floats(0, 9e4), frame=st.just(0)),
    st.just(End()),
)  # fmt: skip


@settings(
    max_examples=12,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(moments=st.lists(st.tuples(st.floats(0, 3000), more_acts), max_size=40), lamps=st.booleans())
def test_what_is_restored_is_the_state_that_was(
    tmp_path_factory: pytest.TempPathFactory, moments: list[tuple[float, Act]], lamps: bool
) -> None:
    state_dir = tmp_path_factory.mktemp("state")
    rules = RULES if lamps else replace(RULES, lamps=())

    async def live() -> tuple[State, Journaled]:
        async with room(state_dir, rules=rules) as it:
            it.start()
            await it.until(lambda: it.runner.state.mode == "running")
            await it.ask(Dose(amount=25.0, unit="mg"))
            for pause, act in moments:
                if not it.runner.state.in_session:
                    break
                it.clock.advance_to(it.clock.now() + pause)
                await it.ask(act)
                await it.until(
                    lambda: it.runner.state.plan == it.runner.state.plan_held or not it.runner.state.in_session
                )
            return it.runner.state, it.clock

    lived, clock = asyncio.run(live())
    found, restored = recovered(state_dir, clock)
    if lived.in_session:
        assert found.session is not None
        assert restored.state == lived
        assert not restored.unread
    else:
        assert found.session is None or restored.state == lived
        left = restored.state
        assert (left.buses, left.scene, left.light.end.level) == (lived.buses, lived.scene, lived.light.end.level)


async def test_a_daemon_that_died_before_the_first_plan_begins_the_session_after_all(tmp_path: Path) -> None:
    free = threading.Event()

    def never(state: State, ask: Replan) -> Plan:
        free.wait(PATIENCE_S)
        raise RuntimeError("died")

    async with room(tmp_path, planner=never) as it:
        it.start()
        await it.ask(DeviceLost(name="broker"))
        clock = it.clock
        assert it.runner.state.mode == "ready"
        it.runner._closed = True  # it dies here: what the planner answers is heard by nobody
    free.set()
    async with room(tmp_path, clock) as it:
        await it.until(lambda: it.runner.state.mode == "running")


async def test_a_plan_for_the_last_session_is_never_played_in_the_next(tmp_path: Path) -> None:
    free = threading.Event()
    clock = Journaled(t=1000.0)
    plan = planner_for(pool_of, clock.now)

    def slow(state: State, ask: Replan) -> Plan:
        if ask.session == "s1":
            free.wait(PATIENCE_S)
            return Plan(cues=(), short_s=0.0, misses=())
        free.set()
        return plan(state, ask)

    async with room(tmp_path, clock, planner=slow) as it:
        it.start("s1")
        await it.ask(DeviceLost(name="broker"))
        await it.ask(End())
        it.start("s2")
        await it.until(lambda: it.runner.state.mode == "running")
        await asyncio.sleep(0.02)
        assert it.runner.state.cues


async def test_a_power_cut_across_a_phases_border_leaves_the_arc_where_it_was(tmp_path: Path) -> None:
    async with room(tmp_path) as it:
        it.start()
        await it.until(lambda: it.runner.state.mode == "running")
        await it.ask(Dose())
        it.clock.advance_to(it.clock.now() + 1150)
        await it.ask(Mark(code="spoke"))
        clock = it.clock
    clock.advance_to(clock.now() + 500)
    async with room(tmp_path, clock, opened=Opened(rules=RULES, outage_s=500, rebooted=True)) as it:
        assert it.runner.state.here.code == "settle"
        assert arc_position(it.runner.state, clock.now()) == pytest.approx(1150)


async def test_a_repeat_is_answered_with_the_first_result_even_after_a_restart(tmp_path: Path) -> None:
    async with room(tmp_path) as it:
        it.start()
        await it.until(lambda: it.runner.state.mode == "running")
        first = await it.ask(Volume(step_db=-3.0), "one")
        refused = await it.ask(Mark(code="nothing"), "two")
        assert await it.ask(Volume(step_db=-3.0), "one") == first
        clock = it.clock
    async with room(tmp_path, clock) as it:
        assert await it.ask(Volume(step_db=-3.0), "one") == first
        assert (await it.ask(Mark(code="nothing"), "two")).refused == refused.refused
        assert it.runner.state.buses["speakers"] == -3.0


async def test_what_cannot_be_written_is_not_done_and_stops_nothing(tmp_path: Path) -> None:
    async with room(tmp_path) as it:
        it.start()
        await it.until(lambda: it.runner.state.mode == "running")
        before = it.runner.state
        it.runner.post_act(PieceStarted(cue=1, title="\udcff", path="/\udcff", at_t=1000.0, frame=0))
        assert it.runner.state is before
        assert (await it.ask(Pause())).seq > 0
        assert it.runner.waiting_s() == 0.0
    assert verify(session_file(tmp_path, "s1")).ok


async def test_a_pause_that_cannot_be_written_silences_the_room_all_the_same(tmp_path: Path) -> None:
    async with room(tmp_path) as it:
        it.start()
        await it.until(lambda: it.runner.state.mode == "running")
        it.heard.clear()
        answers: list[Reply] = []
        it.runner.post(Input(act=Pause(), origin=Origin(console="\udcff", path="socket")), answers.append)
        assert [effect.transport for effect in it.heard if isinstance(effect, SetTransport)] == ["pause"]
        assert it.runner.state.mode == "paused"
        assert [answer.refused for answer in answers] == ["fault"], "it is not said to be on record"
        assert (await it.ask(Resume())).seq > 0
    assert verify(session_file(tmp_path, "s1")).ok


async def test_a_fault_in_the_question_when_something_is_due_keeps_no_act_from_the_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from controller import runner as module

    def faulty(_state: State) -> float:
        raise RuntimeError("a fault")

    async with room(tmp_path) as it:
        it.start()
        await it.until(lambda: it.runner.state.mode == "running")
        monkeypatch.setattr(module, "next_deadline", faulty)
        assert (await it.ask(Mark(code="cold"))).refused == ""
        assert (await it.ask(Pause())).refused == ""
        assert it.runner.state.mode == "paused"


async def test_a_fault_in_a_timers_rule_neither_spins_nor_stops_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from controller import runner as module

    asked = 0

    def faulty(state: State, given: object, now: float, seq: int) -> object:
        nonlocal asked
        if isinstance(given.act, Timer):  # type: ignore[attr-defined]
            asked += 1
            raise RuntimeError("a fault")
        return real(state, given, now, seq)  # type: ignore[arg-type]

    real = module.step
    async with room(tmp_path) as it:
        it.start()
        await it.until(lambda: it.runner.state.mode == "running")
        await it.ask(Dose())
        monkeypatch.setattr(module, "step", faulty)
        it.clock.advance_to(it.clock.now() + 4000)
        assert (await it.ask(Pause())).seq > 0
        it.runner.state = replace(it.runner.state)
        asked = 0
        await asyncio.sleep(0.3)
        assert asked < 20
        monkeypatch.setattr(module, "step", real)


async def test_a_record_that_cannot_be_replayed_costs_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with room(tmp_path) as it:
        it.start()
        await it.until(lambda: it.runner.state.mode == "running")
        await it.ask(Dose())
        hold = await it.ask(Hold())
        await it.ask(Volume(step_db=-3.0))
        clock = it.clock
    from controller import restoring

    real = restoring.step

    def changed(state: State, given: object, now: float, seq: int) -> object:
        if isinstance(given.act, Hold):  # type: ignore[attr-defined]
            raise Refused("already")
        return real(state, given, now, seq)  # type: ignore[arg-type]

    monkeypatch.setattr(restoring, "step", changed)
    _, restored = recovered(tmp_path, clock)
    assert restored.unread == (hold.seq,)
    assert restored.state.buses["speakers"] == -3.0 and not restored.state.hold


async def test_every_phase_on_record_was_entered_once(tmp_path: Path) -> None:
    async with room(tmp_path) as it:
        it.start()
        await it.until(lambda: it.runner.state.mode == "running")
        for act in (Dose(), Go(phase="peak"), Pause(), Resume(), EngineReported(session="s1", transport="play")):
            await it.ask(act)
        await it.ask(End())
        assert it.runner.state != opening(RULES, 1000.0)
    facts: list[Fact] = [f for record, _ in read_records(session_file(tmp_path, "s1")) for f in record.facts]
    assert [f.values["phase"] for f in facts if f.code == "phase_entered"] == ["arrival", "settle", "peak"]


async def test_a_state_that_has_grown_is_kept_more_rarely_so_that_a_book_grows_evenly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.runner.SNAPSHOT_BYTES", 1500)
    async with room(tmp_path) as it:
        it.start()
        for _ in range(300):
            await it.ask(Mark(code="spoke"))
    kept = list(kept_states(session_file(tmp_path, "s1")))
    assert len(kept) >= 3
    for (seq, state), (after, _) in pairwise(kept):
        assert after - seq >= max(25, len(state) // 1500)
