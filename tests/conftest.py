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
    "sound/test_engine",
    "calls/test_caller",
    "sitters/test_console",
    "console/test_every_key",
    "lights/test_contract",
    "rehearsal/test_rehearsal",
    "whole/test_crash",
    "sound/test_survival",
    "console/test_screens",
    "sound/test_long_runs",
    "sitters/test_daemon",
    "library/test_measure",
    "whole/test_wall_clock",
    "test_warden",
    "console/test_preflight",
    "sound/test_broken",
    "console/test_app",
    "lights/test_outage",
    "report/test_report",
    "lights/test_mqtt",
    "console/test_clinical_keys",
    "sound/test_joins",
    "drawing/test_drawing",
    "whole/test_preflight",
    "journal/test_archive",
    "commissioning/test_commission",
    "journal/test_backup",
    "commissioning/test_moving",
    "console/test_call_keys",
    "console/test_terminal",
    "config/test_files",
    "sound/test_decoder",
    "sound/test_client",
    "inputs/test_process",
    "crash/test_record_before_effect",
    "console/test_held_keys",
    "session/test_random_sessions",
    "console/test_tired",
    "record/test_failing_disk",
    "exchange/test_exchange",
    "sound/test_device",
    "whole/test_power_pull",
    "lights/test_serial_contract",
    "console/test_live_acts",
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
