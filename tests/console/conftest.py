"""A room in a short directory: Unix socket paths hold at most 107 bytes."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from controller.console import commands
from tests.console.fake_daemon import FakeRoom


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal comes at once, however long a loaded machine takes for it."""
    monkeypatch.setattr(commands, "AGAIN_S", 60.0)


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
