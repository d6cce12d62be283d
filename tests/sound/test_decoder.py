"""Head-room between libVLC's decoders and its 16-bit samples, beside ffmpeg's float decode of the same files."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from threading import Event

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import vlc

from controller import clock
from controller.library.measure import measure
from controller.messages import Cue, Piece
from controller.sound.deck import Deck
from controller.sound.decks import Decks
from controller.sound.decoder import Decoder
from controller.sound.mixer import BLOCK
from controller.sound.timeline import SHORTEST_RAMP, Laid
from controller.sound.voice import Voice
from tests.waiting import PATIENCE_S, wait_until

Samples = npt.NDArray[np.float64]

RATE = 48_000
SECONDS = 2
INNER = slice(RATE // 2, 3 * RATE // 2)
"""Beyond what encoders do at a file's start, before what they do at its end."""


def decode(*pieces: Piece, begun: Callable[[], None] = lambda: None) -> list[Samples]:
    """What the mixer would be given of each, decoded side by side; says when the first has something."""
    decoder = Decoder()
    decks = [Deck(piece, 0.0, 0) for piece in pieces]
    try:
        for deck in decks:
            decoder.open(deck)
        deadline = clock.boottime() + PATIENCE_S
        while not any(deck.written or deck.failure for deck in decks) and clock.boottime() < deadline:
            Event().wait(0.001)
        begun()
        while not all(deck.ended for deck in decks):
            assert clock.boottime() < deadline, [deck.failure for deck in decks]
            Event().wait(0.02)
        return [deck.read(0, deck.frames).T.astype(np.float64) for deck in decks]
    finally:
        for deck in decks:
            decoder.close(deck)
        decoder.shut()


def by_ffmpeg(path: Path) -> Samples:
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-ar", str(RATE), "-f", "f32le", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, dtype="<f4").reshape(-1, 2).astype(np.float64)


def aligned(samples: Samples, reference: Samples) -> tuple[Samples, Samples]:
    """The inner part of the reference, and the same place of `samples`; encoders' delays are trimmed differently."""
    from scipy import signal

    part = reference[INNER]
    match = signal.correlate(samples[:, 0], part[:, 0], mode="valid", method="fft")
    at = int(match.argmax())
    return samples[at : at + len(part)], part


def dbfs(value: float) -> float:
    return 20 * float(np.log10(value))


