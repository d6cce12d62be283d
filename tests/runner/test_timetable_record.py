"""The timetable is on record in the room's own book: beside sessions, over restarts, whatever else is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from controller.journal.reading import kept_states, read_records, room_file, session_file
from controller.messages import (
    TIMETABLE_ACTS,
    Book,
    CancelBooking,
    Checked,
    End,
    JournalView,
    RefusedAct,
    RunCheck,
    SeeAlarm,
    SoundView,
    TimetableDue,
    Trouble,
    Vitals,
)
from controller.restoring import timetable_of
from controller.session.bookings import Timetable
from controller.views import Surroundings, status
from tests.runner.room import Journaled, Room, room

HOUR = 3600.0


def booking(starts: float, code: str = "C-0412") -> Book:
    return Book(
        programme="psilocybin-25mg",
        participants=(code,),
        wanted="2026-12-01T09:30",
        at="2026-12-01T09:30",
        zone="UTC",
        starts_unix=starts,
        length_s=8 * HOUR,
    )


def starts(room: Room) -> list[float]:
    return [it.starts_unix / HOUR for it in room.runner.state.timetable.bookings]


async def test_what_is_booked_is_there_after_a_restart(tmp_path: Path) -> None:
    clock = Journaled(t=1000.0)
    async with room(tmp_path, clock) as daemon:
        first = await daemon.ask(booking(10 * HOUR))
        await daemon.ask(booking(30 * HOUR))
        await daemon.ask(booking(50 * HOUR))
        await daemon.ask(CancelBooking(booking=first.seq))
        assert starts(daemon) == [30, 50]
    async with room(tmp_path, clock) as daemon:
        assert starts(daemon) == [30, 50]
        assert [it.id for it in daemon.runner.state.timetable.bookings] == [first.seq + 1, first.seq + 2]


async def test_booking_goes_on_beside_a_session_and_leaves_no_trace_in_its_record(tmp_path: Path) -> None:
    clock = Journaled(t=1000.0)
    async with room(tmp_path, clock) as daemon:
        await daemon.ask(booking(10 * HOUR))
        daemon.start()
        await daemon.until(lambda: daemon.runner.state.mode == "running")
        shown = list(daemon.runner.entries)
        await daemon.ask(booking(30 * HOUR))
        refused = await daemon.ask(booking(31 * HOUR))
        assert refused.refused == "booking_overlaps"
        daemon.runner.post_act(TimetableDue(job="lights_off", due_unix=9.0))
        assert list(daemon.runner.entries) == shown
    async with room(tmp_path, clock) as daemon:  # within the session
        assert daemon.runner.state.mode == "running"
        assert starts(daemon) == [10, 30]
        assert daemon.runner.state.timetable.done == {"lights_off": 9.0}
        daemon.runner.post_act(End())
        await daemon.until(lambda: daemon.runner.committed.get("s1", 0) > 0)
    async with room(tmp_path, clock) as daemon:  # after it
        assert daemon.runner.state.mode == "ended"
        assert starts(daemon) == [10, 30]
    in_session = [record.input.act for record, _ in read_records(session_file(tmp_path, "s1"))]
    assert not [act for act in in_session if isinstance(act, (*TIMETABLE_ACTS, RefusedAct))]
    in_room = [record.input.act.kind for record, _ in read_records(room_file(tmp_path))]
    assert [kind for kind in in_room if kind != "opened"] == ["book", "book", "refused", "timetable_due", "duty_kept"]


async def test_a_room_that_was_booked_for_years_still_knows_its_bookings(tmp_path: Path) -> None:
    """The room's book is read from its newest snapshot on."""
    clock = Journaled(t=1000.0)
    async with room(tmp_path, clock) as daemon:
        for at in range(90):
            reply = await daemon.ask(booking((10 + 9 * at) * HOUR))
            if at % 3:
                await daemon.ask(CancelBooking(booking=reply.seq))
        kept = daemon.runner.state.timetable
    async with room(tmp_path, clock) as daemon:
        assert daemon.runner.state.timetable == kept
        assert len(kept.bookings) == 30


