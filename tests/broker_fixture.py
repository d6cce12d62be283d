"""A real broker for a test, and patience with it; `conftest.py` files import the fixture."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller.broker_private import PrivateBroker


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[PrivateBroker]:
    """mosquitto on a free loopback port; `freeze`, `thaw`, `kill`, `restart` act on it, always on the same port."""
    broker = PrivateBroker(tmp_path / "mosquitto")
    broker.start()
    yield broker
    broker.stop()


async def until(true: Callable[[], object], within: float = 15.0) -> None:
    """Wait for something that another thread or process brings about; `TimeoutError` if it takes longer."""
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.02)
