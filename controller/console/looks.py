"""Colours and signs: four themes, and a second set of signs for the bare Linux console.

Colour means abnormal, and never colour alone: alarms carry ***, ** or * (the order of IEC 60601-1-8).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import fields, replace
from rich.console import Console

Priority = Literal["high", "medium", "low"]

STARS: dict[Priority, str] = {"high": "***", "medium": "**", "low": "*"}


class Palette(Struct, frozen=True, kw_only=True):
    """The colours of one theme, all as #rrggbb."""

    name: str
    ground: str
    text: str
    """The machine's words."""
    bright: str
    """People's words, and what matters now."""
    dim: str
    """Titles and labels."""
    faint: str
    """Axes and rules."""
    past: str
    past_edge: str
    coming: str
    coming_edge: str
    light: str
    now: str
    clock: str
    """The big T+."""
    high: str
    medium: str
    low: str
    inverse: bool = False
    """Tell priorities by inverse letters instead of colours."""


class Signs(Struct, frozen=True, kw_only=True):
    """What the font has. `rise`: from empty to a full cell; `big`: whether half blocks exist."""

    rise: str = " ▁▂▃▄▅▆▇█"
    bar_past: str = "━"
    bar_rest: str = "─"
    now: str = "│"
    axis: str = "─"
    tick: str = "┬"
    event: str = "┴"
    due: str = "▾"
    curve: str = "▔─▁"
    meter: str = "▁▂▃▄▅▆▇█"
    done: str = "✓"
    plain: bool = False


BLOCKS = Signs()
LINUX = Signs(rise=" ░▒█", due="v", curve="─", meter="░▒█", done="ok", plain=True, bar_past="═", bar_rest="─")
"""Only what the Linux console's own font holds: the light box, the three shades and the full block."""

NIGHT = Palette(
    name="night", ground="#000000", text="#9c8768", bright="#d9b27c", dim="#6e5f4a", faint="#2e271e", past="#463723",
    past_edge="#8f7347", coming="#211b13", coming_edge="#4d4130", light="#8a8a4a", now="#e0a458", clock="#b5854a",
    high="#ff5b49", medium="#e0a030", low="#55b4bd",
)  # fmt: skip
RED = Palette(
    name="red", ground="#000000", text="#96281c", bright="#d43c2a", dim="#6b1d15", faint="#2c0c09", past="#3a100b",
    past_edge="#8c2417", coming="#200a07", coming_edge="#4c140e", light="#7c3020", now="#e04632", clock="#b03424",
    high="#f04a36", medium="#e04430", low="#c83a28", inverse=True,
)  # fmt: skip
DAY = Palette(
    name="day", ground="#f3eee4", text="#4a4034", bright="#1c1610", dim="#7d705e", faint="#cfc6b6", past="#cdb894",
    past_edge="#8a6a34", coming="#e9e2d4", coming_edge="#b9aa90", light="#7f7a10", now="#9a5a00", clock="#3c2f20",
    high="#b81400", medium="#9a5c00", low="#00707c",
)  # fmt: skip
VGA = Palette(
    name="linux", ground="#000000", text="#aaaaaa", bright="#ffffff", dim="#555555", faint="#555555", past="#555555",
    past_edge="#aa5500", coming="#000000", coming_edge="#555555", light="#aaaa00", now="#ffff55", clock="#ffffff",
    high="#ff5555", medium="#ffff55", low="#55ffff",
)  # fmt: skip
"""The sixteen colours of the text console, exactly, so that nothing is rounded to black."""

THEMES: tuple[Palette, ...] = (NIGHT, RED, DAY, VGA)

DARKNESS = (1.0, 0.6, 0.35, 0.0)
"""Steps of the dark screen; the last one is off but for alarms."""


class Look(Struct, frozen=True, kw_only=True):
    """A theme as it is shown now."""

    palette: Palette = NIGHT
    signs: Signs = BLOCKS
    dark: int = 0

    @property
    def off(self) -> bool:
        """Whether the screen is off but for alarms."""
        return DARKNESS[self.dark] == 0.0

    def darker(self) -> Look:
        """One step darker; after the darkest, as it was."""
        return replace(self, dark=(self.dark + 1) % len(DARKNESS))

    @property
    def colours(self) -> Palette:
        """The palette at this darkness. Alarms keep their full colour."""
        share = DARKNESS[self.dark]
        if share == 1.0:
            return self.palette
        kept = ("name", "inverse", "ground", "high", "medium", "low")
        colours: dict[str, Any] = {
            field.name: towards(getattr(self.palette, field.name), self.palette.ground, share)
            for field in fields(Palette)
            if field.name not in kept
        }
        return replace(self.palette, **colours)


def towards(colour: str, ground: str, share: float) -> str:
    """A colour with only `share` of its distance from the ground left."""
    parts = []
    for at in (1, 3, 5):
        here, there = int(colour[at : at + 2], 16), int(ground[at : at + 2], 16)
        parts.append(round(there + (here - there) * share))
    return "#{:02x}{:02x}{:02x}".format(*parts)


def look_for(environ: Mapping[str, str]) -> Look:
    """The look a terminal starts with, by what it says it is; one of sixteen colours would round night to black."""
    few = Console(force_terminal=True, _environ=environ).color_system not in ("256", "truecolor")
    return Look(palette=VGA if few else NIGHT, signs=LINUX if environ.get("TERM") == "linux" else BLOCKS)
