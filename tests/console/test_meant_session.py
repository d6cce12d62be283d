"""What was typed means the session it was begun in, and is not lost where the room does not take it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace
from textual.events import Paste
from textual.pilot import Pilot

from controller.console import commands
from controller.console.app import HEARD_S, ConsoleApp
from controller.console.client import Client
from controller.console.looks import Look
from controller.messages import Dose, EntryView, Note, ParticipantView, ReleaseAnswer, TakeBack, Vitals
from tests.console.fake_daemon import FakeRoom
from tests.console.pressing import acts, console, rest_keys, text, way
from tests.waiting import PATIENCE_S, until

FIRST, SECOND = "2026-03-03-room-2-1", "2026-03-03-room-2-2"
PAIR = (ParticipantView(code="A-1", t_plus_s=8886.0), ParticipantView(code="B-2", t_plus_s=8886.0))


async def test_an_answer_says_in_which_session_it_was_asked_for(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press("d", *"25", "space", *"mg")
        room.push(session=SECOND)
        await until(lambda: app.client.status.session == SECOND)
        await pilot.press("enter")
        await until(lambda: "Enter: note it" in text(app))
        rest_keys(app)
        await pilot.press("enter")
        await until(lambda: room.inputs)
        assert isinstance(room.inputs[0].act, Dose) and room.inputs[0].session == FIRST


async def test_what_is_sent_at_once_says_which_session_it_means(room: FakeRoom) -> None:
    async with console(room) as (_, pilot):
        await pilot.press("1")
        await until(lambda: room.inputs)
        assert room.inputs[0].session == FIRST


async def test_a_mark_of_the_session_before_is_not_what_backspace_takes_back(room: FakeRoom) -> None:
    """Every session counts its records from one, so the same number is another entry there."""
    async with console(room) as (app, pilot):
        await pilot.press("1")
        await until(lambda: "noted" in text(app))
        room.push(session=SECOND)
        await until(lambda: app.client.status.session == SECOND)
        await pilot.press("backspace")
        await until(lambda: "nothing of this console is left" in text(app))
        assert not any(isinstance(given.act, TakeBack) for given in room.inputs)


async def test_tab_moves_no_mark_of_the_session_before(room: FakeRoom) -> None:
    room.push(participants=PAIR, leads="A-1")
    async with console(room) as (app, pilot):
        await pilot.press("1")
        await until(lambda: "noted" in text(app))
        room.push(session=SECOND)
        await until(lambda: app.client.status.session == SECOND)
        await pilot.press("tab", "2")
        await until(lambda: len(room.inputs) > 1)
        assert not any(isinstance(given.act, TakeBack) for given in room.inputs)


@pytest.mark.parametrize("opens", [way("correct"), ("g",), way("adverse_event")[:2]])
async def test_a_list_closes_with_the_session_that_it_was_of(room: FakeRoom, opens: tuple[str, ...]) -> None:
    room.push(entries=(EntryView(seq=87, kind="mark", t=49_000.0, values={"code": "crying"}),))
    async with console(room) as (app, pilot):
        await pilot.press(*opens)
        assert app.menu is not None
        room.push(session=SECOND)
        await until(lambda: app.menu is None)
        await until(lambda: "another session has begun" in text(app))


async def test_a_list_that_is_read_while_the_session_goes_on_stays(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press("g")
        room.push(state="paused")
        await until(lambda: "PAUSED" in text(app))
        assert app.menu is not None


@pytest.mark.parametrize(
    ("keys", "kind", "refused", "kept"),
    [
        (("n", *"sat", "space", *"up", "enter"), "note", "no_session", "sat up"),
        (("v", *"120/80", "enter"), "vitals", "has_left", "120/80"),
        ((*way("land_over"), *"20", "enter"), "land", "wrong_state", "20"),
    ],
)
async def test_a_line_that_the_room_refuses_is_still_there(
    room: FakeRoom, keys: tuple[str, ...], kind: str, refused: str, kept: str
) -> None:
    values = {"participant": "P-017", "what": "land", "state": "ended"}
    room.refusals[kind] = (refused, values)
    async with console(room) as (app, pilot):
        await pilot.press(*keys)
        await until(lambda: any(given.act.kind == kind for given in room.inputs))
        await until(lambda: app.asking is not None and kept in app.asking.line.value)


async def test_an_adverse_event_that_is_refused_is_asked_for_again_with_all_that_was_said(room: FakeRoom) -> None:
    room.refusals["adverse_event"] = ("bad_value", {"what": "event", "why": "at most 40 letters"})
    said = (*"fall,", "space", *"2,", "space", *"related,", "space", *"provider")
    async with console(room) as (app, pilot):
        await pilot.press(*way("adverse_event"), *said, "enter")
        await until(lambda: "Enter: note it" in text(app))
        rest_keys(app)
        await pilot.press("enter")
        await until(lambda: app.asking is not None and "fall, 2, related, provider" in app.asking.line.value)


async def test_an_adverse_event_that_is_asked_for_again_is_still_of_whom_it_was(room: FakeRoom) -> None:
    room.push(participants=PAIR, leads="A-1")
    room.refusals["adverse_event"] = ("bad_value", {"what": "event", "why": "at most 40 letters"})
    async with console(room) as (app, pilot):
        await pilot.press(*way("adverse_event"), "2")
        rest_keys(app)
        await pilot.press("enter")
        await until(lambda: "Adverse event of B-2" in text(app))
        await pilot.press(*"fall,", "space", *"2,", "space", *"related,", "space", *"provider")
        for times in (1, 2):
            rest_keys(app)
            await pilot.press("enter")
            await until(lambda: "Enter: note it" in text(app))
            rest_keys(app)
            await pilot.press("enter")
            await until(lambda times=times: len(room.inputs) == times)  # type: ignore[misc]
            await until(lambda: app.asking is not None and "fall, 2" in app.asking.line.value)
        assert [given.participants for given in room.inputs] == [("B-2",), ("B-2",)]


async def test_nothing_is_asked_again_where_nothing_was_typed(room: FakeRoom) -> None:
    room.refusals["challenge"] = ("already", {"what": "challenge"})
    async with console(room) as (app, pilot):
        await pilot.press(*way("challenge"), "enter")
        await until(lambda: any(given.act.kind == "challenge" for given in room.inputs))
        await until(lambda: "begins:" in text(app) or "already" in text(app))
        assert app.asking is None


async def test_space_is_a_space_behind_words_that_were_pasted(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press("n")
        assert app.asking is not None
        app.asking.line.post_message(Paste("asked for"))
        await until(lambda: app.asking is not None and app.asking.line.value)
        await pilot.press("space", *"water", "enter")
        assert await acts(room) and isinstance(room.inputs[0].act, Note)
        assert room.inputs[0].act.text == "asked for water"


async def test_a_list_that_is_opened_just_as_a_session_begins_is_of_that_session_and_stays(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        room.push(session="the-next")
        await until(lambda: app.client.session == "the-next", every_s=0.0)
        app.commands.open_menu()
        await pilot.pause(5 * HEARD_S)
        assert app.menu is not None


async def test_a_mark_that_is_moved_by_tab_keeps_when_and_why_it_was(room: FakeRoom) -> None:
    room.push(participants=PAIR, leads="A-1")
    async with console(room) as (app, pilot):
        await pilot.press(*way("late_mark"), "3", *"12;sobbed", "enter")
        await until(lambda: "noted" in text(app))
        await pilot.press("tab")
        await until(lambda: len(room.inputs) == 3)
        moved = room.inputs[2]
        assert moved.participants == ("A-1",) and moved.why == "sobbed" and 720.0 <= moved.ago_s < 720.0 + PATIENCE_S
        await until(lambda: "touch, 12 min ago  (A-1)" in text(app))


async def test_whom_is_meant_stays_when_somebody_else_leaves_and_ends_with_the_session(room: FakeRoom) -> None:
    three = (*PAIR, ParticipantView(code="C-3"))
    room.push(participants=three, leads="A-1")
    async with console(room) as (app, pilot):
        for _ in range(2):
            rest_keys(app)
            await pilot.press("tab")
        assert app.commands.whom == ("B-2",)
        room.push(participants=(replace(three[0], left=True), *three[1:]))
        await until(lambda: app.client.status.participants[0].left)
        assert app.commands.whom == ("B-2",), "what is entered next is hers as before"
        room.push(session=SECOND)
        await until(lambda: app.client.status.session == SECOND)
        assert app.commands.whom == ("B-2", "C-3")


@pytest.mark.parametrize(("released", "told"), [(False, "P-017 has left"), (True, "P-017 was released")])
@pytest.mark.parametrize("keys", [way("release"), ("v",), ("d",), way("touch")])
async def test_where_everybody_has_gone_it_says_who_went_and_how(
    room: FakeRoom, released: bool, told: str, keys: tuple[str, ...]
) -> None:
    room.push(participants=(ParticipantView(code="P-017", left=True, released=released),))
    async with console(room) as (app, pilot):
        await pilot.press(*keys)
        await until(lambda: told in text(app))
        assert app.asking is None and app.menu is None


async def test_enter_on_a_list_without_lines_leaves_it_open(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        app.commands.choose("Cancel which", [])
        await pilot.press("enter")
        assert app.menu is not None
        await pilot.press("escape", "ctrl+p", *"qqqqqqq", "enter")
        await until(lambda: "nothing is called so" in text(app))
        assert app.asking is not None and app.asking.line.value == "qqqqqqq"


@pytest.mark.parametrize(("whose", "code"), [("2", "B-2"), ("a-1", "A-1")])
async def test_readings_of_one_of_two_are_typed_first_and_given_a_name_then(
    room: FakeRoom, whose: str, code: str
) -> None:
    """Whoever types them does not look: as commands they would be seven marks and a pause."""
    room.push(participants=PAIR, leads="A-1")
    async with console(room) as (app, pilot):
        await pilot.press("v", *"120/80", "space", *"72", "enter")
        await until(lambda: "Whose is 120/80 72?" in text(app) and "1 A-1   2 B-2" in text(app))
        rest_keys(app)
        await pilot.press(*whose, "enter")
        await until(lambda: room.inputs)
        assert [given.act for given in room.inputs] == [Vitals(systolic=120, diastolic=80, pulse=72)]
        assert room.inputs[0].participants == (code,)


async def test_readings_that_nobody_took_are_one_persons_too(room: FakeRoom) -> None:
    room.push(participants=PAIR, leads="A-1")
    async with console(room) as (app, pilot):
        await pilot.press("v", "enter")
        await until(lambda: "Whose vitals are missed?" in text(app))
        await pilot.press("1")
        rest_keys(app)
        await pilot.press("enter")
        await until(lambda: "Vitals of A-1 missed" in text(app))
        await pilot.press(*"asleep")
        rest_keys(app)
        await pilot.press("enter")
        await until(lambda: room.inputs)
        assert room.inputs[0].act == Vitals(missed="asleep") and room.inputs[0].participants == ("A-1",)


async def test_a_line_that_was_begun_when_the_console_locked_is_there_when_it_opens(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press("n", *"asked", "ctrl+l")
        await until(lambda: "LOCKED" in text(app))
        assert "asked" not in text(app)
        rest_keys(app)
        await pilot.press("x")
        await until(lambda: app.asking is not None and app.asking.line.value == "asked")
        await pilot.press("space", *"him", "enter")
        await until(lambda: room.inputs)
        assert isinstance(room.inputs[0].act, Note) and room.inputs[0].act.text == "asked him"


async def test_somebody_else_who_opens_it_does_not_read_what_was_begun(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press("n", *"asked", "ctrl+l")
        app.client.person = "CD"
        rest_keys(app)
        await pilot.press("x")
        await until(lambda: "unlocked" in text(app))
        assert app.asking is None


async def test_the_checklist_shows_what_another_console_answered_meanwhile(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press(*way("checklist"))
        await until(lambda: "not answered  walks steadily" in text(app))
        view = room.status.release[0]
        no = (*view.criteria[:1], (*view.criteria[1][:2], False))
        room.push(release=(replace(view, criteria=no),))
        await until(lambda: "NO            walks steadily" in text(app))
        rest_keys(app)
        await pilot.press("down", "enter")
        await until(lambda: room.inputs)
        assert room.inputs[0].act == ReleaseAnswer(criterion="steady", met=True)
        room.push(release=())
        await until(lambda: "nothing is asked any more" in text(app))
        await pilot.press("enter")
        assert len(room.inputs) == 1


@pytest.mark.parametrize("line", ["01234", "012", "0123456"])
async def test_no_pin_that_was_typed_into_a_line_is_there_when_the_console_opens(room: FakeRoom, line: str) -> None:
    async with console(room) as (app, pilot):
        await pilot.press("n", *line, "ctrl+l")
        rest_keys(app)
        await pilot.press("x")
        await until(lambda: "unlocked" in text(app))
        assert app.asking is None


async def test_a_pin_that_waits_for_its_initials_does_not_wait_under_the_lock(room: FakeRoom) -> None:
    room.push(signs_on=True)
    async with console(room) as (app, pilot):
        await until(lambda: app.client.status.signs_on)
        await pilot.press(*"01234", "enter")
        await until(lambda: "whose PIN that was" in text(app))
        rest_keys(app)
        await pilot.press("a", "ctrl+l")
        room.push(signs_on=False)
        await until(lambda: not app.client.status.signs_on)
        app.client.person = None
        rest_keys(app)
        await pilot.press("x")
        await until(lambda: "unlocked" in text(app))
        assert app.asking is None


async def test_a_refusal_that_comes_late_opens_no_question_under_somebodys_hand(
    room: FakeRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is pressed then is meant for the room, and would be text: a call among it."""
    monkeypatch.setattr(commands, "AGAIN_S", 0.0)
    room.refusals["note"] = ("other_session", {"what": "note"})
    async with console(room) as (app, pilot):
        await pilot.press("n", *"sat", "enter")
        await until(lambda: "it is of the session before" in text(app))
        assert app.asking is None


