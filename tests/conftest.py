"""Fixtures that the tests of several parts share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.broker_fixture import mosquitto
from tests.running_demo import RunningDemo

__all__ = ["mosquitto"]


@pytest.fixture(scope="session", autouse=True)
def running_demo(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDemo | None]:
    """Begun with the very first test where any test wants it: two minutes that nobody waits for."""
    if not any("demo" in getattr(item, "fixturenames", ()) for item in request.session.items):
        yield None
        return
    demo = RunningDemo.begin(tmp_path_factory.mktemp("demo"))
    yield demo
    demo.stop()
