"""Where two decodings of one file lie against each other, so that one can take the other's place unheard."""

from __future__ import annotations

import numpy as np

from controller.sound.ceiling import Audio

_ALIKE = 0.5
"""Correlation below which nothing is said: silence, or another file in the same place."""

_AS_GOOD = 1 - 1e-9
"""Of a tone many places fit, and the nearest is taken; but only of those that fit as well: two decodings are the same.

A low tone a frame beside its place is 0.9999 like itself.
"""


def find_shift(part: Audio, around: Audio) -> int:
    """How many frames later than in the middle of `around` the sound of `part` lies there; 0 where it is not found.

    Both are (2, frames) at one rate; `around` is the longer by twice the shift that is looked for.
    """
    mine, its = part.sum(axis=0, dtype=np.float64), around.sum(axis=0, dtype=np.float64)
    size = 1 << (len(mine) + len(its)).bit_length()
    alike = np.fft.irfft(np.fft.rfft(its, size) * np.conj(np.fft.rfft(mine, size)), size)[: len(its) - len(mine) + 1]
    power = np.concatenate([[0.0], np.cumsum(its**2)])
    norm = np.sqrt((power[len(mine) :] - power[: -len(mine)]) * (mine @ mine))
    alike = alike / np.maximum(norm, 1e-9)
    if not alike.max() >= _ALIKE:
        return 0
    shifts = np.flatnonzero(alike >= _AS_GOOD * alike.max()) - (len(alike) - 1) // 2
    return int(shifts[np.abs(shifts).argmin()])
