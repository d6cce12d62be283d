"""Music for the engine's tests, made once, and an engine that ends with its test."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.messages import Piece, decode, encode
from tests.sound.room import SPEAKERS, EngineProcess, noise, tone


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Piece]:
    """Tones and noise in the formats of a library; made by the first of several test processes."""
    shared = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if not shared:
        return make_music(tmp_path_factory.mktemp("music"))
    directory = tmp_path_factory.getbasetemp().parent / f"music-{shared}"
    directory.mkdir(exist_ok=True)
    with (directory / "pieces").open("a+b") as told:
        fcntl.flock(told, fcntl.LOCK_EX)
        told.seek(0)
        if known := told.read():
            return decode(dict[str, Piece], known)
        pieces = make_music(directory)
        told.write(encode(pieces))
        return pieces


def make_music(directory: Path) -> dict[str, Piece]:
    pieces = {
        "low": tone(directory / "low.flac", 440.0, 20.0),
        "high": tone(directory / "high.flac", 660.0, 20.0),
        "ogg": tone(directory / "low.ogg", 440.0, 20.0),
        "mp3": tone(directory / "high.mp3", 660.0, 20.0),
        "cd": tone(directory / "cd.flac", 660.0, 20.0, rate=44_100),
        "noise": noise(directory / "noise.flac", 20.0),
    }
    (directory / "text.mp3").write_text("these are words\n" * 300)
    (directory / "empty.ogg").touch()
    (directory / "folder.flac").mkdir()
    whole = Path(pieces["noise"].path).read_bytes()
    (directory / "truncated.flac").write_bytes(whole[: len(whole) // 20])
    for name in ("missing.flac", "text.mp3", "empty.ogg", "folder.flac", "truncated.flac"):
        pieces[name.split(".")[0]] = Piece(path=str(directory / name), title=name, duration_s=20.0)
    return pieces


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Callable[..., EngineProcess]]:
    """Starts engines: `engine(buses)`; ends them all."""
    started: list[EngineProcess] = []

    def start(buses: tuple = SPEAKERS, output: str | None = None, **more: Any) -> EngineProcess:
        started.append(EngineProcess(tmp_path, buses, output, **more))
        return started[-1].start()

    yield start
    for one in started:
        one.stop()
