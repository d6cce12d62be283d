"""A panel of buttons in its own room: a real broker, the daemon's client, and somebody who listens as the caller."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller.broker import BrokerLink, BrokerSettings
from controller.broker_private import PrivateBroker
from controller.clock import boottime
from controller.config import load_profile
from controller.inputs.actions import Action, parse_action
from controller.inputs.client import ButtonsClient
from controller.inputs.keyboard import Grab, leave
from controller.inputs.kind import ButtonKind
from controller.inputs.panel import Panel
from controller.inputs.settings import Button, ButtonSettings
from controller.inputs.wired import Opener
from controller.messages import Act, Input, Reply, line_of
from controller.serial_port import PortSettings, open_serial
from tests.waiting import until


def kind(name: str) -> ButtonKind:
    found = load_profile(Path(f"devices/{name}.toml"))
    assert isinstance(found, ButtonKind)
    return found


def does(**presses: str) -> dict[str, Action]:
    found = {press.replace("_", "-"): parse_action(text) for press, text in presses.items()}
    return {press: action for press, action in found.items() if action is not None}


def button(name: str, profile: str, device: str = "", *, on: str = "", channel: int = 1, **presses: str) -> Button:
    port = PortSettings(f"{name}-port", on) if on else None
    return Button(name, kind(profile), does(**presses), device=device, port=port, channel=channel)


class Listener:
    """A Unix socket where the caller's or the engine's would be; keeps every line with its time, and may answer."""

    def __init__(self, path: Path, answer: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
        self.path = path
        self.lines: list[tuple[float, dict[str, Any]]] = []
        self.writers: list[asyncio.StreamWriter] = []
        self._answer = answer
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, str(self.path))

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in self.writers:
                writer.close()
            self._server = None
        self.path.unlink(missing_ok=True)

    def say(self, message: dict[str, Any]) -> None:
        for writer in self.writers:
            writer.write(line_of(message))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        while line := await reader.readline():
            message = json.loads(line)
            self.lines.append((boottime(), message))
            answer = self._answer(message)
            if answer is not None:
                writer.write(line_of(answer))
        writer.close()


def taken(message: dict[str, Any]) -> dict[str, Any] | None:
    """What the caller says to a call."""
    if "call" not in message:
        return None
    return {"call": message["call"], "level": message["level"], "stage": "placed", "by": ""}


def done(message: dict[str, Any]) -> dict[str, Any] | None:
    """What the engine says to a direct act."""
    return {"done": message["id"], "boottime": boottime()} if "direct" in message else None


@dataclass
class Room:
    folder: Path
    settings: ButtonSettings
    posted: list[Input] = field(default_factory=list)
    client: ButtonsClient | None = None
    notes: bool = True
    """Whether the daemon's disk takes what is posted."""

    def __post_init__(self) -> None:
        self.caller = Listener(self.folder / "caller.sock", taken)
        self.engine = Listener(self.folder / "sound.sock", done)
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def acts(self, *kinds: str) -> list[Act]:
        return [given.act for given in self.posted if not kinds or given.act.kind in kinds]

    def calls(self) -> list[tuple[str, str]]:
        return [(message["call"], message["level"]) for _, message in self.caller.lines if "call" in message]

    async def caller_says(self, call: str, stage: str) -> None:
        """What becomes of an assist, until the panel has taken it in."""
        self.caller.say({"call": call, "level": "assist", "stage": stage})
        known = self.panel._calls._open
        await until(lambda: (call in known) is (stage != "stood_down"))

    async def connect(self) -> None:
        self.client = ButtonsClient(self.folder)
        await self.client.start(self._post)
        client, begun = self.client, self.client._heard_at
        await until(lambda: client._heard_at > begun)

    def _post(self, given: Input, listener: Callable[[Reply], None] | None = None) -> None:
        self.posted.append(given)
        if self.notes and listener is not None:
            listener(Reply(id=given.id))

    def begin(self, opener: Opener, grabbing: Grab) -> None:
        self._stop.clear()
        self.panel = Panel(self.settings, opener=opener, grabbing=grabbing)
        self._task = asyncio.create_task(self.panel.run(self._stop))

    async def end(self) -> None:
        self._stop.set()
        if self._task is not None:
            await self._task


@asynccontextmanager
async def panel_room(
    folder: Path,
    broker: PrivateBroker | None,
    *buttons: Button,
    opener: Opener = open_serial,
    grabbing: Grab = leave,
    daemon: bool = True,
) -> AsyncIterator[Room]:
    where = broker.settings("buttons") if broker else BrokerSettings("127.0.0.1", 1, "nobody")
    room = Room(folder, ButtonSettings("room-1", folder, where, buttons))
    await room.caller.open()
    await room.engine.open()
    room.begin(opener, grabbing)
    await until(lambda: (folder / "buttons.sock").exists() and bool(room.caller.writers))
    if daemon:
        await room.connect()
    try:
        yield room
    finally:
        if room.client is not None:
            await room.client.close()
            await room.client.close()
        await room.end()
        await room.caller.close()
        await room.engine.close()


class Bridge:
    """What a bridge or a button would be on the broker."""

    def __init__(self, link: BrokerLink) -> None:
        self._link = link
        self._beats = 0
        link.subscribe("stillroom/beat/buttons", self._beat)

    def _beat(self, _topic: str, _payload: bytes, _retained: bool, _at: float) -> None:
        self._beats += 1

    async def heard(self) -> None:
        """Until the panel has subscribed to everything: its first heartbeat comes after that."""
        await until(lambda: self._beats > 0)

    def says(self, topic: str, payload: str, *, retain: bool = False) -> None:
        assert self._link.publish(topic, payload, retain=retain)


@asynccontextmanager
async def publisher(broker: PrivateBroker) -> AsyncIterator[Bridge]:
    link = BrokerLink(broker.settings("bridge"))
    bridge = Bridge(link)
    link.start(lambda up, why: None)
    await until(lambda: link.connected)
    yield bridge
    await link.close()
