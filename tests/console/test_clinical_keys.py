"""Touch, events, corrections, release and the sheet, by keys alone."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace
from textual import events

from controller.messages import (
    AdverseEvent,
    Amend,
    Challenge,
    CorrectDose,
    DoseView,
    EntryView,
    EventView,
    Leave,
    LogEntry,
    Mark,
    Note,
    ParticipantView,
    Redaction,
    Release,
    ReleaseView,
    Status,
    Touch,
    UpdateEvent,
    Vitals,
    VitalsView,
)
from tests.console.fake_daemon import FakeRoom, demo_status
from tests.console.pressing import acts, console, rest_keys, text, way
from tests.waiting import until

CODE = "P-017"


def ward(**changes: object) -> Status:
    """A session in which something of everything was entered."""
    status = demo_status()
    person = replace(status.participants[0], touch_scope="hands, shoulders")
    read = Vitals(systolic=128, diastolic=82, pulse=76)
    values: dict[str, str | int | float] = {"systolic": 128, "diastolic": 82, "pulse": 76}
    return replace(
        status,
        participants=(person,),
        doses=(DoseView(participant=CODE, t=status.t - 8886.0, seq=81, amount=25.0, unit="mg", witness="CD"),),
        vitals=(VitalsView(participant=CODE, t=status.t - 2400.0, vitals=read),),
        vitals_limits=(("systolic", 90.0, 180.0), ("diastolic", 50.0, 110.0)),
        events=(
            EventView(seq=70, participants=(CODE,), t=status.t - 900.0, event=AdverseEvent(event="nausea", grade=2)),
        ),
        entries=(
            EntryView(seq=90, kind="note", t=status.t - 600.0, participants=(CODE,), who="AB"),
            EntryView(seq=86, kind="vitals", t=status.t - 2400.0, values=values,
                      participants=(CODE,), who="AB"),
        ),
        desk_phone="4711",
        **changes,  # type: ignore[arg-type]
    )  # fmt: skip


async def test_touch_shows_the_scope_before_a_letter_is_typed(room: FakeRoom) -> None:
    room.status = ward()
    async with console(room) as (app, pilot):
        await pilot.press(*way("touch"))
        await pilot.pause()
        await until(lambda: "consented: hands, shoulders" in text(app))
        await pilot.press(*"foot", "enter")
        await pilot.pause()
        await until(lambda: "OUTSIDE SCOPE" in text(app))
        assert not room.inputs
        rest_keys(app)
        await pilot.press("enter")
        assert await acts(room) == [Touch(where="foot")]
        assert room.inputs[0].participants == (CODE,)


async def test_an_event_is_asked_for_step_by_step_and_its_onset_is_the_first_key(room: FakeRoom) -> None:
    room.status = ward()
    async with console(room) as (app, pilot):
        await pilot.press(*way("adverse_event"))
        await pilot.pause(1.2)
        for line in ("fall", "3", "possible", "provider", ""):
            rest_keys(app)
            await pilot.press(*line, "enter")
            await pilot.pause()
        assert await acts(room) == [AdverseEvent(event="fall", grade=3, related="possible", needed=("provider",))]
        assert room.inputs[0].ago_s >= 1.2


async def test_an_event_is_brought_up_to_date_from_the_list(room: FakeRoom) -> None:
    room.status = ward()
    async with console(room) as (app, pilot):
        await pilot.press(*way("update_event"))
        assert app.menu is not None and "nausea, grade 2" in app.menu.lines[0].label
        await pilot.press("enter", *"resolved", "enter")
        await pilot.pause()
        rest_keys(app)
        await pilot.press("enter")
        assert await acts(room) == [UpdateEvent(event=70, resolved=True)]


async def test_a_challenging_experience_begins_now_or_a_while_ago(room: FakeRoom) -> None:
    room.status = ward()
    async with console(room) as (_, pilot):
        await pilot.press(*way("challenge"), *"12", "enter")
        assert await acts(room) == [Challenge()]
        assert room.inputs[0].ago_s == 720.0


async def test_a_reading_is_put_right_from_the_list_of_what_was_entered(room: FakeRoom) -> None:
    room.status = ward()
    async with console(room) as (app, pilot):
        await pilot.press(*way("correct"))
        assert app.menu is not None
        labels = [line.label for line in app.menu.lines]
        assert "asked for water" in labels[0] and "128/82" in labels[1] and "25 mg" in labels[2]
        await pilot.press("2", "enter")
        await pilot.pause()
        await pilot.press(*["backspace"] * 2, *"80", "enter")
        await pilot.pause()
        await until(lambda: "128/82 76 -> 128/82 80" in text(app))
        rest_keys(app)
        await pilot.press("enter")
        assert await acts(room) == [Amend(entry=86, act=Vitals(systolic=128, diastolic=82, pulse=80))]


async def test_a_note_and_a_dose_stand_in_the_same_list(room: FakeRoom) -> None:
    room.status = ward()
    async with console(room) as (app, pilot):
        await pilot.press(*way("correct"), "1", "enter", *"x", "enter")
        await pilot.pause()
        rest_keys(app)
        await pilot.press("enter")
        await until(lambda: room.inputs)
        rest_keys(app)
        await pilot.press(*way("correct"), "3", "enter", *"20", "space", *"mg", "enter")
        await pilot.pause()
        rest_keys(app)
        await pilot.press("enter")
        assert await acts(room, 2) == [
            Amend(entry=90, act=Note(text="asked for water, sat upx")),
            CorrectDose(dose=81, amount=20.0, unit="mg"),
        ]


async def test_a_mark_of_a_while_ago(room: FakeRoom) -> None:
    room.status = ward()
    async with console(room) as (_, pilot):
        await pilot.press(*way("late_mark"), "2", *"5", "enter")
        assert await acts(room) == [Mark(code="crying")]
        assert room.inputs[0].ago_s == 300.0


async def test_a_name_in_a_note_is_blanked_for_a_reason(room: FakeRoom) -> None:
    room.status = ward()
    async with console(room) as (app, pilot):
        await pilot.press(*way("blank"))
        assert app.menu is not None and "asked for water" in app.menu.lines[0].label
        await pilot.press("enter", *"name", "enter")
        await pilot.pause()
        rest_keys(app)
        await pilot.press("enter")
        assert await acts(room) == [Redaction(session=room.status.session, seq=90)]
        assert room.inputs[0].why == "name"


async def test_release_before_its_time_names_what_is_not_met_and_takes_two(room: FakeRoom) -> None:
    room.status = ward()
    async with console(room) as (app, pilot):
        await pilot.press(*way("release"))
        await pilot.pause()
        await until(lambda: "not met:" in text(app) and "min too early" in text(app))
        await pilot.press(*"asked,", "space", *"desk", "space", *"cd", "enter")
        await pilot.pause()
        await until(lambda: "OVERRIDE with CD of the desk" in text(app))
        rest_keys(app)
        await pilot.press("enter")
        assert await acts(room) == [Release(override=True, reason="asked", second="CD", desk=True)]


async def test_release_when_all_is_met_is_one_enter(room: FakeRoom) -> None:
    met = ReleaseView(participant=CODE, earliest_t=0.0, criteria=(("steady", "walks", True),), ready=True)
    room.status = replace(ward(), release=(met,))
    async with console(room) as (_, pilot):
        await pilot.press(*way("release"), "enter")
        assert await acts(room) == [Release()]


async def test_somebody_leaves_early(room: FakeRoom) -> None:
    room.status = ward()
    async with console(room) as (app, pilot):
        await pilot.press(*way("leave"), *"steady,", "space", *"told", "space", *"cd", "enter")
        await pilot.pause()
        rest_keys(app)
        await pilot.press("enter")
        assert await acts(room) == [Leave(condition="steady", told="cd")]


async def test_of_two_every_question_says_whose_it_is(room: FakeRoom) -> None:
    two = (ParticipantView(code="A", touch_scope="hands"), ParticipantView(code="B"))
    room.status = replace(ward(), participants=two)
    async with console(room) as (app, pilot):
        await pilot.press(*way("touch"))
        assert app.menu is not None and [line.label for line in app.menu.lines] == ["A", "B"]
        await pilot.press("2", "enter")
        await pilot.pause()
        await until(lambda: "Touch of B" in text(app) and "NO SCOPE WAS ENTERED" in text(app))
        await pilot.press("escape", "tab", "v")
        await pilot.pause()
        await until(lambda: "Vitals of A" in text(app))
        await pilot.press("escape", "1")
        await until(lambda: "1 spoke  (A)" in text(app))


async def test_the_sheet_for_paramedics_is_one_screen_and_enter_prints_it(room: FakeRoom, tmp_path: Path) -> None:
    room.status = ward()
    async with console(room) as (app, pilot):
        await pilot.press(*way("sheet"))
        await pilot.pause()
        shown = text(app)
        for word in ("HANDOVER TO PARAMEDICS", "desk 4711", "25 mg", "128/82", "nausea, grade 2", "BP 90-180/50-110"):
            assert word in shown
        await pilot.press("enter")
        await until(lambda: "written:" in text(app))
        files = sorted((room.runtime_dir.parent / "sheets").glob(f"{room.status.session}-*"))
        assert [file.suffix for file in files] == [".pdf", ".txt"]
        assert files[0].read_bytes().startswith(b"%PDF") and "25 mg" in files[1].read_text()
        for file in files:
            file.unlink()
        files[0].parent.rmdir()


async def test_what_was_entered_late_or_corrected_says_so_in_the_log(room: FakeRoom) -> None:
    log = (
        LogEntry(seq=92, utc="2026-03-03T13:53:00.000Z", kind="amend", who="AB", console="console-3f2a",
                 values={"entry": 91, "what": "mark", "code": "cold", "was_code": "spoke"}),
        LogEntry(seq=91, utc="2026-03-03T13:52:00.000Z", kind="mark", who="AB", console="console-3f2a",
                 values={"code": "spoke"}, ago_s=660.0),
    )  # fmt: skip
    room.status = replace(ward(), log=log)
    async with console(room, size=(100, 30)) as (app, _):
        shown = text(app)
        assert "mark spoke -> cold  [entry 91]" in shown
        assert "(corrected in 92) (entered " in shown


async def test_what_is_pasted_after_a_question_that_was_left_at_once_is_offered_as_a_note(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        for key in (events.Key("n", "n"), events.Key("escape", None)):  # in one read of the terminal
            app.post_message(key)
        await pilot.pause()
        app.post_message(events.Paste("cold hands"))
        await pilot.pause()
        assert app.asking is not None and app.asking.line.value == "cold hands"
        await until(lambda: "pasted: Enter keeps it as a note" in text(app))
        assert not room.inputs
