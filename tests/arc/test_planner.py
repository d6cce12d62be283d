"""The planner: what plays when, from a pool of pieces."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import pytest
from msgspec.structs import replace

from controller.arc.curves import level_at, light_curve
from controller.arc.imagined import imagined_pool
from controller.arc.planner import Plan, PlanRequest, plan
from controller.arc.programme import Programme, parse_programme
from controller.arc.shelves import Pool
from controller.messages import Piece

PLAYLISTS = Path(__file__).parents[2] / "playlists"


@pytest.fixture
def programme() -> Programme:
    return parse_programme((PLAYLISTS / "psilocybin-25mg.toml").read_text())


def request(programme: Programme, **changes: object) -> PlanRequest:
    base = PlanRequest(programme=programme, pool=imagined_pool(programme), arc_s=0.0, phase=1, timeline_s=100.0, seed=1)
    return dataclasses.replace(base, **changes)  # type: ignore[arg-type]


def covered(made: Plan, start: float, end: float) -> float:
    """Seconds between start and end in which nothing plays."""
    silence, place = 0.0, start
    for cue in sorted(made.cues, key=lambda cue: cue.start_s):
        silence += max(0.0, cue.start_s - place)
        place = max(place, cue.end_s)
    return silence + max(0.0, end - place)


def test_every_phase_ends_where_a_piece_ends(programme: Programme) -> None:
    for seed in range(20):
        made = plan(request(programme, seed=seed))
        assert made.short_s == 0.0
        assert all(abs(miss) <= 5.0 for _, miss in made.misses), made.misses


def test_music_is_without_a_gap_from_ingestion_to_the_end(programme: Programme) -> None:
    made = plan(request(programme))
    assert covered(made, 102.0, 100.0 + programme.arc_end_s) == 0.0


def test_no_piece_comes_twice(programme: Programme) -> None:
    for seed in range(20):
        paths = [cue.piece.path for cue in plan(request(programme, seed=seed)).cues]
        assert len(paths) == len(set(paths))


def test_the_same_seed_gives_the_same_plan(programme: Programme) -> None:
    assert plan(request(programme, seed=7)) == plan(request(programme, seed=7))
    assert plan(request(programme, seed=7)) != plan(request(programme, seed=8))


def test_neighbours_overlap_by_the_same_fade(programme: Programme) -> None:
    cues = plan(request(programme)).cues
    for before, after in itertools.pairwise(cues):
        overlap = before.end_s - after.start_s
        assert overlap == pytest.approx(before.fade_out_s) == pytest.approx(after.fade_in_s)


def test_what_plays_is_left_alone(programme: Programme) -> None:
    first = plan(request(programme))
    playing = next(cue for cue in first.cues if cue.start_s > 2000)
    now = playing.start_s + 30.0
    again = plan(request(programme, cues=first.cues, timeline_s=now, arc_s=now - 100.0, phase=2, seed=9))
    assert playing in again.cues


def test_going_elsewhere_crosses_over_at_once(programme: Programme) -> None:
    first = plan(request(programme))
    playing = next(cue for cue in first.cues if cue.end_s - cue.start_s > 300)
    now = playing.start_s + 60.0
    cut = plan(request(programme, cues=first.cues, timeline_s=now, arc_s=programme.start_s(5), phase=5, cut=True))
    shortened = next(cue for cue in cut.cues if cue.id == playing.id)
    following = cut.cues[cut.cues.index(shortened) + 1]
    assert shortened.end_s < now + 20.0
    assert following.start_s < shortened.end_s
    assert following.phase == "return"


def test_a_poor_pool_is_counted_as_short_not_repeated(programme: Programme) -> None:
    pool = {"settle": [Piece(path="/one", title="one", duration_s=300.0)]}
    made = plan(request(programme, pool=Pool(pool)))
    assert made.short_s > 400 * 60
    assert len(made.cues) == 1


def test_pieces_are_levelled_without_breaking_the_peak(programme: Programme) -> None:
    loud = Piece(path="/a", title="a", duration_s=1190.0, lufs=-14.0, true_peak_dbfs=-1.0)
    soft = Piece(path="/b", title="b", duration_s=1190.0, lufs=-35.0, true_peak_dbfs=-20.0)
    gains = {}
    for piece in (loud, soft):
        made = plan(request(programme, pool=Pool({"settle": [piece]})))
        gains[piece.path] = made.cues[0].gain_db
    assert gains["/a"] == pytest.approx(-9.0)
    assert gains["/b"] == pytest.approx(12.0)


def test_light_has_no_step_where_phases_meet(programme: Programme) -> None:
    curve = light_curve(programme, 0.05, 0.8)
    places = [point[0] for point in curve]
    assert places == sorted(places)
    for index in range(1, len(programme.phases)):
        border = programme.start_s(index)
        assert level_at(curve, border - 0.5) == pytest.approx(level_at(curve, border + 0.5), abs=0.01)


def test_light_of_many_levels_in_a_short_phase_has_no_step_either(programme: Programme) -> None:
    ketamine = parse_programme((PLAYLISTS / "ketamine-iv-40min.toml").read_text())
    busy = ketamine.phases[1].model_copy(update={"light": (0.6, 0.1) * 5})
    many = ketamine.model_copy(update={"phases": (ketamine.phases[0], busy, *ketamine.phases[2:])})
    curve = light_curve(many, 0.05, 0.8)
    places = [point[0] for point in curve]
    assert places == sorted(places)
    seconds = range(int(many.start_s(0)), int(many.arc_end_s))
    assert max(abs(level_at(curve, at) - level_at(curve, at + 1)) for at in seconds) < 0.04


def test_a_scaled_programme_lasts_as_long_as_it_was_asked_to(programme: Programme) -> None:
    short = programme.scaled(6.0)
    assert sum(phase.length_s for phase in short.phases) == pytest.approx(360.0)
    assert all(phase.crossfade_s <= phase.length_s / 4 for phase in short.phases)


def test_a_piece_that_would_end_before_the_next_can_begin_goes_on_until_it_does() -> None:
    programme = parse_programme((PLAYLISTS / "demo.toml").read_text()).scaled(1)
    pieces = [Piece(path=f"/m/{n}.flac", title=str(n), duration_s=60.0) for n in range(6)]
    sources = {phase.source for phase in programme.phases}
    pool = Pool({source: [replace(piece, path=f"/{source}{piece.path}") for piece in pieces] for source in sources})
    first = plan(request(programme, pool=pool, timeline_s=0.0, arc_s=programme.start_s(0), phase=0))
    now = first.cues[0].end_s - first.cues[0].fade_out_s - 0.2  # about to fade out
    cut = plan(request(programme, pool=pool, cues=first.cues, timeline_s=now, arc_s=0.0, phase=1, cut=True))
    playing, following = cut.cues[0], cut.cues[1]
    assert playing.id == first.cues[0].id
    assert following.start_s >= now + 1.9
    assert playing.end_s == pytest.approx(following.start_s + following.fade_in_s)


@pytest.mark.parametrize("left_s", [0.4, 3.9, 4.6])
def test_where_pieces_may_be_cut_the_music_reaches_the_very_end(left_s: float) -> None:
    programme = parse_programme((PLAYLISTS / "demo.toml").read_text())
    final = programme.phases[-1]
    pool = Pool({
        phase.source: [Piece(path=f"/{phase.source}/{n}", title="", duration_s=length_s) for n in range(3)]
        for phase in programme.phases
        for length_s in [phase.length_s + phase.crossfade_s if phase is not final else
                         (phase.length_s - left_s) / 2 + phase.crossfade_s]
    })  # fmt: skip
    made = plan(request(programme, pool=pool))
    assert 0.0 <= made.cues[-1].end_s - (100.0 + programme.arc_end_s) <= 1.5 * final.crossfade_s
