"""The consoles' socket: whatever a console sends or fails to read, it disturbs nobody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from controller import ctl
from controller import server as module
from controller.messages import Dose, Duty, Input, LookedUp, Mark, Note, Reply, Status, Telemetry, to_plain
from controller.places import runtime_dir
from controller.server import Server
from controller.sitters.desk import SignOnDesk
from controller.sitters.register import Register
from tests.waiting import PATIENCE_S, until


class Desk:
    """What stands behind the server: it notes every Input, and refuses doses."""

    def __init__(self, runtime: Path) -> None:
        self.taken: list[Input] = []
        self.status = Status(room="r", state="running")
        desk = SignOnDesk(Register(runtime), Duty, self.take, lambda: 0.0)
        self.server = Server(
            runtime / "daemon.sock", "r", self.take, lambda: self.status, Telemetry, desk, lambda it: LookedUp(id=it.id)
        )

    def take(self, given: Input, listener: Callable[[Reply], None] | None) -> None:
        self.taken.append(given)
        refused = "no_session" if isinstance(given.act, Dose) else ""
        assert listener is not None
        listener(Reply(id=given.id, seq=0 if refused else len(self.taken), refused=refused))
        self.server.changed()


@asynccontextmanager
async def desk(runtime: Path) -> AsyncIterator[Desk]:
    it = Desk(runtime)
    await it.server.start()
    try:
        yield it
    finally:
        await it.server.close()
        await asyncio.sleep(0.01)


class Wire:
    """One console, by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, message: object) -> None:
        self.writer.write((message if isinstance(message, bytes) else json.dumps(message).encode()) + b"\n")

    async def hear(self, key: str) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            while line := await self.reader.readline():
                if key in (message := json.loads(line)):
                    return message[key]
        raise EOFError(key)


@asynccontextmanager
async def wire(runtime: Path, hello: object = None) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_unix_connection(str(runtime / "daemon.sock"), limit=1 << 22)
    it = Wire(reader, writer)
    it.say({"protocol": 1, "console": "c"} if hello is None else hello)
    try:
        yield it
    finally:
        writer.transport.abort()
        await asyncio.sleep(0.01)


def an_input(act: Any) -> dict[str, Any]:
    return {"input": to_plain(Input(act=act))}


@pytest.mark.parametrize(
    "hello",
    [{"protocol": 2}, [], b"", b"nonsense", b"[" * 50_000, b'{"protocol": 1, "console": "\\ud800"}'],
)
async def test_who_speaks_otherwise_is_told_so_and_let_go(tmp_path: Path, hello: object) -> None:
    async with desk(tmp_path), wire(tmp_path, hello) as console:
        assert await console.hear("error") == "protocol"
        assert await console.reader.read() == b""


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"[]",
        b"[" * 50_000,
        b'{"input": {"act": {"kind": "levitate"}}}',
        b'{"input": {"act": {"kind": "timer"}}}',
        b'{"input": {"act": {"kind": "dose", "minutes_ago": NaN}}}',
        b'{"input": {"act": {"kind": "volume", "level_db": 1e999}}}',
        b'{"input": {"act": {"kind": "note", "text": "\\ud800"}}}',
    ],
)
async def test_what_is_no_message_is_answered_and_the_console_stays(tmp_path: Path, line: bytes) -> None:
    async with desk(tmp_path) as it, wire(tmp_path) as console:
        console.say(line)
        assert await console.hear("error") == "message"
        assert it.taken == []
        console.say(an_input(Mark(code="spoke")))
        assert (await console.hear("reply"))["seq"] == 1


async def test_a_line_beyond_all_measure_ends_the_link_and_nothing_else(tmp_path: Path) -> None:
    async with desk(tmp_path), wire(tmp_path) as big, wire(tmp_path) as other:
        big.say(b"x" * (module.LINE_LIMIT * 3))
        with pytest.raises((EOFError, ConnectionError)):
            await big.hear("reply")
        other.say(an_input(Mark(code="spoke")))
        assert (await other.hear("reply"))["seq"] == 1


async def test_a_console_that_sends_without_end_leaves_the_others_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, heard = 20_000, list[str]()
    async with (
        desk(tmp_path) as it,
        wire(tmp_path, {"protocol": 1, "console": "jammed"}) as jammed,
        wire(tmp_path, {"protocol": 1, "console": "other"}) as other,
    ):
        await other.hear("status")
        monkeypatch.setattr(it.server, "_handle", lambda _line, visitor, _writer: heard.append(visitor.console))
        jammed.say(b"\n" * lines)
        await until(lambda: heard, every_s=0.0)
        other.say(an_input(Mark(code="spoke")))
        await until(lambda: "other" in heard, every_s=0.0)
        assert heard.index("other") < lines // 10


async def test_a_note_as_long_as_a_story_is_refused(tmp_path: Path) -> None:
    async with desk(tmp_path) as it, wire(tmp_path) as console:
        console.say(an_input(Note(text="x" * (module.NOTE_LIMIT + 1))))
        assert (await console.hear("reply"))["refused"] == "bad_value"
        assert it.taken == []


async def test_two_consoles_see_what_either_does(tmp_path: Path) -> None:
    async with desk(tmp_path) as it, wire(tmp_path) as one, wire(tmp_path) as two:
        await one.hear("status")
        await two.hear("status")
        it.status = Status(room="r", state="paused")
        one.say(an_input(Mark(code="spoke")))
        assert (await one.hear("status"))["state"] == "paused"
        assert (await two.hear("status"))["state"] == "paused"
        assert it.taken[0].origin.console == "c" and it.taken[0].origin.path == "socket"


async def test_a_picture_that_cannot_be_drawn_costs_itself_and_not_all_that_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "TELEMETRY_S", 0.01)
    asked: list[int] = []

    def telemetry() -> Telemetry:
        asked.append(1)
        if len(asked) == 1:
            raise ZeroDivisionError
        return Telemetry(t=7.0)

    async with desk(tmp_path) as it:
        it.server._telemetry = telemetry
        async with wire(tmp_path) as one:
            assert (await one.hear("telemetry"))["t"] == 7.0
    assert "ZeroDivisionError" in caplog.text


async def test_a_console_that_does_not_read_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKLOG_LIMIT", 100_000)
    async with desk(tmp_path) as it, wire(tmp_path) as stopped, wire(tmp_path) as reading:
        await stopped.hear("status")
        await reading.hear("status")
        stopped.writer.transport.pause_reading()  # type: ignore[attr-defined]
        it.status = Status(room="r" * 50_000)
        for _ in range(60):
            it.server.changed()
            assert (await reading.hear("status"))["room"]
        assert len(it.server._writers) == 1


def test_a_refusal_ends_a_script_with_its_reason(tmp_path: Path) -> None:
    async def ask(words: list[str]) -> tuple[int, str, str]:
        async with desk(runtime_dir(tmp_path)):
            ended = await asyncio.to_thread(CliRunner().invoke, ctl.app, [*words, "--state", str(tmp_path)])
            return ended.exit_code, ended.stdout, ended.stderr

    code, out, said = asyncio.run(ask(["dose", "25", "mg"]))
    assert (code, out) == (1, "")
    assert "no session is open" in said
    assert asyncio.run(ask(["mark", "spoke"]))[0] == 0
    assert isinstance(ctl.app, typer.Typer)
