"""The preflight at the console: a list, Enter line by line, and keys that are tried without a call being lost."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from controller.console.app import ConsoleApp
from controller.console.doing.table import named, path
from controller.messages import (
    AnswerPreflight,
    BeginPreflight,
    Call,
    DropPreflight,
    Limits,
    OverridePreflight,
    Pause,
    PreflightView,
    RunPreflight,
    Start,
)
from tests.console.fake_daemon import FakeRoom, demo_status, with_bookings, with_preflight
from tests.console.pressing import acts, console, in_one_moment, rest_keys, rows, text, way
from tests.waiting import until

IDLE = replace(demo_status(), state="idle", session="", phases=(), participants=(), log=())
WELL = {"library": "green"}


def chosen(app: ConsoleApp) -> str:
    assert app.menu is not None and app.menu.lines
    return app.menu.lines[app.menu.at].name


async def opened(app: ConsoleApp, pilot: Pilot[None]) -> None:
    await pilot.press(*way("preflight"))
    await until(lambda: app.menu is not None and app.menu.lines)
    rest_keys(app)


async def choose(app: ConsoleApp, pilot: Pilot[None], check: str) -> None:
    for _ in range(20):
        if chosen(app) == check:
            return
        rest_keys(app)
        await pilot.press("down")
    raise AssertionError(f"{check} is not in the list")


async def test_the_idle_screen_says_what_is_next_and_where_it_is(room: FakeRoom) -> None:
    room.status = with_preflight(IDLE)
    async with console(room) as (app, _):
        told = f"{path(named('preflight'))}  preflight: 10 of 16, next: music of this programme?"
        assert told in text(app)


async def test_a_programme_that_the_room_does_not_know_is_asked_for_again_with_what_was_typed(room: FakeRoom) -> None:
    room.status = replace(IDLE, preflight=PreflightView(required=True))
    room.refusals["begin_preflight"] = ("programme_unknown", {"name": "psilo", "nearest": "psilocybin-25mg"})
    async with console(room) as (app, pilot):
        await pilot.press(*way("preflight"), *"psilo", "enter", *"C-0412", "enter")
        await until(lambda: 'no programme "psilo"; did you mean "psilocybin-25mg"?' in text(app))
        assert app.asking is not None and app.asking.line.value == "psilo"
        room.refusals.clear()
        rest_keys(app)
        await pilot.press(*"cybin-25mg", "enter")
        await until(lambda: app.asking is not None and app.asking.line.value == "C-0412")


async def test_m_leads_to_the_menu_from_any_menu(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press("g")
        rest_keys(app)
        await pilot.press("m")
        assert app.menu is not None and app.menu.title == "Menu"


async def test_an_idle_room_says_that_nobody_is_on_duty(room: FakeRoom) -> None:
    room.status = replace(IDLE, signs_on=True, sitters=())
    async with console(room) as (app, _):
        assert "0 signs on: nobody is on duty" in text(app)


async def test_a_session_in_a_room_without_preflight_says_so(room: FakeRoom) -> None:
    room.status = replace(demo_status(), preflight=PreflightView())
    async with console(room) as (app, _):
        assert "programme not signed, preflight off" in text(app)


async def test_the_reminder_of_a_booking_opens_it_filled_in(room: FakeRoom) -> None:
    room.status = with_bookings(IDLE)
    async with console(room) as (app, pilot):
        assert "preflight: not begun" in text(app) and "preflight is due" in text(app)
        await pilot.press(*way("preflight"))
        rest_keys(app)
        await pilot.press("enter")
        rest_keys(app)
        await pilot.press("enter")
        assert await acts(room) == [BeginPreflight(programme="psilocybin-25mg", participants=("C-0431",))]


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 45)])
async def test_what_is_not_well_stands_first_and_is_read_at_once(room: FakeRoom, size: tuple[int, int]) -> None:
    room.status = with_preflight(IDLE)
    async with console(room, size) as (app, pilot):
        await opened(app, pilot)
        await pilot.pause()
        seen = [row.rstrip() for row in rows(app)]
        first = next(at for at, row in enumerate(seen) if "RED" in row)
        assert "moss.flac: the file is not there and 2 more" in seen[first]
        assert "headphones heard" in seen[first + 1] and "play it" in seen[first + 1]
        assert all(len(row) <= size[0] for row in seen)
        assert any("Enter: as it says" in row for row in seen)


async def test_a_bus_is_played_and_confirmed_with_one_key_each(room: FakeRoom) -> None:
    room.status = with_preflight(IDLE, **WELL)
    async with console(room) as (app, pilot):
        await opened(app, pilot)
        assert chosen(app) == "sound.headphones"
        await pilot.press("enter")
        assert await acts(room) == [RunPreflight(check="sound.headphones")]
        await until(lambda: "Enter: heard" in text(app) and "headphones heard" in text(app))
        rest_keys(app)
        await pilot.press("enter")
        assert (await acts(room, 2))[1] == AnswerPreflight(check="sound.headphones", value="heard")
        room.push(preflight=with_preflight(IDLE, **WELL, sound__headphones="green").preflight)
        await until(lambda: app.menu is not None and chosen(app) == "keys")
        await choose(app, pilot, "sound.headphones")
        rest_keys(app)


@pytest.mark.parametrize(("typed", "answer"), [("no", "not_heard"), ("again", None)])
async def test_what_was_not_heard_is_said_or_played_again(room: FakeRoom, typed: str, answer: str | None) -> None:
    room.status = with_preflight(IDLE, **WELL, sound__headphones="asked")
    async with console(room) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("enter")
        rest_keys(app)
        await pilot.press(*typed, "enter")
        check = "sound.headphones"
        wanted = AnswerPreflight(check=check, value=answer) if answer else RunPreflight(check=check)
        assert await acts(room) == [wanted]


async def test_a_red_line_is_looked_at_again_or_passed_over_with_a_reason(room: FakeRoom) -> None:
    room.status = with_preflight(IDLE)
    async with console(room) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("enter")
        assert await acts(room) == [RunPreflight(check="library")]
        rest_keys(app)
        await pilot.press("right")
        await until(lambda: "Without music" in text(app))
        await pilot.press(*"disk", "enter")
        rest_keys(app)
        await pilot.press("enter")
        sent = (await acts(room, 2))[1]
        assert sent == OverridePreflight(check="library") and room.inputs[1].why == "disk"
        assert app.menu is not None, "the list is there again"


async def test_what_only_a_person_knows_is_entered(room: FakeRoom) -> None:
    room.status = with_preflight(
        IDLE, **WELL, sound__headphones="green", keys="green", call="green", participants="open"
    )
    async with console(room) as (app, pilot):
        await opened(app, pilot)
        entered = (("participants", "C-0413"), ("touch.C-0412", "none"), ("limits", "none"))
        for count, (check, typed) in enumerate(entered, 1):
            await choose(app, pilot, check)
            rest_keys(app)
            await pilot.press("enter")
            assert app.asking is not None
            app.asking.line.value = typed
            rest_keys(app)
            await pilot.press("enter")
            await acts(room, count)
        assert await acts(room, 3) == [
            AnswerPreflight(check="participants", value="C-0413"),
            AnswerPreflight(check="touch.C-0412", value="none"),
            AnswerPreflight(check="limits", limits=Limits()),
        ]


async def test_each_of_two_participants_is_asked_for_what_they_consented_to(room: FakeRoom) -> None:
    couple = ("P-017", "P-018")
    status = with_preflight(IDLE, couple, **WELL, sound__headphones="green", keys="green", call="green", limits="green")
    room.status = replace(status, preflight=replace(status.preflight, touch={"P-017": "hands"}))
    async with console(room) as (app, pilot):
        await opened(app, pilot)
        await until(lambda: "touch consent P-017" in text(app) and "touch consent P-018" in text(app))
        for count, (code, known, typed) in enumerate((("P-017", "hands", "feet"), ("P-018", "", "none")), 1):
            await choose(app, pilot, f"touch.{code}")
            rest_keys(app)
            await pilot.press("enter")
            await until(lambda code=code: code in text(app))  # type: ignore[misc]
            assert app.asking is not None
            assert app.asking.line.value == known, "one's consent is never offered as another's"
            app.asking.line.value = typed
            rest_keys(app)
            await pilot.press("enter")
            await acts(room, count)
        assert await acts(room, 2) == [
            AnswerPreflight(check="touch.P-017", value="feet"),
            AnswerPreflight(check="touch.P-018", value="none"),
        ]


async def test_a_ready_preflight_fills_in_the_start_and_can_be_dropped(room: FakeRoom) -> None:
    room.status = with_preflight(IDLE)
    async with console(room) as (app, pilot):
        await pilot.press(*way("start"))
        for _ in range(3):
            rest_keys(app)
            await pilot.press("enter")
        assert await acts(room) == [Start(programme="psilocybin-25mg", participants=("C-0412",))]
        rest_keys(app)
        await pilot.press(*way("drop_preflight"))
        rest_keys(app)
        await pilot.press("enter")
        assert (await acts(room, 2))[1] == DropPreflight()


# Trying the keys


async def trying(app: ConsoleApp, pilot: Pilot[None]) -> None:
    await opened(app, pilot)
    await choose(app, pilot, "keys")
    rest_keys(app)
    await pilot.press("enter")
    await until(lambda: app.drill is not None)
    rest_keys(app)


async def test_the_four_keys_arrive_and_do_nothing_else(room: FakeRoom) -> None:
    room.status = with_preflight(IDLE)
    async with console(room) as (app, pilot):
        await trying(app, pilot)
        await until(lambda: "a REAL call" in text(app))
        await pilot.press("1", "9", "c", "space")
        assert await acts(room, 4) == [AnswerPreflight(check="keys", value=key) for key in ("1", "9", "c", "space")]
        await pilot.pause(0.2)
        await until(lambda: "All four keys arrived" in text(app))
        assert not room.calls


async def test_a_second_press_of_the_call_calls(room: FakeRoom) -> None:
    room.status = with_preflight(IDLE)
    async with console(room) as (app, pilot):
        await trying(app, pilot)
        await pilot.press("c")
        await acts(room)
        assert app.drill is not None
        app.drill._last["c"] -= 1.0
        await pilot.press("c")
        sent = (await acts(room, 2))[1]
        assert isinstance(sent, Call) and sent.level == "assist"
        await until(lambda: room.calls)


@pytest.mark.parametrize(("key", "level"), [("e", "emergency"), ("f1", "assist"), ("f9", "emergency")])
async def test_every_other_way_to_call_is_meant_at_once(room: FakeRoom, key: str, level: str) -> None:
    room.status = with_preflight(IDLE)
    async with console(room) as (app, pilot):
        await trying(app, pilot)
        await pilot.press(key)
        sent = (await acts(room))[0]
        assert isinstance(sent, Call) and sent.level == level
        assert app.drill is None


async def test_no_trial_begins_where_nobody_is_signed_on_for_its_c_would_be_a_real_call(room: FakeRoom) -> None:
    room.status = replace(with_preflight(IDLE), signs_on=True)
    async with console(room) as (app, pilot):
        await opened(app, pilot)
        await choose(app, pilot, "keys")
        rest_keys(app)
        await pilot.press("enter")
        await until(lambda: "sign on first" in text(app))
        assert app.drill is None and app.menu is not None


async def test_a_held_key_of_the_trial_is_no_call(room: FakeRoom) -> None:
    room.status = with_preflight(IDLE)
    async with console(room) as (app, pilot):
        await trying(app, pilot)
        with in_one_moment():
            await pilot.press("c", "c", "c", "c")
        await pilot.pause(0.2)
        assert await acts(room) == [AnswerPreflight(check="keys", value="c")]


@pytest.mark.parametrize("why", ["a session is open", "a call stands", "the room does not answer"])
async def test_where_anything_stands_against_a_trial_the_call_is_meant(room: FakeRoom, why: str) -> None:
    room.status = with_preflight(IDLE)
    async with console(room) as (app, pilot):
        await trying(app, pilot)
        if why == "a session is open":
            room.push(state="running", session="s1", preflight=PreflightView(required=True))
            await until(lambda: app.client.status.state == "running")
        elif why == "a call stands":
            room.caller_says({"call": "k9", "level": "assist", "stage": "not_delivered", "by": ""})
            room.push(call=replace(room.status.call, call="k9", stage="not_delivered"))
            await until(lambda: app.client.call.call == "k9")
        else:
            await room.stop("daemon")
            await until(lambda: not app.client.connected)
        await pilot.press("c")
        await until(lambda: room.calls)
        assert not any(isinstance(given.act, AnswerPreflight) for given in room.inputs)


async def test_a_trial_that_the_room_refuses_becomes_a_call(room: FakeRoom) -> None:
    room.status = with_preflight(IDLE)
    room.refusals["answer_preflight"] = ("wrong_state", {"what": "answer_preflight", "state": "running"})
    async with console(room) as (app, pilot):
        await trying(app, pilot)
        await pilot.press("c")
        await until(lambda: room.calls)
        assert isinstance((await acts(room, 2))[1], Call)


async def test_a_pause_is_one_again_after_its_trial(room: FakeRoom) -> None:
    room.status = with_preflight(IDLE)
    async with console(room) as (app, pilot):
        await trying(app, pilot)
        await pilot.press("space")
        await acts(room)
        assert app.drill is not None
        app.drill._last["space"] -= 1.0
        await pilot.press("space")
        assert isinstance((await acts(room, 2))[1], Pause)


async def test_a_test_call_is_not_shown_as_a_call(room: FakeRoom) -> None:
    room.status = with_preflight(IDLE, call="running")
    async with console(room) as (app, pilot):
        room.caller_says({"call": "t1", "level": "assist", "stage": "sent", "by": "", "test": True})
        await pilot.pause(0.2)
        assert not app.client.call.call
        await room.stop("daemon")
        await until(lambda: not app.client.connected)
        assert not app.client.call.call
