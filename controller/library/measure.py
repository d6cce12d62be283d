"""What the audio of one file really is: decoded whole, once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from controller.library.decoding import HOP_S, SILENCE_S, Decoded, Processes, Undecodable, decode
from controller.library.measurement import Measurement
from controller.library.rhythm import find_onsets
from controller.library.tags import read_tags

_SHORTEST_S = 1.0
"""Below that the gated loudness of EBU R 128 (400 ms blocks) says little, and no fade fits in."""
_SILENT_LUFS = -66.0
"""ffmpeg gives -70 where every block lies below R 128's absolute gate; of one channel that is -67 in a room."""
_SHORT_S = 0.5
"""Headers of sound files are a few frames off; more than this is missing music."""
_HARMLESS_ERRORS, _EDGE_S = 3, 1.0
"""A lossy file may carry junk before its first or after its last frame, and play all the same."""
_LOSSLESS = ("flac", "alac", "wavpack", "pcm_")
_OGG = b"OggS"
_FLAT_DB, _FLAT_PER_MINUTE, _FLAT_DBFS = 9.0, 10.0, -12.0
"""Clipped: the highest level is reached often, and held for three samples or more (20 log 3 = 9.5 dB). A whole
recording touches its peak once or twice; what is far below full scale is not judged."""
_RELATIVE_GATE_LU = 20.0
"""EBU Tech 3342 leaves out what lies further below the integrated loudness: fades, breaks."""
_SHORT_TERM_S = 3.0
"""What one value of the short-term loudness looks back on."""
_RANGE_S = 1.0
_AUDIBLE = 0.003
"""Windows 50 dB below the strongest have no brightness of their own."""


class Unmeasurable(Exception):
    """A file that cannot be played as it stands. `why`: "missing", "empty", "not audio", "truncated …" and the like.

    `passing`: that is no word about its content.
    """

    def __init__(self, path: Path, why: str, *, passing: bool = False) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why
        self.passing = passing


def digest_of(path: Path) -> str:
    """SHA-256 of the content; raises `Unmeasurable` where there is none to read."""
    try:
        if not path.is_file():
            raise Unmeasurable(path, "missing" if not path.exists() else "not a file")
        if path.stat().st_size == 0:
            raise Unmeasurable(path, "empty")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Unmeasurable(path, f"unreadable: {error.strerror}") from error


def measure(path: Path, processes: Processes | None = None) -> Measurement:
    """Decode the whole file and measure it; raises `Unmeasurable`, or FileNotFoundError where there is no ffmpeg."""
    path = path.absolute()
    try:
        decoded = decode(path, processes)
    except Undecodable as error:
        raise Unmeasurable(path, str(error), passing=error.passing) from error
    tags = read_tags(path)
    try:
        fault = _fault(path, decoded, tags.promised_s)
    except OSError as error:  # it was there a moment ago
        raise Unmeasurable(path, f"unreadable: {error.strerror}", passing=True) from error
    if fault:
        raise Unmeasurable(path, fault)
    head_s, tail_s = _silent_ends(decoded)
    rate, regularity = find_onsets(decoded.level, decoded.flux, HOP_S)
    return Measurement(
        duration_s=decoded.duration_s,
        lufs=decoded.figures["lufs"],
        true_peak_dbfs=decoded.figures["true_peak_dbfs"],
        loudness_range_lu=_loudness_range_lu(decoded),
        rise_db=round(_rise_db(decoded, head_s, tail_s), 2),
        head_s=head_s,
        tail_s=tail_s,
        centroid_hz=round(_centroid_hz(decoded), 1),
        onset_rate_hz=round(rate, 3),
        onset_regularity=round(regularity, 3),
        clipped_per_minute=round(_clipped_per_minute(decoded), 1),
        codec=decoded.codec,
        rate=decoded.rate,
        title=tags.title,
        artist=tags.artist,
        album=tags.album,
        track=tags.track,
        disc=tags.disc,
        year=tags.year,
        genres=tags.genres,
        language=tags.language,
        tradition=tags.tradition,
        vocals=tags.vocals,
    )


