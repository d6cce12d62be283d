from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from controller.library.catalogue import Catalogue
from controller.library.generate import make_demo_library
from controller.messages import Piece

Samples = npt.NDArray[Any]

pytestmark = pytest.mark.proof  # a minute of making music; the demo's own test listens to it in every run


@pytest.fixture(scope="session")
def pieces(demo_library: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Piece]:
    catalogue = Catalogue(tmp_path_factory.mktemp("catalogue"))
    found, problems = catalogue.scan([demo_library])
    catalogue.close()
    assert problems == []
    return found


RATE = 2000


def slow(path: str) -> Samples:
    """One channel at `RATE`."""
    from scipy import signal

    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    down: Samples = signal.resample_poly(samples[:, 0].astype(float), RATE, rate)
    return down


def likeness(part: Samples, there: Samples) -> Samples:
    """Normalised correlation of `part` with every place in `there`, 0..1."""
    from scipy import signal

    power = np.concatenate(([0.0], np.cumsum(there**2)))
    energy = np.sqrt(np.maximum(power[len(part) :] - power[: -len(part)], 1e-9) * np.sum(part**2))
    alike: Samples = np.abs(signal.correlate(there, part, mode="valid", method="fft")) / energy
    return alike


def test_the_demo_has_two_or_three_pieces_for_every_phase_and_nine_minutes_in_all(pieces: list[Piece]) -> None:
    folders = Counter(Path(piece.path).parent.name for piece in pieces)
    assert set(folders) == {"arrival", "settle", "ascent", "peak", "descent", "return"}
    assert set(folders.values()) <= {2, 3}
    assert sum(piece.duration_s for piece in pieces) >= 540
    assert all(14 <= piece.duration_s <= 60 for piece in pieces)
    assert {piece.artist for piece in pieces} == {"Stillroom"}
    assert len({piece.title for piece in pieces}) == len(pieces)


def test_the_demo_is_as_mixed_as_a_clinic_s_own_music(pieces: list[Piece]) -> None:
    infos = [soundfile.info(piece.path) for piece in pieces]
    assert {(info.format, info.samplerate) for info in infos} == {
        (kind, rate) for kind in ("FLAC", "OGG", "MP3") for rate in (44100, 48000)
    }
    assert {info.channels for info in infos} == {2}
    loudness = [piece.lufs for piece in pieces]
    assert -30 <= min(loudness) < -27
    assert -19 < max(loudness) <= -16
    assert all(piece.true_peak_dbfs < -1.0 for piece in pieces)


def test_no_piece_clicks_falls_silent_or_begins_suddenly(pieces: list[Piece]) -> None:
    for piece in pieces:
        samples, rate = soundfile.read(piece.path, dtype="float32", always_2d=True)
        bend = np.abs(np.diff(samples, 2, axis=0)).max(axis=1)
        assert bend.max() < 6 * np.percentile(bend[::16], 99), piece.title
        step = rate // 20
        level = np.sqrt(np.mean(samples[: len(samples) // step * step].reshape(-1, step * 2) ** 2, axis=1))
        loud = level.max()
        inside = level[2 * 20 : -3 * 20]
        assert inside.min() > loud / 12, piece.title
        assert level[:10].max() < loud / 6, piece.title
        assert level[-6:].max() < loud / 6, piece.title


def test_the_music_is_warm(pieces: list[Piece]) -> None:
    from scipy import signal

    for piece in pieces:
        samples, rate = soundfile.read(piece.path, dtype="float32", always_2d=True)
        hertz, power = signal.welch(samples[:, 0], rate, nperseg=4096)
        assert power[hertz > 3000].sum() < 0.005 * power.sum(), piece.title


def test_any_five_seconds_tell_which_piece_it_is_and_where(pieces: list[Piece]) -> None:
    each = [slow(piece.path) for piece in pieces]
    begins = np.cumsum([0] + [len(samples) for samples in each])
    everything = np.concatenate(each)
    for piece, samples, begin in zip(pieces, each, begins, strict=False):
        at = len(samples) // 2
        alike = likeness(samples[at : at + 5 * RATE], everything)
        assert abs(int(alike.argmax()) - (begin + at)) <= 1, piece.title
        lag = np.abs(np.arange(len(alike)) - (begin + at))
        assert alike[lag > 0.02 * RATE].max() < 0.985, piece.title
        assert alike[lag > 5 * RATE].max() < 0.8, piece.title


def test_a_complete_library_is_left_alone_and_a_spoilt_one_mended_with_the_same_music(demo_library: Path) -> None:
    flac = demo_library / "ascent/2-warm-current.flac"
    before = {path: path.stat().st_mtime_ns for path in demo_library.rglob("*.*")}
    digest = hashlib.sha256(flac.read_bytes()).digest()
    paths = make_demo_library(demo_library)
    assert {path: path.stat().st_mtime_ns for path in demo_library.rglob("*.*")} == before
    flac.unlink()
    assert make_demo_library(demo_library) == paths
    assert hashlib.sha256(flac.read_bytes()).digest() == digest
    changed = {path for path in demo_library.rglob("*.*") if path.stat().st_mtime_ns != before[path]}
    assert {path.name for path in changed} == {flac.name, ".stillroom-demo.json"}
