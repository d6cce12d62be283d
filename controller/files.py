"""Files: reading those that people write, writing those that they ask for, and having them on the disk."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from controller.nearest import nearest

_PRIVATE = 0o640

_FORMULA = re.compile(r"[=@\t\r\n＝＠＋－]|[+-](?![\d.:]+$)")
"""What a spreadsheet takes for a formula; a number, or a time, with its sign is none."""


class ConfigError(Exception):
    """A file that has to be mended; `mistakes` are whole sentences, each beginning with the file."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """`; did you mean "…"?` or `; allowed: …`."""
    names = sorted(allowed)
    if found := nearest(name, names):
        return f'; did you mean "{found}"?'
    return f"; allowed: {', '.join(names)}" if names else ""


def read_toml(path: Path) -> dict[str, Any]:
    """The file's tables. Raises ConfigError for a file that cannot be read or is not TOML."""
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        if text.startswith("\ufeff"):
            raise ConfigError([f"{path}: begins with a byte order mark; save it as UTF-8 without one"])
        return tomllib.loads(text)
    except FileNotFoundError:
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*.toml")]) if path.parent.is_dir() else ""
        raise ConfigError([f"{path}: there is no such file{near}"]) from None
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: cannot be read: {error}"]) from None
    except RecursionError:
        raise ConfigError([f"{path}: not TOML: nested too deeply"]) from None
    except ValueError as error:  # tomllib's own, and Python's of a number with thousands of digits
        raise ConfigError([f"{path}: not TOML: {error}{_line_of(error, text)}"]) from None


def _line_of(error: ValueError, text: str) -> str:
    """What stands in the line that the parser names, for a person to see the comma where a point belongs."""
    named = re.search(r"\(at line (\d+)", str(error))
    return f": {shown}" if named and (shown := text.splitlines()[int(named[1]) - 1].strip()[:60]) else ""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """While somebody's file is written: an OSError becomes a ConfigError that names it."""
    try:
        yield
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from error


def private(file: Path) -> None:
    """Make a file that only its owner and group may read, where it is not there yet. Raises OSError."""
    if not file.exists():
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, _PRIVATE))
        file.chmod(_PRIVATE)


def write_private(file: Path, data: bytes) -> None:
    """Write what tells of a participant: whole or not at all, for its owner and group alone, as the journal is.

    The umask may take more away; a stick without permissions keeps none. A folder that is missing is made, as
    private. Raises OSError.
    """
    file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    _replace(file, data, _PRIVATE)


def write_whole(file: Path, text: str) -> None:
    """Write a file that may be there already: whole, or what was there stays. Raises OSError."""
    _replace(file, text.encode(), 0o666)


def _replace(file: Path, data: bytes, mode: int) -> None:
    part = file.with_name(f".{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as written:
            written.write(data)
            written.flush()
            os.fsync(written.fileno())
        part.replace(file)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise


def inert(cell: object) -> object:
    """A cell of a CSV; one that a spreadsheet would take for a formula is kept as text."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def to_disk(path: Path) -> None:
    """Have a file, or the names in a directory, on the disk before going on. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
