"""Files: reading those that people write, writing those that they ask for, and having them on the disk."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class ConfigError(Exception):
    """A file that has to be mended; `mistakes` are whole sentences, each beginning with the file."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """`; did you mean "…"?` or `; allowed: …`."""
    names = sorted(allowed)
    from rapidfuzz import process  # only for a mistake; a console starts without it

    found = process.extractOne(name, names, score_cutoff=55)
    if found:
        return f'; did you mean "{found[0]}"?'
    return f"; allowed: {', '.join(names)}" if names else ""


def read_toml(path: Path) -> dict[str, Any]:
    """The file's tables. Raises ConfigError for a file that cannot be read or is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*.toml")]) if path.parent.is_dir() else ""
        raise ConfigError([f"{path}: there is no such file{near}"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: cannot be read: {error}"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: not TOML: {error}"]) from None


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """While somebody's file is written: an OSError becomes a ConfigError that names it."""
    try:
        yield
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from error


def to_disk(path: Path) -> None:
    """Have a file, or the names in a directory, on the disk before going on. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
