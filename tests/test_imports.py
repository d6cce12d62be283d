"""Imports point one way; a change that turns one round fails here, not in review."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


def test_imports_point_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_file_grows_beyond_five_hundred_lines() -> None:
    long = {
        str(path.relative_to(REPOSITORY)): lines
        for path in (REPOSITORY / "controller").rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 500
    }
    assert long == {}


HEAVY = {
    "controller.console.app": ("pydantic", "numpy", "sqlite3", "fpdf", "matplotlib"),
    "controller.sound.__main__": ("asyncio", "dataclasses", "logging", "msgspec", "numpy", "vlc"),
    "controller.warden": ("pydantic", "numpy", "textual"),
    "controller.daemon": ("numpy", "fpdf", "matplotlib", "textual", "mutagen", "rapidfuzz", "typer"),
    "controller.__main__": ("pydantic", "asyncio", "rich", "tomlkit"),
    "controller.ctl": ("pydantic", "rich", "tomlkit", "rapidfuzz"),
}


@pytest.mark.parametrize("module", HEAVY)
def test_what_runs_beside_the_music_or_is_waited_for_loads_only_what_it_needs(module: str) -> None:
    asked = f"import sys, {module}; print(*(name for name in {HEAVY[module]} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", asked], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
