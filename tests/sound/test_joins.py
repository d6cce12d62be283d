"""Pieces that belong together: cut at any sample, joined by "after", heard as if they had never been cut."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from controller.messages import Cue, Piece
from controller.sound.ceiling import DELAY
from controller.sound.deck import Deck
from controller.sound.mixer import Mixer
from controller.sound.timeline import RATE, Laid, Sheet
from controller.sound.voice import Voice
from tests.measure_audio import find_clicks
from tests.sound.room import EngineProcess, play, sheet
from tests.sound.test_mixer import feed, mixer_for, render, sine


def halves(mixer: Mixer, whole: np.ndarray, at: int, rate: int, **more: float) -> None:
    """Lay a piece that is cut at a sample, in seconds as a library knows them."""
    voices = []
    start = 0.0
    for number, part in enumerate((whole[:at], whole[at:]), start=1):
        length = round(len(part) / rate, 2)
        piece = Piece(path=f"{number}.flac", title=str(number), duration_s=length)
        cue = Cue(id=number, start_s=start, length_s=length, piece=piece, after=number - 1, **more)  # type: ignore[arg-type]
        deck = Deck(piece, 0.0, 0)
        deck.prepare(rate)
        feed(deck, part)
        deck.ended = True
        voices.append(Voice(Laid.from_cue(cue), deck, safe=240))
        start += length
    mixer.sheet = Sheet("s", 1, [one.laid.cue for one in voices])
    mixer.voices = tuple(voices)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("at_s", [1.0, 1.23456, 1.9991])
def test_a_piece_that_is_cut_at_any_sample_sounds_as_if_it_were_whole(tmp_path: Path, rate: int, at_s: float) -> None:
    t = np.arange(3 * rate) / rate
    whole = 0.3 * np.sin(2 * np.pi * 331 * t) + 0.1 * np.random.default_rng(5).standard_normal(len(t)).clip(-2, 2)
    heard = []
    for at in (int(at_s * rate), len(whole)):
        mixer = mixer_for(tmp_path)
        halves(mixer, whole, at, rate, **({} if at < len(whole) else {"gain_db": 0.0}))
        mixer.turn("play", 0.0)
        heard.append(render(mixer, 2.9)[0])
    np.testing.assert_allclose(heard[0], heard[1], atol=1e-6)  # of 24 bits


def test_a_piece_whose_forerunner_is_cut_short_comes_in_at_its_own_place_with_a_ramp(tmp_path: Path) -> None:
    mixer = mixer_for(tmp_path)
    halves(mixer, sine(440, 4), 2 * RATE, RATE)
    first, second = mixer.voices
    first.deck.written = RATE
    mixer.turn("play", 0.0)
    out, marks = render(mixer, 3)
    assert [(m.kind, m.why) for m in marks if m.voice][:2] == [("started", ""), ("ended", "truncated")]
    assert second.start == 2 * RATE
    assert find_clicks(out[:, 0], RATE) == []


def test_a_new_plan_in_the_middle_of_a_join_changes_nothing(tmp_path: Path) -> None:
    mixer = mixer_for(tmp_path)
    whole = sine(440, 4)
    halves(mixer, whole, int(1.23456 * RATE), RATE)
    again = {voice.laid.cue.id: voice.laid for voice in mixer.voices}
    mixer.turn("play", 0.0)
    out, _ = render(mixer, 3, lambda n: [v.relay(again[v.laid.cue.id]) for v in mixer.voices] if n % 7 == 5 else None)
    expected = np.trunc(whole * 32767)[: len(out) - DELAY] / 32768
    np.testing.assert_allclose(out[DELAY + 3_500 :, 0], expected[3_500:], atol=1e-9)


def test_files_cut_at_a_sample_are_joined_without_a_click_or_a_lost_frame(
    engine: Callable[..., EngineProcess], tmp_path: Path
) -> None:
    raw = np.random.default_rng(9).standard_normal(2 * RATE)
    soft = 0.1 * np.convolve(raw, np.hanning(31) / 15, "same")
    cd = 0.05 * np.sin(2 * np.pi * 440 * np.arange(2 * 44_100) / 44_100 + 0.4)
    parts = [
        (soft[:67_891], RATE, "1.flac"),
        (soft[67_891:], RATE, "2.flac"),
        (cd[:50_001], 44_100, "3.wav"),
        (cd[50_001:], 44_100, "4.flac"),
    ]
    cues, start = [], 0.0
    for number, (samples, rate, name) in enumerate(parts, start=1):
        soundfile.write(tmp_path / name, np.repeat(samples[:, None], 2, axis=1), rate)
        piece = Piece(path=str(tmp_path / name), title=name, duration_s=round(len(samples) / rate, 3))
        cues.append(Cue(id=number, start_s=start, length_s=piece.duration_s, piece=piece, after=number - 1))
        start = round(start + piece.duration_s, 3)
    room = engine()
    link = room.link()
    room.tell(link, sheet(*cues), play())
    begun = [link.until("piece_started", cue=number)["frame"] for number in (1, 2, 3, 4)]
    link.until("piece_ended", cue=4)
    room.stop()
    assert np.diff(begun).tolist() == [67_891, 2 * RATE - 67_891, int(np.ceil(50_001 * 160 / 147))]
    fillers = [m for m in link.heard if m.get("event") == "filler" and m["on"] and m["why"] != "over"]
    assert fillers == []
    heard = room.heard().samples[begun[0] :, 0]
    # Sixteen bits twice: in the file and in the capture.
    np.testing.assert_allclose(heard[3_500 : 2 * RATE], soft[3_500:], atol=2.5 / 32_768)
    wave = 0.05 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE + 0.4)
    np.testing.assert_allclose(heard[2 * RATE + 100 : 4 * RATE - 2_500], wave[100:-2_500], atol=3 / 32_768)
