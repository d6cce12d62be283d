"""From a file's own rate to 48 kHz, frame by frame and exact: no delay, no lost tail, any place by its number.

Our own because every resampler of libVLC swallows the last frames of a file, so that no two files could be joined.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, gcd

import numpy as np
import numpy.typing as npt

from controller.sound.ceiling import Audio
from controller.sound.timeline import RATE

_HALF = 40
"""Taps on either side at 48 kHz and below: with the window flat to 20 kHz of 44.1 kHz, images 100 dB down."""

_BETA = 10.0
"""Of the Kaiser window: stop band at -100 dB."""

_ROWS = 96
"""Frames that one product of matrices makes at the least."""

_FINEST = 640
"""48 kHz over the part it shares with 11,025 Hz, the worst of the usual rates."""


class Resampler:
    """A bank of windowed sines. Native frame of output frame n: (n * down + phase) / up, phase counted in 1 / up.

    `half`: native frames needed on either side of a place.
    """

    def __init__(self, rate: int) -> None:
        common = gcd(RATE, rate)
        self.up, self.down = RATE // common, rate // common
        self.half = ceil(_HALF * max(1.0, rate / RATE))
        group = ceil(_ROWS / self.up)
        self._rows, self._step = self.up * group, self.down * group
        self._bank = np.ascontiguousarray(self._make_bank(rate).T, dtype=np.float32)
        """Single floats: its own noise lies 140 dB below the sound, and it takes a quarter of the time."""
        self._inverse = pow(self.down, -1, self.up) if self.up > 1 else 0

    def _make_bank(self, rate: int) -> npt.NDArray[np.float64]:
        """(rows, step + 2 half): row k makes frame k from the natives that begin half - 1 before the period."""
        half, width = self.half, self._step + 2 * self.half
        place = np.arange(self._rows) * self.down / self.up
        away = np.arange(width)[None, :] - (half - 1) - place[:, None]
        inside = np.abs(away) < half
        window = np.where(inside, np.i0(_BETA * np.sqrt(np.clip(1 - (away / half) ** 2, 0.0, 1.0))), 0.0)
        # The middle of the way from 20 kHz (or what a low rate has) to where it would fold back.
        cut = min(1.0, RATE / rate)
        bank = np.sinc(away * cut) * window
        bank /= bank.sum(axis=1, keepdims=True)
        return np.asarray(bank, dtype=np.float64)

    def window(self, frame: int, count: int, phase: int) -> tuple[int, int]:
        """The natives [first, first + number) that `make` needs for `count` frames from `frame`."""
        base, periods = self._periods(frame, count, phase)
        first = (base * self.down + phase) // self.up
        return first - self.half + 1, periods * self._step + 2 * self.half

    def make(self, natives: Audio, frame: int, count: int, phase: int) -> Audio:
        """`count` frames from `frame`, (2, count), of the natives that `window` named (C-contiguous)."""
        base, periods = self._periods(frame, count, phase)
        width = len(self._bank)
        # Windows that overlap, one a period.
        side, step = natives.strides
        windows = np.ndarray((2, periods, width), np.float32, natives, 0, (side, step * self._step, step))
        made = windows.reshape(2 * periods, width) @ self._bank
        return made.reshape(2, -1)[:, frame - base : frame - base + count]

    def _periods(self, frame: int, count: int, phase: int) -> tuple[int, int]:
        """The last frame up to `frame` that falls on a native one, and how many periods reach the end from there."""
        base = frame - (frame + phase * self._inverse) % self.up
        return base, ceil((frame + count - base) / self._rows)


@lru_cache(maxsize=4)
def resampler_for(rate: int) -> Resampler | None:
    """The resampler of a rate; None for 48 kHz, which needs none."""
    return None if rate == RATE else Resampler(rate)


def native_rate(rate: int) -> int:
    """The rate to ask of libVLC for a file of `rate`: its own, but 48 kHz where the two share too little."""
    return rate if rate > 0 and RATE // gcd(RATE, rate) <= _FINEST else RATE
