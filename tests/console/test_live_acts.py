"""Every live act from the keyboard: menus, questions, and what they send."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from controller import wording
from controller.console.doing.table import named, path
from controller.console.live_forms import limits_line, read_limits
from controller.console.typed import read_dose
from controller.console.view import View, ends_at
from controller.console.widgets.header import draw_header
from controller.console.widgets.panels import due as due_panel
from controller.messages import (
    DueView,
    Land,
    Light,
    Limits,
    ParticipantView,
    ReleaseAnswer,
    Resume,
    SetLimits,
)
from tests.console.fake_daemon import FakeRoom, demo_status
from tests.console.pressing import acts, console, rest_keys, text, way
from tests.waiting import until


async def test_after_an_outage_the_choices_come_first(room: FakeRoom) -> None:
    room.status = replace(demo_status(), state="waiting", waiting_for="choice", arc_s=4000.0)
    async with console(room) as (app, pilot):
        await pilot.press("g")
        assert app.menu is not None and app.menu.at == 0
        assert [line.label for line in app.menu.lines[:2]] == ["continue where it was", "catch up with T+, 1 h 21 on"]
        await pilot.press("1", "enter")
        assert isinstance((await acts(room))[0], Resume)


async def test_the_checklist_turns_from_line_to_line(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press(*way("checklist"))
        assert app.menu is not None
        assert [line.label[:12].strip() for line in app.menu.lines] == ["yes", "not answered"]
        await pilot.press("2", "enter")
        assert await acts(room) == [ReleaseAnswer(criterion="steady", met=True)]
        view = room.status.release[0]
        room.push(release=(replace(view, criteria=(view.criteria[0], (*view.criteria[1][:2], True))),))
        await until(lambda: "yes           walks steadily" in text(app))


def test_a_dose_says_its_part() -> None:
    assert read_dose("booster 40 mg, by AB").part == "booster"
    assert read_dose("booster 40 mg override").override
    assert (read_dose("start").part, read_dose("stop 2 ago").minutes_ago) == ("start", 2.0)
    assert read_dose("device 28 mg").amount == 28.0
    with pytest.raises(ValueError, match="amount"):
        read_dose("booster")


def test_limits_are_one_line_that_reads_back() -> None:
    limits = Limits(no_vocals=True, languages=("de", "es"), pieces=("Moss",), volume_cap_db=-6.0, headphones_only=True)
    assert read_limits(limits_line(limits)) == limits
    assert read_limits("") == Limits()
    assert wording.limits(limits) == "no vocals, language not de, es, piece not Moss, at most 66 %, headphones only"
    with pytest.raises(ValueError, match="no vocals"):
        read_limits("nothing loud")


def test_the_projected_end_and_what_is_offered_stand_on_the_screen() -> None:
    status = replace(demo_status(), shorten_s=900.0)
    view = View(status=status, whom=("P-017",))
    assert ends_at(view).endswith(" +12")
    lines = [line.plain for line in due_panel(view, 24)]
    assert lines[0] == "g: 15 min shorter"


def test_t_plus_says_at_least_after_an_outage_of_unknown_length() -> None:
    person = ParticipantView(code="P-017", t_plus_s=8886.0, doses=1, at_least=True)
    view = View(status=replace(demo_status(), participants=(person,)), whom=("P-017",))
    assert "T+ at least 2:28:06" in draw_header(view, 80, 1)[0].plain
    assert "at least" in "".join(line.plain for line in draw_header(view, 100, 6))


def test_who_was_released_is_not_said_to_have_left() -> None:
    gone = tuple(
        ParticipantView(code=code, t_plus_s=60.0, doses=1, left=True, released=code == "P-017")
        for code in ("P-017", "P-018")
    )
    shown = "\n".join(
        line.plain for line in draw_header(View(status=replace(demo_status(), participants=gone)), 100, 6)
    )
    assert "P-017 released" in shown and "P-018 left" in shown


def test_a_programme_without_a_dose_has_no_t_plus() -> None:
    status = replace(demo_status(), dose_parts=(), participants=(ParticipantView(code="A"),))
    for height in (1, 6):
        assert "T+" not in "".join(line.plain for line in draw_header(View(status=status), 80, height))


def test_vitals_name_the_readings_that_are_asked_for() -> None:
    due = DueView(code="vitals_booster", in_s=-200.0, state="due", needs=("bp", "temperature"))
    assert wording.due(due) == "BP + temp for booster due since 3 min"


async def test_landing_by_keys(room: FakeRoom) -> None:
    async with console(room) as (_, pilot):
        await pilot.press(*way("land"))
        await pilot.pause(0.05)
        assert not room.inputs
        await pilot.press("enter")
        assert (await acts(room))[0] == Land()


async def test_the_usual_minutes_of_a_landing_need_no_typing(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press(*way("land_over"))
        await until(lambda: "empty: " in text(app))
        await pilot.press("enter")
        assert (await acts(room))[0] == Land()


async def test_limits_by_keys_are_shown_before_they_are_noted(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press(*way("limits"))
        await pilot.press(*"no", "space", *"vocals", "enter")
        await pilot.pause()
        assert not room.inputs
        rest_keys(app)
        await pilot.press("enter")
        assert (await acts(room))[0] == SetLimits(limits=Limits(no_vocals=True))


async def test_the_palette_does_what_a_few_letters_mean_and_shows_its_key(room: FakeRoom) -> None:
    for opener in ("ctrl+p", "colon"):
        async with console(room) as (app, pilot):
            await pilot.press(opener, *"medic")
            await pilot.pause()
            assert app.menu is not None and app.menu.lines[0].label.startswith("medical light")
            assert app.menu.lines[0].key == path(named("medical_light"))
            await pilot.press("enter")
            assert (await acts(room))[0] == Light(scene="medical")
            room.inputs.clear()


async def test_a_line_that_cannot_be_done_now_keeps_its_digit_and_says_why(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press(*way("start"))
        await pilot.pause()
        await until(lambda: "a session is open" in text(app))
        assert app.asking is None and app.menu is not None


async def test_a_call_and_a_pause_go_out_from_the_palette(room: FakeRoom) -> None:
    async with console(room) as (_, pilot):
        await pilot.press("ctrl+p", "f1", "space")
        assert [act.kind for act in await acts(room, 2)] == ["call", "pause"]
