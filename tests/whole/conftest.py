"""The two-minute demo begins with the first test of this folder and runs beside the others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class RunningDemo:
    """`stillroom demo --headless --minutes 2`, under way."""

    state_dir: Path
    process: subprocess.Popen[str]


@pytest.fixture(scope="package", autouse=True)
def running_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    state_dir = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "controller", "demo", "--headless", "--minutes", "2", "--state", str(state_dir)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    yield RunningDemo(state_dir, process)
    if process.poll() is None:
        process.terminate()
        process.communicate(timeout=20)
