"""One pass of ffmpeg over a file: decoded whole, and everything measured on the way."""

from __future__ import annotations

import re
import signal
import subprocess
import tempfile
import threading
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

TIMEOUT_S = 1800.0
"""An hour of music decodes in minutes, even on a small machine; a disk that stalls must not hold a scan for ever."""

SPECTRUM_RATE, WINDOW = 22_050, 1024
HOP_S = WINDOW / 2 / SPECTRUM_RATE
"""46 ms windows, half overlapping: what the literature's toolboxes take for onsets and brightness."""

SILENCE_DBFS, SILENCE_S = -60.0, 0.05

_WHOLE = (
    "astats=measure_perchannel=none:measure_overall=Number_of_samples+Peak_level+Flat_factor+Peak_count,"
    f"silencedetect=noise={SILENCE_DBFS}dB:duration={SILENCE_S},"
    "aformat=sample_fmts=dblp:channel_layouts=stereo,ebur128=peak=true:framelog=info"
)
"""Loudness and true peak are those of the two channels that a room hears: more are mixed down in floats, as libVLC does
it (measured, 3.0.24: within 0.1 dB)."""

_SPREAD_DB = 3.01
"""ffmpeg spreads one channel over two at half its power; libVLC lets it sound whole on both."""

_SPECTRUM = (
    f"aformat=channel_layouts=mono:sample_rates={SPECTRUM_RATE},"
    f"aspectralstats=win_size={WINDOW}:overlap=0.5,ametadata=mode=print:file=-"
)
_GRAPH = f"[0:a:0]asplit[all][spectral];[all]{_WHOLE}[whole];[spectral]{_SPECTRUM}[spectrum]"
_OUTPUTS = ("-map", "[whole]", "-f", "null", "-", "-map", "[spectrum]", "-f", "null", "-")
_OPTIONS = ("-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+info")

_INPUT = re.compile(r"^\s*Stream #0:\d+.*?: Audio: (\w+)")
_MONO = re.compile(r" Hz, (?:mono|1 channels)\b")
_OUTPUT_RATE = re.compile(r": Audio: .*?(\d+) Hz")
_FRAME_LOUDNESS = re.compile(r"^\[Parsed_ebur128.*\] t:\s*([\d.]+) .*? S:\s*(-?[\d.]+|-inf|nan)")
_SILENCE_START = re.compile(r"^\[(?:Parsed_)?silencedetect.*silence_start: (-?[\d.e+-]+)")
_SILENCE_END = re.compile(r"^\[(?:Parsed_)?silencedetect.*silence_end: (-?[\d.e+-]+)")
_COMPLAINT = re.compile(r"^(?:\[[^\]]* @ 0x[0-9a-f]+\] )?\[(?:error|fatal)\] (.*)")
_DISORDER = "non monotonically increasing dts"
_FIGURES = {
    "frames": re.compile(r"Number of samples: (\d+)"),
    "sample_peak_dbfs": re.compile(r"Peak level dB: (-?[\d.]+|-inf|nan)"),
    "flatness_db": re.compile(r"Flat factor: (-?[\d.]+|nan)"),
    "peak_count": re.compile(r"Peak count: ([\d.]+|nan)"),
    "lufs": re.compile(r"^\s+I:\s+(-?[\d.]+|-inf|nan) LUFS"),
    "loudness_range_lu": re.compile(r"^\s+LRA:\s+(-?[\d.]+|-inf|nan) LU"),
    "true_peak_dbfs": re.compile(r"^\s+Peak:\s+(-?[\d.]+|-inf|nan) dBFS"),
}
"""What ffmpeg says once, at the end."""


class Undecodable(Exception):
    """No audio came out, and why. `passing`: by no fault of the file's, so that another time it may."""

    def __init__(self, why: str, *, passing: bool = False) -> None:
        super().__init__(why)
        self.passing = passing


@dataclass(kw_only=True, slots=True)
class Decoded:
    """What came out of a file. `codec` as ffmpeg names it; `figures` by the names of `_FIGURES`.

    `silences`: (start, end) in seconds. `loudness`: (second, short-term LUFS), ten a second. `level`, `centroid_hz` and
    `flux`: one value every `HOP_S`. `errors`: (second, the decoder's complaint), as far as it had decoded by then.
    """

    codec: str = ""
    rate: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    silences: list[tuple[float, float]] = field(default_factory=list)
    loudness: Values = field(default_factory=lambda: np.zeros((0, 2)))
    level: Values = field(default_factory=lambda: np.zeros(0))
    centroid_hz: Values = field(default_factory=lambda: np.zeros(0))
    flux: Values = field(default_factory=lambda: np.zeros(0))
    errors: list[tuple[float, str]] = field(default_factory=list)

    @property
    def duration_s(self) -> float:
        """Length in seconds, to the frame."""
        return self.figures["frames"] / self.rate


