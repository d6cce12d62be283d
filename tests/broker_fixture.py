"""A real broker for a test; `conftest.py` files import the fixture."""

from collections.abc import Iterator
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
