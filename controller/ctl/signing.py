"""Where a PIN comes from: hidden from a terminal, or from a file or descriptor, and never from the arguments."""

from __future__ import annotations

import getpass
import stat
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated

import typer

PinFrom = Annotated[
    Path | None,
    typer.Option(
        "--pin-from", envvar="STILLROOM_PIN_FROM", metavar="FILE",
        help="Read the PIN of --person here: a file of mode 600, or a descriptor as /dev/fd/3. Asked for otherwise.",
    ),
]  # fmt: skip

source: ContextVar[Path | None] = ContextVar("source", default=None)
"""What `--pin-from` said."""


SecondPinFrom = Annotated[
    Path | None,
    typer.Option("--second-pin-from", metavar="FILE", help="Read the PIN of --second here, as --pin-from its own."),
]

second_source: ContextVar[Path | None] = ContextVar("second_source", default=None)
"""What `--second-pin-from` said."""


class NoPin(Exception):
    """There is no PIN to be had, and why."""


def read_pin(initials: str, where: Path | None) -> str:
    """The PIN of a sitter: the first line of `where`, or asked for, hidden. Raises NoPin."""
    if where is None:
        if not _at_a_terminal():
            raise NoPin(f"no PIN of {initials}: neither a terminal to ask at, nor --pin-from FILE")
        return getpass.getpass(f"PIN of {initials}: ").strip()
    try:
        with where.open(encoding="utf-8") as file:
            found = where.stat()
            if stat.S_ISREG(found.st_mode) and found.st_mode & 0o077:
                raise NoPin(f"{where} can be read by others: chmod 600 {where}")
            return file.readline().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NoPin(f"{where} cannot be read: {type(error).__name__}") from None


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()
