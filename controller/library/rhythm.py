"""Onsets: how often something begins to sound, and how regularly. Pure; from the spectrum's level and flux."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

_BINS = 513
_AROUND_S = 1.5
"""What a window is compared with: the music this long before and after."""
_RISE = 1.15
"""An onset makes the sound 1.2 dB stronger within `_RISE_S`: a change of chord or a vibrato alone is none."""
_RISE_S = 0.09
_LEAST = 0.03
"""Flux above its surroundings', as a share of their level. Chosen on clicks, plucks, drums, pads, rain and noise."""
_APART_S = 0.09
_SLOWEST_S, _FASTEST_S = 4.0, 0.2
"""Periods within which a pulse is looked for."""
_FEWEST = 4
"""With fewer onsets there is no rhythm to speak of."""


def find_onsets(level: Values, flux: Values, hop_s: float) -> tuple[float, float]:
    """Onsets per second, and their regularity: 0 (none, or at random) to 1 (a metronome).

    `level` is the mean magnitude and `flux` the spectral flux of windows `hop_s` apart. Regularity is the highest
    autocorrelation of the onsets' strength at a lag of 0.2 to 4 s.
    """
    if len(level) < 8:
        return 0.0, 0.0
    strength = _strength(level, flux, hop_s)
    count = len(_peaks(strength, round(_APART_S / hop_s)))
    rate = count / (len(level) * hop_s)
    return rate, _regularity(strength, hop_s) if count >= _FEWEST else 0.0


def _strength(level: Values, flux: Values, hop_s: float) -> Values:
    around = round(_AROUND_S / hop_s)
    loud = _smooth(level, around) + 1e-9
    change = flux / (loud * _BINS)
    span = round(_RISE_S / hop_s)
    sums = np.concatenate(([0.0], np.cumsum(level)))
    at = np.arange(len(level))
    end, start = np.minimum(at + span, len(level)), np.maximum(at - span, 0)
    after = (sums[end] - sums[at]) / (end - at)
    before = (sums[at] - sums[start]) / np.maximum(at - start, 1)
    rises = after > _RISE * np.maximum(before, 0.02 * loud)
    fresh = change - _smooth(change, around)
    return np.where(rises & (fresh > _LEAST), fresh, 0.0)


def _smooth(values: Values, around: int) -> Values:
    sums = np.concatenate(([0.0], np.cumsum(values)))
    at = np.arange(len(values))
    end, start = np.minimum(at + around + 1, len(values)), np.maximum(at - around, 0)
    smooth: Values = (sums[end] - sums[start]) / (end - start)
    return smooth


def _peaks(strength: Values, apart: int) -> npt.NDArray[np.intp]:
    highest = np.lib.stride_tricks.sliding_window_view(np.pad(strength, apart), 2 * apart + 1).max(axis=1)
    return np.flatnonzero((strength == highest) & (strength > 0))


def _regularity(strength: Values, hop_s: float) -> float:
    # A single great onset would drown the others; and a player is never exact to the window.
    even = np.minimum(strength, np.quantile(strength[strength > 0], 0.9))
    even = np.convolve(even, (0.25, 0.5, 1.0, 0.5, 0.25), mode="same")
    even -= even.mean()
    size = 1 << (2 * len(even)).bit_length()
    alike = np.fft.irfft(np.abs(np.fft.rfft(even, size)) ** 2, size)[: len(even)]
    first, last = round(_FASTEST_S / hop_s), min(round(_SLOWEST_S / hop_s), len(even) // 3)
    if alike[0] <= 0 or last <= first:
        return 0.0
    lags = np.arange(first, last)
    shares = alike[lags] / alike[0] * len(even) / (len(even) - lags)
    return float(np.clip(shares.max(), 0.0, 1.0))
