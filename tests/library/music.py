"""Sound files for the tests: tones of a known level and plucks of a known rhythm, whole or spoilt."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import numpy.typing as npt
import soundfile

SECONDS, RATE = 6.0, 44100

_ENCODERS = {
    ".opus": ("-c:a", "libopus", "-b:a", "96k"),
    ".m4a": ("-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart"),
    ".aac": ("-c:a", "aac", "-b:a", "128k"),
}
"""What libsndfile cannot write."""


def write_tone(path: Path, *, seconds: float = SECONDS, rate: int = RATE, dbfs: float = -20.0, title: str = "") -> Path:
    """A sine of 997 Hz on both channels, `dbfs` at its crest."""
    tone = 10 ** (dbfs / 20) * np.sin(2 * np.pi * 997 * np.arange(round(seconds * rate)) / rate)
    write_samples(path, tone, rate)
    if title:
        write_tags(path, title=title, artist="Somebody")
    return path


def write_samples(path: Path, samples: npt.NDArray[Any], rate: int = RATE) -> Path:
    """One channel's samples on both, encoded as the suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in _ENCODERS:
        whole = write_samples(path.with_suffix(".tmp.wav"), samples, rate)
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", whole, *_ENCODERS[path.suffix], path], check=True)
        whole.unlink()
        return path
    encoding = {".ogg": "VORBIS", ".mp3": "MPEG_LAYER_III"}.get(path.suffix, "PCM_16")
    soundfile.write(path, np.column_stack((samples, samples)), rate, encoding)
    return path


def write_tags(path: Path, **tags: str) -> Path:
    """Tags by the names that are the same in all formats."""
    tagged = mutagen.File(path, easy=True)
    if tagged.tags is None:
        tagged.add_tags()
    for name, value in tags.items():
        tagged[name] = value
    tagged.save()
    return path


def plucks(times: npt.ArrayLike, seconds: float, hertz: float = 330.0, decay_s: float = 0.4) -> npt.NDArray[np.float64]:
    """A plucked string at each of the times."""
    out = np.zeros(round((seconds + 4) * RATE))
    t = np.arange(3 * RATE) / RATE
    one = 0.2 * np.exp(-t / decay_s) * np.minimum(1, t / 0.005)
    one *= sum(np.sin(2 * np.pi * hertz * k * t) / k**1.5 for k in range(1, 6))
    for time in np.asarray(times):
        out[round(time * RATE) :][: len(one)] += one
    return out[: round(seconds * RATE)]


def cut_short(path: Path, share: float = 0.6) -> Path:
    """The file as an interrupted copy leaves it."""
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return path
