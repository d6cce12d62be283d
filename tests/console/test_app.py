"""The real app, without a terminal, against a room that speaks the protocol."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from controller import wording
from controller.console.app import ConsoleApp
from controller.console.client import Client
from controller.console.doing.table import ACTIONS, ROWS, named, path
from controller.console.looks import LINUX, VGA, Look
from controller.console.widgets.sheet import help_sheet
from controller.messages import (
    Call,
    Dose,
    Go,
    Light,
    Mark,
    Note,
    ParticipantView,
    Start,
    Status,
    TakeBack,
    Vitals,
    Volume,
)
from tests.console.fake_daemon import FakeRoom, with_alarm
from tests.console.pressing import acts, console, in_one_moment, rest_keys, rows, text, way
from tests.waiting import until


async def test_every_key_is_visible_at_80_by_24(room: FakeRoom) -> None:
    for look in (Look(), Look(palette=VGA, signs=LINUX)):
        async with console(room, look=look) as (app, _):
            shown = "\n".join(rows(app)[-2:])
            for action in (named(name) for row in ROWS for name in row):
                assert f"{action.sign(plain=look.signs.plain)} {action.short}" in shown, action.name
            assert all(len(row.rstrip()) <= 80 for row in rows(app))


async def test_what_the_sitter_must_know_is_on_screen_at_80_by_24(room: FakeRoom) -> None:
    async with console(room) as (app, _):
        seen = rows(app)
        assert "RUNNING" in seen[0] and "Peak  82 of 124 min" in seen[0] and "T+ 2:28:06" in seen[0]
        assert seen[1].strip() == ""
        for told in ("Spiegel im Spiegel", "-5:41", "next", "8 %", "confirmed", "BP due in 4 min", "all well"):
            assert told in text(app)
        assert "asked for water, sat up" in text(app)
        assert wording.NOT_SIGNED in text(app)


async def test_the_order_of_rows_is_the_same_at_every_size_and_nothing_is_cut(room: FakeRoom) -> None:
    for size in ((80, 24), (100, 30), (128, 48), (160, 45)):
        async with console(room, size) as (app, _):
            seen = rows(app)
            at = [
                next(index for index, row in enumerate(seen) if told in row)
                for told in ("RUNNING", "Descent", "Music", "asked for water", " CALL", "dose")
            ]
            assert at[:5] == sorted(at[:5]), size
            assert len(seen) == size[1]
            assert " CALL" in seen[-2] and "menu" in seen[-1]


async def test_a_large_screen_shows_a_large_t_plus(room: FakeRoom) -> None:
    async with console(room, (100, 30)) as (app, _):
        assert "█" in rows(app)[0] and "█" in rows(app)[2]


async def test_the_linux_console_gets_only_signs_that_its_font_has(room: FakeRoom) -> None:
    missing = set("▁▂▃▄▅▆▇▀▔⌫✓√")
    for size in ((80, 24), (128, 48)):
        async with console(room, size, Look(palette=VGA, signs=LINUX)) as (app, pilot):
            await pilot.press("1")
            await until(lambda: "noted" in text(app) and " ok  1 spoke" in text(app))
            assert not missing & set(text(app)), missing & set(text(app))


async def test_a_screen_too_small_still_calls(room: FakeRoom) -> None:
    async with console(room, (60, 12)) as (app, pilot):
        assert "RUNNING" in text(app) and "CALL SUPPORT" in text(app) and "2:28:0" in text(app)
        await pilot.press("c")
        assert isinstance((await acts(room))[0], Call)


async def test_a_mark_is_noting_until_it_is_on_disk(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        room.silent = True
        await pilot.press("1")
        await until(lambda: "noting …" in text(app))
        room.silent = False
        await room.stop("daemon")
        await room.start("daemon")
        await until(lambda: "noted " in text(app) and "✓" in text(app))
        given = room.inputs[0]
        assert given.act == Mark(code="spoke") and given.participants == ("P-017",)
        assert given.origin.person == "AB"


async def test_an_unshifted_french_digit_row_marks(room: FakeRoom) -> None:
    async with console(room) as (_, pilot):
        await pilot.press("ampersand", "é", "quotation_mark")
        assert await acts(room, 3) == [Mark(code="spoke"), Mark(code="crying"), Mark(code="touch")]


async def test_caps_lock_changes_nothing(room: FakeRoom) -> None:
    async with console(room) as (_, pilot):
        await pilot.press("H")
        assert (await acts(room))[0].kind == "hold"


async def test_simple_keys_send_their_acts(room: FakeRoom) -> None:
    keys = {
        "space": "pause", "r": "resume", "h": "hold", "s": "quiet", "l": "light", "f": "light",
        "up": "volume", "pagedown": "volume", "right": "light",
    }  # fmt: skip
    async with console(room) as (app, pilot):
        for key in keys:
            await pilot.press(key)
            rest_keys(app)
        found = await acts(room, len(keys))
        assert [act.kind for act in found] == list(keys.values())
        volumes = [act for act in found if isinstance(act, Volume)]
        assert volumes[0].bus == "" and volumes[0].step_db > 0
        assert volumes[1].bus == "headphones" and volumes[1].step_db < 0
        lights = [act for act in found if isinstance(act, Light)]
        assert [light.scene for light in lights] == ["exit", "arc", "manual"]


async def test_an_alarm_is_seen_only_where_one_stands(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press("a")
        await until(lambda: "no alarm stands unseen" in text(app))
        assert not room.inputs
        room.push(alarms=with_alarm(room.status, "caller_lost", "high", name="caller").alarms)
        await until(lambda: "CALL PATH BROKEN" in text(app))
        rest_keys(app)
        await pilot.press("a")
        assert [act.kind for act in await acts(room)] == ["see_alarm"]


async def test_a_note_keeps_the_time_of_the_key(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        before = app.client.room_time
        await pilot.press("n")
        after = app.client.room_time
        await asyncio.sleep(0.5)
        await pilot.press(*"cold", "enter")
        act = (await acts(room))[0]
        assert isinstance(act, Note) and act.text == "cold"
        assert act.pressed_t is not None
        assert before - 0.1 <= act.pressed_t <= after + 0.1


async def test_a_note_may_begin_with_its_own_key(room: FakeRoom) -> None:
    async with console(room) as (_, pilot):
        await pilot.press("n", *"nausea", "enter")
        assert (await acts(room))[0].text == "nausea"


async def test_vitals_in_one_line_or_missed_with_a_reason(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press("v", *"120/80", "space", *"72", "space", *"98", "space", *"36.8", "enter")
        assert (await acts(room))[0] == Vitals(systolic=120, diastolic=80, pulse=72, spo2=98, celsius=36.8)
        rest_keys(app)
        await pilot.press("v", "enter", *"asleep", "enter")
        assert (await acts(room, 2))[1] == Vitals(missed="asleep")


async def test_unlikely_vitals_are_asked_about_and_never_refused(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press("v", *"250/80")
        with in_one_moment():
            await pilot.press("enter", "enter")
        await pilot.pause()
        await until(lambda: "systolic 250: is it so?" in text(app))
        assert not room.inputs
        rest_keys(app)
        await pilot.press("enter")
        assert (await acts(room))[0] == Vitals(systolic=250, diastolic=80, kept="systolic_range")


async def test_a_timed_silence_warns_two_minutes_before_its_end(room: FakeRoom) -> None:
    room.status = replace(room.status, quiet=True, quiet_until_s=room.status.t + 600.0)
    async with console(room) as (app, _):
        assert rows(app)[1].strip() == ""
        room.push(quiet_until_s=room.status.t + 119.0)
        await until(lambda: rows(app)[1].startswith(" *   MUSIC RETURNS IN "))


async def test_the_question_about_the_end_answers_no_by_itself(room: FakeRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    async with console(room) as (app, pilot):
        await pilot.press(*way("end"))
        await pilot.pause()
        assert app.asking is not None
        app._asked_at -= 10.1
        await until(lambda: app.asking is None, 8.0)  # sooner than it would be asked for anew
        assert not room.inputs


async def test_two_consoles_show_what_the_other_did(room: FakeRoom) -> None:
    other = ConsoleApp(Client(room.runtime_dir, console="console-9b1c"), Look())
    async with console(room) as (app, _), other.run_test(size=(80, 24)) as pilot:
        await until(lambda: other.client.status.room)
        await pilot.press("h", "2")
        await until(lambda: "HOLDING" in rows(app)[0] and "crying" in text(app) and "console-9b1c" in text(app))


async def test_a_dose_is_shown_before_a_second_enter_notes_it(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press("d", *"25", "space", *"mg,", "space", *"5", "space", *"ago,", "space", *"by", "space", *"AB")
        with in_one_moment():
            await pilot.press("enter", "enter", "enter")
        await until(lambda: "P-017: dose 25 mg, witness AB, 5 min ago." in text(app))
        assert not room.inputs, "a held Enter must not confirm"
        rest_keys(app)
        await pilot.press("enter")
        assert (await acts(room))[0] == Dose(amount=25.0, unit="mg", witness="AB", minutes_ago=5.0)


async def test_go_shows_the_phases_and_enter_confirms(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press("g")
        await pilot.pause()
        await until(lambda: "Peak   (now)" in text(app))
        await pilot.press("6")
        await pilot.pause(0.05)
        assert not room.inputs
        await pilot.press("enter")
        assert (await acts(room))[0] == Go(phase="return")


async def test_silence_twice_asks_for_minutes(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press("s")
        await until(lambda: app.client.status.quiet)
        rest_keys(app)
        await pilot.press("s", *"15", "enter")
        assert (await acts(room, 2))[1].minutes == 15.0


async def test_backspace_takes_back_the_last_mark_and_names_it(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press("1")
        await until(lambda: "noted" in text(app))
        seq = app.client.status.log[0].seq
        await pilot.press("backspace")
        assert (await acts(room, 2))[1] == TakeBack(seq=seq)
        await until(lambda: "taken back: 1 spoke" in text(app))
        rest_keys(app)
        await pilot.press("backspace")
        await pilot.pause()
        await until(lambda: "nothing of this console" in text(app))


async def test_tab_chooses_whom_and_moves_a_fresh_mark(room: FakeRoom) -> None:
    room.status = replace(
        room.status, participants=(ParticipantView(code="A-1", t_plus_s=9.0), ParticipantView(code="B-2"))
    )
    async with console(room) as (app, pilot):
        assert "for A-1 and B-2" in text(app)
        await pilot.press("1")
        await until(lambda: "noted" in text(app))
        await pilot.press("tab")
        await until(lambda: len(room.inputs) == 3)
        assert [given.act.kind for given in room.inputs] == ["mark", "take_back", "mark"]
        assert room.inputs[2].participants == ("A-1",)


async def test_a_dead_daemon_is_named_and_its_return_clears_the_line(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await room.stop("daemon")
        await until(lambda: "ROOM NOT ANSWERING" in rows(app)[1])
        assert "c still calls, Space still pauses" in rows(app)[1]
        await pilot.press("space")
        await until(lambda: "done by the sound itself" in text(app))
        assert room.directs
        await room.start("daemon")
        await until(lambda: rows(app)[1].strip() == "")
        assert (await acts(room))[0].kind == "pause"


async def test_alarms_are_sorted_starred_and_fit(room: FakeRoom) -> None:
    status = with_alarm(room.status, "music_short", "low", minutes=12.0)
    status = with_alarm(status, "light_unconfirmed", "medium", name="lamp-2", level=0.08)
    room.status = with_alarm(status, "caller_lost", "high", name="caller", why="")
    async with console(room) as (app, _):
        line = rows(app)[1]
        assert line.startswith(" *** CALL PATH BROKEN - use the wall button") and "a seen" in line and "+2" in line
        room.push(alarms=tuple(replace(alarm, seen=alarm.priority == "high") for alarm in room.status.alarms))
        await until(lambda: rows(app)[1].startswith(" **  LIGHT lamp-2 does not answer: 8 % not confirmed"))


async def test_ctrl_q_does_not_end_the_console_and_ctrl_c_twice_does(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press("n", "ctrl+q")
        rest_keys(app)
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert app.is_running and app._exit is False
        await pilot.press("escape")
        rest_keys(app)
        await pilot.press("ctrl+c", "ctrl+c")
        await pilot.pause()
        assert app._exit


async def test_end_needs_the_word_typed(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press(*way("end"), "enter")
        await pilot.pause()
        await until(lambda: "type  end  and Enter within 10 s: music fades, light comes up" in text(app))
        assert not room.inputs
        await pilot.press(*"end", "enter")
        await pilot.pause()
        await until(lambda: "P-017 is neither released nor left" in text(app))
        assert not room.inputs
        rest_keys(app)
        await pilot.press("enter")
        assert (await acts(room))[0].kind == "end"


async def test_an_idle_room_says_how_to_start_and_what_it_is_not(room: FakeRoom) -> None:
    room.status = Status(room="room-2")
    async with console(room) as (app, pilot):
        shown = " ".join(text(app).split())
        assert wording.NOT_A_MEDICAL_DEVICE in shown and f"{path(named('start'))} starts one" in shown
        await pilot.press(*way("start"), *"psilocybin-25", "enter", *"P-017", "enter")
        rest_keys(app)
        await pilot.press("enter")
        act = (await acts(room))[0]
        assert isinstance(act, Start) and act.programme == "psilocybin-25" and act.participants == ("P-017",)


async def test_all_keys_are_explained_whole_at_80_by_24(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        seen = ""
        for _ in range(len(help_sheet(app.view(), 80, 15))):
            rest_keys(app)
            await pilot.press("question_mark")
            await pilot.pause()
            seen += text(app)
        for action in ACTIONS:
            assert f"{action.long} " in seen and action.help in " ".join(seen.split()), action.name
        assert wording.NOT_A_MEDICAL_DEVICE in seen


async def test_the_first_page_of_all_keys_names_the_marks_and_arrows_turn_the_pages(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press("question_mark")
        await pilot.pause()
        first = text(app)
        assert "1 spoke  2 crying" in first and "9 onset noticed" in first
        await pilot.press("down")
        await pilot.pause()
        await until(lambda: "2 of" in text(app))
        rest_keys(app)
        await pilot.press("up")
        await pilot.pause()
        assert text(app).splitlines()[3:10] == first.splitlines()[3:10]
        assert not room.inputs, "no volume was moved"
