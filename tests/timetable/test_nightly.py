"""The nightly checks, by our own verbs in their own processes."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from controller.library.catalogue import Catalogue
from controller.messages import Book, Trouble
from controller.nightly import Nightly
from tests.library.music import write_tone
from tests.runner.room import room


async def test_a_piece_that_is_gone_is_named(tmp_path: Path) -> None:
    gone, _ = [write_tone(tmp_path / "music" / name, seconds=1.0) for name in ("gone.wav", "kept.wav")]
    catalogue = Catalogue(tmp_path)
    catalogue.scan([tmp_path / "music"])
    catalogue.close()
    nightly = Nightly(tmp_path, lambda: True, lambda: True)
    gone.unlink()
    found = await nightly.check("library_check")
    assert found.troubles == (Trouble(code="file", name=str(gone), why="missing"),)
    assert found.count == 1


async def test_the_self_test_names_each_part_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with room(tmp_path) as daemon:
        await daemon.ask(Book(programme="p", participants=("C-1",), wanted=""))
        well = await Nightly(tmp_path, lambda: True, lambda: True).check("self_test")
        assert (well.looked_at, well.troubles) == (4, ())
    with closing(sqlite3.connect(tmp_path / "room.db")) as connection, connection:
        connection.execute("DROP TRIGGER records_stay")
        connection.execute("UPDATE records SET hash = x'00' WHERE line = 1")
    connection.close()
    monkeypatch.setattr("controller.nightly.PATIENCE_S", 0.3)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("controller.nightly.shutil.disk_usage", lambda _path: usage._replace(free=12 * 1024**2))
    found = await Nightly(tmp_path, lambda: False, lambda: False).check("self_test")
    assert [trouble.code for trouble in found.troubles] == ["sound", "broker", "disk", "journal"]
    assert found.troubles[2].name == "12 MiB"


async def test_a_check_that_is_stopped_leaves_no_process(tmp_path: Path) -> None:
    work = asyncio.create_task(Nightly(tmp_path, lambda: True, lambda: True).check("library_check"))
    await asyncio.sleep(0.1)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    left = await asyncio.create_subprocess_exec("pgrep", "-f", str(tmp_path), stdout=asyncio.subprocess.PIPE)
    said, _ = await left.communicate()
    assert said == b""
