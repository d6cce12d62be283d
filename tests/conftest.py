"""Fixtures that the tests of several parts share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.broker_fixture import mosquitto
from tests.running_demo import RunningDemo

__all__ = ["mosquitto"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits longest begins first, so that nothing else waits for it at the end."""
    items.sort(key=lambda item: ("test_difficult_session" not in item.nodeid, "tests/whole/" not in item.nodeid))


@pytest.fixture(scope="session", autouse=True)
def running_demo(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDemo | None]:
    """Begun with the very first test where any test wants it: two minutes that nobody waits for."""
    if not any("demo" in getattr(item, "fixturenames", ()) for item in request.session.items):
        yield None
        return
    shared = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if shared:  # one demo for all test processes; it ends by itself, for nobody knows who is the last to want it
        yield RunningDemo.begin(tmp_path_factory.getbasetemp().parent / f"demo-{shared}")
        return
    demo = RunningDemo.begin(tmp_path_factory.mktemp("demo") / "run")
    yield demo
    demo.stop()
