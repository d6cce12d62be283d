"""Real APScheduler over nights, restarts, stepped clocks and clock changes: each job once, or said to be missed."""

from __future__ import annotations

import asyncio
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from controller.booking import prepare_booking
from controller.messages import Book, CancelBooking, Check, Checked, FadeLight, Refused
from tests.timetable.wall import BERLIN, DAILY, SETTINGS, WallRoom, all_well, put_up, settle, unix


def of(room: WallRoom, job: str) -> list[tuple[str, str]]:
    return [(what, when) for what, when in room.done if what.startswith(job)]


def book(room: WallRoom, wanted: str, code: str = "C-0412") -> int:
    act = Book(programme="psilocybin-25mg", participants=(code,), wanted=wanted)
    room.post(prepare_booking(act, BERLIN, room.wall.unix))
    return room.paper.state.timetable.bookings[-1].id


async def test_an_evening_and_a_night_go_by(monkeypatch: pytest.MonkeyPatch) -> None:
    room = WallRoom(put_up(monkeypatch, "2026-11-22T12:00"), all_well)
    async with room.up():
        await room.go_to("2026-11-24T12:00")
    assert [what for what, _ in room.done] == [f"{job} done" for job in DAILY] * 2
    assert room.done[0][1] == "2026-11-22 22:30 +0100"
    assert any(isinstance(effect, FadeLight) for effect in room.effects)


@pytest.mark.parametrize(("back_at", "became"), [("22:40", "done"), ("23:45", "missed")])
async def test_a_daemon_that_was_down_in_the_evening_still_turns_the_light_down_within_an_hour(
    monkeypatch: pytest.MonkeyPatch, back_at: str, became: str
) -> None:
    room = WallRoom(put_up(monkeypatch, "2026-11-22T12:00"), all_well)
    async with room.up():
        await room.go_to("2026-11-22T22:00")
    room.paper.now += 2400.0
    room.wall.unix = unix(f"2026-11-22T{back_at}")
    for _ in range(2):  # and a second start finds nothing left to do
        async with room.up():
            await settle()
    assert [what for what, _ in room.done] == [f"lights_off {became}"]
    assert any(isinstance(effect, FadeLight) for effect in room.effects) == (became == "done")


@pytest.mark.parametrize(("first_at", "done"), [("22:40", ["lights_off done"]), ("23:45", [])])
async def test_a_new_room_begins_with_what_is_due_just_now(
    monkeypatch: pytest.MonkeyPatch, first_at: str, done: list[str]
) -> None:
    room = WallRoom(put_up(monkeypatch, f"2026-11-22T{first_at}"), all_well, new=True)
    for _ in range(2):
        async with room.up():
            await settle()
    assert [what for what, _ in room.done] == done


async def test_after_five_nights_without_a_daemon_the_library_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[Check] = []

    async def check(what: Check) -> Checked:
        checked.append(what)
        return Checked(check=what)

    room = WallRoom(put_up(monkeypatch, "2026-11-22T12:00"), check)
    async with room.up():
        await room.go_to("2026-11-23T12:00")
    assert checked == ["library_check", "self_test"]
    room.wall.unix = unix("2026-11-28T08:00")
    for _ in range(2):
        async with room.up():
            await settle()
    assert checked == ["library_check", "self_test"] * 2


@pytest.mark.parametrize(
    ("night", "begins", "warm_up"),
    [
        ("2026-03-29", "2026-03-29 03:30 +0200", "2026-03-29 03:00 +0200"),
        ("2026-10-25", "2026-10-25 02:30 +0200", "2026-10-25 02:00 +0200"),
        ("2026-11-22", "2026-11-22 02:30 +0100", "2026-11-22 02:00 +0100"),
    ],
)
@pytest.mark.parametrize("restarts", [False, True])
async def test_a_session_booked_at_half_past_two_comes_once_whatever_the_clocks_do_that_night(
    monkeypatch: pytest.MonkeyPatch, night: str, begins: str, warm_up: str, restarts: bool
) -> None:
    room = WallRoom(put_up(monkeypatch, f"{night}T00:00"), all_well)
    book(room, f"{night}T02:30")
    end = room.wall.unix + 12 * 3600.0
    while room.wall.unix < end:
        async with room.up():
            await room.go_to(room.wall.unix + (1500.0 if restarts else 12 * 3600.0), every_s=300.0)
    assert of(room, "begin") == [("begin done", begins)]
    assert of(room, "warm_up") == [("warm_up done", warm_up)]
    assert [what for what, _ in of(room, "preflight") + of(room, "over")] == ["preflight done", "over done"]
    assert room.paper.state.timetable.bookings == ()
    assert [what for what, _ in of(room, "library_check")] == ["library_check done"]


