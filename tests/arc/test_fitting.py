"""Filling a stretch of time to the second."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as some

from controller.arc.fitting import CLOSE_S, OVER_S, UNIT_S, fit, fit_runs

lengths = some.lists(some.integers(300, 9000).map(lambda tenths: tenths / 10), max_size=9)


@given(lengths, some.integers(60, 2400))
def test_no_other_choice_of_pieces_comes_nearer(given_lengths: list[float], room_s: int) -> None:
    chosen = fit(given_lengths, room_s)
    assert chosen == sorted(set(chosen))
    found = abs(sum(given_lengths[place] for place in chosen) - room_s)
    best = min(
        abs(sum(subset) - room_s)
        for count in range(len(given_lengths) + 1)
        for subset in itertools.combinations(given_lengths, count)
        if sum(subset) <= room_s + OVER_S
    )
    assert found <= max(best, CLOSE_S) + UNIT_S * len(given_lengths)


def test_earlier_pieces_are_preferred() -> None:
    assert fit([100.0, 200.0, 300.0, 300.0], 300.0) == [0, 1]


def test_less_suitable_pieces_are_left_alone_where_the_others_do_well() -> None:
    assert fit([298.5, 300.0], 300.0, ends={1}) == [0]
    assert fit([290.0, 300.0], 300.0, ends={1}) == [1]


def test_a_whole_day_is_filled_from_hundreds_of_pieces() -> None:
    many = [48.0 + (place * 7919 % 35520) / 10 for place in range(400)]
    total = sum(many[place] for place in fit(many, 12 * 3600.0))
    assert total == pytest.approx(12 * 3600.0, abs=1.0)


def test_pieces_that_belong_together_come_in_one_run_where_one_fits() -> None:
    assert fit_runs([300.0] * 10, range(10), 890.0, 10.0) == [0, 1, 2]


def test_two_runs_are_joined_where_one_does_not_fit() -> None:
    found = fit_runs([400.0, 100.0, 250.0, 170.0, 90.0], [0, 1, 5, 6, 7], 740.0, 10.0)
    assert found == [0, 1, 3, 4]
    assert fit_runs([400.0, 100.0, 250.0], [0, 1, 5], 2000.0, 10.0) == [0, 1, 2]


def test_a_run_that_joins_on_to_what_plays_wins_its_overlap_back() -> None:
    assert fit_runs([300.0, 310.0], [4, 8], 300.0, 10.0, after=3) == [0]
    assert fit_runs([300.0, 310.0], [4, 8], 300.0, 10.0) == [1]


@given(lengths, some.integers(60, 2400), some.sets(some.integers(0, 30), min_size=9, max_size=9))
def test_a_run_never_leaves_the_order_of_the_listing(given_lengths: list[float], room_s: int, at: set[int]) -> None:
    places = sorted(at)[: len(given_lengths)]
    chosen = fit_runs(given_lengths, places, room_s, 8.0)
    assert chosen == sorted(set(chosen))
