"""A state directory in which two days were lived through."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.journal.day import live_days


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("lived")
    live_days(state)
    return state


@pytest.fixture
def state(lived: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(lived, tmp_path / "state"))


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """Where backups go."""
    (tmp_path / "stick").mkdir()
    return tmp_path / "stick"


@pytest.fixture
def synchronised(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether this computer's clock is, at the moment when it is asked."""
    says = [True]
    monkeypatch.setattr("controller.clock.clock_synchronised", lambda: says[-1])
    return says
