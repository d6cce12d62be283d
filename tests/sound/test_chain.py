"""From decks to channels, fed with what never should come: no ceiling is passed, and no level jumps."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.sound.ceiling import CHUNK, DELAY, WINDOW
from controller.sound.mixer import BLOCK, Mixer
from controller.sound.resampler import Resampler
from controller.sound.settings import Bus
from controller.sound.timeline import RATE, Sheet, Timeline
from tests.measure_audio import find_clicks
from tests.sound.room import amplitude
from tests.sound.test_ceiling import make_block
from tests.sound.test_mixer import cue, lay, mixer_for, render, sine, voice

SIX = (
    Bus(name="speakers", channels=(1, 2), ceiling_dbfs=-3.0),
    Bus(name="headphones", channels=(3, 4), ceiling_dbfs=-12.0, level_db=6.0),
    Bus(name="second", channels=(6, 5), ceiling_dbfs=-20.0, level_db=-9.0),
)

kinds = st.sampled_from(["silence", "square", "nan", "hot", "noise", "click", "low", "infinity", "steady"])
level = st.sampled_from([-60.0, -20.0, 0.0, 20.0])
act = st.one_of(
    st.tuples(st.just("turn"), st.sampled_from(["play", "pause"]), st.sampled_from([0.0, 0.1])),
    st.tuples(st.just("music"), st.floats(0, 1), st.sampled_from([0.0, 0.1])),
    st.tuples(st.just("fader"), st.sampled_from([bus.name for bus in SIX]), st.sampled_from([0.0, -40.0, 24.0, -3.0])),
    st.tuples(st.just("nothing")),
)
moment = st.tuples(kinds, level, act)


def do(mixer: Mixer, what: tuple) -> None:
    match what:
        case ("turn", transport, fade_s):
            mixer.turn(transport, fade_s)
        case ("music", wanted, fade_s):
            mixer.set_music(wanted, fade_s)
        case ("fader", name, level_db) if name in mixer.strips:
            mixer.set_fader(name, level_db, 0.0)


@pytest.mark.parametrize("pairs", [1, 2, 3])
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moments=st.lists(moment, min_size=2, max_size=25))
def test_whatever_a_piece_brings_and_whoever_turns_what_no_ceiling_is_passed_and_no_gain_jumps(
    tmp_path: Path, pairs: int, moments: list
) -> None:
    """What went in is known, so the gain of the whole chain is; it is judged by the sound that it is applied to."""
    from scipy.signal import resample_poly

    mixer = mixer_for(tmp_path, SIX[:pairs])
    lay(mixer, one := voice(cue(1, 0, 60), np.zeros(RATE)))
    one.deck.written = 9 * RATE
    mixer.turn("play", 0.0)
    render(mixer, 0.2)
    blocks = {}

    def read(source: int, count: int) -> np.ndarray:
        kind, level_db, _ = moments[len(out)]
        block = blocks[source] = make_block(kind, level_db, len(out))[:, :count].copy()
        return block

    one.deck.read = read  # type: ignore[method-assign]
    put, out = [np.zeros(DELAY)], []
    for _, _, what in moments:
        do(mixer, what)
        at, before = mixer.timeline.frame, len(blocks)
        out.append(mixer.render()[0])
        came = blocks[at] if len(blocks) > before else np.zeros((2, 0))
        put.append(np.concatenate([came[0], np.zeros(BLOCK - came.shape[1])]))
    heard = np.concatenate(out)
    sound = np.nan_to_num(np.concatenate(put), nan=0.0, posinf=0.0, neginf=0.0)[: len(heard)]
    here = np.flatnonzero(sound[:-1] * sound[1:])
    for bus in SIX[:pairs]:
        channels = heard[:, [channel - 1 for channel in bus.channels]].astype(np.float64)
        limit = 10 ** (bus.ceiling_dbfs / 20)
        assert np.isfinite(channels).all()
        assert np.abs(channels).max() <= limit
        between = np.abs(resample_poly(channels, 4, 1, axis=0, window=("kaiser", 8.0))[2_000:-2_000])
        assert between.max(initial=0.0) <= limit * 10 ** (0.1 / 20), "true peak, four times oversampled"
        left = channels[:, 0]
        moved = np.abs(left[here + 1] / sound[here + 1] - left[here] / sound[here]) * np.abs(sound[here])
        assert moved.max(initial=0.0) <= limit / (WINDOW * CHUNK) * 1.001 + 1e-6 * limit


def test_each_of_three_pairs_has_its_own_fader_its_own_mute_and_its_own_ceiling(tmp_path: Path) -> None:
    mixer = mixer_for(tmp_path, SIX)
    lay(mixer, voice(cue(1, 0, 60, gain_db=6.0), sine(440, 9, 0.25)))
    mixer.turn("play", 0.0)
    mixer.set_fader("speakers", -10.0, 0.2)
    first, _ = render(mixer, 1.5)
    mixer.set_fader("headphones", -120.0, 1.0)
    muted, _ = render(mixer, 2.0)
    mixer.set_fader("headphones", 0.0, 1.0)
    back, _ = render(mixer, 2.0)
    out = np.concatenate([first, muted, back])
    assert out.shape[1] == 6
    for channel in out.T:
        assert find_clicks(channel, RATE) == []
    np.testing.assert_array_equal(out[:, 0], out[:, 1])
    levels = [20 * np.log10(amplitude(part[-RATE // 2 :, n], 440).mean()) for part in (first, back) for n in (0, 2, 4)]
    music = 20 * np.log10(0.25) + 6.0
    assert levels[:3] == pytest.approx([music - 10, -12.0, -20.0], abs=0.15), "its fader; a ceiling; another ceiling"
    assert levels[3:] == pytest.approx(levels[:3], abs=0.02), "as before the mute"
    # The mute of one pair is a ramp, and no other pair hears of it.
    assert np.abs(muted[-RATE // 2 :, 2:4]).max() < 1e-6
    fading = 20 * np.log10(amplitude(muted[:RATE, 2], 440))
    assert (np.diff(fading) < 0).all()
    for n in (0, 4):
        steady = amplitude(out[RATE:, n], 440)
        assert steady.max() / steady.min() < 1.002


@pytest.mark.parametrize("hertz", [40.0, 997.0, 10_007.0, 18_000.0])
def test_a_disc_at_another_rate_is_turned_into_ours_with_nothing_added(hertz: float) -> None:
    bank = Resampler(44_100)
    first, number = bank.window(0, RATE, 0)
    natives = 0.5 * np.sin(2 * np.pi * hertz * (first + np.arange(number)) / 44_100)
    made = bank.make(np.stack([natives] * 2).astype(np.float32), 0, RATE, 0)
    turn = 2 * np.pi * hertz * np.arange(RATE) / RATE
    model = np.stack([np.sin(turn), np.cos(turn)], axis=1)
    fitted = model @ np.linalg.lstsq(model, made[0].astype(np.float64), rcond=None)[0]
    added = 10 * np.log10(np.mean((made[0] - fitted) ** 2) / np.mean(fitted**2))
    assert added < -100, "THD+N in dB"
    assert 20 * np.log10(np.abs(fitted).max() / 0.5) == pytest.approx(0, abs=0.01)


def test_a_piece_of_a_new_session_begins_in_silence_where_the_old_one_still_sounded(tmp_path: Path) -> None:
    mixer = mixer_for(tmp_path, SIX[:1])
    lay(mixer, old := voice(cue(1, 0, 60), sine(440, 9)))
    mixer.turn("play", 0.0)
    before, _ = render(mixer, 1.0)
    fresh = voice(cue(2, 0, 60), sine(660, 9))
    mixer.let_go(old)
    mixer.begin(Timeline(turns=2), Sheet("t", 1, [fresh.laid.cue]))
    mixer.add(fresh)
    mixer.turn("play", 0.5)
    out, marks = render(mixer, 3.0)
    low, high = amplitude(out[:, 0], 440), amplitude(out[:, 0], 660)
    assert low[:10].min() > 0.02, "it fades and is not cut"
    assert (np.minimum(low, high) < 1e-3).all(), "never the two at once"
    assert high[-10:].min() > 0.099
    assert find_clicks(np.concatenate([before, out])[:, 0], RATE) == []
    assert [(mark.kind, mark.voice.laid.cue.id) for mark in marks if mark.voice] == [("ended", 1), ("started", 2)]
