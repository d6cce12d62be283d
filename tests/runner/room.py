"""The real loop and the real journal on a clock that the test moves, with devices that only listen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from controller.clock import SimulatedClock
from controller.journal.recovery import Recovered, recover
from controller.journal.writer import Journal
from controller.messages import Act, Effect, Input, LogEntry, Opened, Origin, Replan, Reply, Start
from controller.planning import planner_for
from controller.restoring import Restored, restore
from controller.runner import Runner
from controller.session.state import State, opening
from tests.session.room import PLAYLISTS, RULES, pool_of
from tests.waiting import patiently, until


class Journaled(SimulatedClock):
    """A simulated clock that goes on from a record, as within one boot."""

    def continue_from(self, last: object) -> float:
        return 0.0


@dataclass
class Room:
    """`runner` and what the devices heard."""

    runner: Runner
    clock: Journaled
    heard: list[Effect] = field(default_factory=list)

    def apply(self, effect: Effect, seq: int) -> None:
        self.heard.append(effect)

    def start(self, session: str = "s1", scopes: dict[str, str] | None = None) -> None:
        text = (PLAYLISTS / "psilocybin-25mg.toml").read_text()
        act = Start(
            programme="x", participants=("A-1",), programme_text=text, session=session, seed=1,
            touch_scopes=scopes or {},
        )  # fmt: skip
        self.runner.post_act(act)

    async def ask(self, act: Act, given_id: str = "") -> Reply:
        """One Input of a console's, and the answer to it."""
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        given = Input(act=act, origin=Origin(console="c", path="socket"))
        if given_id:
            given = Input(act=act, id=given_id, origin=given.origin)
        self.runner.post(given, answer.set_result)
        return await patiently(answer)

    async def until(self, holds: Callable[[], bool]) -> None:
        await until(holds, every_s=0.002)


Planner = Callable[[State, Replan], object]


def recovered(state_dir: Path, clock: Journaled) -> tuple[Recovered, Restored]:
    found = recover(state_dir)
    return found, restore(found, RULES, clock)  # type: ignore[arg-type]


@asynccontextmanager
async def room(
    state_dir: Path,
    clock: Journaled | None = None,
    rules: object = RULES,
    planner: Planner | None = None,
    opened: Opened | None = None,
    entries: list[LogEntry] | None = None,
) -> AsyncIterator[Room]:
    """A daemon's inside, from what is on record."""
    clock = clock or Journaled(t=1000.0)
    found, restored = recovered(state_dir, clock)
    state = restored.state if found.last else opening(RULES, clock.now())
    journal = Journal(state_dir, clock, lambda why: None)
    books = [found.room] + ([found.session] if found.session else [])
    heard: list[Effect] = []

    class Ear:
        def apply(self, effect: Effect, seq: int) -> None:
            heard.append(effect)

    ear = Ear()
    runner = Runner(
        state,
        clock,
        journal,
        dict.fromkeys(("sound", "lights", "caller", "timetable", "archive", "preflight"), ear),
        planner or planner_for(pool_of, clock.now),  # type: ignore[arg-type]
        seqs={book.book: book.seq for book in books},
        replies=found.replies,
        entries=entries,
    )
    try:
        runner.post_act(opened or Opened(rules=rules))  # type: ignore[arg-type]
        yield Room(runner, clock, heard)
    finally:
        await runner.close()
        assert await journal.close()
