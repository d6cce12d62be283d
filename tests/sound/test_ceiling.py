import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from controller.sound.ceiling import DELAY, Ceiling

anything = arrays(
    np.float64,
    (960, 2),
    elements=st.floats(allow_nan=True, allow_infinity=True, width=64),
    fill=st.floats(min_value=-1, max_value=1),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(anything, min_size=1, max_size=4), st.floats(min_value=-40, max_value=0))
def test_whatever_comes_in_no_sample_passes_the_ceiling(blocks: list, ceiling_dbfs: float) -> None:
    ceiling = Ceiling(ceiling_dbfs)
    for block in [*blocks, np.zeros((960, 2))]:
        out = ceiling.process(block)
        assert np.isfinite(out).all()
        assert np.abs(out).max() <= 10 ** (ceiling_dbfs / 20) + 1e-15


def test_what_stays_under_the_ceiling_is_not_touched() -> None:
    ceiling = Ceiling(-3.0)
    sound = np.random.default_rng(1).uniform(-0.7, 0.7, (9600, 2))
    out = np.concatenate([ceiling.process(block) for block in np.split(sound, 10)])
    assert not ceiling.active
    np.testing.assert_array_equal(out[DELAY:], sound[:-DELAY])


def test_a_loud_piece_is_turned_down_not_cut_off() -> None:
    ceiling = Ceiling(-6.0)
    t = np.arange(48_000) / 48_000
    sound = np.sin(2 * np.pi * 100 * t)[:, None] * np.array([0.9, 0.9])
    out = np.concatenate([ceiling.process(block) for block in np.split(sound, 50)])
    steady = out[24_000:, 0]
    # A sine that was cut off would have a third harmonic some 16 dB below; limited it keeps its shape.
    spectrum = np.abs(np.fft.rfft(steady * np.hanning(len(steady))))
    fundamental, third = spectrum[50], spectrum[145:156].max()
    assert 20 * np.log10(third / fundamental) < -45
    assert np.abs(steady).max() <= 10 ** (-6 / 20)


def test_the_ceiling_opens_again_after_something_loud() -> None:
    ceiling = Ceiling(-6.0)
    ceiling.process(np.full((960, 2), 4.0))
    for _ in range(60):
        out = ceiling.process(np.full((960, 2), 0.25))
    assert not ceiling.active
    np.testing.assert_array_equal(out, 0.25)
