"""The mixer without a clock: decks filled by hand, blocks asked for as fast as they come."""

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from controller.messages import Cue, Piece
from controller.sound.ceiling import DELAY, WINDOW
from controller.sound.deck import CAPACITY_S, Deck
from controller.sound.mixer import BLOCK, Mark, Mixer
from controller.sound.settings import Bus, SoundSettings
from controller.sound.timeline import RATE, SHORTEST_RAMP, Laid, Sheet
from controller.sound.voice import Voice
from tests.measure_audio import find_clicks
from tests.seeds import any_seed
from tests.sound.room import amplitude

BUSES = (Bus(name="speakers", channels=(1, 2), ceiling_dbfs=0.0),)


def mixer_for(tmp_path: Path, buses: tuple[Bus, ...] = BUSES) -> Mixer:
    return Mixer(SoundSettings(room="test", runtime_dir=tmp_path, buses=buses))


def cue(number: int, start_s: float, length_s: float, fade_s: float = 0.0, **more: float) -> Cue:
    piece = Piece(path=f"{number}.flac", title=str(number), duration_s=60.0)
    words = {"fade_in_s": fade_s, "fade_out_s": fade_s, **more}
    return Cue(id=number, start_s=start_s, length_s=length_s, piece=piece, **words)


def feed(deck: Deck, samples: np.ndarray) -> None:
    """Write mono samples as libVLC would, a thousand frames at a time."""
    stereo = np.ascontiguousarray(np.repeat((samples * 32767).astype("<i2")[:, None], 2, axis=1))
    for start in range(0, len(stereo), 1_000):
        part = np.ascontiguousarray(stereo[start : start + 1_000])
        deck.write(part.ctypes.data, len(part))


def sine(hertz: float, seconds: float, level: float = 0.1) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


def voice(a_cue: Cue, samples: np.ndarray, ended: bool = False, rate: int = RATE) -> Voice:
    """A voice whose deck holds all of `samples` (at most ten seconds)."""
    deck = Deck(a_cue.piece, 0.0, 0)
    deck.prepare(rate)
    feed(deck, samples)
    deck.ended = ended
    return Voice(Laid.from_cue(a_cue), deck, safe=SHORTEST_RAMP)


def lay(mixer: Mixer, *voices: Voice) -> None:
    mixer.sheet = Sheet("s", 1, [one.laid.cue for one in voices])
    mixer.voices = voices


def render(mixer: Mixer, seconds: float, each: Callable[[int], None] = lambda _: None) -> tuple[np.ndarray, list[Mark]]:
    blocks, marks = [], []
    for number in range(int(seconds * RATE / BLOCK)):
        each(number)
        block, told = mixer.render()
        blocks.append(block)
        marks += told
    return np.concatenate(blocks), marks


def assert_no_click(samples: np.ndarray) -> None:
    for channel in samples.T:
        assert find_clicks(channel, RATE) == []


def test_a_crossfade_holds_equal_power_and_every_start_is_exact(tmp_path: Path) -> None:
    mixer = mixer_for(tmp_path)
    lay(
        mixer,
        voice(cue(1, 0, 6, 4.0, fade_in_s=0.0), sine(440, 8)),
        voice(cue(2, 2, 6, 4.0, fade_out_s=0.5), sine(660, 8)),
    )
    mixer.turn("play", 0.0)
    out, marks = render(mixer, 8)
    low, high = amplitude(out[DELAY:, 0], 440) / 0.1, amplitude(out[DELAY:, 0], 660) / 0.1
    for index in range(45, 115):
        into = (index + 0.5) * 0.05 - 2.0
        assert 20 * np.log10(low[index] / np.cos(np.pi / 2 * into / 4)) == pytest.approx(0, abs=0.01)
        assert 20 * np.log10(high[index] / np.sin(np.pi / 2 * into / 4)) == pytest.approx(0, abs=0.01)
    assert_no_click(out)
    assert [(m.kind, m.voice.laid.cue.id) for m in marks if m.voice] == [
        ("started", 1), ("started", 2), ("ended", 1), ("ended", 2)
    ]  # fmt: skip