def _fault(path: Path, decoded: Decoded, promised_s: float) -> str:
    """Why the file cannot be used; "" where it can."""
    duration_s = decoded.duration_s
    if promised_s - duration_s > _SHORT_S:
        return f"truncated: {duration_s:.1f} s of audio, its header says {promised_s:.1f} s"
    if not _ogg_ends(path):
        return f"truncated: the stream breaks off after {duration_s:.1f} s"
    errors = decoded.errors
    if not decoded.codec.startswith(_LOSSLESS) and len(errors) <= _HARMLESS_ERRORS:
        errors = [each for each in errors if _EDGE_S < each[0] < duration_s - _EDGE_S]
    if errors:
        second, said = errors[0]
        return f"damaged: at {second:.1f} s: {said}"
    if duration_s < _SHORTEST_S:
        return f"too short: {duration_s:.2f} s"
    if not decoded.figures["lufs"] > _SILENT_LUFS:
        return "silent"
    return ""


def _silent_ends(decoded: Decoded) -> tuple[float, float]:
    head_s = tail_s = 0.0
    for start, end in decoded.silences:
        if start <= SILENCE_S:
            head_s = end
        elif end >= decoded.duration_s - SILENCE_S:
            tail_s = decoded.duration_s - start
    return round(head_s, 3), round(tail_s, 3)


def _loudness_range_lu(decoded: Decoded) -> float:
    """As ffmpeg says; for a piece too short to have one it says nonsense (20 LU for a steady tone of 3 s)."""
    long_enough = decoded.duration_s >= _SHORT_TERM_S + _RANGE_S
    return decoded.figures["loudness_range_lu"] if long_enough else 0.0


def _rise_db(decoded: Decoded, head_s: float, tail_s: float) -> float:
    """The line through the short-term loudness, from its beginning to its end; without fades and breaks."""
    seconds, loudness = decoded.loudness[:, 0], decoded.loudness[:, 1]
    inside = (seconds >= head_s + _SHORT_TERM_S) & (seconds <= decoded.duration_s - tail_s)
    heard = inside & (loudness > decoded.figures["lufs"] - _RELATIVE_GATE_LU)
    if np.count_nonzero(heard) < 2:
        return 0.0
    seconds, loudness = seconds[heard] - seconds[heard].mean(), loudness[heard]
    return float((seconds @ loudness) / (seconds @ seconds) * (seconds[-1] - seconds[0]))


def _centroid_hz(decoded: Decoded) -> float:
    level = decoded.level
    if not len(level) or not level.max() > 0:
        return 0.0
    return float(np.average(decoded.centroid_hz, weights=np.where(level > _AUDIBLE * level.max(), level, 0.0)))


def _clipped_per_minute(decoded: Decoded) -> float:
    figures = decoded.figures
    per_minute = figures.get("peak_count", 0.0) / decoded.duration_s * 60
    flat = figures.get("flatness_db", 0.0) >= _FLAT_DB and figures.get("sample_peak_dbfs", 0.0) >= _FLAT_DBFS
    return per_minute if flat and per_minute >= _FLAT_PER_MINUTE else 0.0


def _ogg_ends(path: Path) -> bool:
    """Whether the last page says that it is the last (RFC 3533: header type flag 4), and is there in full."""
    with path.open("rb") as file:
        if file.read(4) != _OGG:
            return True
        file.seek(max(0, path.stat().st_size - 0x10000 - 27 - 255))
        tail = file.read()
    at = tail.rfind(_OGG)
    page = tail[at:]
    if at < 0 or len(page) < 27 + 1:
        return False
    segments = page[26]
    return bool(page[5] & 4) and len(page) >= 27 + segments + sum(page[27 : 27 + segments])
