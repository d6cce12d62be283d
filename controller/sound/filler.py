"""The filler bed: a quiet generated pad that replaces a silence nobody asked for."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from controller.sound.ceiling import Audio, Curve
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
        ends = np.array([self.frame, self.frame + frames])[:, None, None, None] / RATE
        turn = ends * _SWELLS / _PERIODS + _PLACES * _SWELLS
        begin, end = (_REST + _SWING * np.sin(2 * np.pi * turn).sum(axis=-1)) * _WEIGHTS * self._scale
        phase = 2 * np.pi * (_HERTZ * self.frame / RATE % 1.0) + _SIDES
        self.frame += frames
        # A sine from any phase is a sum of sine and cosine from none: of what they were, and of how they swell.
        waves = np.concatenate([np.sin(phase), np.cos(phase)], axis=1)
        steady, swelling = (np.tile(level, 2) * waves @ _waves(frames) for level in (begin, end - begin))
        return np.asarray(steady + swelling * (np.arange(frames) / frames), dtype=np.float32)


_HERTZ, _WEIGHTS = (np.array([note[column] for note in _NOTES]) for column in (0, 1))
_PERIODS = np.array([note[2] for note in _NOTES])[:, None]
_SIDES = np.array([0.0, _WIDTH])[:, None]
_PLACES = (np.arange(len(_NOTES)) * 0.618 + np.array([[0.0], [0.37]]))[:, :, None]
"""Where in its swells a note begins, by side."""


@lru_cache(maxsize=2)
def _waves(frames: int) -> Curve:
    """(2 notes, frames): cosine and sine of every note, from phase 0."""
    angle = 2 * np.pi * _HERTZ[:, None] * np.arange(frames) / RATE
    return np.concatenate([np.cos(angle), np.sin(angle)])
