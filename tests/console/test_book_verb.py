"""`stillroom book`, as a person types it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controller.__main__ import app
from controller.messages import Book, CancelBooking, Status
from tests.console.fake_daemon import FakeRoom, with_bookings


@pytest.fixture
async def booked(runtime_dir: Path) -> AsyncIterator[FakeRoom]:
    made = FakeRoom(runtime_dir / "run", status=with_bookings(Status(room="r", utc="2026-12-01T09:00:00Z")))
    made.runtime_dir.mkdir()
    made.refusals["cancel_booking"] = ("unknown_booking", {"booking": 99, "allowed": "31, 34"})
    await made.start()
    yield made
    await made.stop()


async def book(room: FakeRoom, *words: str) -> tuple[int, str]:
    command = ["book", "--state", str(room.runtime_dir.parent), *words]
    result = await asyncio.to_thread(CliRunner().invoke, app, command)
    return result.exit_code, result.output


async def test_the_room_is_booked_listed_and_freed(booked: FakeRoom) -> None:
    taken = await book(booked, "2026-12-01T09:30", "psilocybin-25mg", "--participant", "C-0412")
    assert taken[0] == 0 and "booked as" in taken[1]
    listed = await book(booked, "--list")
    assert listed[0] == 0 and "31  2026-12-01 09:30   8 h 20  psilocybin-25mg      C-0431" in listed[1]
    plain = await book(booked, "--list", "--json")
    assert [row["id"] for row in json.loads(plain[1])] == [31, 34]
    assert await book(booked, "--cancel", "99") == (1, "no booking 99; there is 31, 34\n")
    unclear = await book(booked, "2026-12-01T09:30")
    assert unclear[0] == 2 and "--list, or --cancel ID" in unclear[1]
    acts = [given.act for given in booked.inputs]
    assert Book(programme="psilocybin-25mg", participants=("C-0412",), wanted="2026-12-01T09:30") in acts
    assert CancelBooking(booking=99) in acts
