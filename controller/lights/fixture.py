"""A DMX fixture's profile: what its channels do. A new kind of fixture is a new file, no Python.

Levels are perceived brightness 0..1, colour temperature is in kelvin; only a fixture knows its channels' bytes.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from controller.lights.profile import Level
from controller.lights.scale import Scale
from controller.validation import Table

UNIVERSE = 512
"""Channels on one DMX line (DMX512-A)."""

_SCALE = 65535.0
_EYE = Scale(Level(min=0, max=_SCALE, whole=False, curve="luminance"))

Role = Literal["level", "warm", "cool", "red", "green", "blue", "white", "fixed"]
Kelvin = Field(default=None, ge=1700, le=10000)


class Channel(Table):
    """One channel, counted from the fixture's first, which is 1. `fine`: the channel with its low byte."""

    at: int = Field(ge=1, le=UNIVERSE)
    role: Role
    fine: int | None = Field(default=None, ge=1, le=UNIVERSE)
    kelvin: float | None = Kelvin
    """Colour temperature of a warm, cool or white channel alone."""
    value: int = Field(default=0, ge=0, le=255)
    """What a fixed channel stands at: a mode, or a master that stays open."""


class Bytes(Table):
    """A channel's own scale. `min` is the darkest byte that still gives steady light.

    `curve`: "luminance" where light is proportional to the byte, "perceived" where the fixture's own dimming curve
    follows the eye.
    """

    min: float = Field(default=0.0, ge=0, le=254)
    max: float = Field(default=255.0, gt=0, le=255)
    curve: Literal["perceived", "luminance"] = "perceived"


class Fixture(Table):
    """One kind of DMX fixture. Raises `pydantic.ValidationError` with everything that is wrong."""

    profile: Literal[1]
    """Version of the format."""
    kind: Literal["dmx-fixture"]
    name: str
    title: str = ""
    models: tuple[str, ...] = ()
    """What can be bought that speaks like this."""
    tested: tuple[str, ...] = ()
    quirks: tuple[str, ...] = ()
    power_on: float = Field(ge=0, le=1)
    """Perceived level at which it stands when it has power and has had no signal yet."""
    signal_lost: Literal["hold", "power_on"]
    """What it does when the signal ends."""
    kelvin: float | None = Kelvin
    """The colour temperature where nobody asks for one."""
    level: Bytes = Bytes()
    channels: tuple[Channel, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        places = [place for channel in self.channels for place in (channel.at, channel.fine) if place is not None]
        if len(places) != len(set(places)):
            raise ValueError("two channels have the same place")
        roles = [channel.role for channel in self.channels]
        for role in ("level", "warm", "cool", "red", "green", "blue", "white"):
            if roles.count(role) > 1:
                raise ValueError(f"two channels are {role}")
        lit = set(roles) - {"fixed"}
        allowed = ({"level"}, {"warm", "cool"}, {"red", "green", "blue"}, {"red", "green", "blue", "white"})
        if lit not in allowed:
            raise ValueError("channels must be one level; warm and cool; red, green and blue; or these and white")
        for channel in self.channels:
            if channel.role in ("warm", "cool", "white") and channel.kelvin is None:
                raise ValueError(f"the {channel.role} channel needs its kelvin")
        if len(lit) > 1 and self.kelvin is None:
            raise ValueError("a fixture with a colour temperature needs the kelvin where nobody asks for one")
        return self

    @property
    def width(self) -> int:
        """How many channels it takes."""
        return max(place for channel in self.channels for place in (channel.at, channel.fine or 1))

    def scale(self, floor: float = 0.0, lowest: float | None = None) -> Scale:
        """The bytes of perceived levels; `lowest`: the byte at which the room's floor is to lie."""
        level = Level(min=self.level.min, max=self.level.max, whole=False, curve=self.level.curve)
        return Scale(level, floor, lowest)

    def render(self, level: float, kelvin: float | None = None, scale: Scale | None = None) -> dict[int, int]:
        """The bytes of its channels (counted from 0) at a perceived level and a colour temperature."""
        scale = scale or self.scale()
        light = _EYE.to_device(level) / _SCALE
        shares = self._shares(kelvin or self.kelvin)
        found: dict[int, int] = {}
        for channel in self.channels:
            share = shares.get(channel.role, 0.0)
            if channel.role == "fixed":
                found[channel.at - 1] = channel.value
                continue
            value = scale.to_device(_EYE.from_device(share * light * _SCALE)) if share * light > 0 else 0.0
            if channel.fine is not None:
                whole = round(value * 257)  # 255 becomes 65535
                found[channel.at - 1], found[channel.fine - 1] = divmod(whole, 256)
            else:
                leading = share == max(shares.values())
                found[channel.at - 1] = max(1 if leading and light > 0 else 0, round(value))
        return found

    def _shares(self, kelvin: float | None) -> dict[str, float]:
        """How much of the light each role gives; the strongest gives all that it can."""
        by_role = {channel.role: channel for channel in self.channels}
        if "level" in by_role or kelvin is None:
            return {"level": 1.0}
        if "warm" in by_role:
            warm, cool = by_role["warm"].kelvin or 0.0, by_role["cool"].kelvin or 0.0
            # Equal steps in mired look equally large.
            share = (1e6 / warm - 1e6 / kelvin) / (1e6 / warm - 1e6 / cool)
            share = min(1.0, max(0.0, share))
            return {"warm": 1.0 - share, "cool": share}
        wanted = black_body(kelvin)
        white = 0.0
        if "white" in by_role:
            own = black_body(by_role["white"].kelvin or 0.0)
            white = min(want / has for want, has in zip(wanted, own, strict=True))
            rest = [max(0.0, want - white * has) for want, has in zip(wanted, own, strict=True)]
        else:
            rest = list(wanted)
        most = max(*rest, white)
        red, green, blue = (part / most for part in rest)
        return {"red": red, "green": green, "blue": blue, "white": white / most}


def black_body(kelvin: float) -> tuple[float, float, float]:
    """Linear red, green and blue (sRGB primaries) of a black body, the largest 1.

    Chromaticity after Kim et al., US patent 7024034: cubic splines, 1667..25000 K.
    """
    t = min(25000.0, max(1667.0, kelvin))
    if t < 4000:
        x = -0.2661239e9 / t**3 - 0.2343589e6 / t**2 + 0.8776956e3 / t + 0.179910
    else:
        x = -3.0258469e9 / t**3 + 2.1070379e6 / t**2 + 0.2226347e3 / t + 0.240390
    if t < 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif t < 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    big_x, big_z = x / y, (1 - x - y) / y
    mixed = (
        3.2404542 * big_x - 1.5371385 - 0.4985314 * big_z,
        -0.9692660 * big_x + 1.8760108 + 0.0415560 * big_z,
        0.0556434 * big_x - 0.2040259 + 1.0572252 * big_z,
    )  # IEC 61966-2-1
    most = max(mixed)
    return max(0.0, mixed[0] / most), max(0.0, mixed[1] / most), max(0.0, mixed[2] / most)
