"""Real APScheduler on a wall clock that the test moves, and the real rules behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import apscheduler.executors.base
import apscheduler.schedulers.base
import pytest
from msgspec.structs import replace

from controller.messages import Act, Check, Checked, Effect, Input, Opened, Refused, RunCheck, TimetableDue
from controller.session.bookings import Timetable
from controller.session.step import step
from controller.timetable import scheduler
from controller.timetable.dates import last_until
from controller.timetable.scheduler import RoomTimetable
from controller.timetable.settings import TimetableSettings
from tests.session.room import RULES, PaperRoom

BERLIN = ZoneInfo("Europe/Berlin")
DAILY = {"lights_off": time(22, 30), "library_check": time(2, 30), "self_test": time(3, 0)}
SETTINGS = TimetableSettings(zone=BERLIN, warm_up_s=1800.0, preflight_s=2700.0, **DAILY)


def unix(text: str, zone: tzinfo = BERLIN) -> float:
    """A wall-clock time of the room as Unix time."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@dataclass
class Wall:
    """The wall clock, and the clock beneath it that never steps."""

    unix: float
    boottime: float = 5000.0

    def pass_by(self, seconds: float) -> None:
        self.unix += seconds
        self.boottime += seconds

    def shown(self, at: float | None = None) -> str:
        return f"{datetime.fromtimestamp(self.unix if at is None else at, BERLIN):%Y-%m-%d %H:%M %z}"


def put_up(monkeypatch: pytest.MonkeyPatch, at: str) -> Wall:
    """The wall clock that APScheduler and the timetable see from here on."""
    wall = Wall(unix(at))

    class Shown(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.fromtimestamp(wall.unix, tz)

    monkeypatch.setattr(apscheduler.schedulers.base, "datetime", Shown)
    monkeypatch.setattr(apscheduler.executors.base, "datetime", Shown)
    monkeypatch.setattr(scheduler, "utc_now", lambda: datetime.fromtimestamp(wall.unix, UTC))
    monkeypatch.setattr(scheduler, "boottime", lambda: wall.boottime)
    return wall


@dataclass
class WallRoom:
    """What the rules made of what the wall clock brought."""

    wall: Wall
    check: Callable[[Check], Any]
    new: bool = False
    """A new room; otherwise one that has done all it should up to now."""
    paper: PaperRoom = field(default_factory=PaperRoom)
    done: list[tuple[str, str]] = field(default_factory=list)
    """(what became of a job, when on the wall clock), in order."""
    effects: list[Effect] = field(default_factory=list)
    timetable: RoomTimetable | None = None

    def __post_init__(self) -> None:
        self.paper.act(Opened(rules=RULES))
        if not self.new:
            done = {job: last_until(at, BERLIN, self.wall.unix).timestamp() for job, at in DAILY.items()}
            self.paper.state = replace(self.paper.state, timetable=Timetable(done=done))

    def post(self, act: Act) -> None:
        try:
            outcome = step(self.paper.state, Input(act=act), self.paper.now, self.paper.seq + 1)
        except Refused as refusal:
            assert refusal.code == "already", refusal
            return
        self.paper.seq += 1
        self.paper.state = outcome.state
        self.effects += outcome.effects
        if isinstance(act, TimetableDue):
            became = outcome.facts[0].code.removeprefix("timetable_")
            self.done.append((f"{act.job} {became}", self.wall.shown()))
        if self.timetable is not None:
            for effect in outcome.effects:
                if isinstance(effect, RunCheck):
                    self.timetable.apply(effect, self.paper.seq)
            self.timetable.follow(self.paper.state)

    @asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        """While the daemon is up; what it knew before is what the record says."""
        self.timetable = RoomTimetable(SETTINGS, self.check)
        self.timetable.follow(self.paper.state)
        await self.timetable.start(self.post)
        await settle()
        try:
            yield
        finally:
            await self.timetable.close()
            self.timetable = None

    async def go_to(self, at: str | float, every_s: float = 600.0) -> None:
        """Let time pass up to there, with a look at the wall clock every so often."""
        end = unix(at) if isinstance(at, str) else at
        assert self.timetable is not None
        while self.wall.unix < end:
            self.wall.pass_by(min(every_s, end - self.wall.unix))
            self.timetable.look()
            await settle()

    async def step_clock(self, seconds: float) -> None:
        """The wall clock is set, and the timetable looks."""
        assert self.timetable is not None
        self.wall.unix += seconds
        self.timetable.look()
        await settle()


async def settle() -> None:
    """Let the loop take what is due now."""
    for _ in range(8):
        await asyncio.sleep(0)


async def all_well(check: Check) -> Checked:
    return Checked(check=check, looked_at=1)