async def test_what_the_night_found_is_shown_in_the_morning(tmp_path: Path) -> None:
    clock = Journaled(t=1000.0)
    async with room(tmp_path, clock) as daemon:
        daemon.runner.post_act(TimetableDue(job="self_test", due_unix=9.0))
        await daemon.until(lambda: RunCheck(check="self_test") in daemon.heard)
        troubles = (Trouble(code="broker"), Trouble(code="disk", name="12 MiB"))
        daemon.runner.post_act(Checked(check="self_test", looked_at=5, count=2, troubles=troubles))
    async with room(tmp_path, clock) as daemon:
        assert [alarm.values["what"] for alarm in daemon.runner.state.timetable.alarms] == ["broker", "disk"]
        await daemon.ask(SeeAlarm())
    async with room(tmp_path, clock) as daemon:
        assert all(alarm.seen for alarm in daemon.runner.state.timetable.alarms)


async def test_a_snapshot_of_another_version_costs_no_booking(tmp_path: Path) -> None:
    """Whatever becomes of a session's state in it, the timetable in it is read by itself."""

    from controller.journal.recovery import recover

    clock = Journaled(t=1000.0)
    async with room(tmp_path, clock) as daemon:
        for at in range(40):
            await daemon.ask(booking((10 + 9 * at) * HOUR))
    book = recover(tmp_path).room
    assert book.snapshot is not None and book.snapshot_seq
    plain = json.loads(book.snapshot)
    foreign = json.dumps({"timetable": plain["timetable"], "mode": "another"}).encode()
    assert len(timetable_of(replace(book, snapshot=foreign)).bookings) == 40
    older = json.dumps({key: value for key, value in plain.items() if key != "timetable"}).encode()
    assert timetable_of(replace(book, snapshot=older, records=())) == Timetable()


async def test_an_alarm_of_the_night_does_not_stand_on_a_sessions_screen(tmp_path: Path) -> None:
    around = Surroundings(utc="", sound=SoundView(), track=None, lamps=(), journal=JournalView())

    def shown(daemon: Room) -> list[str]:
        return [alarm.code for alarm in status(daemon.runner.state, daemon.clock.now(), around, ()).alarms]

    async with room(tmp_path) as daemon:
        daemon.start()
        await daemon.until(lambda: daemon.runner.state.mode == "running")
        broken = Trouble(code="file", name="/music/a.flac", why="missing")
        daemon.runner.post_act(Checked(check="library_check", looked_at=5, count=1, troubles=(broken,)))
        assert shown(daemon) == []
        await daemon.ask(SeeAlarm())
        await daemon.ask(End())
        assert shown(daemon) == ["library_check"]
        assert not daemon.runner.state.timetable.alarms[0].seen, "nobody has seen it yet"


async def test_the_rooms_book_keeps_nothing_of_a_session_that_is_removed_with_its_own(tmp_path: Path) -> None:
    clock = Journaled(t=1000.0)
    async with room(tmp_path, clock) as daemon:
        daemon.start()
        await daemon.until(lambda: daemon.runner.state.mode == "running")
        await daemon.ask(Vitals(systolic=121, diastolic=79, missed="asleep"))
        for at in range(30):
            await daemon.ask(booking((10 + 9 * at) * HOUR))
        daemon.runner.post_act(End())
        for at in range(30, 60):
            await daemon.ask(booking((10 + 9 * at) * HOUR))
        light = daemon.runner.state.light
    kept = [json.loads(state) for _, state in kept_states(room_file(tmp_path))]
    assert len(kept) > 1 and kept[-1]["timetable"]["bookings"]
    assert not [said for state in kept for said in ("A-1", "asleep", "121") if f'"{said}"' in json.dumps(state)]
    assert all(not state["participants"] and state["programme"] is None for state in kept)
    async with room(tmp_path, clock) as daemon:
        assert len(daemon.runner.state.timetable.bookings) == 60
        assert daemon.runner.state.light.end.level == light.end.level
