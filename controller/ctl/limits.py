"""A file with one session's limits: what its participants do not want to hear."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from controller.files import ConfigError, read_toml
from controller.messages import Limits
from controller.validation import Table, mistakes_in


class LimitsTable(Table):
    """The keys of the file; see `messages.Limits` for their meaning."""

    no_vocals: bool = False
    languages: tuple[str, ...] = ()
    traditions: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()
    volume_cap_db: Annotated[float, Field(ge=-40, le=0)] = 0.0
    headphones_only: bool = False


def read_limits(path: Path | None) -> Limits:
    """The limits in a TOML file; none without one. Raises ConfigError with every mistake in it."""
    if path is None:
        return Limits()
    table, mistakes = mistakes_in(path, LimitsTable, read_toml(path))
    if table is None:
        raise ConfigError(mistakes)
    return Limits(**table.model_dump())
