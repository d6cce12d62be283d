"""The caller's socket: JSON lines over `caller.sock` (mode 0660), the same for the daemon, consoles and scripts.

First line each way:

    caller: {"protocol": 1, "server": "caller", "room": "room-1", "path": "ok"}
    client: {"protocol": 1, "client": "daemon"}

A client of another protocol is told {"error": "protocol", "server": 1} and let go.

The client says:

    {"call": ID, "level": "assist" | "emergency", "origin": {...}}      place it; the same again changes nothing
    {"stand_down": ID, "by": "..."}                                     nobody needs to come

Both take "test": true, of a test call for which nobody runs. A call of its id without it makes it one in earnest, which
the end of the test does not end.

The caller says, to every client, at every change, in answer to every command, and of each open call on connecting:

    {"call": ID, "level": ..., "stage": ..., "by": ..., "utc": ...,
     "placed_at": BOOTTIME, "boot": BOOT ID, "origin": {...}}     and "test": true, of a test call
    {"path": "ok" | "lost"}                 its link to the broker; every 2 s, and at changes

`stage` is placed, sent, acknowledged, not_delivered or stood_down. A line with "durable": false tells that the disk did
not take the call, which is on its way all the same. What is not understood is answered {"error": "line"}.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller.messages import PROTOCOL, line_of
from controller.tasks import cancel

_log = logging.getLogger(__name__)

_LONGEST_LINE = 1 << 16
_LONGEST_QUEUE = 1 << 20
"""Bytes: a client that reads nothing is let go."""
_HELLO_S = 5.0
_MODE = 0o660

Message = dict[str, Any]


class CallerServer:
    """Serves `path`. `greet` gives what a new client is told, `joined` hears who it is, `heard` takes its commands.

    `heard` raises ValueError where it was told no command.
    """

    def __init__(
        self,
        path: Path,
        *,
        greet: Callable[[], list[Message]],
        joined: Callable[[str], None],
        heard: Callable[[Message], None],
    ) -> None:
        self._path = path
        self._greet = greet
        self._joined = joined
        self._heard = heard
        self._names: dict[asyncio.StreamWriter, str] = {}
        self._server: asyncio.Server | None = None
        self._clients: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def start(self) -> None:
        """Listen; raises OSError. A socket that a dead caller left behind is replaced."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, str(self._path), limit=_LONGEST_LINE)
        self._path.chmod(_MODE)

    async def close(self) -> None:
        """Let every client go; twice is fine."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        await cancel(*self._clients.values())
        self._path.unlink(missing_ok=True)

    def serves(self, name: str) -> bool:
        """Whether a client of that name is there."""
        return name in self._names.values()

    def push(self, message: Message) -> None:
        """Tell every client."""
        for writer in tuple(self._clients):
            self._write(writer, message)

    def _write(self, writer: asyncio.StreamWriter, message: Message) -> None:
        if writer.transport.get_write_buffer_size() > _LONGEST_QUEUE:
            writer.transport.abort()
        elif not writer.is_closing():
            writer.write(line_of(message))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for message in self._greet():
            self._write(writer, message)
        self._clients[writer] = asyncio.current_task()
        try:
            async with asyncio.timeout(_HELLO_S):
                hello = _parse(await reader.readline())
            if hello.get("protocol") != PROTOCOL:
                self._write(writer, {"error": "protocol", "server": PROTOCOL})
                await writer.drain()
                return
            self._names[writer] = str(hello.get("client", ""))
            self._joined(self._names[writer])
            while line := await reader.readline():
                self._command(writer, line)
        except (OSError, ValueError, TimeoutError) as error:
            _log.debug("a client left: %r", error)
        except asyncio.CancelledError:
            pass  # only `close` cancels, and asyncio's own callback would complain of it
        finally:
            del self._clients[writer]
            self._names.pop(writer, None)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _command(self, writer: asyncio.StreamWriter, line: bytes) -> None:
        try:
            self._heard(_parse(line))
        except ValueError as error:
            self._write(writer, {"error": "line", "why": str(error)[:200]})


def _parse(line: bytes) -> Message:
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("not an object")
    return message
