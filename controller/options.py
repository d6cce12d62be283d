"""What many verbs share: options, and how one says that it could not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

StateDir = Annotated[
    Path,
    typer.Option("--state", envvar="STILLROOM_STATE", metavar="DIR", help="Where records and sockets live."),
]

AsJson = Annotated[bool, typer.Option("--json", help="JSON for a program to read.")]


def fail(why: str, status: int = 1) -> NoReturn:
    """Say on stderr why the verb could not do it, and exit."""
    print(why, file=sys.stderr)
    raise typer.Exit(status)
