"""The consoles' Unix socket: one JSON object a line.

    console -> {"protocol": 1, "console": "console-3f2a", "person": "AB", "path": "socket", "key": "…"}
    daemon  -> {"protocol": 1, "room": "room-1"}           or {"error": "protocol", "server": 1} and the end
    daemon  -> {"status": {…}}                             at once, and after every change
    daemon  -> {"telemetry": {…}}                          at 2 Hz
    console -> {"input": {…}}                              an Input with the console's own id; "locked": true beside
                                                           it where nobody knows whose hand it was
    console -> {"sign_on": {"id": …, "initials": "AB", "pin": …, "purpose": "duty"}}     see `sitters.desk.Asked`
    console -> {"look_up": {"id": …, "session": ""}}       the sessions that are over, or one of them; see `LookUp`
    daemon  -> {"looked_up": {…}}
    daemon  -> {"reply": {…}, "behind": true}              when its record is on disk, or at once when refused;
                                                           "behind": the status that goes with it is the next one

In a room with sitters `person` counts for nothing: acts go under the initials of who signed on at this console, which
is known again by its secret `key` after either side was started anew.

A line that is no message is answered {"error": "message", "why": …}; the console stays connected.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from controller.messages import (
    PEOPLES_ACTS,
    PROTOCOL,
    ArchiveAct,
    Input,
    LookedUp,
    LookUp,
    NotAMessage,
    Note,
    Origin,
    Pause,
    PostInput,
    Reply,
    Status,
    Telemetry,
    decode,
    from_plain,
    line_of,
    to_plain,
)
from controller.sitters.desk import SignOnDesk, Visitor, asked_of, digest
from controller.tasks import cancel

log = logging.getLogger(__name__)

TELEMETRY_S = 0.5
GATHER_S = 0.02
"""A change is told so much later: its record is mostly on disk by then, and one Status tells both."""

BEHIND_S = 0.004
"""An answer is followed by its Status so much later, when all that its record has changed is told."""

LINE_LIMIT = 64 * 1024
NOTE_LIMIT = 2000
BACKLOG_LIMIT = 4 * 1024 * 1024
"""A console that does not read for so many bytes is let go; it comes back by itself."""


class Server:
    """Any number of consoles; a slow or broken one disturbs nobody."""

    def __init__(
        self,
        path: Path,
        room: str,
        take: PostInput,
        status: Callable[[], Status],
        telemetry: Callable[[], Telemetry],
        desk: SignOnDesk,
        look_up: Callable[[LookUp], LookedUp],
    ) -> None:
        """`take` hands an Input to the runner; `status` and `telemetry` are asked when they are to be sent.

        `look_up` reads files, and is called beside the loop, one at a time.
        """
        self._desk = desk
        self._look_up = look_up
        self._looking = asyncio.Lock()
        self._beside: set[asyncio.Task[None]] = set()
        self._path = path
        self._room = room
        self._take = take
        self._status = status
        self._telemetry = telemetry
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._due: asyncio.TimerHandle | None = None
        """The next Status, where something has changed since the last one."""

    async def start(self) -> None:
        """Listen; only the owner and the group may connect. Raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        from_plain(Input, to_plain(Input(act=Pause())))  # so that not the first key has msgspec learn all kinds of acts
        self._server = await asyncio.start_unix_server(self._serve, str(self._path), limit=LINE_LIMIT)
        self._path.chmod(0o660)
        self._ticker = asyncio.create_task(self._tick())

    def changed(self) -> None:
        """Send the Status to everybody: behind the answer to what changed it, or a moment later."""
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(GATHER_S, self._send_status)

    async def close(self) -> None:
        """Let everybody go. Twice is fine."""
        await cancel(self._ticker, *self._beside)
        if self._due is not None:
            self._due.cancel()
        for writer in list(self._writers):
            writer.close()
        if self._server is not None:
            self._server.close()
            self._server = None
            self._path.unlink(missing_ok=True)

    def _send_status(self) -> None:
        self._due = None
        if self._writers:
            self._broadcast({"status": self._status()})

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TELEMETRY_S)
            if self._writers:
                try:
                    self._broadcast({"telemetry": self._telemetry()})
                except Exception:  # else one fault would leave every console without the room for good
                    log.exception("what moves by itself cannot be told")

    def _broadcast(self, message: dict[str, Any]) -> None:
        line = line_of(message)
        for writer in list(self._writers):
            self._write(writer, line)

    def _write(self, writer: asyncio.StreamWriter, line: bytes) -> None:
        if writer.is_closing():
            return
        if writer.transport.get_write_buffer_size() > BACKLOG_LIMIT:
            log.warning("a console does not read; it is let go")
            writer.transport.abort()
            return
        writer.write(line)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            visitor = await self._greet(reader, writer)
            if visitor is None:
                return
            self._writers.add(writer)
            self._write(writer, line_of({"status": self._status()}))
            while line := await reader.readline():
                self._handle(line, visitor, writer)
                await asyncio.sleep(0)  # a line that is here already is read without a pause: one for the others' turn
        except ValueError:
            self._write(writer, line_of({"error": "message", "why": f"a line has at most {LINE_LIMIT} bytes"}))
            log.warning("a console sent a line of more than %d bytes; it is let go", LINE_LIMIT)
        except ConnectionError as error:
            log.info("a console went away: %s", error)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Visitor | None:
        try:
            hello = decode(dict[str, Any], await reader.readline())
            spoken = hello.get("protocol")
            person = hello.get("person")
            name = str(hello.get("console", "?"))[:40]
            visitor = Visitor(name, str(person)[:40] if person else None, digest(str(hello.get("key") or "")))
        except (ValueError, AttributeError, RecursionError):
            spoken = None
        if spoken != PROTOCOL:
            writer.write(line_of({"error": "protocol", "server": PROTOCOL}))
            return None
        writer.write(line_of({"protocol": PROTOCOL, "room": self._room}))
        return visitor

    def _handle(self, line: bytes, visitor: Visitor, writer: asyncio.StreamWriter) -> None:
        try:
            message = decode(dict[str, Any], line)
            if "sign_on" in message:
                asked = asked_of(message["sign_on"])
                self._spawn(self._desk.sign_on(visitor, asked, lambda reply: self._reply(writer, reply)))
                return
            if "look_up" in message:
                self._spawn(self._answer_look_up(from_plain(LookUp, message["look_up"]), visitor, writer))
                return
            given = from_plain(Input, message["input"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            why = str(error) if isinstance(error, NotAMessage) else "not a message"
            self._write(writer, line_of({"error": "message", "why": why}))
            return
        if not isinstance(given.act, (*PEOPLES_ACTS, ArchiveAct)):
            self._write(writer, line_of({"error": "message", "why": f"{given.act.kind} is not for consoles"}))
            return
        note = given.act.text if isinstance(given.act, Note) else ""
        for what, text in (("note", note), ("why", given.why)):
            if len(text) > NOTE_LIMIT:
                why = f"at most {NOTE_LIMIT} letters"
                self._reply(writer, Reply(id=given.id, refused="bad_value", values={"what": what, "why": why}))
                return
        person = None if message.get("locked") is True else self._desk.person(visitor)
        origin = Origin(person=person, console=visitor.console, path="socket")
        self._take(replace(given, origin=origin), lambda reply: self._reply(writer, reply))

    async def _answer_look_up(self, asked: LookUp, visitor: Visitor, writer: asyncio.StreamWriter) -> None:
        """What is over is shown to whom the room knows, as what is open is shown to whoever stands before it."""
        if not self._desk.knows(visitor):
            found = LookedUp(id=asked.id, refused="sign_on_needed")
        else:
            async with self._looking:
                found = await asyncio.to_thread(self._look_up, asked)
        self._write(writer, line_of({"looked_up": found}))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """In a task of its own: what else this console sends, a call above all, does not wait for it."""
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    def _reply(self, writer: asyncio.StreamWriter, reply: Reply) -> None:
        self._write(writer, line_of({"reply": reply, "behind": not reply.refused}))
        loop = asyncio.get_running_loop()
        if not reply.refused and (self._due is None or self._due.when() > loop.time() + BEHIND_S):
            if self._due is not None:
                self._due.cancel()
            self._due = loop.call_later(BEHIND_S, self._send_status)  # never put off by the next answer
