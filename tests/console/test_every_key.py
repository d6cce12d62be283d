"""Every key and every line of the menus, in every state: an answer each time, no act of another action, no crash."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual import events

from controller.console.app import ConsoleApp
from controller.console.client import Client
from controller.console.doing.action import Action
from controller.console.doing.table import ACTIONS, path
from controller.console.forms import quiet_form
from controller.console.lock import KEYS
from controller.console.looks import DARKNESS, Look
from controller.messages import Act, CallView, ParticipantView, Reply, Resume, Status, kind_of
from tests.console.fake_daemon import FakeRoom, demo_status, with_alarm, with_bookings
from tests.console.pressing import console, rest_keys
from tests.seeds import any_seed
from tests.waiting import until

Prepare = Callable[[ConsoleApp], None]


def _nothing(_app: ConsoleApp) -> None:
    pass


def _question(app: ConsoleApp) -> None:
    app.ask(quiet_form())


def _menu(app: ConsoleApp) -> None:
    app.commands.open_menu()


def _locked(app: ConsoleApp) -> None:
    app.lock.shut()


def _sheet(app: ConsoleApp) -> None:
    app.show_keys()


def _off(app: ConsoleApp) -> None:
    app.look = Look(dark=len(DARKNESS) - 1)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A state of room and console: what is open before each key, and which ways of pressing are of use there."""

    status: Status
    prepare: Prepare = _nothing
    lost: bool = False
    works: Callable[[Action, str], bool] = lambda _action, _key: True
    path_does: frozenset[str] | None = None
    """The acts that the keys of a path through the menus may come to here; None: those of the action at its end."""


def _in_dialog(action: Action, key: str) -> bool:
    return action.in_dialog or key in action.anywhere


def _moments() -> dict[str, Moment]:
    well = demo_status()
    first = ParticipantView(code="P-017")
    idle = with_bookings(Status(room="room-2", utc=well.utc, light=well.light, sound=well.sound))
    return {
        "idle": Moment(status=idle),
        "ready": Moment(status=replace(well, state="ready", phase="arrival", arc_s=-600.0, participants=(first,))),
        "running": Moment(status=well),
        "two people": Moment(status=replace(well, participants=(*well.participants, ParticipantView(code="P-018")))),
        "paused": Moment(status=replace(well, state="paused", shorten_s=900.0)),
        "silence": Moment(status=replace(well, quiet=True, hold=True)),
        "waiting": Moment(status=replace(well, state="waiting", waiting_for="choice")),
        "ended": Moment(status=replace(idle, state="ended", session=well.session, log=well.log)),
        "alarm": Moment(status=with_alarm(well, "caller_lost", "high", name="caller", why="")),
        "called": Moment(status=replace(well, call=CallView(call="k", stage="acknowledged", by="Mara"))),
        "lost": Moment(status=well, lost=True),
        "question": Moment(
            status=well, prepare=_question, works=lambda action, key: key in action.anywhere or key == "space",
            path_does=frozenset(),
        ),
        "menu": Moment(status=well, prepare=_menu, works=_in_dialog),
        "sheet": Moment(
            status=well, prepare=_sheet, works=lambda action, key: _in_dialog(action, key) or action.name == "help",
            path_does=frozenset(),
        ),
        "locked": Moment(
            status=replace(well, signs_on=True), prepare=_locked, works=lambda action, _key: action.name in KEYS,
            path_does=frozenset({"light"}),
        ),
        "screen off": Moment(
            status=well, prepare=_off,
            works=lambda action, _key: action.name in ("call", "emergency", "pause", "resume"),
            path_does=frozenset({"mark"}),
        ),
    }  # fmt: skip


MOMENTS = _moments()
SAMPLE = ("idle", "running", "paused", "lost", "locked", "menu", "ended")
"""Looked at in every run; all of them in the long proof."""

NAMES = [pytest.param(name, marks=[] if name in SAMPLE else pytest.mark.proof) for name in MOMENTS]


KEYS_OF_ACTIONS = tuple((action, key) for action in ACTIONS for key in (*action.keys, *action.anywhere))


