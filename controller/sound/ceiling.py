"""The ceiling: the last thing before the device. Nothing passes it, whatever comes in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from controller.sound.timeline import RATE

Audio = npt.NDArray[np.float64]

WINDOW = 240
"""5 ms: how far the limiter looks ahead."""

DELAY = WINDOW - 1
"""Frames by which the ceiling delays its bus."""

_RELEASE = 1.0 / (0.5 * RATE)
"""Gain that comes back per frame: half a second from nothing to all, slow enough not to be heard as a tremble."""


class Ceiling:
    """A look-ahead limiter for one bus, linked over its channels, and a hard maximum behind it.

    Blocks are (frames, channels) float64 at 48 kHz, at least `WINDOW` frames long. The output is the input `DELAY`
    frames later, untouched as long as nothing comes near the ceiling; no sample ever lies above `ceiling_dbfs`.
    NaN and infinity become silence.
    """

    def __init__(self, ceiling_dbfs: float, channels: int = 2) -> None:
        self.limit = float(10 ** (min(0.0, ceiling_dbfs) / 20))
        self._held = np.zeros((DELAY, channels))
        self._asked = np.ones(WINDOW - 1)
        """Gain that the newest frames need, by the peaks alone."""
        self._released = np.ones(WINDOW - 1)
        """Gain after the minimum and the release, which the average still has to see."""
        self.active = False

    def process(self, block: Audio) -> Audio:
        """The next block, limited."""
        if not np.isfinite(block).all():
            block = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
        joined = np.concatenate([self._held, block])
        delayed = joined[: len(block)]
        self._held = joined[len(block) :]
        peaks = np.abs(block).max(axis=1)
        if self.active or peaks.max(initial=0.0) > self.limit:
            return np.clip(delayed * self._gain(peaks)[:, None], -self.limit, self.limit)
        return delayed

    def _gain(self, peaks: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """One gain per delayed frame: least needed in the window ahead, released slowly, averaged over the window.

        Every value in the average has the delayed frame in its own window, so the average never lies above what that
        frame needs.
        """
        count = len(peaks)
        asked = np.concatenate([self._asked, self.limit / np.maximum(peaks, self.limit)])
        needed = np.lib.stride_tricks.sliding_window_view(asked, WINDOW).min(axis=1)
        rise = _RELEASE * np.arange(1, count + 1)
        floor = np.minimum.accumulate(np.minimum(needed - rise, self._released[-1]))
        released = np.minimum(floor + rise, 1.0)
        seen = np.concatenate([self._released, released])
        total = np.concatenate([[0.0], np.cumsum(seen)])
        average = np.minimum((total[WINDOW:] - total[:-WINDOW]) / WINDOW, 1.0)
        self._asked = asked[-(WINDOW - 1) :]
        self._released = seen[-(WINDOW - 1) :]
        self.active = bool(self._released.min() < 1.0 or self._asked.min() < 1.0)
        return np.asarray(average, dtype=np.float64)
