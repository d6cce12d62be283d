"""A daemon that finds the open session's record damaged begins with an idle room, and says so."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from controller.config import load_room
from controller.console.client import Client
from controller.daemon import Daemon
from controller.journal.reading import session_file
from controller.messages import Pause
from controller.places import runtime_dir
from tests.runner.room import room
from tests.waiting import PATIENCE_S, patiently


async def test_a_damaged_open_session_is_an_alarm_in_an_idle_room(tmp_path: Path) -> None:
    async with room(tmp_path) as it:
        it.start()
        await it.until(lambda: it.runner.state.mode == "running")
    with closing(sqlite3.connect(session_file(tmp_path, "s1"))) as connection, connection:
        connection.execute("DROP TRIGGER records_stay")
        connection.execute("UPDATE records SET body = '{}' WHERE line = 1")
    connection.close()
    file = tmp_path / "room.toml"
    file.write_text('format = 1\nname = "room-1"\n[broker]\nport = 9\n')
    daemon = Daemon(load_room(file), tmp_path)
    opened = asyncio.Event()
    running = asyncio.create_task(daemon.run(opened.set))
    await patiently(opened.wait())
    async with Client(runtime_dir(tmp_path), console="c") as client:
        status = await client.ready(PATIENCE_S)
        assert status.state == "idle"
        assert ("journal_damaged", "high") in [(alarm.code, alarm.priority) for alarm in status.alarms]
        assert not (await client.send(Pause())).refused
    daemon.stop()
    await patiently(running)
