"""Whether a technician may move lamps now: never beside a daemon, which would bring them back, nor beside another."""

from __future__ import annotations

import atexit
import os
import socket
import zlib
from pathlib import Path

from controller.console.client import Client
from controller.places import runtime_dir

_ANSWER_S = 3.0

_held: dict[str, socket.socket] = {}
"""What this process alone has, until it ends."""


class NotNow(Exception):
    """Lamps must not be moved by hand now; says why and what to do."""


async def ask_permission(state_dir: Path) -> None:
    """Raises NotNow while a daemon, or another technician's command, runs with this state directory."""
    run_dir = runtime_dir(state_dir)
    _be_the_only_one(state_dir)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_ANSWER_S)
        try:
            probe.connect(str(run_dir / "daemon.sock"))
        except (FileNotFoundError, ConnectionRefusedError):
            return
        except OSError as error:  # not ours to open, or too busy to answer: there may well be one
            why = error.strerror or error
            raise NotNow(f"Whether a daemon runs in {state_dir} cannot be told: {why}. Try as its own user.") from None
    try:
        async with Client(run_dir, console=f"technician-{os.getpid()}") as client:
            status = await client.ready(_ANSWER_S)
    except TimeoutError:
        raise NotNow(f"The daemon in {state_dir} does not answer. Stop it first: its lamps are its own.") from None
    if status.session and status.state != "ended":
        raise NotNow(f"A session is open in {status.room}: its lamps stay as they are until it has ended.")
    raise NotNow(
        f"The daemon runs {status.room} and would bring every lamp back at once. Stop it first: end `stillroom run`."
    )


def _be_the_only_one(state_dir: Path) -> None:
    """Two clients of one name would take turns at the broker for ever."""
    name = f"\0stillroom-technician-{zlib.crc32(os.fsencode(state_dir.resolve())):08x}"
    if name in _held:
        return
    mine = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        mine.bind(name)  # a name without a file: it is free again when its process ends, however that ends
    except OSError:
        mine.close()
        raise NotNow("Another stillroom command moves lamps here. Let it end first, or end it.") from None
    _held[name] = mine
    atexit.register(mine.close)
