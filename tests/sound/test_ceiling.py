"""The last thing before the device, fed with what never should come and with music."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from controller.sound.ceiling import CHUNK, DELAY, MEMORY_S, QUIET_DB, RISE_CHUNKS, WINDOW, Ceiling
from controller.sound.timeline import RATE

BLOCK = 960

anything = arrays(
    np.float64,
    (2, BLOCK),
    elements=st.floats(allow_nan=True, allow_infinity=True, width=64),
    fill=st.floats(min_value=-1, max_value=1),
)

worst = st.tuples(
    st.sampled_from(["silence", "square", "nan", "hot", "noise", "click", "low", "infinity", "steady"]),
    st.floats(min_value=-60, max_value=20),
)
"""A block of 20 ms: its kind, and its level in dB."""

volume = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(min_value=0, max_value=1))
"""What all fades together make of a block."""


def make_block(kind: str, level_db: float, number: int) -> np.ndarray:
    t = (np.arange(BLOCK) + BLOCK * number) / RATE
    one = {
        "silence": lambda: np.zeros(BLOCK),
        "square": lambda: np.sign(np.sin(2 * np.pi * 441 * t + 0.1)),
        "hot": lambda: 10 * np.sin(2 * np.pi * 11_000 * t),
        "noise": lambda: np.random.default_rng(number).uniform(-1, 1, BLOCK),
        "click": lambda: np.eye(1, BLOCK, 333)[0],
        "low": lambda: np.sin(2 * np.pi * 25 * t),
        "nan": lambda: np.where(np.arange(BLOCK) % 7, 1.0, np.nan),
        "infinity": lambda: np.where(np.arange(BLOCK) % 5, -1.0, np.inf),
        "steady": lambda: np.ones(BLOCK),
    }[kind]()
    return (np.stack([one, -one]) * 10 ** (level_db / 20)).astype(np.float32)


def process(ceiling: Ceiling, sound: np.ndarray) -> np.ndarray:
    """(frames, 2) through the ceiling."""
    count = len(sound) // BLOCK
    blocks = np.split(np.ascontiguousarray(sound[: count * BLOCK].T, dtype=np.float32), count, axis=1)
    return np.concatenate([ceiling.process(block) for block in blocks], axis=1).T.astype(np.float64)


def true_peak(samples: np.ndarray, times: int = 8) -> float:
    """Of all but the first and last tenth of a second."""
    from scipy.signal import resample_poly

    away = times * RATE // 10
    return float(np.abs(resample_poly(samples, times, 1, axis=0, window=("kaiser", 12.0)))[away:-away].max())


@settings(max_examples=60)
@given(st.lists(anything, min_size=1, max_size=4), st.floats(min_value=-40, max_value=0))
def test_whatever_comes_in_no_sample_passes_the_ceiling(blocks: list, ceiling_dbfs: float) -> None:
    ceiling = Ceiling(ceiling_dbfs)
    for block in [*blocks, np.zeros((2, BLOCK), np.float32)]:
        with np.errstate(over="ignore"):
            out = ceiling.process(block.astype(np.float32))
        assert np.isfinite(out).all()
        assert np.abs(out).max() <= 10 ** (ceiling_dbfs / 20)


@settings(max_examples=150)
@given(st.lists(st.tuples(worst, volume), min_size=1, max_size=12), st.floats(min_value=-20, max_value=0))
def test_no_gain_makes_any_sound_louder_or_softer_faster_than_is_permitted(blocks: list, ceiling_dbfs: float) -> None:
    """The gain is what came out over what went in; how fast it moves is judged by the sound it is applied to.

    What is steepest of itself (an edge of a square) stays as steep: the chain has not made it.
    """
    ceiling = Ceiling(ceiling_dbfs)
    blocks = [*blocks, *[(("silence", 0.0), 0.0)] * 2]
    put = [make_block(kind, level, number) for number, ((kind, level), _) in enumerate(blocks)]
    out = np.concatenate([ceiling.process(b, f) for b, (_, f) in zip(put, blocks, strict=True)], axis=1)[0]
    sound = np.nan_to_num(np.concatenate(put, axis=1), nan=0.0, posinf=0.0, neginf=0.0)[0]
    sound = np.concatenate([np.zeros(DELAY, np.float32), sound])[: len(out)].astype(np.float64)
    here = np.flatnonzero(sound[:-1] * sound[1:])
    moved = np.abs(out[here + 1] / sound[here + 1] - out[here] / sound[here]) * np.abs(sound[here])
    # A sample of single precision is right to a ten-millionth.
    assert moved.max(initial=0.0) <= ceiling.limit / (WINDOW * CHUNK) * 1.001 + 3e-7 * ceiling.limit


@settings(max_examples=150)
@given(st.lists(worst, min_size=1, max_size=12), st.floats(min_value=-20, max_value=0))
def test_out_of_quiet_no_sample_lies_above_the_ramp(blocks: list, ceiling_dbfs: float) -> None:
    ceiling = Ceiling(ceiling_dbfs)
    limit = 10 ** (ceiling_dbfs / 20)
    sound = [make_block(kind, level, number) for number, (kind, level) in enumerate([*blocks, *[("silence", 0.0)] * 2])]
    sizes = np.abs(np.concatenate([ceiling.process(block) for block in sound], axis=1)).max(axis=0)
    quiet = limit * 10 ** (QUIET_DB / 20)
    risen = np.flatnonzero(sizes > quiet)
    assert sizes.max() <= limit
    if len(risen):
        # The guard follows in steps of a millisecond, and a step may begin at its end.
        ramp = quiet + limit / (RISE_CHUNKS * CHUNK) * (np.arange(len(sizes)) - risen[0] + 2 * CHUNK).clip(0)
        assert (sizes <= ramp * 1.000001).all()


def test_after_ten_quiet_seconds_a_sudden_level_comes_in_under_the_ramp_again() -> None:
    ceiling = Ceiling(-3.0)
    loud, quiet = np.full((BLOCK, 2), 0.5), np.full((BLOCK, 2), 0.01)
    process(ceiling, np.concatenate([loud] * 5 + [quiet] * 50 * (MEMORY_S + 1)))
    out = process(ceiling, np.concatenate([loud] * 5))[:, 0]
    assert out[DELAY + 24] < 0.06, "no more than a ramp has let in"
    assert 0.1 < out[DELAY + 960] < 0.4
    np.testing.assert_array_equal(out[DELAY + (RISE_CHUNKS + WINDOW) * CHUNK :], 0.5)


def test_an_attack_that_was_heard_before_keeps_its_edge() -> None:
    ceiling = Ceiling(-3.0)
    beat = np.zeros((RATE, 2))
    beat[:4_800] = (0.5 * np.exp(-np.arange(4_800) / 900) * np.sin(np.arange(4_800) / 8))[:, None]
    heard = process(ceiling, np.concatenate([beat] * 4))
    np.testing.assert_array_equal(heard[RATE + DELAY : 3 * RATE + DELAY], np.concatenate([beat] * 2).astype(np.float32))


def test_what_stays_under_the_ceiling_is_not_touched() -> None:
    ceiling = Ceiling(-3.0)
    t = np.arange(19_200) / RATE
    sound = np.repeat(0.4 * np.minimum(t / 0.1, 1.0)[:, None] * np.sin(2 * np.pi * 440 * t)[:, None], 2, axis=1)
    out = process(ceiling, sound)
    assert not ceiling.active
    np.testing.assert_array_equal(out[DELAY:], sound[:-DELAY].astype(np.float32))


def test_a_wave_that_peaks_between_the_samples_is_held_under_the_ceiling_too() -> None:
    t = np.arange(2 * RATE)
    # Every sample of this one lies 3 dB below its wave's peak.
    for hertz, phase in ((12_000, np.pi / 4), (11_025, 0.3), (7_000, 1.1), (997, 0.0)):
        sound = 1.2 * np.minimum(t / 4_800, 1.0) * np.sin(2 * np.pi * hertz / RATE * t + phase)
        out = process(Ceiling(-3.0), np.stack([sound, sound], axis=1))
        over = 20 * np.log10(true_peak(out)) + 3.0
        assert -1.0 < over < 0.1, (hertz, over)


def test_a_loud_piece_is_turned_down_not_cut_off() -> None:
    ceiling = Ceiling(-6.0)
    t = np.arange(48_000) / 48_000
    sound = np.sin(2 * np.pi * 100 * t)[:, None] * np.array([0.9, 0.9])
    steady = process(ceiling, sound)[24_000:, 0]
    # A sine that was cut off would have a third harmonic some 16 dB below; limited it keeps its shape.
    spectrum = np.abs(np.fft.rfft(steady * np.hanning(len(steady))))
    fundamental, third = spectrum[50], spectrum[145:156].max()
    assert 20 * np.log10(third / fundamental) < -45
    assert np.abs(steady).max() <= 10 ** (-6 / 20)


def test_the_ceiling_opens_again_after_something_loud() -> None:
    ceiling = Ceiling(-6.0)
    for _ in range(20):
        ceiling.process(np.full((2, BLOCK), 4.0, np.float32))
    for _ in range(80):
        out = ceiling.process(np.full((2, BLOCK), 0.25, np.float32))
    assert not ceiling.active
    np.testing.assert_array_equal(out, 0.25)
