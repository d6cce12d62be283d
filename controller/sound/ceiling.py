"""The end of a bus: what rises out of quiet comes in under a ramp, and nothing whatever passes the ceiling."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from controller.sound.timeline import RATE, SHORTEST_RAMP

Audio = npt.NDArray[np.float64]
Curve = npt.NDArray[np.float64]

WINDOW = 240
"""5 ms: how far the limiter looks ahead."""

_TAPS = 24
_LAG = _TAPS // 2
"""Frames that must have come after a place before the wave between two samples there is known."""

CHUNK = 48
"""1 ms: the step in which the guard follows a rise."""

DELAY = CHUNK + WINDOW - 1 + _LAG
"""Frames by which the end of a bus delays it."""

_NEAR = 0.5
"""Samples above this part of the ceiling are looked at between the samples: a wave rises up to 6 dB above them."""

_RELEASE = 1.0 / (0.5 * RATE)
"""Gain that comes back per frame: half a second from nothing to all, slow enough not to be heard as a tremble."""

QUIET_DB = -30.0
"""Against the ceiling: up to here anything may begin at once."""

MEMORY_S = 10
"""What was loudest in so many seconds, music may reach again at once: an attack keeps its edge."""

_HOLD = 40
"""Chunks over which the guard's envelope holds: longer than the ramp, and than half a period of 20 Hz."""


def _between() -> Curve:
    """(3, _TAPS): the wave a quarter, a half and three quarters on from a sample, by windowed sines."""
    away = np.arange(_TAPS)[:, None] - (_LAG - 1) - np.array([0.25, 0.5, 0.75])
    window = np.i0(6.0 * np.sqrt(np.clip(1 - (away / _LAG) ** 2, 0.0, 1.0)))
    taps = np.sinc(away) * window
    return np.ascontiguousarray((taps / taps.sum(axis=0)).T)


_BETWEEN = _between()


def _least_ahead(asked: Curve) -> Curve:
    """The minimum of each value and the `WINDOW` - 1 after it, by doubling."""
    least, width = asked, 1
    while 2 * width <= WINDOW:
        least, width = np.minimum(least[:-width], least[width:]), 2 * width
    rest = WINDOW - width
    return np.minimum(least[:-rest], least[rest:]) if rest else least


class Ceiling:
    """A guard against sudden rises, a look-ahead true-peak limiter, and a hard maximum, over one bus's channels.

    Blocks are (frames, 2) float64 at 48 kHz, whole milliseconds long and at least `WINDOW` frames. The output is the
    input `DELAY` frames later, untouched as long as it neither rises out of quiet nor comes near the ceiling.
    No sample ever lies above `ceiling_dbfs`, nor the wave between samples as far as four-fold oversampling shows it.
    Out of quiet (`QUIET_DB` for `MEMORY_S`) no sample lies above a ramp from there to the ceiling in 30 ms.
    NaN and infinity become silence. All state is replaced, never changed in place.
    """

    def __init__(self, ceiling_dbfs: float) -> None:
        self.limit = float(10 ** (min(0.0, ceiling_dbfs) / 20))
        self._guard = _Guard(self.limit)
        self._held = np.zeros((WINDOW - 1 + _LAG, 2))
        self._loudest = 0.0
        self._asked: Curve = np.ones(WINDOW - 1)
        """Gain that the newest frames need, by the peaks alone."""
        self._released: Curve = np.ones(WINDOW - 1)
        """Gain after the minimum and the release, which the average still has to see."""
        self.active = False

    def process(self, block: Audio) -> Audio:
        """The next block, guarded and limited."""
        sizes = np.abs(block)
        loudest = float(sizes.max())
        if not loudest < np.inf:
            block = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
            sizes = np.abs(block)
            loudest = float(sizes.max())
        block, loudest = self._guard.process(block, sizes, loudest)
        count = len(block)
        joined = np.concatenate([self._held, block])
        delayed = joined[:count]
        self._held = joined[count:]
        before, self._loudest = self._loudest, loudest
        if self.active or max(before, loudest) > _NEAR * self.limit:
            asked = self._ask(joined[-count - 2 * _LAG + 1 :])
            if self.active or asked.min() < 1.0:
                return np.clip(delayed * self._gain(asked)[:, None], -self.limit, self.limit)
        return delayed

    def state(self) -> tuple[dict[str, object], dict[str, object]]:
        """Everything that `process` changes."""
        return dict(vars(self)), dict(vars(self._guard))

    def go_back(self, state: tuple[dict[str, object], dict[str, object]]) -> None:
        """Be as it was at `state`."""
        vars(self).update(state[0])
        vars(self._guard).update(state[1])

    def _ask(self, newest: Audio) -> Curve:
        """The gain each frame's peak needs; `newest` begins `_LAG` - 1 frames before the first of them."""
        sizes = np.abs(newest[_LAG - 1 : -_LAG])
        # One product for both sides, laid end to end; what it makes of the seam is left out.
        length, flat = len(newest), newest.T.ravel()
        windows = np.ndarray((_TAPS, len(flat) - _TAPS + 1), np.float64, flat, 0, (8, 8))
        between = np.abs(_BETWEEN @ np.ascontiguousarray(windows)).max(axis=0)
        inside = length - _TAPS + 1
        peaks = np.maximum.reduce([sizes[:, 0], sizes[:, 1], between[:inside], between[length : length + inside]])
        return np.asarray(self.limit / np.maximum(peaks, self.limit), dtype=np.float64)

    def _gain(self, fresh: Curve) -> Curve:
        """One gain per delayed frame: least needed in the window ahead, released slowly, averaged over the window.

        Every value in the average has the delayed frame in its own window, so the average never lies above what that
        frame needs.
        """
        count = len(fresh)
        asked = np.concatenate([self._asked, fresh])
        needed = _least_ahead(asked)
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


