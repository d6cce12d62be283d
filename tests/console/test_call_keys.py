"""The call, stood down, told truly, and the pause, from whatever is open."""

from __future__ import annotations

from msgspec.structs import replace

from controller import wording
from controller.messages import (
    Call,
    CallView,
    StandDown,
)
from tests.console.fake_daemon import FakeRoom
from tests.console.pressing import acts, console, in_one_moment, rest_keys, rows, text, way
from tests.waiting import until


async def test_a_console_without_room_and_caller_says_that_it_cannot_call(room: FakeRoom) -> None:
    async with console(room) as (app, _):
        await room.stop("daemon", "caller")
        await until(lambda: "c CANNOT CALL - use the wall button" in rows(app)[1])
        await room.start("daemon", "caller")
        await until(lambda: rows(app)[1].strip() == "")


async def test_the_call_works_under_every_question_and_menu(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        for count, opener in enumerate(("n", "g", "m", "question_mark", "v", "d"), 1):
            key = ("f1", "f4", "ctrl+g")[count % 3]
            app.keyboard.lift("call")
            await pilot.press(opener, key)
            act = (await acts(room, count))[-1]
            assert isinstance(act, Call) and act.level == "assist", (opener, key)
            await pilot.press("escape")
            room.caller_says({"call": act.call, "stage": "stood_down"})
            room.push(call=CallView())
            await until(lambda: app.client.call.stage == "stood_down")


async def test_c_calls_in_menus_and_types_in_text(room: FakeRoom) -> None:
    async with console(room) as (_, pilot):
        await pilot.press("m", "c")
        assert isinstance((await acts(room))[0], Call)
        await pilot.press("escape", "n", "c", "escape")
        assert len(room.inputs) == 1


async def test_pause_works_under_every_question_and_menu(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        for count, opener in enumerate(("n", "g", "m", "question_mark", "v"), 1):
            app.keyboard.lift("pause")
            await pilot.press(opener, "space")
            assert (await acts(room, count))[-1].kind == "pause", opener
            await pilot.press("escape")


async def test_e_after_c_makes_the_same_call_an_emergency(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press("e")
        await pilot.pause()
        await until(lambda: "c first, then e" in text(app))
        assert not room.inputs
        await pilot.press("c")
        await until(lambda: app.client.status.call.call)
        rest_keys(app)
        await pilot.press("e")
        first, second = (await acts(room, 2))[:2]
        assert first.call == second.call and second.level == "emergency"


async def test_f9_alone_is_an_emergency(room: FakeRoom) -> None:
    async with console(room) as (_, pilot):
        await pilot.press("n", "f9")
        assert (await acts(room))[0].level == "emergency"


async def test_the_alert_line_tells_the_truth_about_a_call(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press("c")
        await until(lambda: "placed, not sent yet" in rows(app)[1])
        call = room.calls[0]["call"]
        room.caller_says({"call": call, "stage": "sent", "by": ""})
        await until(lambda: "sent, nobody has answered yet" in rows(app)[1])
        room.caller_says({"call": call, "stage": "acknowledged", "by": "Mara"})
        await until(lambda: "Mara is coming" in rows(app)[1])
        room.caller_says({"call": call, "stage": "not_delivered", "by": ""})
        await until(lambda: wording.NOT_DELIVERED in rows(app)[1] and rows(app)[1].startswith(" ***"))


async def test_a_call_with_nobody_there_is_not_delivered_at_once(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await room.stop("daemon", "caller")
        await until(lambda: not app.client.connected and not app.client.desk.reachable)
        await pilot.press("c")
        await until(lambda: wording.NOT_DELIVERED in rows(app)[1])


async def test_stand_down_needs_enter(room: FakeRoom) -> None:
    room.status = replace(room.status, call=CallView(call="k", stage="acknowledged", by="Mara"))
    async with console(room) as (app, pilot):
        assert "Enter: stand it down" in rows(app)[1]
        for keys in (("enter",), way("stand_down")):
            rest_keys(app)
            await pilot.press(*keys)
            await pilot.press("enter" if keys != ("enter",) else "escape")
            await pilot.pause()
        assert (await acts(room))[0] == StandDown(call="k")


async def test_a_held_enter_does_not_stand_a_call_down(room: FakeRoom) -> None:
    room.status = replace(room.status, call=CallView(call="k", stage="acknowledged", by="Mara"))
    async with console(room) as (app, pilot):
        with in_one_moment():
            await pilot.press(*["enter"] * 8)
        await pilot.pause()
        await until(lambda: "Stand the call down?" in text(app))
        assert not room.inputs
        rest_keys(app)
        await pilot.press("enter")
        assert (await acts(room))[0] == StandDown(call="k")
