"""The engine's socket: greets, reads lines, sends events. It never waits for a caller that does not read."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller.messages import PROTOCOL, line_of
from controller.sound.protocol import LINE_BYTES, greeting
from controller.tasks import cancel

_BACKLOG_BYTES = 1 << 20
"""A caller that has so much unread is dropped; it may connect again and gets everything anew."""


class Caller:
    """One connection."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.role = ""

    def send(self, data: bytes) -> None:
        """Send a line; drops the connection where nobody reads."""
        if self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > _BACKLOG_BYTES:
            self._writer.transport.abort()
            return
        self._writer.write(data)


class Server:
    """Listens on `path`. `joined` is called with a greeted caller, `said` with each message of his."""

    def __init__(
        self, path: Path, joined: Callable[[Caller], None], said: Callable[[Caller, dict[str, Any]], None]
    ) -> None:
        self._path = path
        self._joined = joined
        self._said = said
        self._callers: dict[Caller, asyncio.Task[Any] | None] = {}
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to listen; takes the place of a socket that a killed engine left."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path, limit=LINE_BYTES)
        self._path.chmod(0o660)

    async def close(self) -> None:
        """Hang up."""
        if self._server is not None:
            self._server.close()
            await cancel(*self._callers.values())
            self._path.unlink(missing_ok=True)

    def broadcast(self, message: dict[str, Any]) -> None:
        """Send an event to everyone."""
        data = line_of(message)
        for caller in list(self._callers):
            if caller.role:
                caller.send(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caller = Caller(writer)
        self._callers[caller] = asyncio.current_task()
        try:
            caller.send(greeting(engine="stillroom sound"))
            hello = json.loads(await reader.readline() or b"{}")
            if hello.get("protocol") != PROTOCOL:
                caller.send(line_of({"error": f"this engine speaks protocol {PROTOCOL}"}))
                return
            caller.role = hello.get("role") or "console"
            self._joined(caller)
            while data := await reader.readline():
                message = json.loads(data)
                if isinstance(message, dict):
                    self._said(caller, message)
        except Exception as error:  # whatever a line makes of itself: it ends its own connection and nothing else
            caller.send(line_of({"error": str(error) or type(error).__name__}))
        finally:
            del self._callers[caller]
            with contextlib.suppress(OSError):
                writer.close()
