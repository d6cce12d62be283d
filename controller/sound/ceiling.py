"""The end of a bus: one gain through which everything goes, and nothing whatever passes the ceiling.

All that changes the level of a whole bus (transport, music, volume, the limiter, the guard against sudden rises) is
multiplied into one value a millisecond, and the gain is the mean of the last `WINDOW` of them. A value never lies above
what the loudest moment it may reach can bear. So, whatever is asked for and whatever comes in, the gain makes no sound
louder or softer faster than from nothing to the ceiling in `WINDOW` milliseconds: the mean moves by a `WINDOW`th of the
difference of two values, and neither would have let the sound of that moment pass the ceiling.

Volume lies behind the limiter, in effect: it hears the music as if every fader were up. A limiter before the faders
would lift what a fade lets fall, and turn the fade's last part into a drop.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from controller.sound.timeline import RATE

Audio = npt.NDArray[np.float32]
"""Sound inside the mixer: (2, frames). A mantissa of 24 bits: 144 dB below each sample."""

Frames = npt.NDArray[np.float32]
"""Sound as a card takes it: (frames, channels)."""

Curve = npt.NDArray[np.float64]

CHUNK = 48
"""1 ms: the step in which gains are thought out; between two of them they are straight lines."""

WINDOW = 20
"""Chunks, of look-ahead and of mean: the permitted slew is from nothing to the ceiling in 20 ms.

The startle reflex answers to rises within some ten milliseconds; what a straight line of 20 ms adds to a tone is no
click but lies within 50 Hz of it. Longer would delay a skip, which is heard only behind the look-ahead.
"""

DELAY = (WINDOW + 1) * CHUNK
"""Frames by which the end of a bus delays its sound; not its fades, which begin at once."""

_TAPS = 24
_LAG = _TAPS // 2
"""Frames that must have come after a place before the wave between two samples there is known: less than a chunk."""

_NEAR = 0.5
"""Samples above this part of the ceiling are looked at between the samples: a wave rises up to 6 dB above them."""

_RELEASE = 10 ** (40 / 20 / 1000)
"""By how much the limiter's gain comes back in a chunk: 40 dB a second, not heard as a tremble."""

QUIET_DB = -30.0
"""Against the ceiling: up to here anything may begin at once."""

RISE_CHUNKS = 30
"""Chunks in which music may rise from nothing to the ceiling where it has been quiet."""

MEMORY_S = 10
"""What was loudest in so many seconds, music may reach again at once: an attack keeps its edge."""

_HOLD = 40
"""Chunks over which the guard's envelope holds: longer than the rise, and than half a period of 20 Hz."""

_LINE = (np.arange(CHUNK) / CHUNK).astype(np.float32)
_SUM = np.ones(WINDOW)
_BLOCKS_IN = CHUNK + _TAPS - 1


def _between() -> npt.NDArray[np.float32]:
    """(_BLOCKS_IN, 3 * CHUNK): from a chunk and its surroundings to the wave at three places between its samples."""
    place = np.arange(CHUNK)[:, None] + np.array([0.25, 0.5, 0.75])
    away = np.arange(_BLOCKS_IN)[:, None] - (_LAG - 1) - place.reshape(1, -1)
    inside = np.abs(away) < _LAG
    window = np.where(inside, np.i0(6.0 * np.sqrt(np.clip(1 - (away / _LAG) ** 2, 0.0, 1.0))), 0.0)
    taps = np.sinc(away) * window
    return np.ascontiguousarray(taps / taps.sum(axis=0), dtype=np.float32)


_BETWEEN = _between()


def _least_ahead(asked: Curve) -> Curve:
    """(2, n) to (2, n - WINDOW): the minimum of each value and the `WINDOW` after it, by doubling."""
    least, width = asked, 1
    while 2 * width <= WINDOW + 1:
        least, width = np.minimum(least[:, :-width], least[:, width:]), 2 * width
    rest = WINDOW + 1 - width
    return np.minimum(least[:, :-rest], least[:, rest:]) if rest else least


