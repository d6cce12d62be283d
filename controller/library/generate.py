"""The demo's music: slow warm pads of our own making, the same on every machine."""

from __future__ import annotations

from pathlib import Path


def make_demo_library(directory: Path) -> list[Path]:
    """Make the demo's pieces under `directory` unless they are there already; gives their paths in order.

    Folders settle/ ascent/ peak/ descent/ return/ arrival/ hold two or three pieces each.
    """
    raise NotImplementedError