def test_the_samples_are_those_of_the_file(tmp_path: Path) -> None:
    mixer = mixer_for(tmp_path)
    samples = np.round(np.random.default_rng(3).uniform(-0.3, 0.3, 3 * RATE) * 32767) / 32767
    lay(mixer, voice(cue(1, 0.25, 2), samples))
    mixer.turn("play", 0.0)
    out, _ = render(mixer, 2)
    heard = out[RATE // 4 + DELAY + 3_500 :, 0].astype(np.float64)
    np.testing.assert_allclose(heard * 32768 / 32767, samples[3_500 : 3_500 + len(heard)], atol=1e-9)


def test_a_pause_fades_for_two_seconds_and_the_resume_goes_on_from_the_same_frame(tmp_path: Path) -> None:
    mixer = mixer_for(tmp_path)
    lay(mixer, voice(cue(1, 0, 60), sine(440, 10)))
    mixer.turn("play", 0.0)
    first, _ = render(mixer, 2)
    mixer.turn("pause", 2.0)
    fading, _ = render(mixer, 2.02)
    place = mixer.timeline.frame
    silent, _ = render(mixer, 3)
    assert mixer.timeline.frame == place == 4 * RATE
    assert np.abs(silent[DELAY:]).max() == 0.0
    mixer.turn("play", 3.0)
    back, _ = render(mixer, 3)
    assert_no_click(np.concatenate([first, fading, silent, back]))
    level = amplitude(fading[DELAY:, 0], 440) / 0.1
    assert level[20] == pytest.approx(np.cos(np.pi / 2 * 20.5 * 0.05 / 2), rel=0.01)
    assert amplitude(back[:, 0], 440)[-1] == pytest.approx(0.1, rel=0.01)


@pytest.mark.parametrize("seed", [1, 2, 3, 437_954, any_seed()])
def test_a_storm_of_commands_makes_no_click(tmp_path: Path, seed: int) -> None:
    print("seed", seed)
    chance = random.Random(seed)
    buses = (*BUSES, Bus(name="headphones", channels=(3, 4), ceiling_dbfs=-12.0))
    mixer = mixer_for(tmp_path, buses)
    decks = [voice(cue(n, 3 * n, 4, 1.0), sine(hertz, 5, 0.3)) for n, hertz in enumerate((110, 220, 330))]
    lay(mixer, *decks)
    mixer.turn("play", 0.0)

    def command(_: int) -> None:
        for _ in range(chance.choice((0, 0, 1, 1, 2))):
            match chance.randrange(5):
                case 0:
                    mixer.turn(chance.choice(("play", "play", "pause")), chance.choice((0, 0.05, 0.5, 2)))
                case 1:
                    mixer.set_music(chance.random(), chance.choice((0, 0.1, 1)))
                case 2:
                    mixer.set_fader(chance.choice(("speakers", "headphones")), -40 * chance.random(), chance.random())
                case 3:
                    one = chance.choice(decks)
                    start = one.laid.cue.start_s
                    one.relay(Laid.from_cue(cue(one.laid.cue.id, start, 3 + chance.random(), gain_db=-chance.random())))
                case 4 if chance.random() < 0.02:
                    mixer.let_go(chance.choice(decks))

    out, _ = render(mixer, 6, command)
    assert_no_click(out)


def test_a_deck_that_runs_dry_is_faded_out_before_and_the_filler_comes_within_a_second(tmp_path: Path) -> None:
    mixer = mixer_for(tmp_path)
    dry = voice(cue(1, 0, 60), sine(440, 3))
    lay(mixer, dry)
    mixer.turn("play", 0.0)
    out, marks = render(mixer, 6)
    assert_no_click(out)
    on = next(mark for mark in marks if mark.kind == "filler")
    assert on.on
    assert on.why == "stalled"
    level = np.sqrt((out**2).mean(axis=1).reshape(-1, 480).mean(axis=1))
    assert (level[5:] < 10 ** (-60 / 20)).sum() < 100, "a second of silence"
    feed(dry.deck, sine(440, 6))
    back, marks = render(mixer, 3)
    assert_no_click(np.concatenate([out, back]))
    assert [mark.on for mark in marks if mark.kind == "filler"] == [False]
    assert amplitude(back[:, 0], 440)[-2] == pytest.approx(0.1, rel=0.02)


def test_a_piece_that_brings_nothing_but_silence_is_heard_to_do_so_and_a_rest_is_left_alone(tmp_path: Path) -> None:
    mixer = mixer_for(tmp_path)
    lay(mixer, mute := voice(cue(1, 0, 60), np.zeros(0)))
    mixer.turn("play", 0.0)

    def go_on(number: int) -> None:
        # A rest of eight seconds; then half a minute of zeros, as of a spoilt file; then the music is back.
        sounds = not 50 <= number < 450 and not 500 <= number < 2_000
        feed(mute.deck, sine(440, BLOCK / RATE) if sounds else np.zeros(BLOCK))

    for _ in range(10):
        go_on(0)
    out, marks = render(mixer, 43, go_on)
    fillers = [mark for mark in marks if mark.kind == "filler"]
    assert [(mark.on, mark.why) for mark in fillers] == [(True, "silent"), (False, "")]
    assert_no_click(out)
    level = np.abs(out[:, 0]).reshape(-1, BLOCK).max(axis=1)
    assert level[70:450].max() == 0.0, "the rest"
    assert level[1_300:1_900].min() > 1e-4, "the filler"


def test_a_truncated_file_ends_softly_and_is_named(tmp_path: Path) -> None:
    mixer = mixer_for(tmp_path)
    lay(mixer, voice(cue(1, 0, 20), sine(440, 2.345), ended=True))
    mixer.turn("play", 0.0)
    out, marks = render(mixer, 4)
    assert_no_click(out)
    assert [(m.kind, m.why) for m in marks if m.voice] == [("started", ""), ("ended", "truncated")]


def test_silence_that_was_asked_for_stays_silent(tmp_path: Path) -> None:
    mixer = mixer_for(tmp_path)
    lay(mixer, voice(cue(1, 0, 60), sine(440, 10)))
    mixer.turn("play", 0.0)
    mixer.set_music(0.0, 1.0)
    render(mixer, 1.5)
    out, marks = render(mixer, 3)
    assert np.abs(out).max() == 0.0
    assert not marks
    assert mixer.timeline.frame == int(4.5 * RATE)


def test_a_stop_fades_out_and_says_so_even_out_of_a_pause(tmp_path: Path) -> None:
    mixer = mixer_for(tmp_path)
    lay(mixer, voice(cue(1, 0, 60), sine(440, 10)))
    mixer.turn("play", 0.0)
    render(mixer, 1)
    mixer.turn("pause", 0.5)
    render(mixer, 1)
    mixer.turn("stop", 5.0)
    _, marks = render(mixer, 0.1)
    assert [(m.kind, m.why) for m in marks] == [("ended", "cut"), ("stopped", "s")]
    assert mixer.voices == ()


def test_every_bus_has_its_own_fader_and_ceiling(tmp_path: Path) -> None:
    buses = (
        Bus(name="speakers", channels=(1, 2), level_db=-6.0, ceiling_dbfs=0.0),
        Bus(name="headphones", channels=(3, 4), ceiling_dbfs=-18.0),
    )
    mixer = mixer_for(tmp_path, buses)
    lay(mixer, voice(cue(1, 0, 60), sine(440, 8, 0.25)))
    mixer.turn("play", 0.0)
    mixer.set_fader("speakers", -20.0, 1.0)
    mixer.set_fader("headphones", 12.0, 1.0)
    out, _ = render(mixer, 3)
    assert out.shape[1] == 4
    assert 20 * np.log10(amplitude(out[:, 0], 440)[-1] / 0.25) == pytest.approx(-26, abs=0.05)
    assert np.abs(out[:, 2:]).max() <= 10 ** (-18 / 20)
    levels = mixer.read_levels().by_bus
    assert levels["headphones"][1] == pytest.approx(10 ** (-18 / 20), rel=0.02)


def test_a_ring_that_is_overrun_keeps_what_it_has_and_takes_no_more(tmp_path: Path) -> None:
    deck = Deck(cue(1, 0, 1).piece, 0.0, 0)
    deck.prepare(RATE)
    feed(deck, np.zeros(CAPACITY_S * RATE + 5_000))
    assert deck.broken_off
    assert deck.ahead <= CAPACITY_S * RATE


def test_a_session_that_has_no_piece_yet_is_filled_and_one_that_is_to_be_silent_is_not(tmp_path: Path) -> None:
    mixer = mixer_for(tmp_path)
    lay(mixer)
    mixer.timeline.frame = 9 * 3600 * RATE  # a session that was long under way when the power went
    mixer.turn("play", 0.0)
    out, marks = render(mixer, 3)
    assert [mark.on for mark in marks if mark.kind == "filler"] == [True]
    assert np.abs(out[-RATE:]).max() > 0.0
    mixer.set_music(0.0, 1.0)
    _, marks = render(mixer, 3)
    assert [mark.on for mark in marks if mark.kind == "filler"] == [False]


def test_after_the_last_piece_the_filler_plays_for_half_an_hour_and_fades_out(tmp_path: Path) -> None:
    mixer = mixer_for(tmp_path)
    lay(mixer, voice(cue(1, 0, 1), sine(440, 1.1), ended=True))
    mixer.turn("play", 0.0)
    _, marks = render(mixer, 3)
    assert [m.why for m in marks if m.kind == "filler"] == ["over"]
    mixer.timeline.frame += 30 * 60 * RATE
    out, marks = render(mixer, 62)
    assert [m.on for m in marks if m.kind == "filler"] == [False]
    assert_no_click(out)
    assert np.abs(out[-RATE:]).max() == 0.0


SLEW = 1 / WINDOW
"""Of the ceiling a millisecond: what is permitted to the room's fades and the limiter together."""

A_PIECES_EDGE = np.pi / 2 / (SHORTEST_RAMP / 48)
"""Of its level a millisecond: a piece that begins or ends by itself, at the steepest of an equal-power fade."""


@pytest.mark.parametrize("pieces_change", [False, True])
@pytest.mark.parametrize(("channels", "over_db"), [(2, 0.0), (4, 6.0), (6, 20.0)])
@pytest.mark.parametrize("seed", [437_954, any_seed()])
def test_no_command_however_wild_lets_the_level_jump_or_pass_a_ceiling(
    tmp_path: Path, seed: int, channels: int, over_db: float, pieces_change: bool
) -> None:
    print("seed", seed)
    chance = random.Random(seed)
    ceilings = (-1.0, -12.0, -20.0)
    names = ("speakers", "headphones", "second headphones")[: channels // 2]
    buses = tuple(
        Bus(name=name, channels=(2 * n + 1, 2 * n + 2), ceiling_dbfs=ceilings[n], level_db=ceilings[n] + 1.0)
        for n, name in enumerate(names)
    )
    mixer = mixer_for(tmp_path, buses)
    # The steadiest full-scale sound there is: what is heard is the gain itself.
    gain_db = over_db - 9.5
    starts = range(3) if pieces_change else (0, 0, 0)
    decks = [voice(cue(n, start, 60, 0.0, gain_db=gain_db), np.full(9 * RATE, 0.999)) for n, start in enumerate(starts)]
    lay(mixer, *decks)
    mixer.turn("play", 0.0)

    def command(_: int) -> None:
        match chance.randrange(6 if pieces_change else 3):
            case 0:
                mixer.turn(chance.choice(("play", "pause")), 0.0)
            case 1:
                mixer.set_music(chance.choice((0.0, 1.0, chance.random())), 0.0)
            case 2:
                mixer.set_fader(chance.choice(names), chance.choice((0.0, -40.0, 24.0)), 0.0)
            case 3:
                one = chance.choice(decks)
                one.relay(
                    Laid.from_cue(cue(one.laid.cue.id, one.laid.cue.start_s, 60, gain_db=gain_db - chance.random()))
                )
            case 4 if chance.random() < 0.05:
                mixer.let_go(chance.choice(decks))

    out, _ = render(mixer, 4, command)
    assert out.shape[1] == channels
    for bus in buses:
        heard = out[:, bus.channels[0] - 1]
        limit = 10 ** (bus.ceiling_dbfs / 20)
        assert np.abs(heard).max() <= limit
        most = limit * (SLEW + A_PIECES_EDGE * pieces_change)
        assert np.abs(heard[48:] - heard[:-48]).max() < most * 1.0001
        assert np.abs(np.diff(heard)).max() < most / 48 * 1.0001


def test_what_was_rendered_ahead_is_taken_back_without_a_trace(tmp_path: Path) -> None:
    heard = []
    for back in (False, True):
        mixer = mixer_for(tmp_path)
        lay(mixer, voice(cue(1, 0, 3, 0.5), sine(440, 4, 0.9)), voice(cue(2, 2.5, 6, 0.5), sine(660, 8, 0.9)))
        mixer.turn("play", 0.0)
        blocks = []
        for number in range(250):
            held = mixer.hold()
            if back and number % 3 == 0:
                for _ in range(6):
                    mixer.render([partial(mixer.set_music, 0.3, 0.1)])
                mixer.go_back(held)
            if number == 100:
                mixer.turn("pause", 0.3)
            if number == 110:
                mixer.turn("play", 0.5)
            blocks.append(mixer.render()[0])
        heard.append(np.concatenate(blocks))
    np.testing.assert_array_equal(heard[0], heard[1])
