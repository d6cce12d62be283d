"""Options that many verbs share, and where a state directory keeps its sockets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
