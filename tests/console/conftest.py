"""A room in a short directory: Unix socket paths hold at most 107 bytes."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.console.fake_daemon import FakeRoom


@pytest.fixture
def runtime_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="room") as where:
        yield Path(where)


@pytest.fixture
async def room(runtime_dir: Path) -> AsyncIterator[FakeRoom]:
    """The whole room is up."""
    made = FakeRoom(runtime_dir)
    await made.start()
    yield made
    await made.stop()
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert not left, f"left over: {left}"
