"""The real app, without a terminal, against a room that speaks the protocol: keys in, screen out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from unittest.mock import patch

from textual.pilot import Pilot

from controller.clock import boottime
from controller.console import keyboard
from controller.console.app import ConsoleApp
from controller.console.client import Client
from controller.console.doing.table import named, path
from controller.console.looks import Look
from tests.console.fake_daemon import FakeRoom
from tests.waiting import until


@asynccontextmanager
async def console(
    room: FakeRoom, size: tuple[int, int] = (80, 24), look: Look | None = None
) -> AsyncIterator[tuple[ConsoleApp, Pilot[None]]]:
    app = ConsoleApp(Client(room.runtime_dir, console="console-3f2a", person="AB"), look or Look())
    async with app.run_test(size=size) as pilot:
        await until(lambda: app.client.status.room and app.client.desk.reachable)
        await pilot.pause()
        yield app, pilot


def rows(app: ConsoleApp) -> list[str]:
    """The screen as a person reads it."""
    width, height = app.size
    lines = ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]
    return [line[:width].ljust(width) for line in lines[:height]]


@contextmanager
def in_one_moment() -> Iterator[None]:
    """What is pressed inside arrives at one time, as a held key does or a word typed fast, on whatever machine."""
    now = boottime()
    with patch.object(keyboard, "boottime", lambda: now):
        yield


def rest_keys(app: ConsoleApp) -> None:
    """As if no key had been touched for a while."""
    app.keyboard._rests.seen.clear()
    app.keyboard._rests.counted.clear()
    app.keyboard._typing.clear()


def way(name: str) -> tuple[str, ...]:
    """The keys that lead through the menus to an action."""
    return tuple(path(named(name)).split())


def text(app: ConsoleApp) -> str:
    return "\n".join(rows(app))


async def acts(room: FakeRoom, count: int = 1) -> list[object]:
    await until(lambda: len(room.inputs) >= count)
    return [given.act for given in room.inputs]