class _Guard:
    """Lets the level rise above what was loudest lately by no more than from nothing to the ceiling in 30 ms.

    It goes by chunks of a millisecond and is one chunk late, so that its gain moves in straight lines without a step.
    """

    def __init__(self, limit: float) -> None:
        self._step = limit / SHORTEST_RAMP * CHUNK
        self._least = limit * 10 ** (QUIET_DB / 20)
        self._seconds = (self._least,) * MEMORY_S
        """Loudest of each of the last seconds, the running one last."""
        self._frames = 0
        self._allowed = self._least
        self._gain = 1.0
        """At the beginning of the chunk that waits."""
        self._most = 1.0
        """What the chunk that waits may have."""
        self._waiting = np.zeros((CHUNK, 2))
        self._peaks: tuple[float, ...] = ()
        """Of the last chunks, while a rise is held back."""

    def process(self, block: Audio, sizes: Audio, loudest: float) -> tuple[Audio, float]:
        """What may be heard of the block, `CHUNK` frames later, and how loud it is at the most."""
        joined = np.concatenate([self._waiting, block])
        out, self._waiting = joined[: len(block)], joined[len(block) :]
        if loudest > self._allowed or self._gain < 1.0 or self._most < 1.0:
            out = out * self._curve(sizes)[:, None]
            loudest = self._allowed
        elif self._peaks:
            self._peaks = ()
        if loudest > self._seconds[-1]:
            self._seconds = (*self._seconds[:-1], loudest)
        self._frames += len(block)
        if self._frames >= RATE:
            self._frames -= RATE
            self._seconds = (*self._seconds[1:], self._least)
            self._allowed = max(self._seconds)
        return out, loudest

    def _curve(self, sizes: Audio) -> Curve:
        """The gain from the chunk that waits up to the last but one."""
        chunks = sizes.reshape(-1, 2 * CHUNK).max(axis=1).tolist()
        knots = [self._gain]
        most, peaks, allowed = self._most, list(self._peaks), self._allowed
        for peak in chunks:
            peaks = [*peaks[-_HOLD:], peak]
            envelope = max(*peaks, 1e-9)
            risen = knots[-1] + CHUNK / SHORTEST_RAMP
            next_most = min(1.0, (allowed + self._step) / envelope)
            knots.append(min(most, next_most, risen))
            allowed = min(allowed + self._step, max(allowed, envelope * min(next_most, risen)))
            most = next_most
        self._gain, self._most, self._peaks, self._allowed = knots[-1], most, tuple(peaks), allowed
        places = np.arange(len(knots)) * CHUNK
        return np.asarray(np.interp(np.arange(places[-1]), places, knots), dtype=np.float64)


__all__ = ["DELAY", "MEMORY_S", "QUIET_DB", "WINDOW", "Audio", "Ceiling"]
