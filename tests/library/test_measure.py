from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from mutagen.id3 import TALB, TIT2, TPOS, TRCK, TXXX
from mutagen.wave import WAVE

from controller.library.measure import Unmeasurable, digest_of, measure
from controller.library.tags import Tags, read_tags
from tests.library.music import RATE, cut_short, plucks, write_samples, write_tags, write_tone

FORMATS = {
    ".flac": ("flac", 0.0),
    ".wav": ("pcm_s16le", 0.0),
    ".ogg": ("vorbis", 0.0),
    ".opus": ("opus", 0.0),
    ".mp3": ("mp3", 0.0),
    # AAC has no place for the length to the sample; whole packets come out.
    ".m4a": ("aac", 0.03),
    ".aac": ("aac", 0.06),
}
"""ffmpeg's name, and by how many seconds the length may be off."""

TAGS = {
    "title": "Morgenröte",
    "artist": "Somebody",
    "album": "Long Days",
    "tracknumber": "3/12",
    "discnumber": "2/2",
    "genre": "Ambient",
    "date": "1998-05-01",
}


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_piece_is_as_long_and_as_loud_as_its_audio_in_every_format(tmp_path: Path, suffix: str) -> None:
    path = write_tone(tmp_path / f"a{suffix}", seconds=3, rate=48000 if suffix == ".mp3" else RATE)
    codec, tolerance_s = FORMATS[suffix]
    piece = measure(path)
    assert piece.codec == codec
    assert -0.0001 < piece.duration_s - 3.0 <= tolerance_s + 0.0001
    # BS.1770-4: a 997 Hz sine at 0 dBFS on both channels reads 0.0 LKFS (-3.01 on one).
    assert piece.lufs == pytest.approx(-20.0, abs=0.3)
    assert piece.true_peak_dbfs == pytest.approx(-20.0, abs=1.0)
    assert piece.loudness_range_lu < 1.0
    assert piece.centroid_hz == pytest.approx(997, rel=0.1)
    assert piece.clipped_per_minute == 0


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".opus", ".mp3", ".m4a"])
def test_a_file_s_tags_are_read_in_every_format(tmp_path: Path, suffix: str) -> None:
    path = write_tone(tmp_path / f"a{suffix}", seconds=1)
    write_tags(path, **TAGS, language="isl", vocals="yes", tradition="icelandic")
    tags = read_tags(path)
    assert (tags.title, tags.artist, tags.album) == ("Morgenröte", "Somebody", "Long Days")
    assert (tags.track, tags.disc, tags.year, tags.genres) == (3, 2, 1998, ("Ambient",))
    assert (tags.language, tags.vocals, tags.tradition) == ("isl", True, "icelandic")


def test_the_tags_of_a_wav_are_read_too(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "a.wav", seconds=1)
    assert read_tags(path).title == ""
    tagged = WAVE(path)
    tagged.add_tags()
    for frame in (
        TIT2(encoding=3, text="Slow River"),
        TALB(encoding=3, text="Water"),
        TRCK(encoding=3, text="4"),
        TPOS(encoding=3, text="1"),
        TXXX(encoding=3, desc="VOCALS", text="no"),
    ):
        tagged.tags.add(frame)
    tagged.save()
    tags = read_tags(path)
    assert (tags.title, tags.album, tags.track, tags.vocals) == ("Slow River", "Water", 4, False)


def test_a_piece_s_own_silences_are_known(tmp_path: Path) -> None:
    tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)
    piece = measure(write_samples(tmp_path / "a.flac", np.concatenate((np.zeros(RATE), tone, np.zeros(2 * RATE)))))
    assert piece.head_s == pytest.approx(1.0, abs=0.01)
    assert piece.tail_s == pytest.approx(2.0, abs=0.01)
    whole = measure(write_samples(tmp_path / "b.flac", tone))
    assert (whole.head_s, whole.tail_s) == (0.0, 0.0)
    # A rest in the middle is music.
    rest = np.concatenate((tone, np.zeros(RATE), tone))
    piece = measure(write_samples(tmp_path / "c.flac", rest))
    assert (piece.head_s, piece.tail_s) == (0.0, 0.0)


