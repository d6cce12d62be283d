"""Fixtures that the tests of several parts share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings

from controller.library import measuring
from tests.broker_fixture import mosquitto
from tests.record.disks import mounts
from tests.running_demo import RunningDemo

__all__ = ["mosquitto", "mounts"]

# Else each of the two hundred processes that the tests start compiles the product anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

STARTED = str(Path(__file__).parent / "started")
"""What the processes that the tests start begin with."""


# A slow machine takes long over an example, and that is no fault of what is tested.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


LONGEST_FIRST = (
    "whole/test_difficult_session",
    "whole/test_crash",
    "sitters/test_console",
    "calls/test_caller",
    "whole/test_wall_clock",
    "sitters/test_daemon",
    "sound/test_survival",
    "console/test_every_key",
    "console/test_app",
    "console/test_terminal",
    "rehearsal/test_rehearsal",
    "whole/test_preflight",
    "sound/test_engine",
    "lights/test_contract",
    "lights/test_outage",
    "sound/test_broken",
    "lights/test_mqtt",
    "commissioning/test_commission",
    "sound/test_long_runs",
    "sound/test_client",
    "session/test_random_sessions",
    "record/test_failing_disk",
    "record/test_damaged_start",
    "inputs/test_process",
    "whole/test_power_pull",
    "sound/test_room_levels",
    "crash/test_record_before_effect",
    "library/test_measure",
    "drawing/test_drawing",
    "console/test_screens",
    "console/test_clinical_keys",
    "console/test_preflight",
    "whole/test_demo",
)
"""The files that take ten seconds and more (`--durations=0`). Begun last, one of them would be waited for alone."""


def pytest_configure(config: pytest.Config) -> None:
    """Only a process that tests in itself: what it starts begins so, and not the test processes beside it."""
    if not config.getoption("numprocesses", None):
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (STARTED, os.environ.get("PYTHONPATH"))))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; xdist keeps to this with `--no-loadscope-reorder`."""
    place = {f"tests/{name}.py": number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(place)))


LOWEST_PRIORITY = measuring._LOWEST
"""At which the product measures music; its tests would wait behind all the others that run beside them."""


@pytest.fixture(scope="session", autouse=True)
def measuring_waits_for_nobody() -> Iterator[None]:
    """Music is measured as if nothing were played, at the priority that the tests have themselves."""
    with patch.object(measuring, "_LOWEST", os.getpriority(os.PRIO_PROCESS, 0)):
        yield


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
