"""Pieces that belong together: cut at any sample, joined by "after", heard as if they had never been cut."""

import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile

from controller.library.measure import measure
from controller.messages import Cue, Piece
from controller.sound.ceiling import DELAY
from controller.sound.deck import Deck
from controller.sound.mixer import Mixer
from controller.sound.seams import Seam, find_seam
from controller.sound.timeline import RATE, Laid, Sheet
from controller.sound.voice import Voice
from tests.measure_audio import find_clicks
from tests.sound.room import EngineProcess, play, sheet, wait
from tests.sound.test_decoder import decode
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


ENCODERS = {
    "flac": ("-c:a", "flac"),
    "wav": ("-c:a", "pcm_s16le"),
    "ogg": ("-c:a", "libvorbis", "-q:a", "6"),
    "opus": ("-c:a", "libopus", "-b:a", "192k"),
    "mp3": ("-c:a", "libmp3lame", "-b:a", "192k"),
    "m4a": ("-c:a", "aac", "-b:a", "192k"),
}
CUT = 101_234


def encode(directory: Path, samples: np.ndarray, name: str, rate: int = RATE) -> Path:
    whole = directory / f"{name}.tmp.wav"
    soundfile.write(whole, np.repeat(samples[:, None], 2, axis=1), rate)
    path = directory / name
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", whole, *ENCODERS[path.suffix[1:]], path], check=True)
    return path


def soft_noise(frames: int) -> np.ndarray:
    raw = np.random.default_rng(9).standard_normal(frames)
    return 0.1 * np.convolve(raw, np.hanning(31) / 15, "same")


def in_dbfs(samples: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples**2)) + 1e-9))


def test_both_halves_of_a_piece_come_out_of_every_format_to_the_frame(tmp_path: Path) -> None:
    whole = soft_noise(4 * RATE)
    halves_of = {
        kind: [encode(tmp_path, part, f"{n}.{kind}") for n, part in enumerate((whole[:CUT], whole[CUT:]))]
        for kind in ENCODERS
    }
    pieces = [Piece(path=str(path), title=path.name, duration_s=2.0) for two in halves_of.values() for path in two]
    decoded = [each[:, 0] for each in decode(*pieces)]
    for kind, first, second in zip(ENCODERS, decoded[::2], decoded[1::2], strict=True):
        assert (len(first), len(second)) == (CUT, len(whole) - CUT), kind
        heard = np.concatenate([first, second])
        around = slice(CUT - 2_000, CUT + 2_000)
        for half in (slice(4_000, CUT - 4_000), slice(CUT + 4_000, -4_000)):
            early, true, late = (in_dbfs((np.roll(heard, shift) - whole)[half]) for shift in (-1, 0, 1))
            assert true < min(early, late) - 1, f"{kind}: not a frame too early or too late"
        # An encoder that must stop or begin there is no worse than a little noise, and no gap.
        assert in_dbfs((heard - whole)[around]) < in_dbfs(whole[around]) - 12, kind


_DECODE = """
import sys
from tests.sound.test_decoder import Piece, decode
pieces = [Piece(path=path, title=path, duration_s=2.0) for path in sys.argv[1:]]
print(*[len(samples) for samples in decode(*pieces, begun=lambda: print(flush=True))])
"""


def test_a_machine_that_stands_still_for_a_moment_takes_no_frame_from_a_piece(tmp_path: Path) -> None:
    paths = [encode(tmp_path, soft_noise(2 * RATE), f"a.{kind}") for kind in ENCODERS]
    with subprocess.Popen([sys.executable, "-c", _DECODE, *paths], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        for moved_s in (0.05, 0.3):
            wait(moved_s)
            process.send_signal(signal.SIGSTOP)
            wait(0.7)
            process.send_signal(signal.SIGCONT)
        lengths = [int(word) for word in process.stdout.read().split()]
    assert dict(zip(ENCODERS, lengths, strict=True)) == dict.fromkeys(ENCODERS, 2 * RATE)


def test_a_file_whose_delay_only_itunes_tells_comes_out_to_the_frame_too(tmp_path: Path) -> None:
    whole = soft_noise(2 * RATE)
    path = encode(tmp_path, whole, "a.m4a")
    told = find_seam(path)
    path.write_bytes(path.read_bytes().replace(b"elst", b"free"))
    assert find_seam(path).delay_s == 0.0
    tagged = mutagen.File(path)
    words = f" 00000000 {1024:08X} {0:08X} {len(whole):016X} 00000000"
    tagged["----:com.apple.iTunes:iTunSMPB"] = words.encode()
    tagged.save()
    found = find_seam(path)
    assert (found.delay_s, found.length_s) == (told.delay_s, told.length_s) == (1024 / RATE, 2.0)
    (heard,) = decode(Piece(path=str(path), title="a", duration_s=2.0))
    assert len(heard) == len(whole)
    assert in_dbfs((heard[:, 0] - whole)[4_000:-4_000]) < -50


@pytest.mark.parametrize("kind", ["ogg", "opus", "m4a"])
def test_a_file_that_is_spoilt_anywhere_in_its_head_is_no_seam_and_no_error(tmp_path: Path, kind: str) -> None:
    path = encode(tmp_path, soft_noise(RATE), f"a.{kind}")
    content = path.read_bytes()
    chance = np.random.default_rng(1)
    for size in (0, 1, 8, 12, 40, 100, 4_000, len(content) // 2):
        path.write_bytes(content[:size])
        assert isinstance(find_seam(path), Seam)
    for _ in range(60):
        spoilt = bytearray(content)
        at = int(chance.integers(0, 400)) if kind != "m4a" else len(content) - int(chance.integers(1, 1_200))
        spoilt[at : at + 4] = chance.bytes(4)
        path.write_bytes(spoilt)
        assert isinstance(find_seam(path), Seam)


@pytest.mark.proof
@pytest.mark.parametrize("kind", ENCODERS)
def test_movements_are_joined_in_the_room_without_a_frame_too_many_or_too_few(
    engine: Callable[..., EngineProcess], tmp_path: Path, kind: str
) -> None:
    whole = soft_noise(9 * RATE)
    cuts = (0, 3 * RATE + 217, 6 * RATE - 1_001, len(whole))
    cues, start = [], 0.0
    for number, (first, last) in enumerate(pairwise(cuts), start=1):
        path = encode(tmp_path, whole[first:last], f"{number}.{kind}")
        piece = Piece(path=str(path), title=path.name, duration_s=measure(path).duration_s)
        cues.append(Cue(id=number, start_s=start, length_s=piece.duration_s, piece=piece, after=number - 1))
        start += piece.duration_s
    room = engine()
    link = room.link()
    room.tell(link, sheet(*cues), play())
    begun = [link.until("piece_started", cue=number)["frame"] for number in (1, 2, 3)]
    link.until("piece_ended", cue=3)
    room.stop()
    assert np.diff(begun).tolist() == np.diff(cuts)[:2].tolist()
    heard = room.heard().samples[begun[0] : begun[0] + len(whole), 0]
    for place in (*cuts[1:3], RATE, 4 * RATE, 8 * RATE):
        around = slice(place - 2_000, place + 2_000)
        assert in_dbfs((heard - whole)[around]) < in_dbfs(whole[around]) - 12, place