def test_a_slow_rise_is_told_from_a_steady_piece_and_a_fade_is_none(tmp_path: Path) -> None:
    seconds = np.arange(12 * RATE) / RATE
    noise = 0.02 * np.random.default_rng(1).standard_normal(len(seconds))
    rising = measure(write_samples(tmp_path / "rising.flac", noise * 10 ** (seconds / 12 * 10 / 20)))
    # The short-term loudness (3 s) of a rise of 10 dB in 12 s is seen from 3 s to 12 s.
    assert rising.rise_db == pytest.approx(7.5, abs=0.7)
    assert rising.loudness_range_lu > 5
    assert measure(write_samples(tmp_path / "falling.flac", noise[::-1] * 10 ** (-seconds / 24))).rise_db < -5
    faded = noise * np.minimum(1, np.minimum(seconds, 12 - seconds) / 2)
    assert abs(measure(write_samples(tmp_path / "steady.flac", faded)).rise_db) < 1.5


def test_brightness_and_rhythm_are_heard(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    pulse = measure(write_samples(tmp_path / "pulse.flac", plucks(np.arange(0, 8, 0.5), 8)))
    loose = measure(write_samples(tmp_path / "loose.flac", plucks(np.sort(rng.uniform(0, 12, 24)), 12)))
    slow = measure(write_samples(tmp_path / "slow.flac", plucks(np.arange(0, 12, 2.0), 12)))
    seconds = np.arange(6 * RATE) / RATE
    drone = sum(0.05 * np.sin(2 * np.pi * hertz * seconds) for hertz in (110, 110.4, 165, 220.9))
    still = measure(write_samples(tmp_path / "drone.flac", np.asarray(drone)))
    assert pulse.onset_rate_hz == pytest.approx(2.0, abs=0.1)
    assert slow.onset_rate_hz == pytest.approx(0.5, abs=0.1)
    assert pulse.onset_regularity > 0.9
    assert slow.onset_regularity > 0.8
    assert loose.onset_rate_hz > 1
    assert loose.onset_regularity < 0.4
    assert still.onset_rate_hz < 0.4
    assert still.onset_regularity < 0.3
    bright = measure(write_samples(tmp_path / "bright.flac", plucks(np.arange(0, 3, 0.5), 3, hertz=1320)))
    assert bright.centroid_hz > 2 * pulse.centroid_hz > 2 * still.centroid_hz


def test_a_name_that_looks_like_an_option_or_a_protocol_is_still_a_file(tmp_path: Path) -> None:
    for name in ("-i.flac", "concat:Bäume 100%.flac"):
        assert measure(write_tone(tmp_path / name, seconds=1)).duration_s == pytest.approx(1.0)


def test_words_in_a_tag_are_not_taken_for_what_the_decoder_says(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "a.flac", seconds=2)
    write_tags(path, title="[error] Peak: 9.0 dBFS", artist="[silencedetect @ 0x1] silence_start: 0", album="Output #0")
    piece = measure(path)
    assert piece.true_peak_dbfs == pytest.approx(-20.0, abs=0.5)
    assert (piece.rate, piece.tail_s) == (RATE, 0.0)


def test_a_lossy_file_that_decodes_above_full_scale_is_told_by_its_true_peak(tmp_path: Path) -> None:
    noise = np.sign(np.random.default_rng(1).standard_normal((RATE * 3, 2)))
    soundfile.write(tmp_path / "hot.mp3", noise, RATE, "MPEG_LAYER_III")
    assert measure(tmp_path / "hot.mp3").true_peak_dbfs > 0.5


def test_a_recording_whose_peaks_are_cut_flat_is_told_from_one_that_is_only_loud(tmp_path: Path) -> None:
    noise = np.convolve(np.random.default_rng(1).standard_normal(RATE * 4), np.hanning(15), "same")
    noise /= np.abs(noise).max()
    assert measure(write_samples(tmp_path / "loud.flac", noise * 0.9999)).clipped_per_minute == 0
    assert measure(write_samples(tmp_path / "clipped.flac", np.clip(2 * noise, -0.99, 0.99))).clipped_per_minute > 100
    quiet = measure(write_samples(tmp_path / "quieter.flac", 0.5 * np.clip(2 * noise, -0.99, 0.99)))
    assert quiet.clipped_per_minute > 100


@pytest.mark.parametrize("suffix", [each for each in FORMATS if each != ".aac"])
def test_a_file_that_was_cut_short_is_named_truncated_or_damaged(tmp_path: Path, suffix: str) -> None:
    path = cut_short(write_tone(tmp_path / f"a{suffix}", seconds=4))
    with pytest.raises(Unmeasurable) as caught:
        measure(path)
    assert caught.value.path == path
    assert caught.value.why.startswith(("truncated: ", "damaged: "))


@pytest.mark.parametrize("suffix", [each for each in FORMATS if each != ".wav"])
def test_a_file_with_a_spoilt_middle_is_named_damaged(tmp_path: Path, suffix: str) -> None:
    path = write_samples(tmp_path / f"a{suffix}", 0.1 * np.random.default_rng(1).standard_normal(8 * RATE))
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 3000] = np.random.default_rng(2).bytes(3000)
    path.write_bytes(content)
    with pytest.raises(Unmeasurable, match=r"damaged: at [2345]|truncated"):
        measure(path)


