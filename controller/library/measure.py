"""What the audio of one file really is: decoded whole, by ffmpeg, once."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import mutagen
from mutagen.mp3 import BitrateMode

from controller.messages import Piece

_TIMEOUT_S = 900.0
"""An hour of music decodes in well under a minute, even on a small machine."""
_SHORTEST_S = 1.0
"""Below that the gated loudness of EBU R 128 (400 ms blocks) says little, and no fade fits in."""
_SILENT_LUFS = -69.0
"""ffmpeg gives -70 where every block lies below R 128's absolute gate."""
_SHORT_S, _SHORT_SHARE = 0.5, 0.005
"""Headers of sound files are a few frames off; more than this is missing music."""
_HARMLESS_ERRORS = 3
"""A lossy file may carry junk before its first or after its last frame, and play all the same."""
_LOSSLESS = (".flac", ".wav", ".aif", ".aiff")

_FILTERS = "astats=measure_perchannel=none:measure_overall=Number_of_samples,ebur128=peak=true:framelog=verbose"
_RATE = re.compile(r"Audio: .*?(\d+) Hz")
_FRAMES = re.compile(r"Number of samples: (\d+)")
_LOUDNESS = re.compile(r"\bI:\s+(-?[\d.]+|-inf|nan) LUFS")
_PEAK = re.compile(r"Peak:\s+(-?[\d.]+|-inf|nan) dBFS")


class Unmeasurable(Exception):
    """A file that cannot be played as it stands. `why`: "missing", "empty", "not audio", "truncated …" and the like."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


def measure(path: Path) -> Piece:
    """Decode the whole file and measure it; raises `Unmeasurable`. `Piece.path` is absolute."""
    path = path.absolute()
    digest = _digest(path)
    log = _decode(path)
    duration_s = _duration(path, log)
    title, artist, promised_s = _tags(path)
    missing_s = promised_s - duration_s
    if missing_s > max(_SHORT_S, _SHORT_SHARE * promised_s):
        raise Unmeasurable(path, f"truncated: {duration_s:.1f} s of audio, its header says {promised_s:.1f} s")
    if path.suffix.lower() in (".ogg", ".oga", ".opus") and not _ogg_ends(path):
        raise Unmeasurable(path, f"truncated: the stream breaks off after {duration_s:.1f} s")
    errors = [line for line in log.splitlines() if "[error]" in line]
    if len(errors) > (0 if path.suffix.lower() in _LOSSLESS else _HARMLESS_ERRORS):
        raise Unmeasurable(path, f"damaged: {errors[0].rpartition('] ')[2].strip()}")
    if duration_s < _SHORTEST_S:
        raise Unmeasurable(path, f"too short: {duration_s:.2f} s")
    lufs, peak = _last_number(_LOUDNESS, log), _last_number(_PEAK, log)
    if not lufs > _SILENT_LUFS:
        raise Unmeasurable(path, "silent")
    return Piece(
        path=str(path),
        title=title or path.stem,
        artist=artist,
        duration_s=duration_s,
        lufs=lufs,
        true_peak_dbfs=peak,
        digest=digest,
    )


def _digest(path: Path) -> str:
    try:
        if not path.is_file():
            raise Unmeasurable(path, "missing" if not path.exists() else "not a file")
        if path.stat().st_size == 0:
            raise Unmeasurable(path, "empty")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Unmeasurable(path, f"unreadable: {error.strerror}") from error


def _decode(path: Path) -> str:
    # Measuring can wait; music cannot.
    command = [
        "nice",
        "-n",
        "10",
        "ffmpeg",
        "-nostdin",
        "-hide_banner",
        "-nostats",
        "-loglevel",
        "level+info",
        "-i",
        f"file:{path}",
    ]
    command += ["-map", "0:a:0", "-vn", "-af", _FILTERS, "-f", "null", "-"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise Unmeasurable(path, f"not decoded within {_TIMEOUT_S:.0f} s") from error
    log = done.stderr.decode("utf-8", "replace")
    if done.returncode != 0 or not _LOUDNESS.search(log):
        raise Unmeasurable(path, "not audio, or too damaged to be recognised")
    return log


def _duration(path: Path, log: str) -> float:
    frames = _FRAMES.findall(log)
    rates = _RATE.findall(log)
    if not frames or not rates:
        raise Unmeasurable(path, "not audio: nothing could be decoded")
    return int(frames[-1]) / int(rates[-1])


def _last_number(pattern: re.Pattern[str], log: str) -> float:
    return float(pattern.findall(log)[-1])


def _tags(path: Path) -> tuple[str, str, float]:
    """Title, artist ("" where the file does not say), and the length that its header promises (0 where it guesses)."""
    try:
        tagged = mutagen.File(path, easy=True)
    except mutagen.MutagenError:
        return "", "", 0.0
    if tagged is None:
        return "", "", 0.0
    promised_s = float(getattr(tagged.info, "length", 0.0) or 0.0)
    if getattr(tagged.info, "bitrate_mode", None) == BitrateMode.UNKNOWN:
        promised_s = 0.0
    first = {key: str(tagged[key][0]) for key in ("title", "artist") if tagged.tags and tagged.get(key)}
    return first.get("title", ""), first.get("artist", ""), promised_s


def _ogg_ends(path: Path) -> bool:
    """Whether the last page says that it is the last (RFC 3533: header type flag 4), and is there in full."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 0x10000 - 27 - 255))
        tail = file.read()
    at = tail.rfind(b"OggS")
    page = tail[at:]
    if at < 0 or len(page) < 27 + 1:
        return False
    segments = page[26]
    return bool(page[5] & 4) and len(page) >= 27 + segments + sum(page[27 : 27 + segments])
