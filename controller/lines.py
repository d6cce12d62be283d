"""JSON lines over a Unix socket: a link that mends itself, for consoles and for the buttons."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller.messages import PROTOCOL, decode, line_of
from controller.tasks import cancel

_log = logging.getLogger(__name__)

LONGEST_LINE = 4 << 20
"""Bytes. A whole Status with its curves and its log has some ten thousand."""

FIRST_PAUSE_S = 0.2
LAST_PAUSE_S = 1.0
CONNECT_S = 1.0


class ProtocolMismatch(Exception):
    """The other side speaks another version; `server` is the number that it named."""

    def __init__(self, server: int) -> None:
        super().__init__(f"the room speaks protocol {server}, this console {PROTOCOL}")
        self.server = server


class Link:
    """A link that mends itself.

    `hello` is the first line sent; `opened` is called when the socket is up, `heard` for every line, `closed` when the
    link went down. All three run on the loop's thread and must not block.
    """

    def __init__(
        self,
        path: Path,
        hello: dict[str, Any],
        *,
        opened: Callable[[], None],
        heard: Callable[[dict[str, Any]], None],
        closed: Callable[[], None],
    ) -> None:
        self.path = path
        self.mismatch: ProtocolMismatch | None = None
        self.tried = False
        """Whether the first attempt to connect is over."""
        self._hello = hello
        self._opened = opened
        self._heard = heard
        self._closed = closed
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def up(self) -> bool:
        """Whether the socket is open; says nothing about whether anybody answers."""
        return self._writer is not None

    def start(self) -> None:
        """Begin to connect, for as long as it takes."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep_up(), name=f"link {self.path.name}")

    async def close(self) -> None:
        """End the link; twice is fine."""
        task, self._task = self._task, None
        await cancel(task)

    def write(self, message: dict[str, Any]) -> bool:
        """Send one line; False where the link is down."""
        if self._writer is None or self._writer.is_closing():
            return False
        self._writer.write(line_of(message))
        return True

    async def _keep_up(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            try:
                async with asyncio.timeout(CONNECT_S):
                    reader, writer = await asyncio.open_unix_connection(str(self.path), limit=LONGEST_LINE)
            except (OSError, TimeoutError):
                self.tried = True
                self._closed()
            else:
                if await self._talk(reader, writer):
                    pause = FIRST_PAUSE_S
            await asyncio.sleep(pause)
            pause = min(LAST_PAUSE_S, pause * 1.5)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read until the link ends; returns whether anything was heard."""
        heard_any = False
        writer.write(line_of(self._hello))
        self._writer = writer
        self.tried = True
        try:
            self._opened()
            while line := await reader.readline():
                message = decode(dict[str, Any], line)
                if message.get("error") == "protocol":
                    self.mismatch = ProtocolMismatch(int(message.get("server", 0)))
                    break
                self.mismatch = None
                heard_any = True
                self._heard(message)
        except (OSError, ValueError):
            # A half-written line or a foreign one: begin afresh, as if the link had dropped.
            heard_any = False
        except Exception:  # whoever hears must not end the link with a fault of its own
            _log.exception("what came over %s could not be taken", self.path.name)
            heard_any = False
        finally:
            self._writer = None
            writer.close()
            self._closed()
        return heard_any


async def ask_once(path: Path, hello: dict[str, Any], message: dict[str, Any], key: str, timeout: float) -> Any:
    """Open, greet, send one message and return the first answer that has `key` in it.

    Raises OSError, TimeoutError, ProtocolMismatch, or ValueError for an answer that is not JSON.
    """
    async with asyncio.timeout(timeout):
        reader, writer = await asyncio.open_unix_connection(str(path), limit=LONGEST_LINE)
        try:
            writer.write(line_of(hello) + line_of(message))
            while line := await reader.readline():
                answer = decode(dict[str, Any], line)
                if answer.get("error") == "protocol":
                    raise ProtocolMismatch(int(answer.get("server", 0)))
                if key in answer:
                    return answer
        finally:
            writer.close()
    raise ConnectionResetError(f"{path.name} closed without an answer")