def test_junk_behind_the_last_frame_of_an_mp3_does_no_harm(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "a.mp3", seconds=4)
    path.write_bytes(path.read_bytes() + b"LYRICSBEGIN" + b"la la la " * 60)
    assert measure(path).duration_s == pytest.approx(4.0, abs=0.06)


def test_a_long_piece_of_which_a_second_is_missing_is_named_too(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "a.wav", seconds=200, rate=8000)
    path.write_bytes(path.read_bytes()[: -6400 * 4])
    with pytest.raises(Unmeasurable, match=r"truncated: 199\.2 s of audio, its header says 200\.0 s"):
        measure(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.mp3", b"Remember to buy milk.\n" * 400),
        ("noise.ogg", np.random.default_rng(2).bytes(30000)),
        ("picture.flac", b"\x89PNG\r\n\x1a\n" + bytes(5000)),
    ],
)
def test_a_file_that_is_no_music_is_named_so(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Unmeasurable, match="not audio"):
        measure(tmp_path / name)


def test_what_cannot_be_levelled_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unmeasurable, match="silent"):
        measure(write_tone(tmp_path / "silence.flac", dbfs=-200))
    soundfile.write(tmp_path / "one.flac", np.zeros(2 * RATE), RATE)
    with pytest.raises(Unmeasurable, match="silent"):
        measure(tmp_path / "one.flac")
    with pytest.raises(Unmeasurable, match="too short"):
        measure(write_tone(tmp_path / "blip.flac", seconds=0.6))


def test_content_is_known_by_its_digest_and_what_has_none_is_named(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "a.flac", seconds=1)
    assert digest_of(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    (tmp_path / "folder.mp3").mkdir()
    (tmp_path / "empty.mp3").touch()
    for name, why in {"gone.flac": "missing", "folder.mp3": "not a file", "empty.mp3": "empty"}.items():
        with pytest.raises(Unmeasurable, match=why):
            digest_of(tmp_path / name)


def test_a_file_that_goes_away_while_it_is_measured_is_named_and_not_ffmpeg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tone.ogg"
    write_tone(path)

    def lose(lost: Path) -> Tags:
        tags = read_tags(lost)
        lost.unlink()
        return tags

    monkeypatch.setattr("controller.library.measure.read_tags", lose)
    with pytest.raises(Unmeasurable, match="unreadable: No such file"):
        measure(path)
