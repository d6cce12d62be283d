"""Keys that are tried before a session: each is a trial once, and no press for help is ever taken for one."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from controller.console.drill import KEYS, LASTS_S, KeyDrill


def meanings(*arrivals: tuple[str, float]) -> list[str]:
    drill = KeyDrill(0.0)
    return [drill.takes(key, at) for key, at in arrivals]


def test_each_key_is_a_trial_once() -> None:
    assert meanings(("1", 1), ("9", 2), ("c", 3), ("space", 4)) == ["trial"] * 4
    assert KeyDrill(0.0).left == KEYS


def test_every_other_key_is_meant() -> None:
    assert meanings(("e", 1), ("f1", 2), ("f9", 3), ("ctrl+g", 4), ("2", 5), ("escape", 6)) == ["meant"] * 6


def test_a_second_press_of_the_call_is_meant() -> None:
    assert meanings(("c", 1.0), ("c", 2.0)) == ["trial", "meant"]


def test_a_held_key_is_one_press() -> None:
    for first, then in ((0.25, 0.033), (0.5, 0.033), (0.25, 0.092)):
        held = [("c", 1.0), *(("c", 1.0 + first + then * at) for at in range(60))]
        assert set(meanings(*held)[1:]) == {"held"}


def test_whoever_taps_the_call_again_and_again_is_heard_by_the_third_tap() -> None:
    for gap in (0.13, 0.2, 0.3, 0.5):
        taps = [("c", 1.0 + gap * at) for at in range(6)]
        assert meanings(*taps)[:3] == ["trial", "held", "meant"]


def test_a_trial_that_was_left_open_is_over_after_a_minute() -> None:
    assert meanings(("c", LASTS_S + 0.1)) == ["meant"]


@given(st.lists(st.tuples(st.sampled_from([*KEYS, "e", "f1"]), st.floats(0.0, 3.0)), max_size=30))
def test_no_key_is_a_trial_twice(presses: list[tuple[str, float]]) -> None:
    drill, now, tried = KeyDrill(0.0), 0.0, set()
    for key, gap in presses:
        now += gap
        if drill.takes(key, now) == "trial":
            assert key in KEYS and key not in tried
            tried.add(key)
