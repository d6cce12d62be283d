"""A WAV file of what the room heard, right at any moment: after a kill, and across a restart.

16-bit PCM at 48 kHz. A comment chunk (LIST/INFO/ICMT) before the data says at which CLOCK_BOOTTIME of which boot the
first frame was played, so that any frame has a time. Samples are cut towards zero: none is louder than it was.
"""

from __future__ import annotations

import contextlib
import os
import queue
import struct
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from controller import clock
from controller.sound.ceiling import Frames
from controller.sound.timeline import RATE

_COMMENT_BYTES = 96
_HEADER_BYTES = 12 + 24 + 8 + 4 + 8 + _COMMENT_BYTES + 8
_LONGEST_GAP_S = 600.0
"""A file that ended longer ago is set aside and a new one begun."""

MOST_WAITING_S = 30.0
"""A disk that stalls for longer leaves a gap of zeros: what nobody writes must not fill the memory."""

_MOST_WAITING = int(MOST_WAITING_S * 50)
"""In blocks of 20 ms."""


@dataclass(frozen=True, slots=True)
class CaptureStart:
    """When a capture's frame 0 was played, and how wide its frames are."""

    boottime: float
    boot_id: str
    channels: int


def read_start(path: Path) -> CaptureStart | None:
    """The start of a capture that this module wrote; None for any other file."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
        channels = struct.unpack_from("<H", head, 22)[0]
        comment = head[56 : 56 + _COMMENT_BYTES].rstrip(b"\0").decode("ascii")
        words = dict(word.split("=", 1) for word in comment.split())
        return CaptureStart(float(words["boottime"]), words["boot_id"], channels)
    except (OSError, ValueError, KeyError, struct.error):
        return None


class Capture:
    """Appends blocks in a thread of its own; a slow disk delays the file and nothing else."""

    def __init__(self, path: Path, channels: int) -> None:
        self.path = path
        self.channels = channels
        self._next = 0
        """Frame of the next block."""
        self._gap = False
        """Blocks before it were not taken."""
        self._blocks: queue.SimpleQueue[Frames | int | None] = queue.SimpleQueue()
        self._frame_bytes = 2 * channels
        path.parent.mkdir(parents=True, exist_ok=True)
        continued = self._continued()
        self._fresh = continued is None
        self.start = continued or CaptureStart(clock.boottime(), clock.boot_id(), channels)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        self._end = max(_HEADER_BYTES, os.fstat(self._file).st_size)
        self._write_header(self._end - _HEADER_BYTES)
        self._thread = threading.Thread(target=self._work, name="capture")
        self._thread.start()

    def _continued(self) -> CaptureStart | None:
        """The start of the file that is there, if it can go on; it is set aside where it cannot."""
        start = read_start(self.path)
        if start is not None and start.boot_id == clock.boot_id() and start.channels == self.channels:
            length = (self.path.stat().st_size - _HEADER_BYTES) / self._frame_bytes / RATE
            if clock.boottime() - start.boottime - length < _LONGEST_GAP_S:
                return start
        if self.path.exists():
            self.path.replace(self.path.with_suffix(f".old{self.path.suffix}"))
        return None

    def begin(self, boottime: float) -> int:
        """Say when the next block is played; returns its frame. What is missing up to there becomes zeros."""
        if self._fresh:
            self._fresh = False
            self.start = CaptureStart(boottime, self.start.boot_id, self.channels)
        frame = max(0, round((boottime - self.start.boottime) * RATE))
        self._next, self._gap = frame, False
        self._blocks.put(frame)
        return frame

    def append(self, block: Frames) -> None:
        """Hand a block over; never waits."""
        self._gap = self._gap or self._blocks.qsize() >= _MOST_WAITING
        if self._gap and self._blocks.empty():
            self._blocks.put(self._next)
            self._gap = False
        if not self._gap:
            self._blocks.put(block)
        self._next += len(block)

    def close(self) -> None:
        """Write what is left."""
        if self._thread.is_alive():
            self._blocks.put(None)
            self._thread.join()
            os.close(self._file)

    def _work(self) -> None:
        since = 0
        while (block := self._blocks.get()) is not None:
            try:
                if isinstance(block, int):
                    self._end = _HEADER_BYTES + block * self._frame_bytes
                    os.ftruncate(self._file, self._end)
                    self._write_header(self._end - _HEADER_BYTES)
                    continue
                # float to int cuts towards zero: the file is never above what was played.
                data = np.multiply(block, 32767.0, dtype=np.float64).astype("<i2").tobytes()
                at, self._end = self._end, self._end + len(data)
                since += len(block)
                os.pwrite(self._file, data, at)
                if since >= RATE:
                    since = 0
                    self._write_header(self._end - _HEADER_BYTES)
            except OSError:
                continue  # zeros in its place: what comes later keeps its time
        with contextlib.suppress(OSError):
            self._write_header(self._end - _HEADER_BYTES)

    def _write_header(self, data_bytes: int) -> None:
        size = min(max(data_bytes, 0), 0xFFFFFFFF - _HEADER_BYTES)
        comment = f"boottime={self.start.boottime:.9f} boot_id={self.start.boot_id}".encode("ascii")
        header = struct.pack("<4sI4s", b"RIFF", _HEADER_BYTES - 8 + size, b"WAVE")
        header += struct.pack(
            "<4sIHHIIHH", b"fmt ", 16, 1, self.channels, RATE, RATE * self._frame_bytes, self._frame_bytes, 16
        )
        header += struct.pack("<4sI4s4sI", b"LIST", 4 + 8 + _COMMENT_BYTES, b"INFO", b"ICMT", _COMMENT_BYTES)
        header += comment.ljust(_COMMENT_BYTES, b"\0") + struct.pack("<4sI", b"data", size)
        os.pwrite(self._file, header, 0)


def silence(frames: int, channels: int) -> Frames:
    """So many frames of nothing."""
    return np.zeros((frames, channels), np.float32)
