"""What the caller remembers, on disks that fail it."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
from pathlib import Path

from controller.calls.ladder import CallState
from controller.calls.outbox import Outbox
from tests.record.disks import needs_mounts, small_disk

OPEN = CallState(call="c1", level="assist", placed_at=1.0, publish_at=1.0)
RAISED = CallState(call="c1", level="emergency", placed_at=2.0, publish_at=2.0, raised=True)


@needs_mounts
async def test_a_call_that_stands_open_outlives_a_restart_on_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kilobytes=256) as disk:
        outbox = Outbox(disk / "caller.db")
        assert await outbox.load() == []
        assert await outbox.save(OPEN, "boot")
        await outbox.close()
        _fill(disk)
        again = Outbox(disk / "caller.db")
        assert await again.load() == [(OPEN, "boot")]
        assert not await again.save(RAISED, "boot"), "nobody is told that it is on the disk"
        (disk / "full").unlink()
        assert await again.save(RAISED, "boot")
        await again.close()
        last = Outbox(disk / "caller.db")
        assert await last.load() == [(RAISED, "boot")]
        await last.close()


async def test_a_call_that_cannot_be_read_hides_none_that_stands_open(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "caller.db")
    await outbox.load()
    assert await outbox.save(CallState(call="c0", level="assist", placed_at=1.0), "boot")
    assert await outbox.save(OPEN, "boot")
    await outbox.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "caller.db")) as database, database:
        database.execute("update calls set state = ? where id = 'c0'", (b'{"call": "c0", "stage": "of a later day"}',))
    again = Outbox(tmp_path / "caller.db")
    assert await again.load() == [(OPEN, "boot")]
    await again.close()


KILLED = """
import asyncio, os, sys
from pathlib import Path
from controller.calls.outbox import Outbox
from tests.calls.test_outbox import OPEN

async def live():
    outbox = Outbox(Path(sys.argv[1]))
    await outbox.load()
    os._exit(0 if await outbox.save(OPEN, "boot") else 1)

asyncio.run(live())
"""


@needs_mounts
async def test_what_a_killed_caller_left_in_the_log_is_read_on_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kilobytes=256) as disk:
        killed = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, str(disk / "caller.db"))
        assert await killed.wait() == 0
        (disk / "caller.db-shm").unlink()
        _fill(disk)
        outbox = Outbox(disk / "caller.db")
        assert await outbox.load() == [(OPEN, "boot")]
        (disk / "full").unlink()
        assert await outbox.save(RAISED, "boot")
        await outbox.close()


def _fill(disk: Path) -> None:
    with (disk / "full").open("wb", buffering=0) as full, contextlib.suppress(OSError):
        while True:
            full.write(bytes(1024))
