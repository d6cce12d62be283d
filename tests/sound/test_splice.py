"""One decoding laid against another of the same file."""

import numpy as np
import pytest

from controller.sound.splice import find_shift

RATE = 48_000
PART, REACH = RATE // 5, RATE // 8


def low_chord(seconds: float) -> np.ndarray:
    """Soft and slow, as the music of a session: a frame beside its place it is almost the same."""
    t = np.arange(round(seconds * RATE)) / RATE
    chord = sum(np.sin(2 * np.pi * hertz * t + hertz) / hertz for hertz in (36.7, 55.0, 73.4, 110.0, 146.8))
    left = np.round(chord * (0.8 + 0.2 * np.sin(2 * np.pi * 0.11 * t)) * 4e5) / 32_768
    return np.stack([left, np.roll(left, 9)]).astype(np.float32)


@pytest.mark.parametrize("shift", [-6_000, -1_308, -1, 0, 1, 17, 654, 5_999])
def test_low_and_steady_music_is_found_to_the_very_frame(shift: int) -> None:
    music = low_chord(2.0)
    at = RATE // 2
    first = at - REACH - shift
    assert find_shift(music[:, at : at + PART], music[:, first : first + PART + 2 * REACH]) == shift


def test_of_a_tone_that_is_the_same_in_many_places_the_nearest_is_taken() -> None:
    tone = np.tile(np.round(9_000 * np.sin(2 * np.pi * np.arange(480) / 480)) / 32_768, 100)
    both = np.stack([tone, tone]).astype(np.float32)
    assert find_shift(both[:, 9_600 : 9_600 + PART], both[:, 9_600 - REACH + 50 : 9_600 + 50 + PART + REACH]) == -50


def test_nothing_is_said_of_silence_or_of_other_music() -> None:
    silence = np.zeros((2, PART + 2 * REACH), np.float32)
    noise = np.random.default_rng(3).standard_normal((2, PART)).astype(np.float32)
    assert find_shift(silence[:, :PART], silence) == 0
    assert find_shift(noise, low_chord(0.5)[:, : PART + 2 * REACH]) == 0
