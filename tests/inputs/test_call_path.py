"""The buttons' way to the caller: what was stood down behind their back takes no later press with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller.broker import BrokerSettings
from controller.calls.caller import Caller, CallerSettings
from controller.inputs.paths import CallPath
from controller.lines import Link
from controller.messages import PROTOCOL, Origin
from tests.waiting import until

BUTTON = Origin(console="button.wall", path="button")


@dataclass
class Daemon:
    """What else is told of every call, and stands calls down."""

    folder: Path
    stages: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.link = Link(
            self.folder / "caller.sock",
            {"protocol": PROTOCOL, "client": "daemon"},
            opened=lambda: None,
            heard=self._heard,
            closed=lambda: None,
        )

    def _heard(self, message: dict[str, Any]) -> None:
        if "call" in message:
            self.stages[message["call"]] = message["stage"]

    def standing(self) -> list[str]:
        return [call for call, stage in self.stages.items() if stage != "stood_down"]

    async def stands_down(self, call: str) -> None:
        self.link.write({"stand_down": call, "by": "AB"})
        await until(lambda: self.stages.get(call) == "stood_down")


@asynccontextmanager
async def room(folder: Path) -> AsyncIterator[tuple[CallPath, Daemon]]:
    """A caller without a broker, the buttons' path to it, and a daemon."""
    stop = asyncio.Event()
    settings = CallerSettings("room-1", folder, folder, BrokerSettings("127.0.0.1", 1, "nobody"))
    caller = asyncio.create_task(Caller(settings).run(stop))
    path, daemon = CallPath(folder), Daemon(folder)
    path.link.start()
    daemon.link.start()
    await until(lambda: path.link.up and daemon.link.up)
    try:
        yield path, daemon
    finally:
        await path.link.close()
        await daemon.link.close()
        stop.set()
        await caller


async def taken(path: CallPath, call: str) -> None:
    await until(lambda: call in path._open and path._open[call].taken)


async def test_a_press_after_a_stand_down_that_the_buttons_never_heard_of_calls_anew(tmp_path: Path) -> None:
    async with room(tmp_path) as (path, daemon):
        first, _ = path.place("assist", BUTTON)
        await taken(path, first)
        await path.link.close()
        await daemon.stands_down(first)
        path.link.start()
        await until(lambda: path.link.up)
        path.place("assist", BUTTON)
        await until(lambda: bool(daemon.standing()))
        assert daemon.standing() != [first]


async def test_a_press_while_the_caller_is_away_calls_anew_where_the_call_was_stood_down_meanwhile(
    tmp_path: Path,
) -> None:
    async with room(tmp_path) as (path, daemon):
        first, _ = path.place("assist", BUTTON)
        await taken(path, first)
        await path.link.close()
        await daemon.stands_down(first)
        path.place("emergency", BUTTON)
        path.link.start()
        await until(lambda: bool(daemon.standing()))
        assert daemon.standing() != [first]


async def test_a_press_that_crosses_the_stand_down_on_its_way_calls_anew(tmp_path: Path) -> None:
    async with room(tmp_path) as (path, daemon):
        first, _ = path.place("assist", BUTTON)
        await taken(path, first)
        daemon.link.write({"stand_down": first, "by": "AB"})
        await asyncio.sleep(0)
        path.place("assist", BUTTON)
        await until(lambda: bool([call for call in daemon.standing() if call != first]))
        assert len(daemon.stages) == 2


async def test_a_call_that_was_stood_down_before_the_caller_had_it_from_the_button_is_not_placed_late(
    tmp_path: Path,
) -> None:
    async with room(tmp_path) as (path, daemon):
        await path.link.close()
        call, _ = path.place("assist", BUTTON)
        path.place("assist", BUTTON)
        await daemon.stands_down(call)
        path.link.start()
        await until(lambda: not path._open)
        assert daemon.standing() == []
        again, _ = path.place("assist", BUTTON)
        await taken(path, again)
        assert daemon.standing() == [again]
