"""Links that mend themselves end when they are told to, at whatever moment that comes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from controller.clock import RoomClock
from controller.lines import Link
from controller.messages import PROTOCOL, line_of
from controller.sound.client import SoundClient
from tests.waiting import patiently, until

MOMENTS = 40
"""Turns of the loop, in one of which a link that hears something all the time has just heard it."""


async def ticking(where: Path) -> asyncio.Server:
    """Somebody who says something in every turn of the loop."""

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(line_of({"protocol": PROTOCOL}))
        while not writer.is_closing():
            writer.write(line_of({"tick": 1, "event": "none"}))
            await asyncio.sleep(0)

    return await asyncio.start_unix_server(talk, str(where))


def link_to(path: Path) -> Link:
    return Link(path, {"protocol": PROTOCOL}, opened=lambda: None, heard=lambda _: None, closed=lambda: None)


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_link_to_nobody_ends_at_any_moment_of_its_connecting(tmp_path: Path) -> None:
    for moment in range(MOMENTS):
        link = link_to(tmp_path / "nobody.sock")
        link.start()
        await turns(moment)
        await patiently(link.close())


async def test_a_link_that_hears_all_the_time_ends_at_any_moment(tmp_path: Path) -> None:
    async with await ticking(tmp_path / "somebody.sock"):
        for moment in range(MOMENTS):
            link = link_to(tmp_path / "somebody.sock")
            link.start()
            await turns(moment)
            await patiently(link.close())


async def test_the_link_to_an_engine_that_talks_all_the_time_ends_at_any_moment(tmp_path: Path) -> None:
    async with await ticking(tmp_path / "sound.sock"):
        for moment in range(MOMENTS):
            client = SoundClient(tmp_path, RoomClock())
            await client.start(lambda _act: None)
            await turns(moment)
            await patiently(client.close())


async def test_a_word_that_its_hearer_cannot_take_costs_the_link_only_that_connection(tmp_path: Path) -> None:
    heard: list[object] = []

    def take(message: dict[str, object]) -> None:
        heard.append(message)
        if len(heard) == 1:
            raise KeyError("a fault of the program")

    link = Link(tmp_path / "somebody.sock", {}, opened=lambda: None, heard=take, closed=lambda: None)
    async with await ticking(tmp_path / "somebody.sock"):
        link.start()
        await until(lambda: len(heard) > 1)
        await patiently(link.close())
