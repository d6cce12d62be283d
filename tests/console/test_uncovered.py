"""What was covered shows the newest when it is uncovered, at once; what is open can be seen at every size."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from controller.console.looks import DARKNESS, Look
from controller.console.view import View
from controller.console.widgets.arc import arc_of
from controller.console.widgets.keyrows import draw_small
from controller.messages import Sitter
from tests.console.fake_daemon import FakeRoom, demo_status, with_alarm
from tests.console.pressing import console, rows, text


async def test_the_answer_to_a_question_is_there_as_soon_as_the_question_is_gone(room: FakeRoom) -> None:
    room.still = True  # nothing else has the screen painted
    async with console(room) as (app, pilot):
        app.say("an earlier answer")
        await pilot.press("n")
        assert "earlier" not in text(app)
        app.back()
        app.say("noted just now")  # before the log has its place again
        await pilot.pause()
        assert "noted just now" in text(app) and "earlier" not in text(app)


@pytest.mark.parametrize("size", [(60, 12), (79, 23)])
@pytest.mark.parametrize(
    ("key", "told"), [("m", "1  Call and alarms"), ("g", "Settle"), ("question_mark", "c     CALL")]
)
async def test_a_menu_that_takes_keys_is_seen_on_a_small_screen_too(
    room: FakeRoom, size: tuple[int, int], key: str, told: str
) -> None:
    async with console(room, size) as (app, pilot):
        await pilot.press(key)
        await pilot.pause()
        assert told in text(app)
        assert "RUNNING" in rows(app)[0] and "CALL SUPPORT" in rows(app)[2], "state, T+, alert and call stay"
        await pilot.press("escape")
        await pilot.pause()
        assert told not in text(app)


async def test_a_small_screen_that_is_off_shows_an_alarm(room: FakeRoom) -> None:
    room.push(alarms=with_alarm(room.status, "caller_lost", "high", name="caller", why="").alarms)
    async with console(room, (60, 12), Look(dark=len(DARKNESS) - 1)) as (app, pilot):
        await pilot.pause()
        row = app.screen._compositor.render_strips()[1]
        assert "CALL PATH BROKEN" in row.text
        ground = app.look.colours.ground
        for line in app.screen._compositor.render_strips():
            for part in line:
                lit = part.style is not None and part.style.color is not None and part.style.color.name != ground
                assert not part.text.strip() or lit == (line is row) or part.style.bgcolor.name != ground, part


def test_an_idle_screen_no_longer_says_that_nobody_is_on_duty_when_somebody_is() -> None:
    idle = replace(demo_status(), state="idle", signs_on=True)
    alone, both = View(status=idle), View(status=replace(idle, sitters=(Sitter(initials="AB", since_t=0.0),)))
    assert arc_of(alone, 80) != arc_of(both, 80)


def test_a_small_screen_counts_no_t_plus_once_the_session_has_ended() -> None:
    assert "T+ 2:28:06" in draw_small(View(status=demo_status()), 60, 12)[0].plain
    assert "T+" not in draw_small(View(status=replace(demo_status(), state="ended")), 60, 12)[0].plain
