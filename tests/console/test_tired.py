"""What a tired person in the dark would misread, and no longer can."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from controller import wording
from controller.console.doing import preflight as listing
from controller.console.view import View
from controller.console.widgets.alert import draw_alert
from controller.console.widgets.panels import due
from controller.messages import CallView, DueView, ParticipantView, Resume
from tests.console.fake_daemon import FakeRoom, demo_status, with_alarm, with_preflight
from tests.console.pressing import acts, console, rest_keys, rows, text, way
from tests.waiting import until


@pytest.mark.parametrize(
    ("keys", "end"),
    [
        (way("adverse_event"), "late"),
        ((*way("adverse_event"), *"fall", "space", "2", "enter"), "unknown"),
        ((*way("adverse_event"), *"fall", "space", "2", "enter", *"related", "enter"), "transport"),
        (("d",), "late"),
        (("v",), "late"),
    ],
)
async def test_a_question_says_all_that_may_be_answered_at_80_by_24(
    room: FakeRoom, keys: tuple[str, ...], end: str
) -> None:
    async with console(room) as (app, pilot):
        await pilot.press(*keys)
        await pilot.pause()
        told = " ".join(" ".join(rows(app)[17:20]).split())
        assert told.removesuffix(app.asking.line.value if app.asking else "").rstrip().endswith(end), told


async def test_the_limits_question_of_the_preflight_says_that_none_is_an_answer(room: FakeRoom) -> None:
    done = {"library": "green", "sound__headphones": "green", "keys": "green", "call": "green"}
    room.push(**{name: getattr(with_preflight(room.status, **done, touch__C_0412="green"), name) for name in FIELDS})
    async with console(room) as (app, pilot):
        await pilot.press(*way("preflight"), "down", "enter")
        await until(lambda: "Limits" in text(app))
        assert "none, or:" in text(app) and "headphones" in text(app)


FIELDS = ("state", "session", "phases", "preflight")


async def test_what_was_shown_before_enter_is_gone_when_the_line_is_changed(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press("d", *"25", "space", *"mg", "enter")
        await until(lambda: "dose 25 mg" in text(app))
        await pilot.press("backspace")
        await until(lambda: "dose 25 mg" not in text(app))
        assert "Enter: confirm" in text(app), "Enter shows it anew, and notes nothing yet"


async def test_going_on_says_what_it_ends_and_what_still_stands(room: FakeRoom) -> None:
    room.push(state="paused", hold=True)
    async with console(room) as (app, pilot):
        await pilot.press("r")
        await until(lambda: "go on; r again ends hold" in text(app))
        await until(lambda: "HOLDING" in text(app))
        rest_keys(app)
        await pilot.press("r")
        await until(lambda: "go on: hold over" in text(app))
        assert await acts(room, 2) == [Resume(), Resume()]


async def test_whether_somebody_comes_stands_before_what_the_music_lacks(room: FakeRoom) -> None:
    room.push(
        call=CallView(call="k", stage="acknowledged", by="Mara"),
        alarms=with_alarm(room.status, "filler_plays", "medium", why="gap").alarms,
    )
    async with console(room) as (app, _):
        await until(lambda: "Mara is coming   Enter: stand it down" in rows(app)[1])
        assert "+1" in rows(app)[1]
        room.push(alarms=with_alarm(room.status, "caller_lost", "high", name="caller", why="").alarms)
        await until(lambda: "CALL PATH BROKEN" in rows(app)[1])


async def test_how_many_alarms_stand_behind_is_never_cut(room: FakeRoom) -> None:
    status = with_alarm(room.status, "filler", "medium", why="no_piece")
    room.push(alarms=with_alarm(status, "music_short", "low", minutes=12.0).alarms)
    for width in range(80, 100):
        row = draw_alert(View(status=room.status), width, 1)[0].plain
        assert row.rstrip().endswith("+1") and "FILLER plays instead of the music" in row


def test_a_check_passed_over_is_not_told_as_well() -> None:
    view = with_preflight(demo_status(), library="green").preflight
    every = tuple(replace(line, stage="green") for line in view.lines)
    assert "all well" in wording.preflight.summary(replace(view, lines=every))
    over = (replace(every[0], stage="overridden"), *every[1:])
    assert f"{len(every)} of {len(every)}, 1 overridden" in wording.preflight.summary(replace(view, lines=over))


async def test_the_whole_reason_of_a_red_check_stands_beside_the_question_why(room: FakeRoom) -> None:
    status = with_preflight(room.status)
    long = "moss.flac: the file is not there, and neither is the folder that it was in"
    lines = tuple(
        replace(line, values={"count": 1, "first": long}) if line.check == "library" else line
        for line in status.preflight.lines
    )
    room.push(state="idle", session="", phases=(), preflight=replace(status.preflight, lines=lines))
    async with console(room) as (app, pilot):
        await pilot.press(*way("preflight"))
        assert long not in text(app)
        await pilot.press("right")
        await until(lambda: long in text(app))


async def test_after_the_trial_of_the_keys_the_list_says_what_enter_does(room: FakeRoom) -> None:
    status = with_preflight(room.status, library="green", sound__headphones="green")
    room.push(state="idle", session="", phases=(), preflight=status.preflight)
    async with console(room) as (app, pilot):
        await pilot.press(*way("preflight"), "enter")
        await until(lambda: listing.TRIAL_FOOTER in text(app))
        await pilot.press("1", "9", "c", "space")
        await until(lambda: listing.TRIED in text(app))
        assert listing.FOOTER in text(app) and listing.TRIAL_FOOTER not in text(app)


async def test_the_digit_that_opened_the_sign_on_is_told_to_be_in_it(room: FakeRoom) -> None:
    room.push(signs_on=True)
    async with console(room) as (app, pilot):
        await pilot.press("0")
        await until(lambda: "its 0 is there: the other digits" in text(app))


@pytest.mark.parametrize("columns", [17, 22, 34])
def test_a_reading_before_the_booster_is_told_as_a_reading_at_every_width(columns: int) -> None:
    item = DueView(code="vitals_booster", in_s=1200.0, needs=("bp", "temperature"))
    told = due(View(status=replace(demo_status(), due=(item,))), columns)[0].plain
    assert told.startswith("BP") and "20 min" in told and len(told) <= columns
    assert not told.split()[-4:][0].endswith("+")


@pytest.mark.parametrize("columns", [22, 30, 48])
@pytest.mark.parametrize("code", ["vitals", "vitals_baseline", "booster_opens", "booster_closes", "release", "device"])
@pytest.mark.parametrize("in_s", [5100.0, 1200.0, 0.0, -1200.0])
def test_of_two_people_each_is_told_with_what_falls_due(columns: int, code: str, in_s: float) -> None:
    pair = (ParticipantView(code="A-1"), ParticipantView(code="B-2"))
    item = DueView(code=code, in_s=in_s, participant="A-1", needs=("bp", "temperature") if "vitals" in code else ())
    told = due(View(status=replace(demo_status(), participants=pair, due=(item,))), columns)[0].plain.rstrip()
    what = wording.due(item)
    assert len(told) <= columns and told.startswith(f"A-1 {what[:2]}"), told
    assert "now" in told or wording.duration(in_s) in told, told


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (160, 45)])
async def test_every_page_of_all_keys_says_whole_what_this_program_is_not(
    room: FakeRoom, size: tuple[int, int]
) -> None:
    async with console(room, size) as (app, pilot):
        await pilot.press("?")
        await until(lambda: "All actions" in text(app))
        assert wording.NOT_A_MEDICAL_DEVICE in " ".join(text(app).split())
