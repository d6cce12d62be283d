"""A deck: one file's decoded frames, written by the decoder's callback and read by the mixer by their number."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt

from controller import clock
from controller.messages import Piece
from controller.sound.ceiling import Audio

CAPACITY = 1 << 19
"""Frames a deck can hold: 10.9 s. The decoder is told to wait long before."""

RESAMPLER_LEAD = 32
"""Silent frames that speex_resampler puts before the first real one (measured, libVLC 3.0.24 at 48 kHz)."""

_FRAME_BYTES = 4
_SCALE = 1.0 / 32768.0


class Deck:
    """A ring of 16-bit stereo frames. Frame 0 is the first frame of the piece after `seek_s`.

    One writer (libVLC's callback) and one reader (the mixer); `written` and `read_to` only grow, and each has one
    owner, so neither side waits for the other.
    """

    def __init__(self, piece: Piece, seek_s: float, origin: int) -> None:
        self.piece = piece
        self.seek_s = seek_s
        self.origin = origin
        """Frame of the cue that this deck's frame 0 is."""
        self._ring = np.zeros((CAPACITY, 2), dtype="<i2")
        self._address = self._ring.ctypes.data
        self.written = -RESAMPLER_LEAD
        self.read_to = 0
        self.ended = False
        """The decoder has delivered its last frame."""
        self.failure = ""
        """What is wrong with the file, as a code: missing, directory, empty, not_audio, decoder, overrun."""
        self.makeup = 1.0
        """Gain that undoes the head-room the decoder made for a hot piece."""
        self.paused = False
        self.opened = clock.boottime()
        self.player: Any = None
        """libVLC's player and the callbacks that must live as long as it; the decoder's own."""

    def write(self, samples: int, count: int) -> None:
        """Copy `count` frames from the address `samples`. Runs in libVLC's thread: it copies and returns."""
        first = self.written
        if first < 0:
            skipped = min(count, -first)
            self.written += skipped
            samples += skipped * _FRAME_BYTES
            count -= skipped
            first += skipped
        if first + count - self.read_to > CAPACITY:
            self.failure = "overrun"
            return
        place = first % CAPACITY
        fits = min(count, CAPACITY - place)
        ctypes.memmove(self._address + place * _FRAME_BYTES, samples, fits * _FRAME_BYTES)
        if fits < count:
            ctypes.memmove(self._address, samples + fits * _FRAME_BYTES, (count - fits) * _FRAME_BYTES)
        self.written = first + count

    def available(self, frame: int) -> int:
        """Frames that can be read from `frame` on; 0 where it has gone or not come."""
        return max(0, self.written - frame) if frame >= self.read_to else 0

    def read(self, frame: int, count: int) -> Audio:
        """(count, 2) float64 from `frame`, full scale 1 (a hot piece goes above); everything before is given up."""
        place = frame % CAPACITY
        fits = min(count, CAPACITY - place)
        raw: npt.NDArray[np.int16] = self._ring[place : place + fits]
        if fits < count:
            raw = np.concatenate([raw, self._ring[: count - fits]])
        out = np.multiply(raw, _SCALE * self.makeup, dtype=np.float64)
        self.read_to = frame + count
        return out

    @property
    def ahead(self) -> int:
        """Frames decoded and not yet read."""
        return max(0, self.written - self.read_to)
