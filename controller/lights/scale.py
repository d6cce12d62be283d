"""Perceived levels and a device's own numbers: the one place where the one is made of the other."""

from __future__ import annotations

from dataclasses import dataclass

from controller.lights.profile import Level


@dataclass(frozen=True, slots=True)
class Scale:
    """A lamp's own numbers for perceived levels. `lowest`: its lowest steady number, where commissioning found one.

    The room's floor then lies exactly there, and what lies between is spread over the rest: some dimmers are dark up to
    46 % of their scale.
    """

    level: Level
    floor: float = 0.0
    lowest: float | None = None

    def to_device(self, level: float) -> float:
        """The device's number for a perceived level."""
        share = min(1.0, max(0.0, level))
        if self.lowest is not None:
            share = self._dark + max(0.0, share - self.floor) * (1.0 - self._dark) / (1.0 - self.floor)
        low, high = self.level.min, self.level.max
        value = low + (_luminance(share) if self.level.curve == "luminance" else share) * (high - low)
        return round(value) if self.level.whole else round(value, 4)

    def from_device(self, value: float) -> float:
        """The perceived level of a device's number."""
        share = self._perceived(value)
        if self.lowest is None:
            return share
        if share < self._dark - 1e-9:
            return self.floor * share / self._dark
        return self.floor + (share - self._dark) * (1.0 - self.floor) / (1.0 - self._dark)

    def tolerance(self, level: float) -> float:
        """How far an echo may be from the level that was sent: two of the device's own steps there, at least 1 %."""
        if not self.level.whole:
            return 0.01
        number = self.to_device(level)
        return max(0.01, abs(self.from_device(number + 2) - self.from_device(number - 2)) / 2)

    def share(self, one: float, other: float) -> float:
        """How much of the device's own scale lies between two perceived levels, 0..1."""
        return abs(self.to_device(one) - self.to_device(other)) / (self.level.max - self.level.min)

    def steepest(self, one: float, other: float) -> float:
        """A straight fade in the device's own scale, as long in perceived level as its steepest part would make it.

        A lamp that fades straight in light changes fastest to the eye where it is darkest.
        """
        apart = abs(one - other)
        if self.level.curve != "luminance" or apart == 0.0:
            return apart
        low = (self.to_device(min(one, other)) - self.level.min) / (self.level.max - self.level.min)
        slope = 1.16 / 3 * low ** (-2 / 3) if low > 8 / 903.3 else 9.033
        return max(apart, self.share(one, other) * slope)

    @property
    def _dark(self) -> float:
        return self._perceived(self.level.min if self.lowest is None else self.lowest)

    def _perceived(self, value: float) -> float:
        share = min(1.0, max(0.0, (value - self.level.min) / (self.level.max - self.level.min)))
        return _lightness(share) if self.level.curve == "luminance" else share


# CIE 15:2004, lightness L* with L = 100 L*: the eye's scale, linear in the dark end.


def _luminance(lightness: float) -> float:
    shade = lightness * 100
    return float(((shade + 16) / 116) ** 3) if shade > 8 else shade / 903.3


def _lightness(luminance: float) -> float:
    return float(116 * luminance ** (1 / 3) - 16) / 100 if luminance > 8 / 903.3 else luminance * 9.033
