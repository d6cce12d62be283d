"""The wall clock is stepped and changed under the whole room: its hands move, and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from controller.clock import boottime
from controller.journal.reading import read_records, room_file, session_file, verify
from controller.messages import (
    PROTOCOL,
    Book,
    Dose,
    FadeLight,
    PieceStarted,
    Planned,
    Record,
    Start,
    Status,
    TimetableDue,
    from_plain,
)
from controller.places import runtime_dir
from controller.timetable.scheduler import LOOK_S
from tests.waiting import PATIENCE_S, until
from tests.whole.hearing import RATE, listen
from tests.whole.room import WholeRoom, whole_room
from tests.whole.wall_clock import WallClock

TIMETABLE = """
[timetable]
timezone = "Europe/Berlin"
warm_up_minutes = 10
preflight_reminder_minutes = 15
lights_off = "01:00"
library_check = "01:15"
self_test = "01:30"
"""

STEPS = {
    "an hour forward": ("2026-03-29T00:40:00", 3),
    "and an hour back": ("2026-03-28T23:40:04", 3),
    "into the hour that spring leaves out": ("2026-03-29T00:59:59", 6),
}
"""What the wall clock is set to, in UTC: Berlin's is an hour ahead, and at one o'clock UTC another; and how many of the
room's jobs are over by then."""

HEARD_S = 10.0
"""A loaded machine hears a Status so much later than it was true; the clock is moved by an hour."""

VITALS_S = 60.0
"""The demonstration's first vitals."""


@dataclass(frozen=True)
class Seen:
    """All that moves with time, less the time that has passed: what may not change."""

    room_time: float
    arc: float
    t_plus: float
    due: dict[str, float]
    """The soonest of each kind."""
    curve: tuple[tuple[float, float], ...]
    light: float
    utc: datetime

    @classmethod
    async def now(cls, room: WholeRoom) -> Seen:
        """By a console's first Status: one moment, whole."""
        status, at = await first_status(room)
        (person,) = status.participants
        assert person.t_plus_s is not None
        return cls(
            room_time=status.t - at,
            arc=status.arc_s - status.t,
            t_plus=person.t_plus_s - status.t,
            due={view.code: view.in_s + status.t for view in reversed(status.due)},
            curve=status.light_curve,
            light=_level(status, status.arc_s) - status.light[0].target,
            utc=datetime.fromisoformat(status.utc),
        )


