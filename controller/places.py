"""Where a clinic's records live, and where beside them a room's processes meet."""

from __future__ import annotations

from pathlib import Path

STATE = Path("/var/lib/stillroom")
"""Where a clinic's records live."""


def runtime_dir(state_dir: Path) -> Path:
    """Where the sockets and the engine's cue sheet of this state directory live."""
    return state_dir / "run"


def make_dir(directory: Path) -> None:
    """Make the state directory, or one in it, as whichever program comes first: for owner and group. Raises OSError."""
    for needed in (directory.parent, directory):
        needed.mkdir(mode=0o750, parents=True, exist_ok=True)
