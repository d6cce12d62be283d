"""The filler bed: a quiet generated pad that replaces a silence nobody asked for."""

from __future__ import annotations

import numpy as np

from controller.sound.ceiling import Audio
from controller.sound.timeline import RATE

_PARTIALS = (
    # (Hz left, Hz right, weight, seconds of one swell): an open A chord, a little apart left and right;
    # the swells share no period, so that the bed does not repeat within any session.
    (110.00, 110.13, 1.00, 17.3),
    (164.81, 164.62, 0.80, 23.9),
    (220.00, 220.21, 0.60, 31.7),
    (277.18, 276.97, 0.30, 41.3),
    (329.63, 329.87, 0.25, 53.9),
    (440.00, 439.71, 0.10, 67.1),
)


class Filler:
    """Endless warm pad, (frames, 2) blocks whose mean level is `level_dbfs` RMS."""

    def __init__(self, level_dbfs: float) -> None:
        self.frame = 0
        # A sine swelling as (1 + 0.6 sin) / 1.6 has mean power (1 + 0.18) / 2.56 / 2 of its weight squared.
        power = sum(weight**2 for _, _, weight, _ in _PARTIALS) * 1.18 / 2.56 / 2
        self._scale = 10 ** (level_dbfs / 20) / power**0.5

    def block(self, frames: int) -> Audio:
        """The next block; phase runs on from the last."""
        seconds = (self.frame + np.arange(frames)) / RATE
        self.frame += frames
        ends = seconds[[0, -1]] if frames else np.zeros(2)
        out = np.zeros((frames, 2))
        for left, right, weight, period in _PARTIALS:
            swell = (1 + 0.6 * np.sin(2 * np.pi * (ends / period + weight))) / 1.6
            level = np.linspace(swell[0], swell[1], frames) * weight * self._scale
            out[:, 0] += level * np.sin(2 * np.pi * left * seconds)
            out[:, 1] += level * np.sin(2 * np.pi * right * seconds)
        return out
