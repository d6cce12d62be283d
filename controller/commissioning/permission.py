"""Whether a technician may move lamps now: never beside a daemon, which would bring them back."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from controller.console.client import Client
from controller.options import runtime_dir

_ANSWER_S = 3.0


class NotNow(Exception):
    """Lamps must not be moved by hand now; says why and what to do."""


async def ask_permission(state_dir: Path) -> None:
    """Raises NotNow while a daemon runs with this state directory, whether or not a session is open."""
    run_dir = runtime_dir(state_dir)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_ANSWER_S)
        try:
            probe.connect(str(run_dir / "daemon.sock"))
        except OSError:
            return
    try:
        async with Client(run_dir, console=f"technician-{os.getpid()}") as client:
            status = await client.ready(_ANSWER_S)
    except TimeoutError:
        raise NotNow(f"The daemon in {state_dir} does not answer. Stop it first: its lamps are its own.") from None
    if status.session:
        raise NotNow(f"A session is open in {status.room}: its lamps stay as they are until it has ended.")
    raise NotNow(
        f"The daemon runs {status.room} and would bring every lamp back at once. Stop it first: "
        "systemctl stop stillroom"
    )
