"""Sessions that were really lived through: the real loop, rules and journal, on a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from typer.testing import CliRunner

from controller.journal.place import Place, look_at
from controller.messages import (
    Act,
    DeviceBack,
    DeviceLost,
    Dose,
    End,
    Hold,
    Input,
    Mark,
    Note,
    Opened,
    Origin,
    PieceEnded,
    PieceStarted,
    Quiet,
    Resume,
    Start,
    TakeBack,
    Vitals,
)
from controller.verbs.record import app as journal_app
from tests.runner.room import Journaled, Room, room
from tests.session.room import PLAYLISTS, RULES
from tests.waiting import patiently

FIRST = "20260101T092000Z-0001"
SECOND = "20260102T092000Z-0002"
MINUTE = 60.0
DAY = 86400.0


async def _ask(daemon: Room, act: Act, who: str, *whom: str, why: str = "") -> int:
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    given = Input(act=act, origin=Origin(person=who, console="console-1", path="socket"), participants=whom, why=why)
    daemon.runner.post(given, lambda reply: answer.set_result(reply.seq) if not reply.refused else None)
    return await patiently(answer)


async def live(
    state_dir: Path,
    session: str = FIRST,
    code: str = "C-0412",
    at: float = 1200.0,
    *,
    end: bool = True,
    more: Sequence[Callable[[int], Act]] = (),
) -> None:
    """Two hours: a dose, vitals (one late), notes, marks, a hold, a silence, a fault, and music.

    `more`: acts before its end, each made of the number of the record before it.
    """
    clock = Journaled(t=at)
    async with room(state_dir, clock, opened=Opened(rules=RULES)) as daemon:

        async def after(minutes: float, act: Act, who: str = "AB", why: str = "") -> int:
            clock.advance_to(at + minutes * MINUTE)
            seq = await _ask(daemon, act, who, code, why=why)
            await daemon.until(lambda: not daemon.runner._plans)  # so that the numbers of records are always the same
            return seq

        text = (PLAYLISTS / "psilocybin-25mg.toml").read_text(encoding="utf-8")
        start = Start(
            programme="psilocybin-25mg", participants=(code,), programme_text=text, session=session, seed=1,
            touch_scope="hand", software="stillroom 0.1",
        )  # fmt: skip
        await _ask(daemon, start, "AB")
        await daemon.until(lambda: daemon.runner.state.plan_held > 0)
        cue = daemon.runner.state.cues[0]
        heard = PieceStarted(cue=cue.id, title=cue.piece.title, path=cue.piece.path, at_t=at + 1.0, frame=0)
        daemon.runner.post_act(heard)
        await after(5, Vitals(systolic=121, diastolic=79, pulse=70, spo2=98, celsius=36.6))
        await after(20, Dose(amount=25.0, unit="mg", witness="CD"))
        daemon.runner.post_act(PieceEnded(cue=cue.id, title=cue.piece.title, played_s=19 * MINUTE))
        await after(21, Note(text="Anna asked for water"), "CD")
        await after(51, Vitals(systolic=130, diastolic=85, pulse=88, spo2=97))
        wrong = await after(60, Mark(code="nausea"), "CD")
        await after(61, TakeBack(seq=wrong), "CD")
        await after(62, Mark(code="anxious"), "CD")
        await after(70, Hold(), why="crying, holds my hand")
        await after(80, Resume())
        await after(90, Quiet())
        await after(95, Resume())
        daemon.runner.post_act(DeviceLost(name="broker", why="timed out"))
        clock.advance_to(at + 96 * MINUTE)
        daemon.runner.post_act(DeviceBack(name="broker"))
        seq = await after(108, Vitals(systolic=128, diastolic=82, pulse=80, spo2=98))
        for count, make in enumerate(more):
            seq = await after(110 + count * min(1.0, 9 / len(more)), make(seq))
        if end:
            await after(120, End())


def live_days(state_dir: Path) -> None:
    """Two sessions a day apart, of two participants, both closed."""
    asyncio.run(live(state_dir))
    asyncio.run(live(state_dir, SECOND, "C-0977", 1200.0 + DAY))


def run(state: Path, *words: str) -> tuple[int, str]:
    """`stillroom journal WORDS`: its exit code and what it says."""
    done = CliRunner().invoke(journal_app, [*words, "--state", str(state)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def fit(stick: Path, state: Path) -> Place:
    """The stick as a place for a backup, though it lies on the same disk here."""
    return look_at(stick, state, same_disk=True)
