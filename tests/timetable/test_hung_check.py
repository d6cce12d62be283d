"""A nightly check whose process hangs, as on a disk over the network that does not answer."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from controller import nightly
from controller.messages import Act, Check, Checked, RunCheck
from controller.nightly import Nightly
from controller.tasks import cancel
from controller.timetable import scheduler
from controller.timetable.scheduler import RoomTimetable
from controller.timetable.settings import TimetableSettings
from tests.session.room import PaperRoom
from tests.timetable.wall import BERLIN
from tests.waiting import PATIENCE_S, until

DEAF = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[-1], "pid.new").write_text(str(__import__("os").getpid()))
pathlib.Path(sys.argv[-1], "pid.new").rename(pathlib.Path(sys.argv[-1], "pid"))
time.sleep(600)
"""


async def test_a_check_that_does_not_end_when_it_is_told_to_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "_IDLE", (sys.executable, "-c", DEAF))
    monkeypatch.setattr(nightly, "END_S", 0.1, raising=False)
    task = asyncio.create_task(nightly.verb_json(tmp_path, "journal", "backup"))
    await until((tmp_path / "pid").exists)
    pid = int((tmp_path / "pid").read_text())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await cancel(task)
        await until(lambda: not Path(f"/proc/{pid}").exists())
    finally:
        if Path(f"/proc/{pid}").exists():
            os.kill(pid, 9)


async def test_a_check_that_does_not_end_is_killed_however_much_happens_in_the_session_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "_IDLE", (sys.executable, "-c", DEAF))
    monkeypatch.setattr(nightly, "END_S", 0.3)
    timetable = RoomTimetable(TimetableSettings(zone=BERLIN), Nightly(tmp_path, lambda: True, lambda: True).check)
    await timetable.start(lambda act: None)
    timetable.apply(RunCheck(check="library_check"), 1)
    await until((tmp_path / "pid").exists)
    pid = int((tmp_path / "pid").read_text())
    try:
        room = PaperRoom()
        room.start()
        for _ in range(3):
            timetable.follow(room.state)
            await asyncio.sleep(0.02)
        await until(lambda: not Path(f"/proc/{pid}").exists())
        await until(lambda: not timetable._checks)
    finally:
        if Path(f"/proc/{pid}").exists():
            os.kill(pid, 9)
        await timetable.close()


async def test_a_check_that_never_ends_is_told_and_does_not_stand_in_the_way_of_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(check: Check) -> Act:
        begun.append(check)
        await asyncio.Event().wait()
        raise AssertionError

    begun: list[Check] = []
    posted: list[Act] = []
    monkeypatch.setattr(scheduler, "LONGEST_CHECK_S", 0.05, raising=False)
    timetable = RoomTimetable(TimetableSettings(zone=BERLIN), never)
    await timetable.start(posted.append)
    timetable.apply(RunCheck(check="backup"), 1)
    await until(lambda: posted and not timetable._checks)
    assert isinstance(posted[0], Checked) and posted[0].troubles[0].code == "check"
    timetable.apply(RunCheck(check="backup"), 2)
    await until(lambda: len(begun) == 2)
    await timetable.close()
