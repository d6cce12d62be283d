"""Keys that are held, typed as prose or pressed on a screen that is off."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from textual import events

from controller.console import keyboard
from controller.messages import (
    Call,
    Mark,
)
from tests.console.fake_daemon import FakeRoom
from tests.console.pressing import acts, console, in_one_moment, text
from tests.waiting import until


async def test_a_held_key_acts_once_and_a_held_arrow_in_steps(room: FakeRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(keyboard, "boottime", lambda: now)
    async with console(room) as (app, pilot):
        for first, gap in ((0.25, 0.033), (0.5, 0.033), (0.25, 0.092)):
            room.inputs.clear()
            now += 5.0
            for press in range(30):
                app.keyboard.press(events.Key("1", "1"))
                now += first if press == 0 else gap
            await acts(room)
            await pilot.pause(0.05)
            assert len(room.inputs) == 1, (first, gap)
        room.inputs.clear()
        for _ in range(30):
            app.keyboard.press(events.Key("up", None))
            now += 0.033
        await until(lambda: len(room.inputs) >= 6)
        await pilot.pause(0.1)
        assert len(room.inputs) <= 10


async def test_a_held_note_key_writes_nothing(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        with in_one_moment():
            await pilot.press(*"nnnnnnnn")
        await pilot.pause()
        assert app.asking is not None and app.asking.line.value == ""


async def test_five_letters_at_once_are_somebody_typing(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        with in_one_moment():
            await pilot.press(*"hlfah", "l")
        await until(lambda: app.asking is not None)
        assert app.asking is not None and app.asking.line.value.startswith("hlfah")
        await until(lambda: any(given.act.kind == "resume" for given in room.inputs))
        await until(lambda: sum(given.act.kind == "take_back" for given in room.inputs) == 2)


async def test_a_key_that_was_held_before_text_came_all_at_once_is_no_part_of_the_note(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        with in_one_moment():
            await pilot.press(*"cccccccc", *"warm hands")
        await until(lambda: app.asking is not None and app.asking.line.value == "warm hands")


@pytest.mark.parametrize(
    ("prose", "before"),
    [
        ("she cries", {}), ("she cries", {"hold": True}), ("hers ago", {"state": "paused"}),
        ("shares", {"hold": True, "state": "paused"}), ("horse", {"quiet": True}),
    ],
)  # fmt: skip
async def test_after_somebody_typed_the_room_stands_as_it_did(
    room: FakeRoom, prose: str, before: dict[str, Any]
) -> None:
    room.status = replace(room.status, **before)
    was = (room.status.hold, room.status.quiet, room.status.state)
    async with console(room) as (app, _):
        with in_one_moment():
            for letter in prose:
                app.keyboard.press(events.Key("space" if letter == " " else letter, letter))
        await until(lambda: app.asking is not None)
        await until(lambda: len(room.inputs) > 2 and not app.commands._tasks)
        assert (room.status.hold, room.status.quiet, room.status.state) == was


async def test_what_somebody_typed_is_taken_back_on_a_slow_disk_too_and_nothing_is_said_of_its_letters(
    room: FakeRoom,
) -> None:
    room.late_s = 0.6
    async with console(room) as (app, _):
        with in_one_moment():
            for letter in "shares it":
                app.keyboard.press(events.Key("space" if letter == " " else letter, letter))
        await until(lambda: "typing?" in text(app))
        await until(lambda: len(room.inputs) > 2 and not app.commands._tasks)
        assert (room.status.hold, room.status.quiet, room.status.state) == (False, False, "running")
        assert "typing?" in text(app)


async def test_a_screen_that_is_off_wakes_at_any_key_and_still_calls(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        for _ in range(3):
            app.darken()
        await pilot.pause()
        await until(lambda: text(app).strip() == "")
        await pilot.press("h")
        await pilot.pause()
        await until(lambda: "RUNNING" in text(app))
        assert not room.inputs
        for _ in range(3):
            app.darken()
        await pilot.press("c")
        assert isinstance((await acts(room))[0], Call)


async def test_marks_that_follow_each_other_fast_are_all_made_at_once(room: FakeRoom) -> None:
    async with console(room) as (app, _):
        for digit in "1234":
            app.keyboard.press(events.Key(digit, digit))
        await until(lambda: len(room.inputs) == 4)
        assert [given.act.code for given in room.inputs if isinstance(given.act, Mark)] == [
            code for code, _ in app.client.status.marks[:4]
        ]
