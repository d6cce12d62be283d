"""Facts about a recording of the room: silences, clicks, level over time, peaks.

    python tests/measure_audio.py [--json] [--max-silence MS] [--max-clicks N] [--max-dip DB] FILE.wav …

With a --max option it exits 1 where the limit is exceeded, or where nothing sounds at all.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

Samples = npt.NDArray[np.float64]

FULL_SCALE = 0.99996
"""Above this a 16-bit sample counts as clipped."""

SHORTEST_SILENCE_MS = 20

_CLICK_RATIO = 5.0
_CLICK_FLOOR = 0.0015
_CLICK_NEAR_S = 0.002
_CLICK_FAR_S = 0.025
_CLICK_GROUP_S = 0.005
_STEP_S = 0.1
_QUIETEST_DB = -80.0


@dataclass(frozen=True)
class Recording:
    """What was found. Times in seconds from the file's start, levels in dBFS; the programme is the part that sounds.

    `silences`: (start, milliseconds) inside the programme. `clicks`: (time, size of the second difference).
    `rms_db`: one value per `rms_step_s`. `worst_drop_db`, `worst_rise_db`: between neighbouring 100 ms.
    """

    file: str
    rate: int
    seconds: float
    peak_db: float
    clipped: int
    programme: tuple[float, float] | None = None
    longest_silence_ms: int = 0
    silences: tuple[tuple[float, int], ...] = ()
    clicks: tuple[tuple[float, float], ...] = ()
    rms_db: tuple[float, ...] = ()
    worst_drop_db: float = 0.0
    worst_rise_db: float = 0.0


def decibels(amplitude: float) -> float:
    """Amplitude as dBFS, not below -180."""
    return float(20 * np.log10(max(float(amplitude), 1e-9)))


def find_clicks(samples: Samples, rate: int) -> list[tuple[float, float]]:
    """Clicks of one channel: (seconds, size).

    A click is a second difference that stands far out of its surroundings (2 to 25 ms away) on *both* sides, so that
    the onset of something loud is none.
    """
    from scipy.ndimage import maximum_filter1d

    bend = np.concatenate([[0.0], np.abs(np.diff(samples, 2)), [0.0]])
    near, window = int(_CLICK_NEAR_S * rate), int((_CLICK_FAR_S - _CLICK_NEAR_S) * rate)
    loudest = maximum_filter1d(bend, window, mode="constant")
    shift = near + window // 2
    before = np.concatenate([np.zeros(shift), loudest[:-shift]])[: len(bend)]
    after = np.concatenate([loudest[shift:], np.zeros(shift)])[: len(bend)]
    hits = np.flatnonzero((bend > _CLICK_RATIO * np.maximum(before, after)) & (bend > _CLICK_FLOOR))
    found: list[tuple[float, float]] = []
    last = -rate
    for hit in hits:
        if hit - last > _CLICK_GROUP_S * rate:
            found.append((hit / rate, float(bend[hit])))
        elif bend[hit] > found[-1][1]:
            found[-1] = (hit / rate, float(bend[hit]))
        last = hit
    return found


def find_silences(peaks: Samples, rate: int, threshold: float) -> list[tuple[float, int]]:
    """Stretches of whole milliseconds below `threshold`: (start in seconds, milliseconds)."""
    step = max(1, rate // 1000)
    if len(peaks) < step:
        return []
    by_ms = peaks[: len(peaks) // step * step].reshape(-1, step).max(axis=1)
    edges = np.diff(np.concatenate([[0], (by_ms < threshold).astype(int), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(start * step / rate, int(end - start)) for start, end in zip(starts, ends, strict=True)]


def analyse(path: Path | str, silence_db: float = -60.0, rms_step_s: float = 1.0) -> Recording:
    """Measure a sound file of any number of channels. Raises `soundfile.LibsndfileError` where it is none."""
    samples, rate = soundfile.read(str(path), dtype="float64", always_2d=True)
    peaks = np.abs(samples).max(axis=1)
    head = {
        "file": str(path),
        "rate": rate,
        "seconds": round(len(peaks) / rate, 3),
        "peak_db": round(decibels(peaks.max(initial=0.0)), 2),
        "clipped": int((peaks >= FULL_SCALE).sum()),
    }
    threshold = 10 ** (silence_db / 20)
    sounding = np.flatnonzero(peaks > threshold)
    if not len(sounding):
        return Recording(**head)
    first, last = int(sounding[0]), int(sounding[-1])
    at = first / rate
    silences = [
        (round(at + start, 3), length) for start, length in find_silences(peaks[first : last + 1], rate, threshold)
    ]
    clicks: dict[float, float] = {}
    for channel in samples[first : last + 1].T:
        for when, size in find_clicks(channel, rate):
            clicks.setdefault(round(at + when, 3), round(size, 5))
    power = (samples**2).mean(axis=1)
    step = int(_STEP_S * rate)
    tenths = [
        decibels(float(np.sqrt(power[start : start + step].mean())))
        for start in range(first, max(first + 1, last - step), step)
    ]
    changes = np.diff(np.maximum(tenths, _QUIETEST_DB)) if len(tenths) > 1 else np.zeros(1)
    long_step = int(rms_step_s * rate)
    return Recording(
        **head,
        programme=(round(at, 3), round(last / rate, 3)),
        longest_silence_ms=max((length for _, length in silences), default=0),
        silences=tuple(silence for silence in silences if silence[1] > SHORTEST_SILENCE_MS),
        clicks=tuple(sorted(clicks.items())),
        rms_db=tuple(
            round(decibels(float(np.sqrt(power[start : start + long_step].mean()))), 2)
            for start in range(first, last + 1, long_step)
        ),
        worst_drop_db=round(float(changes.min()), 2),
        worst_rise_db=round(float(changes.max()), 2),
    )


def describe(found: Recording) -> str:
    """The facts for a person."""
    lines = [f"{found.file}: {found.seconds} s at {found.rate} Hz, peak {found.peak_db} dBFS, {found.clipped} clipped"]
    if found.programme is None:
        return f"{lines[0]}\n  nothing sounds"
    lines += [
        f"  sounds from {found.programme[0]} to {found.programme[1]} s",
        f"  longest silence inside: {found.longest_silence_ms} ms; all: {found.silences[:20]}",
        f"  clicks: {len(found.clicks)} {found.clicks[:20]}",
        f"  100 ms to 100 ms: worst drop {found.worst_drop_db} dB, worst rise {found.worst_rise_db} dB",
        f"  RMS over time: {found.rms_db}",
    ]
    return "\n".join(lines)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--silence-db", type=float, default=-60.0)
    parser.add_argument("--rms-step", type=float, default=1.0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--max-silence", type=float, metavar="MS")
    parser.add_argument("--max-clicks", type=int, metavar="N")
    parser.add_argument("--max-dip", type=float, metavar="DB")
    given = parser.parse_args()
    bad = False
    for file in given.files:
        found = analyse(file, given.silence_db, given.rms_step)
        print(json.dumps(asdict(found)) if given.json else describe(found))
        bad |= found.programme is None
        bad |= given.max_silence is not None and found.longest_silence_ms > given.max_silence
        bad |= given.max_clicks is not None and len(found.clicks) > given.max_clicks
        bad |= given.max_dip is not None and -found.worst_drop_db > given.max_dip
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
