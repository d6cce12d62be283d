"""Asked again in the middle of a session, the planner changes only what must change."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from msgspec.structs import replace

from controller.arc.planner import HELD_S
from controller.messages import Cue, Limits
from tests.arc.walk import Walk, codes, gaps


def same(before: tuple[Cue, ...], after: tuple[Cue, ...]) -> bool:
    """The same pieces at the same places, but for the rounding of a float."""
    return len(before) == len(after) and all(
        replace(a, start_s=0.0) == replace(b, start_s=0.0) and a.start_s == pytest.approx(b.start_s, abs=1e-6)
        for a, b in zip(before, after, strict=True)
    )


@settings(max_examples=30)
@given(some.integers(0, 10_000), some.sampled_from(["psilocybin-25mg", "mdma", "lsd-100ug"]), some.floats(0.0, 0.95))
def test_where_nothing_changed_the_plan_is_the_same(seed: int, name: str, share: float) -> None:
    walk = Walk.begin(name, seed)
    before = walk.made.cues
    walk.wait(share * walk.programme.arc_end_s)
    assert same(tuple(cue for cue in before if cue.end_s > walk.now), walk.plan().cues)


@settings(max_examples=20)
@given(some.integers(0, 10_000), some.floats(70, 185), some.floats(1, 100))
def test_a_hold_at_the_peak_leaves_the_descent_as_it_was(seed: int, at_min: float, held_min: float) -> None:
    walk = Walk.begin(seed=seed)
    descent, back = walk.of("descent"), walk.of("return")
    walk.wait(at_min * 60)
    peak = [cue.piece.path for cue in walk.made.cues if cue.phase == "peak" and cue.end_s > walk.now]
    walk.held = True
    walk.plan()
    assert walk.of("peak")[: len(peak)] == peak
    assert (walk.of("descent"), walk.of("return")) == (descent, back)
    walk.wait(held_min * 60)
    walk.held = False
    walk.plan()
    kept = [path for path in walk.of("descent") if path in descent]
    assert len(kept) >= len(descent) - 2
    assert len([path for path in walk.of("return") if path in back]) >= len(back) - 2
    assert all(abs(miss) <= 5.0 for _, miss in walk.made.misses[1:])
    assert walk.made.short_s == 0.0


@pytest.mark.parametrize("seed", range(5))
def test_skipping_brings_what_was_to_come_and_fills_the_phase_anew(seed: int) -> None:
    walk = Walk.begin(seed=seed)
    walk.wait(80 * 60)
    coming = [cue.piece.path for cue in walk.made.cues if cue.start_s > walk.now]
    later = walk.of("descent")
    walk.plan(cut=True)
    after = [cue for cue in walk.made.cues if cue.start_s > walk.now]
    assert [cue.piece.path for cue in after][:3] == coming[:3]
    assert all(cue.end_s <= walk.now + 20.0 for cue in walk.made.cues if cue.start_s <= walk.now)
    assert walk.of("descent") == later
    assert all(abs(miss) <= 5.0 for _, miss in walk.made.misses)


def test_what_plays_is_never_cut_unless_asked() -> None:
    walk = Walk.begin()
    for _ in range(12):
        walk.wait(20 * 60)
        playing = walk.playing()
        walk.programme = walk.programme.with_minutes(walk.phase, walk.programme.phases[walk.phase].minutes * 0.9)
        assert playing in walk.plan().cues or walk.made.cues[0].length_s == playing.length_s


def test_a_longer_phase_keeps_its_pieces_and_gets_more() -> None:
    walk = Walk.begin("mdma")
    phase = next(phase for phase in walk.programme.phases if phase.code == "work-1")
    before, after = walk.of("work-1"), walk.of("work-2")
    walk.programme = walk.programme.with_minutes(walk.programme.index_of("work-1"), phase.minutes + 45)
    walk.wait(70 * 60)
    walk.plan()
    assert (
        walk.of("work-1")[: len(before) - 5]
        == [path for path in before if path in walk.of("work-1")][: len(before) - 5]
    )
    assert len(walk.of("work-1")) > len(before) - 5
    assert [path for path in walk.of("work-2") if path in after] == after
    assert all(abs(miss) <= 5.0 for _, miss in walk.made.misses)


def test_a_piece_that_turned_out_broken_is_all_that_is_exchanged() -> None:
    walk = Walk.begin()
    broken = next(cue for cue in walk.made.cues if cue.phase == "return")
    before = set(walk.of("return"))
    untouched = walk.of("peak") + walk.of("descent")
    walk.plan(broken=frozenset({broken.piece.path}))
    assert broken.piece.path not in walk.of("return")
    assert len(before - set(walk.of("return"))) <= 5
    assert walk.of("peak") + walk.of("descent") == untouched
    assert all(abs(miss) <= 5.0 for _, miss in walk.made.misses)
    assert codes(walk.made, "dropped") == [{"title": broken.piece.title, "phase": "return", "why": "broken"}]


def test_changed_limits_take_out_what_breaks_them_and_leave_the_rest() -> None:
    walk = Walk.begin(seed=3)
    before = walk.of("return")
    walk.plan(limits=Limits(no_vocals=True))
    assert not any(cue.piece.vocals for cue in walk.made.cues[1:])
    sung = len([reason for reason in codes(walk.made, "dropped") if reason["phase"] == "return"])
    assert sung
    assert len([path for path in walk.of("return") if path in before]) >= len(before) - sung - 5


def test_a_short_landing_ends_where_it_should() -> None:
    walk = Walk.begin()
    walk.wait(100 * 60)
    walk.programme = walk.programme.with_minutes(len(walk.programme.phases) - 1, 30.0)
    walk.go("return")
    walk.plan()
    assert all(abs(miss) <= 5.0 for _, miss in walk.made.misses)
    assert {cue.phase for cue in walk.made.cues} == {"peak", "return"}


def test_a_phase_that_is_held_draws_on_its_pool_then_on_sets_then_on_its_like_and_at_last_again() -> None:
    walk = Walk.begin(pieces=130)
    walk.wait(66 * 60 + 30)
    walk.held = True
    walk.plan()
    while not codes(walk.made, "chosen") or "again" not in {r["why"] for r in codes(walk.made, "chosen")}:
        walk.wait(3600.0)
        walk.plan()
        assert not gaps(walk.made.cues, walk.now, walk.now + HELD_S - 60.0)
        assert walk.now < 60 * 3600
    assert walk.made.short_s == 0.0
    sources = [cue.piece.path.split("/")[1] for cue in walk.heard if cue.phase == "peak"]
    first = {source: sources.index(source) for source in dict.fromkeys(sources)}
    order = sorted(first, key=lambda source: first[source])
    sets = {one.source for one in walk.programme.sets if one.kind != "grounding"}
    assert order[0] == "peak"
    assert set(order[1 : 1 + len(sets & set(order))]) <= sets
    assert "grounding" not in order, "kept for when somebody asks for it"


def test_even_one_piece_is_better_than_silence_while_a_phase_is_held() -> None:
    walk = Walk.begin()
    one = walk.pool.shelf("peak").pieces[0]
    walk.pool = type(walk.pool)({"peak": [one]})
    walk.go("peak")
    walk.made = dataclasses.replace(walk.made, cues=())
    walk.held = True
    walk.plan()
    assert not gaps(walk.made.cues, walk.now, walk.now + HELD_S)
    assert {cue.piece.path for cue in walk.made.cues if cue.phase == "peak"} == {one.path}


@pytest.mark.parametrize("fade_s", [0.0, 4.0, 60.0])
@pytest.mark.parametrize("done", [0.1, 0.5, 0.9])
def test_a_piece_that_is_nearly_out_does_not_rise_again_when_the_next_one_is_skipped(
    fade_s: float, done: float
) -> None:
    walk = Walk.begin()
    fading = next(cue for cue in walk.made.cues if cue.start_s > 0.0)
    slow = replace(fading, fade_out_s=30.0)
    walk.made = dataclasses.replace(
        walk.made, cues=tuple(slow if cue is fading else cue for cue in walk.made.cues if cue.end_s <= fading.end_s)
    )
    phases = tuple(phase.model_copy(update={"crossfade_s": fade_s}) for phase in walk.programme.phases)
    walk.programme = walk.programme.model_copy(update={"phases": phases})
    walk.wait(slow.end_s - 30.0 * (1.0 - done))
    after = next(cue for cue in walk.plan(cut=True).cues if cue.id == slow.id)
    assert (after.end_s - walk.now) / after.fade_out_s == pytest.approx(1.0 - done)
    assert after.end_s <= walk.now + 2.0 + fade_s + 1e-6


@pytest.mark.parametrize("left_s", [2.1, 1.0])
@pytest.mark.parametrize("gapless", [False, True])
def test_where_the_piece_that_comes_in_breaks_the_next_one_does_not_burst_in(left_s: float, gapless: bool) -> None:
    walk = Walk.begin()
    phases = tuple(phase.model_copy(update={"gapless": gapless}) for phase in walk.programme.phases)
    walk.programme = walk.programme.model_copy(update={"phases": phases})
    going, coming = (replace(cue, fade_in_s=8.0, fade_out_s=8.0, after=0) for cue in walk.made.cues[:2])
    coming = replace(coming, start_s=going.end_s - 8.0)
    walk.made = dataclasses.replace(walk.made, cues=(going, coming))
    walk.wait(going.end_s - left_s)
    follows = next(cue for cue in walk.plan(broken=frozenset({coming.piece.path})).cues if cue.start_s > walk.now)
    assert walk.now + 2.0 - 1e-6 <= follows.start_s <= walk.now + 2.2
    assert follows.fade_in_s == pytest.approx(3.0) and not follows.after
