"""The filler bed: a quiet generated pad that replaces a silence nobody asked for."""

from __future__ import annotations

import numpy as np

from controller.sound.ceiling import Audio
from controller.sound.timeline import RATE

_NOTES = (
    # (Hz, weight, seconds of its slowest swell): an open chord on A. The ninth and the third are the colour; above them
    # little, so that nothing in it ever catches the ear.
    (110.00, 1.00, 47.3),
    (164.81, 0.80, 53.9),
    (220.00, 0.60, 61.7),
    (246.94, 0.22, 71.1),
    (277.18, 0.28, 79.3),
    (329.63, 0.22, 89.9),
    (440.00, 0.08, 97.1),
)

_SWELLS = np.array([1.0, (1 + 5**0.5) / 2, 1 + 2**0.5])
"""A note's swells share no common period, however long one waits: nothing comes round again."""

_REST, _SWING = 0.55, 0.15
"""A note moves between 0.1 and 1.0 of its weight."""

_WIDTH = 0.9
"""Radians by which the sides differ in phase: wide, and still whole where a room or a telephone adds them up."""


class Filler:
    """Endless warm pad, (2, frames) blocks whose mean level is `level_dbfs` RMS.

    Both sides have the same tones, so that none beat; each swells for itself, so that the sound wanders slowly.
    """

    def __init__(self, level_dbfs: float) -> None:
        self.frame = 0
        # A sine under three swells has a mean power of (rest^2 + 3 swing^2 / 2) / 2 of its weight squared.
        power = sum(weight**2 for _, weight, _ in _NOTES) * (_REST**2 + 1.5 * _SWING**2) / 2
        self._scale = 10 ** (level_dbfs / 20) / power**0.5

    def block(self, frames: int) -> Audio:
        """The next block; phase runs on from the last."""
        seconds = (self.frame + np.arange(frames)) / RATE
        ends = np.array([self.frame, self.frame + frames])[:, None] / RATE
        self.frame += frames
        out = np.zeros((2, frames), np.float32)
        for number, (hertz, weight, period) in enumerate(_NOTES):
            for side in (0, 1):
                turn = ends * _SWELLS / period + (number * 0.618 + side * 0.37) * _SWELLS
                begin, end = (_REST + _SWING * np.sin(2 * np.pi * turn).sum(axis=1)) * weight * self._scale
                wave = np.sin(2 * np.pi * hertz * seconds + side * _WIDTH)
                out[side] += np.linspace(begin, end, frames, endpoint=False) * wave
        return out