async def test_a_clock_that_is_put_back_an_hour_repeats_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    room = WallRoom(put_up(monkeypatch, "2026-11-22T20:00"), all_well)
    book(room, "2026-11-23T09:00")
    async with room.up():
        await room.go_to("2026-11-22T22:45")
        await room.step_clock(-3600.0)
        await room.go_to("2026-11-23T08:45")
        await room.step_clock(-3600.0)
        await room.go_to("2026-11-23T20:00")
    assert [what for what, _ in room.done] == [
        "lights_off done", "library_check done", "self_test done", "preflight done", "warm_up done", "begin done",
        "over done",
    ]  # fmt: skip


async def test_a_clock_that_is_put_forward_an_hour_starves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    room = WallRoom(put_up(monkeypatch, "2026-11-22T21:45"), all_well)
    book(room, "2026-11-23T09:00")
    async with room.up():
        await room.step_clock(3600.0)
        assert room.done == [("lights_off done", "2026-11-22 22:45 +0100")]
        await room.go_to("2026-11-23T08:05")
        await room.step_clock(3600.0)
        await room.go_to("2026-11-23T20:00")
    assert [what for what, _ in room.done][1:3] == ["library_check done", "self_test done"]
    assert [what for what, _ in room.done][3:] == ["begin done", "preflight missed", "warm_up missed", "over done"]


async def test_a_clock_that_was_months_ahead_does_not_keep_the_nights_away(monkeypatch: pytest.MonkeyPatch) -> None:
    room = WallRoom(put_up(monkeypatch, "2027-02-20T21:00"), all_well)
    async with room.up():
        await room.go_to("2027-02-20T23:00")
        await room.step_clock(unix("2026-11-22T12:00") - room.wall.unix)
        await room.go_to("2026-11-23T12:00")
    assert [what for what, _ in room.done] == ["lights_off done"] + [f"{job} done" for job in DAILY]


async def test_a_cancelled_booking_brings_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    room = WallRoom(put_up(monkeypatch, "2026-11-23T06:00"), all_well)
    booked = book(room, "2026-11-23T09:00")
    async with room.up():
        await room.go_to("2026-11-23T08:16")
        room.post(CancelBooking(booking=booked))
        await room.go_to("2026-11-23T20:00")
    assert [what for what, _ in room.done] == ["preflight done"]


async def test_a_room_that_is_booked_for_now_is_warmed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    room = WallRoom(put_up(monkeypatch, "2026-11-23T08:50"), all_well)
    async with room.up():
        book(room, "2026-11-23T09:00")
        await settle()
    assert [what for what, _ in room.done] == ["preflight done", "warm_up done"]


async def test_the_session_that_is_opened_takes_up_its_booking_and_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = WallRoom(put_up(monkeypatch, "2026-11-23T08:00"), all_well)
    book(room, "2026-11-23T09:00")
    async with room.up():
        await room.go_to("2026-11-23T08:40")
        room.paper.dosed()
        assert room.timetable is not None
        room.timetable.follow(room.paper.state)
        await settle()
        assert room.paper.state.timetable.bookings[0].session == "s1"
        before, room.effects = room.paper.state, []
        await room.go_to("2026-11-24T08:00")
    assert room.effects == []
    assert replace(room.paper.state, timetable=before.timetable) == before
    assert [what for what, _ in room.done][2:] == [
        "begin done", "over done", "lights_off skipped", "library_check skipped", "self_test skipped",
    ]  # fmt: skip


async def test_a_check_gives_way_to_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[Check] = []

    async def slow(what: Check) -> Checked:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(what)
        raise AssertionError

    room = WallRoom(put_up(monkeypatch, "2026-11-23T02:00"), slow)
    async with room.up():
        await room.go_to("2026-11-23T02:40")
        room.paper.dosed()
        assert room.timetable is not None
        room.timetable.follow(room.paper.state)
        await settle()
        assert stopped == ["library_check"]


async def test_a_check_that_cannot_be_made_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(what: Check) -> Checked:
        raise OSError("no such program")

    room = WallRoom(put_up(monkeypatch, "2026-11-23T02:00"), broken)
    async with room.up():
        await room.go_to("2026-11-23T02:40")
    assert [alarm.values["why"] for alarm in room.paper.state.timetable.alarms] == ["no such program"]


async def test_a_room_without_a_timetable_has_only_its_bookings(monkeypatch: pytest.MonkeyPatch) -> None:
    from controller.timetable.settings import TimetableSettings

    monkeypatch.setattr("tests.timetable.wall.SETTINGS", TimetableSettings(zone=SETTINGS.zone))
    room = WallRoom(put_up(monkeypatch, "2026-11-23T06:00"), all_well)
    book(room, "2026-11-23T09:00")
    async with room.up():
        await room.go_to("2026-11-24T12:00")
    assert [what for what, _ in room.done] == ["begin done", "over done"]


@pytest.mark.parametrize(
    ("wanted", "zone"), [("9999-12-31T23:59", "America/New_York"), ("0001-01-01T00:00", "Europe/Berlin")]
)
def test_a_year_that_no_calendar_reaches_is_refused(wanted: str, zone: str) -> None:
    with pytest.raises(Refused, match="bad_value"):
        prepare_booking(Book(programme="psilocybin-25mg", participants=("C-0412",), wanted=wanted), ZoneInfo(zone), 0.0)