@pytest.fixture(scope="module")
def hot(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A loud master, clipped flat and then encoded lossily: it decodes several decibels above full scale."""
    directory = tmp_path_factory.mktemp("hot")
    t = np.arange(RATE * SECONDS) / RATE
    chord = sum(np.sin(2 * np.pi * hertz * t + hertz) for hertz in (110.0, 220.5, 331.0, 997.0, 2500.0))
    breath = 0.3 * np.random.default_rng(3).standard_normal((len(t), 2))
    master = directory / "master.wav"
    soundfile.write(master, np.clip(1.4 * np.stack([chord, np.roll(chord, 777)], axis=1) + breath, -1, 1), RATE)
    files = {}
    for suffix, options in {
        "mp3": ("-b:a", "128k"),
        "ogg": ("-c:a", "libvorbis", "-q:a", "4"),
        # Without noise substitution, which is different at every decoding.
        "m4a": ("-c:a", "aac", "-aac_pns", "0", "-b:a", "128k"),
    }.items():
        files[suffix] = directory / f"hot.{suffix}"
        subprocess.run(["ffmpeg", "-v", "error", "-i", master, *options, files[suffix]], check=True)
    return files


def test_what_decodes_above_full_scale_reaches_the_mixer_unclipped(hot: dict[str, Path]) -> None:
    measured = [Piece(path=str(path), title=path.name, duration_s=SECONDS, true_peak_dbfs=4.0) for path in hot.values()]
    unmeasured = [Piece(path=str(path), title=path.name, duration_s=SECONDS) for path in hot.values()]
    decoded = decode(*measured, *unmeasured)
    for path, ours, clipped in zip(hot.values(), decoded[:3], decoded[3:], strict=True):
        here, reference = aligned(ours, by_ffmpeg(path))
        assert dbfs(np.abs(reference).max()) > 2.0, "the file is not hot enough to prove anything"
        assert np.abs(here).max() == pytest.approx(np.abs(reference).max(), rel=0.002), path.name
        assert dbfs((here - reference).std()) < -80, path.name
        assert np.abs(clipped).max() <= 1.0  # what it would be without head-room
        assert dbfs((aligned(clipped, by_ffmpeg(path))[0] - reference).std()) > -40, path.name


def test_head_room_is_flat_and_quiet(tmp_path: Path) -> None:
    from scipy import signal

    pieces = []
    for rate in (44_100, RATE):
        path = tmp_path / f"soft-{rate}.flac"
        soundfile.write(path, 0.05 * np.random.default_rng(0).standard_normal((rate * SECONDS, 2)), rate, "PCM_24")
        for peak in (-12.0, 0.0):
            pieces.append(Piece(path=str(path), title=path.name, duration_s=SECONDS, true_peak_dbfs=peak))
    decoded = decode(*pieces)
    for as_it_is, turned in (decoded[:2], decoded[2:]):
        assert len(turned) == len(as_it_is)
        assert dbfs((turned - as_it_is).std()) < -85
        spectra = [signal.welch(each[:, 0], RATE, nperseg=2048)[1][2:850] for each in (as_it_is, turned)]
        assert np.abs(10 * np.log10(spectra[1] / spectra[0])).max() < 0.05


def test_a_libvlc_without_an_equaliser_plays_a_hot_piece_as_it_is(hot: dict[str, Path]) -> None:
    piece = Piece(path=str(hot["mp3"]), title="hot", duration_s=SECONDS, true_peak_dbfs=4.0)
    decoder, deck = Decoder(), Deck(piece, 0.0, 0)
    try:
        decoder._jobs.put(lambda: setattr(decoder, "_has_equalizer", False))
        decoder.open(deck)
        deadline = clock.boottime() + PATIENCE_S
        while deck.written < RATE and clock.boottime() < deadline:
            Event().wait(0.02)
        assert dbfs(deck.read(RATE // 2, RATE // 2).std()) > -6  # not 12 dB up, and not 12 dB down
        assert deck.makeup == 1.0
    finally:
        decoder.close(deck)
        decoder.shut()


def test_a_silent_head_is_left_out_to_the_sample(tmp_path: Path) -> None:
    """A piece begins where its silence ends: read up to there, because a seek is right to a tenth of a second only."""
    noise = np.random.default_rng(5).normal(0.0, 0.05, (3 * RATE, 2))
    path = tmp_path / "head.flac"
    soundfile.write(path, noise, RATE)
    laid = Laid.from_cue(
        Cue(id=1, start_s=0.0, length_s=2.0, offset_s=0.4, piece=Piece(path=str(path), title="n", duration_s=3.0))
    )
    decks = Decks()
    try:
        deck = decks.open(laid, 0)
        deadline = clock.boottime() + PATIENCE_S
        while not deck.ended:
            assert clock.boottime() < deadline, deck.failure
            Event().wait(0.02)
        first = deck.read(-deck.origin, 1000).T
    finally:
        decks.close(deck)
        decks.decoder.shut()
    offset = round(0.4 * RATE)
    assert np.abs(first - noise[offset : offset + 1000]).max() < 2 / 32768


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_a_piece_is_as_loud_in_the_room_as_it_was_measured_whatever_channels_it_has(
    tmp_path: Path, channels: int
) -> None:
    each = 0.05 * np.random.default_rng(channels).standard_normal((2 * RATE, channels))
    path, heard = tmp_path / "piece.flac", tmp_path / "heard.wav"
    soundfile.write(path, each, RATE)
    measured = measure(path)
    soundfile.write(heard, decode(Piece(path=str(path), title="p", duration_s=SECONDS))[0], RATE, "FLOAT")
    there = measure(heard)
    assert (there.lufs, there.true_peak_dbfs) == pytest.approx((measured.lufs, measured.true_peak_dbfs), abs=0.15)


def test_a_piece_that_is_decoded_to_its_end_plays_on_when_the_decoder_hangs(tmp_path: Path) -> None:
    path = tmp_path / "piece.wav"
    soundfile.write(path, np.full((RATE, 2), 0.25), RATE)
    laid = Laid.from_cue(Cue(id=1, start_s=0.0, length_s=1.0, piece=Piece(path=str(path), title="p", duration_s=1.0)))
    decks = Decks()
    try:
        voice = Voice(laid, decks.open(laid, 0), safe=0)
        deadline = clock.boottime() + PATIENCE_S
        while not voice.deck.ended:
            assert clock.boottime() < deadline, voice.deck.failure
            Event().wait(0.02)
        voice.deck.paused = True  # it was told to wait while its last frames came
        decks.decoder._busy_since = 0.0
        decks.feed([voice], here=0, still=False)
        decks.feed([voice], here=0, still=False)
        assert voice.deck.read(0, RATE).mean() == pytest.approx(0.25, abs=1e-3)
    finally:
        decks.shut()


def test_a_piece_whose_decoding_loses_its_place_goes_on_without_anybody_hearing_it(tmp_path: Path) -> None:
    """libVLC throws away what it is late with; what it lost is decoded again before its turn comes."""
    pairs = {}
    decks = Decks()
    for name, rate in {"p.wav": RATE, "p.flac": RATE, "q.flac": 44_100, "p.mp3": 44_100, "p.ogg": RATE}.items():
        path = tmp_path / name
        wave = 0.2 * np.sin(np.cumsum(np.random.default_rng(8).uniform(0.01, 0.2, 5 * rate)))
        soundfile.write(path, np.stack([wave, wave], axis=1), rate)
        piece = Piece(path=str(path), title=name, duration_s=5.0)
        laid = Laid.from_cue(Cue(id=len(pairs), start_s=0.0, length_s=4.5, piece=piece))
        pairs[name] = [Voice(laid, decks.open(laid, 0), safe=0) for _ in range(2)]
    voices = [voice for pair in pairs.values() for voice in pair]
    heard: list[list[npt.NDArray[np.float32] | None]] = []

    def ready(at: int) -> bool:
        decks.feed(voices, at, still=False)
        needed = BLOCK + SHORTEST_RAMP
        return all(max(d.available(at - d.origin) for d in v.decks) >= needed for v in voices)

    def strike(deck: Deck) -> bool:
        if deck.frames > 1.5 * RATE:
            deck.flushed()
        return deck.broken_off or deck.ended

    try:
        struck = [pair[1] for pair in pairs.values()]
        first = [voice.deck for voice in struck]
        wait_until(lambda: all([strike(deck) for deck in first]))
        for at in range(0, 4 * RATE, BLOCK):
            wait_until(lambda at=at: ready(at))
            heard.append([voice.render(at, BLOCK) for voice in voices])
        # A machine that stood still struck it when it had already brought all that is heard.
        assert all(voice.deck is not deck or deck.frames >= 4 * RATE for voice, deck in zip(struck, first, strict=True))
    finally:
        decks.shut()
    for number, name in enumerate(pairs):
        there, here = (np.concatenate([blocks[2 * number + side][0] for blocks in heard]) for side in (0, 1))
        exact = name.endswith(("wav", "flac"))
        assert dbfs(np.abs(here - there)[RATE // 10 :].max() + 1e-9) < (-80 if exact else -40), name


def test_frames_that_are_not_the_next_ones_are_not_taken_not_even_after_a_wait_but_where_the_file_jumps_itself() -> (
    None
):
    def deck(**more: bool) -> Deck:
        made = Deck(Piece(path="p.wav", title="p", duration_s=9.0), 0.0, 0)
        made.prepare(RATE)
        made.flushed()  # as after a seek
        for number in range(3):
            write(made, 1_000_000 + number * 20_000)
        assert (made.written, made.broken_off) == (3 * BLOCK, False)
        return made

    def write(made: Deck, due_us: int) -> None:
        block = np.zeros((BLOCK, 2), "<i2")
        made.write(block.ctypes.data, BLOCK, due_us)

    late = deck()
    write(late, 1_080_000)
    write(late, 1_100_000)
    assert (late.written, late.broken_off) == (3 * BLOCK, True)
    waited = deck()
    waited.halted(1_050_000)
    write(waited, 1_060_000)  # it was under way already
    waited.resumed(9_050_000)
    write(waited, 9_080_000)
    assert (waited.written, waited.broken_off) == (5 * BLOCK, False)
    waited.halted(9_090_000)
    waited.resumed(9_990_000)
    write(waited, 10_020_000)
    assert (waited.written, waited.broken_off) == (5 * BLOCK, True)  # one was lost as it went on
    jumping = deck()
    jumping.lenient = True
    write(jumping, 1_080_000)
    assert (jumping.written, jumping.broken_off) == (4 * BLOCK, False)


def test_a_piece_plays_on_without_a_click_when_the_decoder_hangs(tmp_path: Path) -> None:
    path = tmp_path / "piece.wav"
    wave = 0.2 * np.sin(np.cumsum(np.random.default_rng(8).uniform(0.01, 0.2, 4 * RATE)))
    soundfile.write(path, np.stack([wave, wave], axis=1), RATE)
    laid = Laid.from_cue(Cue(id=1, start_s=0.0, length_s=4.0, piece=Piece(path=str(path), title="p", duration_s=4.0)))
    decks = Decks()
    heard = []
    try:
        voice = Voice(laid, decks.open(laid, 0), safe=0)
        first, hung = voice.deck, decks.decoder
        wait_until(lambda: first.frames > 1.5 * RATE)
        for at in range(0, 3 * RATE, BLOCK):
            if at == RATE // 2:
                hung._busy_since = 0.0
            wait_until(
                lambda at=at: (
                    decks.feed([voice], at, False) or voice.newest.frames + voice.newest.origin > at + RATE // 4
                )
            )
            heard.append(voice.render(at, BLOCK))
        assert voice.deck is not first
    finally:
        decks.shut()
        hung.shut()
    assert np.abs(np.concatenate(heard, axis=1)[0] - wave[: 3 * RATE]).max() < 2e-4


def test_a_thread_that_waits_when_it_has_begun_a_piece_takes_nothing_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = vlc.MediaPlayer.play

    def play_and_wait(player: vlc.MediaPlayer) -> int:
        begun = play(player)
        Event().wait(0.5)
        return int(begun)

    monkeypatch.setattr(vlc.MediaPlayer, "play", play_and_wait)
    path = tmp_path / "piece.flac"
    soundfile.write(path, np.full((4 * RATE, 2), 0.25), RATE)
    decoder, written = Decoder(), []
    try:
        while written[-1:] != [4 * RATE] and len(written) < 4:  # a machine that stands still takes from it too
            deck = Deck(Piece(path=str(path), title="p", duration_s=4.0), 0.0, 0)
            decoder.open(deck)
            wait_until(lambda deck=deck: deck.ended or deck.broken_off)  # type: ignore[misc]
            decoder.close(deck)
            written.append(deck.written)
        assert written[-1] == 4 * RATE, written
    finally:
        decoder.shut()


def test_a_decoder_goes_on_whatever_one_call_comes_to(tmp_path: Path) -> None:
    path = tmp_path / "piece.wav"
    soundfile.write(path, np.full((RATE, 2), 0.25), RATE)
    decoder, deck = Decoder(), Deck(Piece(path=str(path), title="p", duration_s=1.0), 0.0, 0)
    try:
        decoder._jobs.put(lambda: decoder._pause(None, True))  # type: ignore[arg-type]
        decoder.open(deck)
        wait_until(lambda: deck.ended)
    finally:
        decoder.close(deck)
        decoder.shut()


def test_a_file_that_goes_on_in_another_format_keeps_what_was_decoded_of_it(tmp_path: Path) -> None:
    """Recordings that somebody joined: mono after stereo, in one MP3."""
    path = tmp_path / "joined.mp3"
    wave = 0.2 * np.sin(np.cumsum(np.random.default_rng(8).uniform(0.01, 0.2, 3 * RATE)))
    parts = []
    for number, channels in enumerate((2, 1)):
        part = tmp_path / f"{number}.mp3"
        soundfile.write(part, np.repeat(wave[:, None], channels, axis=1), RATE)
        parts.append(part.read_bytes())
    path.write_bytes(b"".join(parts))
    laid = Laid.from_cue(Cue(id=1, start_s=0.0, length_s=5.0, piece=Piece(path=str(path), title="p", duration_s=6.0)))
    decks = Decks()
    heard = []
    try:
        voice = Voice(laid, decks.open(laid, 0), safe=0)
        for at in range(0, 4 * RATE, BLOCK):
            wait_until(lambda at=at: decks.feed([voice], at, False) or sounds(voice, at))  # type: ignore[misc]
            heard.append(voice.render(at, BLOCK))
    finally:
        decks.shut()
    loudness = np.concatenate(heard, axis=1)[0, : 4 * RATE // 4800 * 4800].reshape(-1, 4800).std(axis=1)
    assert loudness[2:].min() > 0.05


def sounds(voice: Voice, at: int) -> bool:
    return any(deck.available(at - deck.origin) >= BLOCK + SHORTEST_RAMP for deck in voice.decks)
