"""The real console on a real daemon with sitters: signing on by keys alone, breaks, and the lock."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from msgspec.structs import replace
from textual import events
from textual.pilot import Pilot

from controller.clock import boottime
from controller.console.app import ConsoleApp
from controller.console.client import Client
from controller.console.doing.table import named, path
from controller.console.looks import LINUX, VGA, Look
from controller.journal.reading import read_records, room_file, session_file, verify
from controller.messages import (
    AboutABook,
    Addendum,
    Call,
    Dose,
    End,
    Evacuate,
    Input,
    Light,
    Note,
    Pause,
    Record,
    SeeAlarm,
    StandDown,
    Start,
)
from controller.places import runtime_dir
from controller.wording import alarm
from tests.console.pressing import rest_keys, rows, text
from tests.sitters.room import PINS, console, daemon_here, sign_on
from tests.waiting import until

START = Start(programme="demo", participants=("D-001",), seed=1)


@pytest.fixture
def state_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="room") as where:
        yield Path(where)


class Sitting:
    """Somebody at a console, who has nothing but keys."""

    def __init__(self, app: ConsoleApp, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot

    async def press(self, *keys: str) -> None:
        for key in keys:
            rest_keys(self.app)
            await self.pilot.press(key)
        await self.pilot.pause()

    async def type(self, line: str) -> None:
        """A line, and Enter."""
        await self.pilot.press(*line)
        await self.press("enter")

    async def choose(self, action: str) -> None:
        await self.press(*path(named(action)).split())

    async def sign_on(self, who: str, pin: str = "") -> None:
        await self.choose("sign_on")
        await self.type(pin or PINS[who])
        await self.type(who.lower())
        if not pin:
            await self.shown(f"{who} signed on")

    async def shown(self, told: str) -> None:
        try:
            await until(lambda: told in text(self.app))
        except TimeoutError:
            pytest.fail(f"{told!r} is not shown:\n{text(self.app)}")

    @property
    def client(self) -> Client:
        return self.app.client


@asynccontextmanager
async def sitting(
    state_dir: Path, size: tuple[int, int] = (80, 24), look: Look | None = None
) -> AsyncIterator[Sitting]:
    app = ConsoleApp(Client(runtime_dir(state_dir), console="console-1"), look or Look())
    # A pilot waits until this process has nothing to do; with a daemon in it, that is up to a second for every key.
    with patch("textual.app.wait_for_idle", _a_moment), patch("textual.pilot.wait_for_idle", _a_moment):
        async with app.run_test(size=size) as pilot:
            await until(lambda: app.client.status.room)
            await pilot.pause()
            yield Sitting(app, pilot)


async def _a_moment(_least: float = 0.0) -> None:
    await asyncio.sleep(0.01)


async def test_by_keys_alone_two_sitters_sign_on_hand_over_and_take_a_break(state_dir: Path) -> None:
    async with daemon_here(state_dir), sitting(state_dir) as it:
        await it.shown("nobody is signed on here: 0 signs on")
        await it.press("l")
        await it.shown("noted")
        await it.press("right")
        await it.shown("sign on first")
        await it.sign_on("AB", "00000")
        await it.shown("initials or PIN are wrong")
        assert it.app.asking is not None, "the hidden line stays, so that digits typed blindly are no marks"
        await it.type(PINS["AB"])
        await it.shown("AB signed on")
        assert it.client.signed_on == "AB"
        assert not (await it.client.send(START)).refused
        await it.sign_on("CD")
        await it.shown("AB, CD")
        await it.choose("break")
        await it.type("AB 7")
        await until(lambda: "CD IS ALONE IN THE ROOM while a break lasts" in map(alarm, it.client.status.alarms))
        await it.shown("AB out 7 min")
        await it.choose("break_over")
        await until(lambda: not any(one.on_break for one in it.client.status.sitters))
        await it.choose("hand_over")
        await it.type("ef")
        await it.type("settled since two")
        await it.type(PINS["EF"])
        await it.shown("CD handed over to EF")
        assert [one.initials for one in it.client.status.sitters] == ["AB", "EF"]
        await it.choose("sign_off")
        await it.press("2", "enter")
        await until(lambda: not it.client.signed_on)
        session = it.client.status.session
    texts = [
        (record.input.act.kind, words) for record, words in read_records(session_file(state_dir, session)) if words
    ]
    assert texts == [("hand_over", "settled since two")]


async def test_an_override_is_released_by_two_the_second_by_their_own_pin(state_dir: Path) -> None:
    async with daemon_here(state_dir), sitting(state_dir) as it:
        await it.sign_on("AB")
        assert not (await it.client.send(replace(START, programme="psilocybin-25mg"))).refused
        assert not (await it.client.send(Dose(amount=25, unit="mg", witness="CD"))).refused
        await until(lambda: it.client.status.release)
        await it.choose("release")
        await it.type("asks to go, with cd")
        await it.shown("PIN of CD")
        await it.shown("released by OVERRIDE with CD")
        await it.type(PINS["EF"])
        await it.shown("initials or PIN are wrong")
        assert not it.client.status.participants[0].released
        await it.type(PINS["CD"])
        await until(lambda: it.client.status.participants[0].released)
        assert it.client.signed_on == "AB"
        session = it.client.status.session
    facts = [fact for record, _ in read_records(session_file(state_dir, session)) for fact in record.facts]
    assert [fact.values["how"] for fact in facts if fact.code == "seconded"] == ["pin"]


async def test_a_pin_is_hidden_and_space_and_c_keep_their_meaning_above_it(state_dir: Path) -> None:
    async with daemon_here(state_dir), sitting(state_dir) as it:
        await it.press(*"07391")
        await it.shown("•••••")
        assert "7391" not in text(it.app)
        await it.press("space", "c", "x", "8")
        assert it.app.asking is not None and it.app.asking.line.value == "073918"
        await until(lambda: it.client.call.call)
        await until(lambda: {"pause", "call"} <= {record.input.act.kind for record in kept(state_dir)})
        await it.press("ampersand", "escape")
        assert it.app.asking is None


def kept(state_dir: Path) -> list[Record]:
    return [record for record, _ in read_records(room_file(state_dir))]


def notes(book: Path) -> list[Input]:
    return [record.input for record, _ in read_records(book) if isinstance(record.input.act, Note)]


async def test_what_was_typed_before_anybody_signed_on_is_sent_once_somebody_has(state_dir: Path) -> None:
    async with daemon_here(state_dir), sitting(state_dir) as it:
        await it.sign_on("AB")
        assert not (await it.client.send(START)).refused
        book = session_file(state_dir, it.client.status.session)
        await it.choose("sign_off")
        await it.press("enter")
        await until(lambda: not it.client.signed_on)
        pressed = boottime()
        await it.press("n")
        await it.type("asked for water")
        await it.shown("sign on first")
        await it.type("00000")
        await it.shown("asked for water")
        await it.type("ab")
        await it.shown("initials or PIN are wrong")
        await it.type(PINS["AB"])
        await until(lambda: notes(book))
        answered = boottime()
        assert it.client.signed_on == "AB"
    (note,) = notes(book)
    assert note.origin.person == "AB"
    assert 0.0 < note.ago_s <= answered - pressed, "it happened when it was typed, not when somebody had signed on"


async def test_a_locked_console_keeps_what_must_never_wait_and_nothing_else(state_dir: Path) -> None:
    async with daemon_here(state_dir), sitting(state_dir) as it:
        await it.sign_on("AB")
        assert not (await it.client.send(START)).refused
        await until(lambda: it.client.status.state == "running")
        await it.press("ctrl+l")
        seen = text(it.app)
        assert "LOCKED" in seen and "RUNNING" in rows(it.app)[0] and "Music" not in seen and "signed on" not in seen
        assert "CALL" in rows(it.app)[-2] and "pause" in rows(it.app)[-2] and "note" not in rows(it.app)[-2]
        await it.press("space")
        await until(lambda: it.client.status.state == "paused")
        await it.shown("PAUSED")
        await it.press("c")
        await until(lambda: it.client.call.call)
        await it.shown("CALL NOT DELIVERED - use the wall button")
        await it.press("l", "a", "m", "1", "g", "2", "enter")
        await until(lambda: it.client.status.evacuated)
        for key in ("r", "h", "n", "v", "d", "s", "up", "left", "f", "backspace", "enter", "tab", "question_mark",
                    "colon", "ctrl+p", "ctrl+c", "ctrl+c", "ctrl+q", "1", "5", "9"):  # fmt: skip
            await it.press(key, "escape")
            assert it.app.lock.on, key
        assert it.app.is_running
        session = it.client.status.session
        await it.press("7")
        assert it.app.asking is not None and not it.app.asking.line.value
        await it.press("escape", "m", "0")
        assert it.app.asking is not None and it.app.asking.line.value == "0", "the digit that opens it is its first"
        await it.type("0000")
        await it.shown("initials or PIN are wrong")
        assert it.app.lock.on
        await it.type(PINS["AB"])
        await until(lambda: not it.app.lock.on)
        await it.press("r")
        await until(lambda: it.client.status.state == "running")
    records = [record for record, _ in read_records(session_file(state_dir, session))]
    done = [
        (record.input.act, record.input.origin.person) for record in records if record.input.origin.path == "socket"
    ]
    under_lock = [act for act, person in done if person is None and act.kind != "sign_on_refused"]
    kinds = {type(act) for act in under_lock}
    assert kinds == {Pause, Call, Light, SeeAlarm, Evacuate}
    assert {act.scene for act in under_lock if isinstance(act, Light)} == {"exit", "medical"}
    (unlocked,) = [act for act, _ in done if act.kind == "signed_on" and getattr(act, "unlocks", False)]
    assert unlocked.kind == "signed_on"
    assert [person for act, person in done if act.kind == "resume"] == ["AB"]


async def test_a_console_that_is_locked_while_a_pin_is_looked_at_stays_locked(state_dir: Path) -> None:
    async with daemon_here(state_dir), sitting(state_dir) as it:
        await it.press("0")
        await it.type(PINS["AB"][1:])
        await it.type("AB")
        await it.press("ctrl+l")
        await until(lambda: it.client.signed_on == "AB" and not it.client._signing)
        await it.pilot.pause()
        assert it.app.lock.on


async def test_somebody_else_may_unlock_and_is_who_notes_from_then_on(state_dir: Path) -> None:
    async with daemon_here(state_dir), sitting(state_dir) as it:
        await it.sign_on("AB")
        await it.choose("lock")
        assert it.app.lock.on
        await it.press("x", "enter")
        await it.type(PINS["CD"])
        await it.type("CD")
        await until(lambda: it.client.signed_on == "CD" and not it.app.lock.on)


async def test_in_a_lockout_the_console_says_how_long_and_still_calls_and_pauses(state_dir: Path) -> None:
    async with daemon_here(state_dir), sitting(state_dir) as it:
        await it.choose("sign_on")
        await it.type("00000")
        await it.type("AB")
        await it.shown("wrong")
        for _ in range(2):
            await it.type("00000")
            await it.shown("wrong")
        await it.shown("too many wrong PINs: wait 60 s")
        await it.press("space", "c", "escape")
        await until(lambda: it.client.call.call)
        await until(lambda: "pause" in {record.input.act.kind for record in kept(state_dir)})
        async with console(state_dir, "console-2") as other:
            await sign_on(other, "CD")
            assert not (await other.send(StandDown())).refused


async def test_in_a_room_without_sitters_any_key_unlocks_and_initials_are_as_given(state_dir: Path) -> None:
    async with daemon_here(state_dir, sitters=False), sitting(state_dir, (100, 30)) as it:
        it.client.person = "AB"
        await it.press("ctrl+l", "space")
        assert it.app.lock.on
        await it.press("x")
        assert not it.app.lock.on
        await it.shown("as AB, no PIN")
        await it.choose("sign_on")
        await it.shown("no PINs here: stillroom sitters add AB")


async def test_a_console_locks_itself_after_the_rooms_time_without_a_key(state_dir: Path) -> None:
    async with daemon_here(state_dir), sitting(state_dir) as it:
        await it.press("n")
        it.client.status = replace(it.client.status, lock_after_s=600.0)
        it.app.lock.touch(boottime() - 300.0)
        it.app.lock.look()
        assert not it.app.lock.on
        it.app.lock.touch(boottime() - 601.0)
        it.app.lock.look()
        assert it.app.lock.on and it.app.asking is None


@pytest.mark.parametrize("size", [(60, 12), (80, 24), (100, 30), (160, 45)])
async def test_the_lock_fits_every_size_and_the_bare_linux_console(state_dir: Path, size: tuple[int, int]) -> None:
    async with daemon_here(state_dir):
        for look in (Look(), Look(palette=VGA, signs=LINUX)):
            async with sitting(state_dir, size, look) as it:
                await it.press("ctrl+l")
                seen = text(it.app)
                assert "LOCKED" in seen and "CALL" in seen
                assert all(len(row.rstrip()) <= size[0] for row in rows(it.app))


async def test_a_closed_session_is_read_added_to_and_redacted_by_keys_alone(state_dir: Path) -> None:
    async with daemon_here(state_dir), sitting(state_dir) as it:
        assert (await it.client.look_up()).refused == "sign_on_needed", "what is over is for those whom the room knows"
        await it.sign_on("AB")
        assert not (await it.client.send(START)).refused
        assert not (await it.client.send(Note(text="Marie slept"))).refused
        session = it.client.status.session
        assert not (await it.client.look_up()).sessions, "one that is open stands in no list of closed ones"
        assert not (await it.client.send(End())).refused
        await until(lambda: it.client.status.state == "ended")
        await it.choose("closed")
        await it.shown("Enter: open it")
        await it.press("enter")
        await it.shown("add a late entry")
        await it.shown("Marie slept")
        await it.press("enter")
        await it.type("her sister came @23:59")
        await it.press("enter")
        await it.shown("late entry to the closed record; her sister came")
        await it.shown("Marie slept")
        while "Marie" not in chosen(it.app):
            await it.press("down")
        await it.press("enter")
        await it.shown("blank its text for good")
        await it.press("2")
        await it.type("a name")
        await it.press("enter")
        await it.shown("was blanked; a name")
        await until(lambda: "Marie" not in text(it.app))
        while "note" not in chosen(it.app):
            await it.press("down")
        await it.press("enter", "1")
        await it.type("slept from four on")
        await it.press("enter")
        await it.shown("; slept from four on")
        assert (await it.client.send(Addendum(session=session))).refused == "no_reason"
    file = session_file(state_dir, session)
    added = [(record, words) for record, words in read_records(file) if isinstance(record.input.act, AboutABook)]
    assert [(record.input.act.kind, record.input.origin.person, words) for record, words in added] == [
        ("addendum", "AB", "her sister came"), ("redaction", "AB", "a name"), ("addendum", "AB", "slept from four on"),
    ]  # fmt: skip
    late = added[0][0].input.act
    assert isinstance(late, Addendum) and late.about_t is not None and late.after > 0
    assert verify(file).ok and b"Marie" not in file.read_bytes()


def chosen(app: ConsoleApp) -> str:
    return app.menu.lines[app.menu.at].label if app.menu is not None else ""


def _open(app: ConsoleApp) -> None:
    app.back()


def _menu(app: ConsoleApp) -> None:
    app.commands.open_menu()


def _marks(app: ConsoleApp) -> None:
    app.commands.run(named("mark"), "")


def _sheet(app: ConsoleApp) -> None:
    app.show_keys()


def _locked(app: ConsoleApp) -> None:
    app.lock.shut()


def _locked_menu(app: ConsoleApp) -> None:
    app.lock.shut()
    app.keyboard.press(events.Key("m", "m"))


def _dark(app: ConsoleApp) -> None:
    while not app.look.off:
        app.darken()


STATES = (_open, _menu, _marks, _sheet, _locked, _locked_menu, _dark)


@pytest.mark.parametrize("slowly", [False, True])
async def test_a_pin_makes_no_mark_and_leaves_no_digit_wherever_and_however_slowly_it_is_typed(
    state_dir: Path, *, slowly: bool
) -> None:
    async with daemon_here(state_dir), sitting(state_dir) as it:
        await it.sign_on("AB")
        assert not (await it.client.send(START)).refused
        await until(lambda: it.client.status.state == "running")
        session = it.client.status.session
        before = {code for code, _ in it.client.status.marks}
        assert before, "there are marks to be made"
        for state in STATES:
            it.app.back()
            it.app.lock.open()
            state(it.app)
            for digit in PINS["AB"]:
                if slowly:
                    rest_keys(it.app)
                it.app.keyboard.press(events.Key(digit, digit))
            assert it.app.asking is not None and it.app.asking.line.value == PINS["AB"], state.__name__
            assert PINS["AB"][1:4] not in text(it.app)
            await it.press("enter")
            if it.app.asking is not None and not it.app.lock.on:
                await it.type("ab")
            await until(lambda: it.app.asking is None and not it.app.lock.on)
        await it.press("3")
        await it.shown("noted")
    records = list(read_records(session_file(state_dir, session)))
    assert [record.input.act.kind for record, _ in records].count("mark") == 1, "and a mark is one still"
    assert all(PINS["AB"][1:] not in f"{record}{words}" for record, words in records)


async def test_a_pin_typed_again_while_the_first_is_looked_at_stays_in_the_hidden_line(state_dir: Path) -> None:
    async with daemon_here(state_dir), sitting(state_dir) as it:
        await it.sign_on("AB")
        assert not (await it.client.send(START)).refused
        it.app.lock.shut()
        for key in (*PINS["AB"], "enter", *PINS["AB"][:4]):
            rest_keys(it.app)
            await it.pilot.press(key)
        await until(lambda: not it.app.lock.on)
        for digit in PINS["AB"][4:]:
            it.app.keyboard.press(events.Key(digit, digit))
        await it.press("enter")
        await until(lambda: it.app.asking is None)
        session = it.client.status.session
    acts = [record.input.act.kind for record, _ in read_records(session_file(state_dir, session))]
    assert "mark" not in acts


async def test_a_line_that_looks_like_a_pin_is_kept_by_no_question(state_dir: Path) -> None:
    async with daemon_here(state_dir), sitting(state_dir) as it:
        await it.sign_on("AB")
        assert not (await it.client.send(START)).refused
        await it.choose("hand_over")
        await it.type("cd")
        await it.type(PINS["CD"])  # as the few words for the record
        await it.shown("looks like a PIN")
        assert PINS["CD"] not in text(it.app)
        await it.type("she sleeps")
        await it.type(PINS["CD"])
        await it.shown("AB handed over to CD")
        await it.press("n")
        await it.type(PINS["CD"])
        await it.shown("looks like a PIN")
        session = it.client.status.session
    texts = [words for _, words in read_records(session_file(state_dir, session)) if words]
    assert texts == ["she sleeps"]