class Ceiling:
    """Fades, a guard against sudden rises, a look-ahead true-peak limiter and a hard maximum, over one bus's channels.

    Blocks are (2, frames) at 48 kHz, whole chunks long. The output is the input `DELAY` frames later, untouched as long
    as no fade is asked for and it neither rises out of quiet nor comes near the ceiling.
    No sample ever lies above `ceiling_dbfs`, nor the wave between samples as far as four-fold oversampling shows it.
    Out of quiet (`QUIET_DB` for `MEMORY_S`) no sample lies above a line from there to the ceiling in `RISE_CHUNKS`.
    NaN and infinity become silence. All state is replaced, never changed in place.
    """

    def __init__(self, ceiling_dbfs: float) -> None:
        limit = 10 ** (min(0.0, ceiling_dbfs) / 20)
        nearest = np.float32(limit)
        self.limit = float(nearest if float(nearest) <= limit else np.nextafter(nearest, np.float32(0.0)))
        self._guard = _Guard(self.limit)
        self._held: Audio = np.zeros((2, DELAY), np.float32)
        self._loudest = 0.0
        self._asked: Curve = np.ones((2, WINDOW))
        """Gain that the newest chunks need: by the limiter, by the guard."""
        self._released = 1.0
        """The limiter's newest gain."""
        self._values: Curve = np.ones(WINDOW)
        """Those that the next mean is made of."""
        self._level: float | None = 1.0
        """What they all are, where they are all the same."""
        self.active = False
        """Whether limiter or guard turn anything down, or are about to."""

    def process(self, block: Audio, fade: Curve | float = 1.0) -> Audio:
        """The next block, with what fades make of it: one factor from 0 to 1 for each of its chunks, or for all."""
        loudest = _peak(block)
        if not loudest < np.inf:
            block = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
            loudest = _peak(block)
        count = block.shape[1]
        joined = np.concatenate([self._held, block], axis=1)
        delayed, self._held = joined[:, :count], joined[:, count:]
        heard, self._loudest = max(self._loudest, loudest), loudest
        fresh = self._think(joined, count, heard) if self.active or self._alarming(heard) else 1.0
        self._guard.remember(heard, count)
        wanted = fresh * fade
        if isinstance(wanted, float) and wanted == self._level:
            return delayed if wanted == 1.0 else delayed * np.float32(wanted)
        return self._apply(delayed, wanted)

    def shut(self) -> None:
        """Be silent at once; fades begin from there."""
        self._values, self._level = np.zeros(WINDOW), 0.0

    def state(self) -> tuple[dict[str, object], dict[str, object]]:
        """Everything that `process` changes."""
        return dict(vars(self)), dict(vars(self._guard))

    def go_back(self, state: tuple[dict[str, object], dict[str, object]]) -> None:
        """Be as it was at `state`."""
        vars(self).update(state[0])
        vars(self._guard).update(state[1])

    def _alarming(self, heard: float) -> bool:
        return heard > _NEAR * self.limit or heard > self._guard.allowed

    def _think(self, joined: Audio, count: int, heard: float) -> Curve | float:
        """What limiter and guard let the chunks have that now leave, from the peaks of those that have come."""
        first = DELAY - CHUNK
        chunks = count // CHUNK
        sizes = np.abs(joined[:, first : first + count])
        peaks = np.maximum(sizes[0], sizes[1]).reshape(chunks, CHUNK).max(axis=1)
        if heard > _NEAR * self.limit:
            stride, step = joined.strides
            windows = np.ndarray(
                (2, chunks, _BLOCKS_IN), np.float32, joined, (first - _LAG + 1) * step, (stride, CHUNK * step, step)
            )
            wave = windows.reshape(2 * chunks, _BLOCKS_IN) @ _BETWEEN
            between = np.abs(wave, out=wave).max(axis=1)
            peaks = np.maximum(peaks, np.maximum(between[:chunks], between[chunks:]))
        asked = np.ones((2, WINDOW + chunks))
        asked[:, :WINDOW] = self._asked
        asked[0, WINDOW:] = self.limit / np.maximum(peaks, self.limit)
        if self._guard.rising or min(heard, self.limit) > self._guard.allowed:
            asked[1, WINDOW:] = self._guard.ask(peaks)
        needed = _least_ahead(asked)
        self._asked = asked[:, chunks:]
        gain, gains = self._released, []
        for most in needed[0].tolist():
            gain = min(most, gain * _RELEASE)
            gains.append(gain)
        self._released = gain
        self.active = gain < 1.0 or self._guard.rising or bool(self._asked.min() < 1.0)
        values = np.array(gains) * needed[1]
        return 1.0 if values.min() == 1.0 else values

    def _apply(self, delayed: Audio, wanted: Curve | float) -> Audio:
        """The mean of the last values, and under the ceiling."""
        chunks = delayed.shape[1] // CHUNK
        values = np.empty(WINDOW + chunks)
        values[:WINDOW], values[WINDOW:] = self._values, wanted
        means = (np.convolve(values, _SUM, "valid") / WINDOW).astype(np.float32)
        self._values = values[-WINDOW:]
        level = float(self._values[0])
        self._level = level if (self._values == level).all() else None
        curve = means[:-1, None] + (means[1:] - means[:-1])[:, None] * _LINE
        out: Audio = delayed * curve.reshape(-1)
        np.minimum(out, self.limit, out=out)
        np.maximum(out, -self.limit, out=out)
        return out


def _peak(block: Audio) -> float:
    return max(float(block.max()), -float(block.min()))


class _Guard:
    """Lets the level rise above what was loudest lately no faster than from nothing to the ceiling in `RISE_CHUNKS`."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._step = limit / RISE_CHUNKS
        self._least = limit * 10 ** (QUIET_DB / 20)
        self._seconds = (self._least,) * MEMORY_S
        """Loudest of each of the last seconds, the running one last."""
        self._frames = 0
        self._peaks: tuple[float, ...] = ()
        """Of the last chunks, while a rise is held back."""
        self.allowed = self._least
        """What may be heard at the newest chunk."""
        self.rising = False

    def remember(self, heard: float, frames: int) -> None:
        """So loud was it, as far as it was let, and so many frames have passed."""
        loudest = min(heard, self.allowed)
        if loudest > self._seconds[-1]:
            self._seconds = (*self._seconds[:-1], loudest)
        self._frames += frames
        if self._frames >= RATE:
            self._frames -= RATE
            self._seconds = (*self._seconds[1:], self._least)
            self.allowed = max(self._seconds)

    def ask(self, peaks: Curve) -> list[float]:
        """The gain that the next chunks need."""
        held, allowed, gains = list(self._peaks), self.allowed, []
        for peak in peaks.tolist():
            held = [*held[-_HOLD:], peak]
            envelope = min(max(held), self._limit)
            if envelope > allowed:
                allowed = min(allowed + self._step, envelope)
            gains.append(allowed / max(envelope, allowed))
        self.allowed, self.rising = allowed, gains[-1] < 1.0
        self._peaks = tuple(held) if self.rising else ()
        return gains


__all__ = ["CHUNK", "DELAY", "MEMORY_S", "QUIET_DB", "RISE_CHUNKS", "WINDOW", "Audio", "Ceiling", "Curve", "Frames"]