class Processes:
    """The ffmpegs that run; `stop` ends them, and none begins after that."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def start(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start a process whose stdout is a pipe. A group of its own: Ctrl+C at the terminal is ours to handle."""
        with self._lock:
            if self._stopped:
                raise Undecodable("stopped")
            pipe = subprocess.PIPE
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=log, process_group=0)
            self._running.add(process)
        return process

    def ended(self, process: subprocess.Popen[bytes]) -> None:
        """Forget a process that has ended."""
        with self._lock:
            self._running.discard(process)

    def stop(self) -> None:
        """End all that run."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.kill()


def decode(path: Path, processes: Processes | None = None) -> Decoded:
    """Decode the whole file. Raises `Undecodable`, or FileNotFoundError where there is no ffmpeg."""
    processes = processes or Processes()
    command = ["ffmpeg", *_OPTIONS, "-i", f"file:{path}", "-filter_complex", _GRAPH, *_OUTPUTS]
    with tempfile.TemporaryFile() as log:
        process = processes.start(command, log)
        late = threading.Timer(TIMEOUT_S, process.kill)
        late.start()
        try:
            assert process.stdout is not None
            with process.stdout:
                spectrum = _read_spectrum(process.stdout)
            code = process.wait()
        finally:
            timed_out = not late.is_alive()
            late.cancel()
            process.kill()
            process.wait()
            processes.ended(process)
            late.join()
        log.seek(0)
        decoded = _read_log(line.decode("utf-8", "replace") for line in log)
    if timed_out:
        raise Undecodable(f"not decoded within {TIMEOUT_S / 60:.0f} minutes: scan again", passing=True)
    if code == -signal.SIGKILL:
        raise Undecodable(
            "ffmpeg was killed while it decoded this, for want of memory perhaps: scan again", passing=True
        )
    if code != 0 or "lufs" not in decoded.figures:
        raise Undecodable("not audio, or too damaged to be recognised")
    if not decoded.figures.get("frames") or not decoded.rate:
        raise Undecodable("not audio: nothing could be decoded")
    decoded.level, decoded.centroid_hz, decoded.flux = spectrum
    return decoded


def _read_spectrum(lines: Iterable[bytes]) -> tuple[Values, Values, Values]:
    """Mean magnitude, centroid and flux of every window, as `ametadata` prints them."""
    found = {b"mean": array("d"), b"centroid": array("d"), b"flux": array("d")}
    for line in lines:
        name, _, value = line.removeprefix(b"lavfi.aspectralstats.1.").partition(b"=")
        if (values := found.get(name)) is not None:
            try:
                values.append(float(value))
            except ValueError:  # cut off: ffmpeg was killed in the middle of a line
                break
    level, centroid, flux = (np.nan_to_num(np.array(values), posinf=0.0) for values in found.values())
    return level, centroid, flux


def _read_log(lines: Iterable[str]) -> Decoded:
    decoded = Decoded()
    loudness = []
    silent_from: float | None = None
    in_output = mono = False
    for line in lines:
        if match := _FRAME_LOUDNESS.search(line):
            loudness.append((float(match[1]), float(match[2])))
        elif match := _SILENCE_START.search(line):
            silent_from = max(0.0, float(match[1]))
        elif match := _SILENCE_END.search(line):
            if silent_from is not None:
                decoded.silences.append((silent_from, float(match[1])))
            silent_from = None
        elif match := _COMPLAINT.search(line):
            # One process, one thread: what it says of the sound stands before it, up to there.
            said = "frames are missing or come twice" if _DISORDER in match[1] else match[1].strip()
            decoded.errors.append((loudness[-1][0] if loudness else 0.0, said))
        elif line.startswith(("Output #0", "[info] Output #0")):
            in_output = True
        elif in_output and not decoded.rate and (match := _OUTPUT_RATE.search(line)):
            decoded.rate = int(match[1])
        elif not decoded.codec and (match := _INPUT.search(line.removeprefix("[info]"))):
            decoded.codec = match[1]
            mono = bool(_MONO.search(line))
        else:
            for name, pattern in _FIGURES.items():
                if match := pattern.search(line):
                    decoded.figures[name] = float(match[1])
    if silent_from is not None and decoded.rate and "frames" in decoded.figures:
        decoded.silences.append((silent_from, decoded.duration_s))
    decoded.loudness = np.array(loudness).reshape(-1, 2)
    if mono:
        decoded.loudness[:, 1] += _SPREAD_DB
        for name in {"lufs", "true_peak_dbfs"} & decoded.figures.keys():
            decoded.figures[name] = round(decoded.figures[name] + _SPREAD_DB, 1)
    return decoded