@pytest.fixture
async def early(room: FakeRoom) -> AsyncIterator[tuple[ConsoleApp, Pilot[None]]]:
    """A console that was started before its room."""
    await room.stop("daemon")
    app = ConsoleApp(Client(room.runtime_dir, console="console-3f2a", person="AB"), Look())
    async with app.run_test(size=(80, 24)) as pilot:
        yield app, pilot


async def test_readings_that_are_typed_before_the_room_was_heard_are_no_commands(
    room: FakeRoom, early: tuple[ConsoleApp, Pilot[None]]
) -> None:
    app, pilot = early
    await pilot.press("v", *"120/80", "space", *"72", "enter")
    await until(lambda: "not heard yet" in text(app))
    assert not app.client.unanswered and app.asking is not None
    room.push(participants=PAIR, leads="A-1")
    await room.start("daemon")
    await until(lambda: app.client.status.room)
    rest_keys(app)
    await pilot.press("enter")
    await until(lambda: "Whose is 120/80 72?" in text(app))
    rest_keys(app)
    await pilot.press("2", "enter")
    assert await acts(room) == [Vitals(systolic=120, diastolic=80, pulse=72)]
    assert room.inputs[0].participants == ("B-2",) and room.inputs[0].session == FIRST


async def test_a_dose_that_is_typed_before_the_room_was_heard_is_read_back_before_it_counts(
    room: FakeRoom, early: tuple[ConsoleApp, Pilot[None]]
) -> None:
    app, pilot = early
    await pilot.press("d", *"25", "space", *"mg")
    await room.start("daemon")
    await until(lambda: app.client.status.room)
    await pilot.press("enter")
    await until(lambda: "P-017: dose 25 mg" in text(app) and "Enter: note it" in text(app))
    rest_keys(app)
    await pilot.press("enter")
    assert [type(act) for act in await acts(room)] == [Dose]
    assert room.inputs[0].participants == ("P-017",)


async def test_a_note_that_is_typed_before_the_room_was_heard_is_of_its_own_time(
    room: FakeRoom, early: tuple[ConsoleApp, Pilot[None]]
) -> None:
    app, pilot = early
    await pilot.press("n", *"sat", "enter")
    await until(lambda: app.client.unanswered)
    await room.start("daemon")
    (note,) = await acts(room)
    assert isinstance(note, Note) and note.pressed_t is None, "nothing was known of the room's time"
