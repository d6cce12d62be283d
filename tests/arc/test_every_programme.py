"""All shipped programmes over a generated library: borders met, nothing twice, no limit broken, whatever the seed."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from controller.arc.imagined import LANGUAGES, PIECES, TRADITIONS, imagined_pool
from controller.arc.planner import Plan, PlanRequest, plan
from controller.arc.programme import SILENCE, Programme
from controller.arc.shelves import Pool
from controller.arc.taste import forbids, taste_of
from controller.messages import Limits
from tests.arc.walk import Walk, every_programme, gaps, shipped

SAMPLE, ALL = 25, 1000
"""Seeds of each programme: in every run, and in the long proof."""


def made_by(programme: Programme, pool: Pool, seed: int) -> tuple[PlanRequest, Plan]:
    """The first plan of a session, with limits that a seed chose."""
    rng = random.Random(f"limits/{seed}")
    limits = Limits(
        no_vocals=rng.random() < 0.2,
        languages=tuple(rng.sample(LANGUAGES, rng.randrange(3))),
        traditions=tuple(rng.sample(TRADITIONS, rng.randrange(2))),
        pieces=tuple(f"(imagined) peak {rng.randrange(60)}" for _ in range(rng.randrange(3))),
    )
    waits = frozenset(phase.code for phase in programme.phases if phase.wait_for)
    start = programme.start_s(0)
    request = PlanRequest(
        programme=programme, pool=pool, arc_s=start, phase=0, timeline_s=0.0, waits=waits, limits=limits, seed=seed
    )
    return request, plan(request)


def check(request: PlanRequest, made: Plan) -> None:
    """What has to hold of any plan with a good library."""
    phases = {phase.code: phase for phase in request.programme.phases}
    paths = [cue.piece.path for cue in made.cues]
    assert len(paths) == len(set(paths)), "a piece comes twice"
    for cue in made.cues:
        assert not forbids(cue.piece, taste_of(phases[cue.phase], request.limits, 16.0, 0.0).rules), "a limit is broken"
        assert cue.length_s > 0 and cue.fade_in_s + cue.fade_out_s <= cue.length_s + 1e-6
        assert cue.offset_s + cue.length_s <= cue.piece.duration_s + 1e-6
        assert cue.piece.true_peak_dbfs + cue.gain_db <= request.peak_dbfs + 1e-6
    assert made.short_s == 0.0
    if not any(phase.source == SILENCE for phase in request.programme.phases):
        assert not gaps(made.cues, 0.0, made.cues[-1].end_s)


def misses_of(name: str, seeds: range) -> list[float]:
    """Checks every seed; gives by how much each border was missed."""
    programme = shipped(name)
    pool = imagined_pool(programme)
    found = []
    for seed in seeds:
        request, made = made_by(programme, pool, seed)
        check(request, made)
        found += [abs(miss) for _, miss in made.misses]
    return sorted(found)


@pytest.mark.parametrize("name", every_programme())
def test_every_border_of_every_programme_is_met(name: str) -> None:
    misses = misses_of(name, range(SAMPLE))
    assert misses[len(misses) // 2] <= 2.0
    assert misses[int(len(misses) * 0.95)] <= 5.0


@pytest.mark.proof
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", every_programme())
def test_a_thousand_seeds_break_no_limit_and_repeat_no_piece(name: str) -> None:
    misses = misses_of(name, range(ALL))
    assert misses[len(misses) // 2] <= 2.0
    assert misses[int(len(misses) * 0.95)] <= 5.0
    print(f"{name}: {len(misses)} borders, p95 {misses[int(len(misses) * 0.95)]:.2f} s, worst {misses[-1]:.2f} s")


@pytest.mark.parametrize("name", ["psilocybin-25mg", "lsd-100ug"])
def test_three_times_the_music_of_a_phase_is_enough_for_its_border(name: str) -> None:
    programme = shipped(name)
    whole = imagined_pool(programme, 1000)
    misses = []
    for seed in range(20):
        shelves = {}
        for phase in programme.phases:
            pieces = list(whole.shelf(phase.source).pieces)
            random.Random(seed).shuffle(pieces)
            kept = []
            while sum(piece.duration_s for piece in kept) < 3 * phase.length_s:
                kept.append(pieces.pop())
            shelves[phase.source] = kept
        made = Walk(programme, Pool(shelves), seed).plan()
        misses += [abs(miss) for _, miss in made.misses]
    misses.sort()
    assert misses[len(misses) // 2] <= 2.0
    assert misses[int(len(misses) * 0.95)] <= 5.0


def test_the_generated_library_is_like_a_real_one() -> None:
    pool = imagined_pool(shipped("psilocybin-25mg"))
    pieces = [piece for shelf in pool.shelves.values() for piece in shelf.pieces]
    assert abs(len(pieces) - PIECES) <= 10
    assert len({piece.path for piece in pieces}) == len(pieces) == len({piece.digest for piece in pieces})
    assert all(48.0 <= piece.duration_s <= 3600.0 for piece in pieces)
    assert 0.1 < sum(piece.vocals for piece in pieces) / len(pieces) < 0.27
    assert max(piece.lufs for piece in pieces) - min(piece.lufs for piece in pieces) > 14.0
    assert imagined_pool(shipped("psilocybin-25mg")).shelf("peak").pieces == pool.shelf("peak").pieces


def test_a_programme_that_names_its_pieces_rehearses_with_just_those() -> None:
    programme = shipped("preparation-hour")
    phase = programme.phases[0]
    music = phase.music.model_copy(update={"folder": "", "pieces": ("a/one.flac", "b/two.flac")})
    listed = programme.model_copy(update={"phases": (phase.model_copy(update={"music": music}),)})
    pool = imagined_pool(listed)
    assert [piece.path for piece in pool.shelf(listed.phases[0].source).pieces] == ["a/one.flac", "b/two.flac"]


def test_a_different_seed_is_a_different_session() -> None:
    one = Walk.begin(seed=1)
    two = replace(one, seed=2, made=Plan(cues=(), short_s=0.0, misses=()))
    assert len(set(one.of("descent")) & {cue.piece.path for cue in two.plan().cues if cue.phase == "descent"}) < 15
