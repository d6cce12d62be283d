"""The tone that a meter is held to: pink noise from 500 to 2000 Hz, steady, and other left than right.

Within these two octaves cheap meters and telephones agree, the weightings differ by a decibel or two, and a room has
no single deep note to be wrong about. It repeats after 1.4 s, so that a meter on "slow" stands still.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from controller.sound.calibration import CREST_DB
from controller.sound.ceiling import Audio
from controller.sound.timeline import RATE, Ramp, to_frames
from controller.sound.voice import ramp_curve

BAND_HZ = (500.0, 2000.0)

_PERIOD = 65_536
_ROUNDS = 12
"""Of cutting the peaks and taking out again what that put beside the band."""

_EXPIRY_FADE = to_frames(1.0)


@dataclass(frozen=True, slots=True)
class Tone:
    """What one bus plays of it, as RMS amplitudes of its two channels; a value, `later` gives the next one.

    It fades out by itself after `remaining` frames: nobody need be there any more to end it.
    """

    left: Ramp = Ramp(0.0, 0.0)
    right: Ramp = Ramp(0.0, 0.0)
    remaining: int = 0
    frame: int = 0

    @property
    def silent(self) -> bool:
        """Whether there is nothing to hear, now or soon."""
        return not (self.left.value or self.left.target or self.right.value or self.right.target)

    def towards(self, left: float, right: float, fade: int, remaining: int) -> Tone:
        """On the way to these amplitudes, there in `fade` frames."""
        return replace(
            self, left=self.left.arriving(left, fade), right=self.right.arriving(right, fade), remaining=remaining
        )

    def ending(self, fade: int) -> Tone:
        """On the way out."""
        return self.towards(0.0, 0.0, fade, 0)

    def block(self, frames: int) -> Audio:
        """What it plays over the next `frames`: (2, frames)."""
        out = np.take(noise(), np.arange(self.frame, self.frame + frames), axis=1, mode="wrap")
        out[0] *= ramp_curve(self.left, frames)
        out[1] *= ramp_curve(self.right, frames)
        return out

    def later(self, frames: int) -> Tone:
        """The tone after `frames`."""
        remaining = max(0, self.remaining - frames)
        after = Tone(self.left.later(frames), self.right.later(frames), remaining, (self.frame + frames) % _PERIOD)
        return after if remaining else after.ending(_EXPIRY_FADE)


def amplitude_of(dbfs: float | None, ceiling_dbfs: float) -> float:
    """The RMS amplitude of a tone, held where its peaks stay a decibel below the ceiling; None is silence."""
    return 0.0 if dbfs is None else float(10 ** (min(dbfs, ceiling_dbfs - CREST_DB - 1.0) / 20))


@cache
def noise() -> Audio:
    """One period, (2, 65536), of RMS 1 and peaks below `CREST_DB`; takes 0.2 s the first time."""
    random = np.random.default_rng(2000)
    hertz = np.fft.rfftfreq(_PERIOD, 1 / RATE)
    inside = (hertz >= BAND_HZ[0]) & (hertz <= BAND_HZ[1])
    pink = np.where(inside, 1 / np.sqrt(np.maximum(hertz, 1.0)), 0.0)[:, None]
    turned = random.uniform(0, 2 * np.pi, (len(hertz), 2))
    for _ in range(_ROUNDS):
        wave = np.fft.irfft(pink * np.exp(1j * turned), axis=0)
        wave /= np.sqrt((wave**2).mean(axis=0))
        # Phases alone are kept of the cut wave: the spectrum stays pink to the last digit.
        turned = np.angle(np.fft.rfft(np.clip(wave, -1.5, 1.5), axis=0))
    return np.ascontiguousarray(wave.T, dtype=np.float32)
