"""A room of the real loop and the real journal whose devices write down every effect, durably, and die at the n-th.

    python -m tests.crash.scripted_room STATE_DIR DIE_AT [--swapped]

`--swapped` lets effects go before their records, to show that the crash test notices.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event

from controller.clock import RoomClock
from controller.journal.recovery import recover
from controller.journal.writer import Journal
from controller.messages import (
    Call,
    Dose,
    Effect,
    Go,
    Hold,
    Input,
    Light,
    Note,
    Opened,
    Origin,
    Pause,
    Reply,
    Resume,
    Start,
    Volume,
    encode,
)
from controller.planning import planner_for
from controller.runner import Runner
from controller.session.state import opening
from tests.session.room import PLAYLISTS, RULES, pool_of

SCRIPT = (
    Volume(step_db=-2.0),
    Dose(amount=25, unit="mg"),
    Hold(),
    Volume(bus="speakers", step_db=-2.0),
    Light(level=0.2),
    Note(text="a few words"),
    Resume(),
    Go(phase="peak"),
    Pause(),
    Resume(),
    Light(scene="exit"),
    Call(call="k1"),
    Light(scene="arc"),
)


class DyingDevice:
    """Writes each effect to a file, fsynced, and ends the process without a word at the n-th."""

    def __init__(self, path: Path, die_at: int) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._left = die_at

    def apply(self, effect: Effect, seq: int) -> None:
        os.write(self._fd, encode(effect) + b"\n")
        os.fsync(self._fd)
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class SwappedRunner(Runner):
    """The mistake that the crash test is there to find: effects first, record later."""

    def _write(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        super()._write(*args, **kwargs)
        self._queue.release(args[1])


def slowly(do: Callable[[], None]) -> None:
    """Later than any device, so that what goes first goes first on every machine."""
    Event().wait(0.05)
    do()


async def live(state_dir: Path, die_at: int, swapped: bool) -> None:
    recover(state_dir)
    clock = RoomClock()
    journal = Journal(state_dir, clock, lambda why: None, commit=slowly if swapped else None)
    device = DyingDevice(state_dir / "effects.jsonl", die_at)
    runner_type = SwappedRunner if swapped else Runner
    runner = runner_type(
        opening(RULES, clock.now()),
        clock,
        journal,
        {"sound": device, "lights": device, "caller": device},
        planner_for(pool_of, clock.now),
    )
    acknowledged = os.open(state_dir / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    answers = 0

    def noted(reply: Reply) -> None:
        nonlocal answers
        answers += 1
        if not reply.refused:
            os.write(acknowledged, f"{reply.id}\n".encode())
            os.fsync(acknowledged)

    runner.post_act(Opened(rules=RULES))
    text = (PLAYLISTS / "psilocybin-25mg.toml").read_text()
    start = Start(programme="x", participants=("A-1",), programme_text=text, session="s1", seed=1)
    runner.post(Input(act=start), noted)
    while runner.state.mode != "running":
        await asyncio.sleep(0.005)
    for place, act in enumerate(SCRIPT):
        runner.post(Input(act=act, origin=Origin(console="c", path="socket")), noted)
        if place % 3 == 0:  # the others go out in one burst, as a quick hand sends them
            await asyncio.sleep(0.01)
    while answers < 1 + len(SCRIPT):
        await asyncio.sleep(0.005)
    await runner.close()
    await journal.close()


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), int(sys.argv[2]), "--swapped" in sys.argv))
