from hypothesis import given
from hypothesis import strategies as st

from controller.messages import Cue, Piece
from controller.sound.timeline import RATE, Anchor, Ramp, Sheet, Timeline

PIECE = Piece(path="a.flac", title="a", duration_s=600.0)


def test_the_timeline_moves_during_the_fade_of_a_pause_and_then_stands() -> None:
    timeline = Timeline()
    timeline.turn("play", 0.0)
    assert timeline.advance(RATE) == RATE
    timeline.turn("pause", 2.0)
    assert timeline.advance(5 * RATE) == 2 * RATE
    assert timeline.still
    assert timeline.advance(RATE) == 0
    timeline.turn("play", 6.0)
    assert timeline.advance(RATE) == RATE
    assert timeline.seconds == 4.0


def test_a_fade_that_turns_round_goes_on_from_where_it_is() -> None:
    timeline = Timeline(transport="play", gate=Ramp(1.0, 1.0))
    timeline.turn("pause", 2.0)
    timeline.advance(RATE)
    assert abs(timeline.gate.value - 0.5) < 1e-6
    timeline.turn("play", 6.0)
    timeline.advance(RATE)
    assert abs(timeline.gate.value - (0.5 + 1 / 6)) < 1e-6


@given(st.lists(st.tuples(st.sampled_from(["play", "pause"]), st.integers(0, 3 * RATE)), max_size=12))
def test_a_timeline_lands_at_the_same_place_in_small_steps_and_in_large_ones(turns: list) -> None:
    fine, coarse = Timeline(), Timeline()
    for transport, frames in turns:
        for timeline in (fine, coarse):
            timeline.turn(transport, 1.0)
        coarse.advance(frames)
        for start in range(0, frames, 960):
            fine.advance(min(960, frames - start))
    assert abs(fine.frame - coarse.frame) <= len(turns)
    assert abs(fine.gate.value - coarse.gate.value) < 1e-6


def test_an_anchor_carries_the_timeline_over_the_time_nobody_looked() -> None:
    timeline = Timeline(frame=10 * RATE, transport="play", gate=Ramp(1.0, 1.0))
    anchor = Anchor(100.0, timeline)
    assert anchor.at(107.5).seconds == 17.5
    timeline.turn("pause", 2.0)
    assert anchor.at(200.0).seconds == 12.0


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 300)), max_size=40),
    st.integers(0, 600),
    st.integers(1, 50),
)
def test_a_sheet_finds_exactly_the_cues_that_sound(spans: list, first: int, length: int) -> None:
    cues = [Cue(id=n, start_s=start, length_s=long, piece=PIECE) for n, (start, long) in enumerate(spans)]
    found = Sheet("s", 1, cues).between(first * RATE, (first + length) * RATE)
    expected = {c.id for c in cues if c.length_s and c.start_s < first + length and c.end_s > first}
    assert {laid.cue.id for laid in found} == expected