@pytest.mark.parametrize("name", NAMES)
async def test_every_key_answers_and_does_only_its_own(name: str, room: FakeRoom) -> None:
    moment = MOMENTS[name]
    room.status, room.still = moment.status, True
    async with console(room, (60, 12)) as (app, _):  # the small screen is painted in no time
        if moment.lost:
            await room.stop("daemon")
            await until(lambda: not app.client.connected)
        for action, key in KEYS_OF_ACTIONS:
            await _fresh(room, app, moment)
            moment.prepare(app)
            app.keyboard.press(_event(key))
            works = moment.works(action, key)
            await _settle()
            asked = [*room.inputs, *app.client.unanswered]
            kinds = {kind_of(act) for act in action.sends}
            assert {given.act.kind for given in asked} <= kinds, (action.name, key, asked)
            if not works:
                assert not asked, (action.name, key, asked)
                continue
            assert asked or _opened(app) or app._answer[0], (action.name, key, "no answer")
            if action.name == "call" and name != "called":
                await until(lambda: room.calls)
            if action.name == "pause":
                await until(lambda: room.directs if moment.lost else room.inputs)


def _opened(app: ConsoleApp) -> bool:
    return bool(
        app.asking is not None or app.menu is not None or app.keys_page is not None or app.look != Look() or app.lock.on
    )


class _Noting(Client):
    """A client that notes what is asked and has it answered at once: twelve hundred ways need no room behind it."""

    def __init__(self, runtime_dir: Path) -> None:
        super().__init__(runtime_dir, console="console-3f2a", person="AB")
        self.asked: list[Act] = []
        self.away = False

    @property
    def connected(self) -> bool:
        return super().connected and not self.away

    async def ask(
        self, act: Act, participants: tuple[str, ...] = (), why: str = "", ago_s: float = 0.0, session: str = ""
    ) -> Reply:
        self.asked.append(act)
        return Reply(id="noted", seq=len(self.asked), utc=self.status.utc)


PATHS = tuple((action, path(action).split()) for action in ACTIONS if action.menu)
SAMPLED = 6
"""So many paths of each state in every run; all of them in the long proof."""

HOW_MANY = [SAMPLED, pytest.param(len(PATHS), marks=pytest.mark.proof)]


@pytest.mark.parametrize("many", HOW_MANY)
async def test_every_path_through_the_menus_answers_in_every_state_and_does_only_its_own(
    room: FakeRoom, many: int
) -> None:
    room.still = True
    chance = random.Random(any_seed())
    client = _Noting(room.runtime_dir)
    app = ConsoleApp(client, Look())
    async with app.run_test(size=(60, 12)):
        await until(lambda: client.connected and client.desk.reachable)
        for name, moment in MOMENTS.items():
            client.status, client.away = moment.status, moment.lost
            for action, keys in chance.sample(PATHS, many):
                told = (name, action.name, keys, f"seed {any_seed()}")
                _at_rest(app)
                client.asked.clear()
                moment.prepare(app)
                for key in keys:
                    app.keyboard.press(_event(key))
                await _settle()
                kinds = {kind_of(act) for act in action.sends} if moment.path_does is None else moment.path_does
                assert {act.kind for act in client.asked} <= kinds, (told, client.asked)
                answered = client.asked or _opened(app) or app._answer[0]
                assert answered or moment.path_does is not None, (told, "no answer")


def _event(key: str) -> events.Key:
    """A key as a terminal sends it."""
    character = " " if key == "space" else key if len(key) == 1 else None
    return events.Key(key, character)


async def _settle() -> None:
    """Let what was asked reach the client."""
    for _ in range(4):
        await asyncio.sleep(0)


async def _fresh(room: FakeRoom, app: ConsoleApp, moment: Moment) -> None:
    """As if nothing had been pressed."""
    if moment.lost:
        for pending in app.client._pending.values():
            pending.answer.cancel()
        app.client._pending.clear()
    await until(lambda: not app.client.unanswered)
    _at_rest(app)
    for heard in (room.inputs, room.calls, room.directs):
        heard.clear()
    if not moment.lost and app.client.status != moment.status:
        room.push(**{name: getattr(moment.status, name) for name in Status.__struct_fields__})
        await until(lambda: app.client.status == moment.status)


def _at_rest(app: ConsoleApp) -> None:
    app.back()
    app._answer = ("", "plain", 0.0)
    app.look, app.lock.on = Look(), False
    app.commands._chosen, app._leaving_at = ("", ""), -1e9
    app.commands._done.clear()
    app.client.desk._own = None
    app.client.desk._heard.clear()
    rest_keys(app)


async def test_resume_goes_on_from_everything(room: FakeRoom) -> None:
    for moment in ("paused", "silence", "waiting"):
        room.status = MOMENTS[moment].status
        room.inputs.clear()
        async with console(room) as (_, pilot):
            await pilot.press("r")
            await until(lambda: room.inputs)
            assert room.inputs[0].act == Resume()
