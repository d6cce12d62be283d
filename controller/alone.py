"""A process's work on a loop of its own, done by one process at a time."""

from __future__ import annotations

import asyncio
import fcntl
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path

Serve = Callable[[asyncio.Event, Callable[[], None]], Coroutine[object, object, None]]
"""Work of one loop: serves until the event is set, and calls the other while it is well."""


def serve_alone(lock: Path, taken: str, make: Callable[[], Serve], beat: Callable[[], None] | None) -> None:
    """Make the work on a loop of its own and serve until SIGTERM or SIGINT, as the only one who holds `lock`.

    It calls `beat`, if somebody watches. Raises RuntimeError(`taken`) where another holds the lock.
    """

    async def serve() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await make()(stop, beat or (lambda: None))

    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RuntimeError(taken) from None
        asyncio.run(serve())
