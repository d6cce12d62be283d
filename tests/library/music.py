"""Sound files for the tests: tones of a known level, whole or spoilt."""

from __future__ import annotations

from pathlib import Path

import mutagen
import numpy as np
import soundfile

SECONDS, RATE = 6.0, 44100


def write_tone(path: Path, *, seconds: float = SECONDS, rate: int = RATE, dbfs: float = -20.0, title: str = "") -> Path:
    """A sine of 997 Hz on both channels, `dbfs` at its crest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tone = 10 ** (dbfs / 20) * np.sin(2 * np.pi * 997 * np.arange(round(seconds * rate)) / rate)
    encoding = {".ogg": "VORBIS", ".mp3": "MPEG_LAYER_III"}.get(path.suffix, "PCM_16")
    soundfile.write(path, np.column_stack((tone, tone)), rate, encoding)
    if title:
        tagged = mutagen.File(path, easy=True)
        if tagged.tags is None:
            tagged.add_tags()
        tagged["title"], tagged["artist"] = title, "Somebody"
        tagged.save()
    return path


def cut_short(path: Path, share: float = 0.6) -> Path:
    """The file as an interrupted copy leaves it."""
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return path
