from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from controller.library.measure import Unmeasurable, measure
from tests.library.music import cut_short, write_tone

FORMATS = (".flac", ".ogg", ".mp3", ".wav")


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("rate", [44100, 48000])
def test_a_piece_is_as_long_and_as_loud_as_its_audio(tmp_path: Path, suffix: str, rate: int) -> None:
    path = write_tone(tmp_path / f"a{suffix}", rate=rate, title="Morning" if suffix != ".wav" else "")
    piece = measure(path)
    assert piece.path == str(path)
    assert piece.duration_s == pytest.approx(6.0, abs=0.001)
    # BS.1770-4: a 997 Hz sine at 0 dBFS on both channels reads 0.0 LKFS (-3.01 on one).
    assert piece.lufs == pytest.approx(-20.0, abs=0.3)
    assert piece.true_peak_dbfs == pytest.approx(-20.0, abs=0.5)
    assert piece.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    if suffix != ".wav":
        assert (piece.title, piece.artist) == ("Morning", "Somebody")


def test_a_piece_without_tags_is_called_by_its_file(tmp_path: Path) -> None:
    assert measure(write_tone(tmp_path / "07 slow river.flac")).title == "07 slow river"


def test_a_name_that_looks_like_an_option_or_a_protocol_is_still_a_file(tmp_path: Path) -> None:
    for name in ("-i.flac", "concat:x.flac", "100%.flac", "Ünter den Bäumen.flac"):
        assert measure(write_tone(tmp_path / name)).duration_s == pytest.approx(6.0)


def test_a_lossy_file_that_decodes_above_full_scale_is_told_by_its_true_peak(tmp_path: Path) -> None:
    noise = np.sign(np.random.default_rng(1).standard_normal((44100 * 3, 2)))
    soundfile.write(tmp_path / "hot.mp3", noise, 44100, "MPEG_LAYER_III")
    assert measure(tmp_path / "hot.mp3").true_peak_dbfs > 0.5


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_that_was_cut_short_is_named_truncated_or_damaged(tmp_path: Path, suffix: str) -> None:
    path = cut_short(write_tone(tmp_path / f"a{suffix}", seconds=20))
    with pytest.raises(Unmeasurable) as caught:
        measure(path)
    assert caught.value.path == path
    assert caught.value.why.startswith(("truncated: ", "damaged: "))


def test_a_flac_with_a_spoilt_middle_is_named_damaged(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "a.flac", seconds=20)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 2000] = bytes(2000)
    path.write_bytes(content)
    with pytest.raises(Unmeasurable, match=r"damaged|truncated"):
        measure(path)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("empty.mp3", b"", "empty"),
        ("text.mp3", b"Remember to buy milk.\n" * 400, "not audio"),
        ("noise.ogg", np.random.default_rng(2).bytes(30000), "not audio"),
        ("picture.flac", b"\x89PNG\r\n\x1a\n" + bytes(5000), "not audio"),
    ],
)
def test_a_file_that_is_no_music_is_named_so(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Unmeasurable, match=why):
        measure(tmp_path / name)


def test_what_cannot_be_levelled_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unmeasurable, match="silent"):
        measure(write_tone(tmp_path / "silence.flac", dbfs=-200))
    with pytest.raises(Unmeasurable, match="too short"):
        measure(write_tone(tmp_path / "blip.flac", seconds=0.6))
    with pytest.raises(Unmeasurable, match="missing"):
        measure(tmp_path / "gone.flac")
    (tmp_path / "folder.mp3").mkdir()
    with pytest.raises(Unmeasurable, match="not a file"):
        measure(tmp_path / "folder.mp3")
