"""What is booked, on the screen of an idle room; and the session that is started from it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from controller.console.looks import LINUX, VGA, Look
from controller.console.view import booked_now
from controller.messages import Start, Status
from tests.console.fake_daemon import FakeRoom, demo_status, with_bookings
from tests.console.pressing import acts, console, rest_keys, text, way
from tests.waiting import until

UTC = "2026-12-01T09:00:00.000Z"


def idle(utc: str = UTC) -> Status:
    return with_bookings(Status(room="room-2", utc=utc))


@pytest.mark.parametrize("look", [Look(), Look(palette=VGA, signs=LINUX)])
async def test_an_idle_room_says_what_it_is_booked_for(room: FakeRoom, look: Look) -> None:
    room.status = idle()
    async with console(room, look=look) as (app, _):
        assert "Booked: Tue 1 Dec 09:30  psilocybin-25mg  C-0431  preflight is due" in text(app)
        assert "C-0434" not in text(app)


async def test_when_a_session_has_ended_the_next_booking_stands_where_what_is_due_stood(room: FakeRoom) -> None:
    room.status = with_bookings(replace(demo_status(), state="ended", due=()))
    async with console(room) as (app, _):
        shown = text(app)
        assert "Tue 3 Mar 14:22" in shown and "psilocybin-25mg" in shown and "C-0431" in shown


async def test_a_session_is_started_as_it_was_booked_with_enter_alone(room: FakeRoom) -> None:
    room.status = idle()
    async with console(room) as (app, pilot):
        await pilot.press(*way("start"))
        await pilot.pause()
        await until(lambda: "booked for Tue 1 Dec 09:30" in text(app))
        for _ in range(2):
            await pilot.press("enter")
            rest_keys(app)
            await pilot.pause()
        assert not room.inputs
        await until(lambda: "psilocybin-25mg for C-0431" in text(app))
        await pilot.press("enter")
        assert await acts(room) == [Start(programme="psilocybin-25mg", participants=("C-0431",))]


async def test_another_programme_is_not_filled_in_with_the_booked_participant(room: FakeRoom) -> None:
    room.status = idle()
    async with console(room) as (app, pilot):
        await pilot.press(*way("start"), *(["backspace"] * 15), *"demo", "enter", *"D-001", "enter")
        rest_keys(app)
        await pilot.press("enter")
        assert await acts(room) == [Start(programme="demo", participants=("D-001",))]


def test_tomorrows_booking_and_one_that_has_begun_are_nobodys_next_session() -> None:
    status = idle()
    first, second = status.bookings
    assert booked_now(status) == first
    assert booked_now(replace(status, bookings=(replace(first, session="s1"), second))) is None
    assert booked_now(replace(status, bookings=(second,))) is None
    assert booked_now(replace(status, utc="2026-12-02T07:00:00.000Z", bookings=(second,))) == second
    assert booked_now(Status()) is None
