"""What many verbs share: options, how one says that it could not, and where a state directory keeps its sockets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

STATE = Path("/var/lib/stillroom")
"""Where a clinic's records live."""

StateDir = Annotated[
    Path,
    typer.Option("--state", envvar="STILLROOM_STATE", metavar="DIR", help="Where records and sockets live."),
]

AsJson = Annotated[bool, typer.Option("--json", help="JSON for a program to read.")]


def runtime_dir(state_dir: Path) -> Path:
    """Where the sockets and the engine's cue sheet of this state directory live."""
    return state_dir / "run"


def fail(why: str, status: int = 1) -> NoReturn:
    """Say on stderr why the verb could not do it, and exit."""
    print(why, file=sys.stderr)
    raise typer.Exit(status)
