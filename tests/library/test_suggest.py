from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from controller.library.suggest import WISHES, Character, character_of, rank
from controller.messages import Piece

EVEN = Piece(
    path="/m/even.flac",
    title="even",
    duration_s=300,
    loudness_range_lu=8.0,
    centroid_hz=1500.0,
    onset_rate_hz=1.0,
    onset_regularity=0.5,
    rise_db=1.0,
)


def like(name: str, **figures: float) -> Piece:
    return replace(EVEN, path=f"/m/{name}.flac", title=name, **figures)


def order(*pieces: Piece, character: Character = "peak") -> list[str]:
    return [each.piece.title for each in rank(pieces, character)]


def test_for_the_peak_darker_steadier_more_regular_and_slowly_building_music_comes_first() -> None:
    assert order(EVEN, like("dark", centroid_hz=900.0))[0] == "dark"
    assert order(EVEN, like("steady", loudness_range_lu=4.0))[0] == "steady"
    assert order(EVEN, like("regular", onset_regularity=0.9))[0] == "regular"
    assert order(EVEN, like("building", rise_db=4.0))[0] == "building"


def test_louder_music_is_never_preferred() -> None:
    for character in WISHES:
        loud, soft = rank([replace(EVEN, lufs=-9.0, true_peak_dbfs=2.0), replace(EVEN, lufs=-30.0)], character)
        assert loud.score == soft.score


def test_a_great_crescendo_counts_no_more_than_a_slow_rise() -> None:
    slow, great = rank([like("slow", rise_db=6.0), like("great", rise_db=20.0)], "peak")
    assert slow.score == great.score


def test_the_way_up_is_brighter_than_the_peak_and_rest_has_few_events() -> None:
    bright = like("bright", centroid_hz=2500.0)
    assert order(EVEN, bright, character="ascent")[0] == "bright"
    assert order(EVEN, bright, character="peak")[0] == "even"
    assert order(EVEN, like("still", onset_rate_hz=0.1), character="calm")[0] == "still"
    assert order(EVEN, like("building", rise_db=5.0), character="descent")[0] == "even"


def test_the_figures_behind_each_rank_are_there() -> None:
    best, middle, worst = rank(
        [like("b", centroid_hz=1000.0), like("a", centroid_hz=500.0), like("c", centroid_hz=2000.0)], "peak"
    )
    brightness = [next(s for s in each.standings if s.wish.figure == "centroid_hz") for each in (best, middle, worst)]
    assert [standing.value for standing in brightness] == [500.0, 1000.0, 2000.0]
    assert [standing.share for standing in brightness] == [1.0, 0.5, 0.0]
    # Everything else is equal: a half each, whatever its weight.
    assert best.score - middle.score == pytest.approx(middle.score - worst.score)


def test_a_phase_s_intensity_says_what_kind_it_is() -> None:
    assert character_of((0.9, 0.8)) == "peak"
    assert character_of((0.15, 0.7)) == "ascent"
    assert character_of((0.75, 0.25)) == "descent"
    assert character_of((0.2,)) == "calm"
    assert character_of((0.4, 0.85)) == "ascent"


def test_one_piece_alone_and_none_at_all_can_be_ranked() -> None:
    assert rank([], "peak") == []
    assert rank([EVEN], "peak")[0].score == 50.0


@given(st.lists(st.tuples(*[st.floats(-50, 5000)] * 5), min_size=1, max_size=12), st.sampled_from(sorted(WISHES)))
def test_every_piece_is_ranked_once_between_0_and_100_in_the_same_order_whatever_the_order_given(
    figures: list[tuple[float, ...]], character: Character
) -> None:
    names = ("loudness_range_lu", "centroid_hz", "onset_rate_hz", "onset_regularity", "rise_db")
    pieces = [like(f"{at:02d}", **dict(zip(names, row, strict=True))) for at, row in enumerate(figures)]
    ranked = rank(pieces, character)
    assert sorted(each.piece.path for each in ranked) == [piece.path for piece in pieces]
    assert all(0 <= each.score <= 100 for each in ranked)
    assert [each.piece for each in rank(pieces[::-1], character)] == [each.piece for each in ranked]