async def until_it_answers(room: WholeRoom) -> None:
    """The daemon has come up."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await first_status(room)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                return


async def first_status(room: WholeRoom) -> tuple[Status, float]:
    """A Status as it was sent, and the CLOCK_BOOTTIME at which it came."""
    socket = runtime_dir(room.state_dir) / "daemon.sock"
    reader, writer = await asyncio.open_unix_connection(str(socket), limit=4 * 1024 * 1024)
    try:
        hello = {"protocol": PROTOCOL, "console": "eye", "path": "socket"}
        writer.write(json.dumps(hello).encode() + b"\n")
        while "status" not in (message := json.loads(await reader.readline())):
            pass
        return from_plain(Status, message["status"]), boottime()
    finally:
        writer.close()
        await writer.wait_closed()


def _level(status: Status, arc_s: float) -> float:
    return float(np.interp(arc_s, *zip(*status.light_curve, strict=True)))


def room_records(state_dir: Path) -> list[Record]:
    return [record for record, _ in read_records(room_file(state_dir))]


def kinds_due(records: list[Record]) -> Counter[str]:
    found: Counter[str] = Counter()
    for record in records:
        if isinstance(record.input.act, TimetableDue):
            found[f"{record.input.act.job} {record.facts[0].code.removeprefix('timetable_')}"] += 1
    return found


async def test_a_running_session_does_not_notice_what_is_done_to_the_wall_clock(tmp_path: Path) -> None:
    clock = WallClock(tmp_path / "wall-clock")
    clock.set("2026-03-28T23:40:00")
    async with whole_room(tmp_path, TIMETABLE, clock.environment) as room, room.client() as client:
        while not client.connected:  # libfaketime, once in many runs, comes to a halt while a process begins
            try:
                await client.ready(PATIENCE_S)
            except TimeoutError:
                room.kill_daemon()
                room.start_daemon()
        await until(
            lambda: client.status.sound.state == "ok" and {lamp.state for lamp in client.status.light} == {"confirmed"}
        )
        booked = Book(programme="demo", participants=("C-0999",), wanted="2026-03-29T02:00")
        assert not (await client.send(booked)).refused
        assert client.status.bookings[0].at == "2026-03-29T03:00"
        start = Start(programme="demo", participants=("D-001",), minutes=4.0, seed=3)
        assert not (await client.send(start)).refused
        await until(lambda: client.status.state == "running")
        await asyncio.sleep(1.0)
        assert not (await client.send(Dose(amount=25, unit="mg", minutes_ago=0.85), ("D-001",))).refused
        session, dosed_at = client.status.session, boottime()
        await asyncio.sleep(1.0)
        before = await Seen.now(room)
        stepped_t = client.status.t
        for step, (shown, left_out) in STEPS.items():
            clock.set(shown)
            set_at = boottime()
            await until(lambda count=left_out: kinds_due(room_records(tmp_path)).total() >= count)  # type: ignore[misc]
            await asyncio.sleep(LOOK_S + 0.3)
            after = await Seen.now(room)
            assert after.room_time == pytest.approx(before.room_time, abs=HEARD_S), step
            assert after.arc == pytest.approx(before.arc, abs=0.001), step
            assert after.t_plus == pytest.approx(before.t_plus, abs=0.001), step
            assert after.curve == before.curve, step
            for code in before.due.keys() & after.due.keys():
                assert after.due[code] == pytest.approx(before.due[code], abs=0.001), (step, code)
            expected = datetime.fromisoformat(shown).replace(tzinfo=UTC).timestamp() + boottime() - set_at
            assert after.utc.timestamp() == pytest.approx(expected, abs=HEARD_S), step
        await asyncio.sleep(max(0.0, dosed_at + VITALS_S - 51.0 + 0.5 - boottime()))
        assert client.status.state == "running"
    check_record(room, session, stepped_t)
    check_sound(room, session)
    jobs = kinds_due(room_records(tmp_path))
    left_out = Counter(what.partition(" ")[0] for what in jobs.elements())
    assert left_out == dict.fromkeys(
        ("lights_off", "library_check", "self_test", "preflight", "warm_up", "begin"), 1
    ), jobs  # fmt: skip
    assert not [what for what in jobs if what.endswith(" done")], "a second too late they are missed, else skipped"


def check_record(room: WholeRoom, session: str, since_t: float) -> None:
    """In order, whole, with vitals due at their minute, and nothing done to the room but what the arc asks for."""
    file = session_file(room.state_dir, session)
    assert verify(file).ok
    records = [record for record, _ in read_records(file)]
    times = [record.stamp.t for record in records]
    assert times == sorted(times)
    later = [record for record in records if record.stamp.t >= since_t]
    earlier = [effect for record in records if record.stamp.t < since_t for effect in record.effects]
    done = [effect for record in later for effect in record.effects if not isinstance(effect, FadeLight)]
    assert not [effect for effect in done if effect not in earlier]
    links = {"device_lost", "device_back", "engine_reported", "lamp_changed"}  # a loaded machine's, said again
    assert {record.input.act.kind for record in later} <= {
        "timer",
        "piece_started",
        "piece_ended",
        "clock_synced",
        *links,
    }
    dose = next(record for record in records if isinstance(record.input.act, Dose))
    due = next(record for record in records if any(fact.code == "vitals_due" for fact in record.facts))
    assert due.stamp.t - (dose.stamp.t - 0.85 * 60.0) == pytest.approx(VITALS_S, abs=HEARD_S)


def check_sound(room: WholeRoom, session: str) -> None:
    """Every piece began where it was planned, and nothing but the session's own beginning was silent."""
    records = [record for record, _ in read_records(session_file(room.state_dir, session))]
    cues = {cue.id: cue for it in records if isinstance(it.input.act, Planned) for cue in it.input.act.cues}
    started = [record.input.act for record in records if isinstance(record.input.act, PieceStarted)]
    assert started
    for one, other in pairwise(started):
        planned = cues[other.cue].start_s - cues[one.cue].start_s
        assert (other.frame - one.frame) / RATE == pytest.approx(planned, abs=0.25)
    heard = np.abs(listen(room.wav)[started[0].frame + 4 * RATE :]).max(axis=1)
    half = RATE // 2
    blocks = heard[: len(heard) // half * half].reshape(-1, half).max(axis=1)[:-2]  # at the end it was stopped
    assert len(blocks) > 8 and blocks.min() > 1e-4, "half a second of silence"


NIGHTS = {
    "spring": ("2026-03-28T23:30", "29T00:00", "29T00:15", "29T00:30", "29T00:59", "29T01:15", "29T01:20", "29T01:30"),
    "autumn": ("2026-10-24T22:30", "24T23:00", "24T23:15", "24T23:30", "25T00:15", "25T00:20", "25T00:30", "25T01:30"),
}
"""UTC at which a daily job is due, the session that is booked for 02:30, and in autumn 02:30 comes again."""


@pytest.mark.proof
@pytest.mark.parametrize("night", NIGHTS)
async def test_a_daemon_killed_again_and_again_over_the_night_of_a_clock_change_does_each_job_once(
    tmp_path: Path, night: str
) -> None:
    begins, *shown = NIGHTS[night]
    clock = WallClock(tmp_path / "wall-clock")
    clock.set(f"{begins}:00")
    async with whole_room(tmp_path, TIMETABLE, clock.environment) as room, room.client() as client:
        await client.ready(PATIENCE_S)
        wanted = f"{begins[:8]}{shown[-1][:2]}T02:30"
        booked = Book(programme="psilocybin-25mg", participants=("C-0999",), wanted=wanted)
        assert not (await client.send(booked)).refused
        for at in shown:
            room.kill_daemon()
            clock.set(f"{begins[:8]}{at}:01")
            room.start_daemon()
            await until_it_answers(room)
            await asyncio.sleep(1.5)
    jobs = kinds_due(room_records(tmp_path))
    names = ("lights_off", "library_check", "self_test", "preflight", "warm_up", "begin")
    assert jobs == {f"{name} done": 1 for name in names}, night
