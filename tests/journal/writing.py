"""A session's writer for the tests: what a daemon does with its journal, and nothing else.

Run as a program it makes the processes that the crash tests kill, one for each line that it reads (STATE BURST FIFO,
with tabs between): such a one says "SEQ ID" into its FIFO for each record once that is on disk.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from controller.clock import RoomClock, SimulatedClock
from controller.journal.chain import ROOM
from controller.journal.recovery import last_of
from controller.journal.store import Commit
from controller.journal.writer import Journal
from controller.messages import Act, Fact, Input, Mark, Note, Origin, Record, SetTransport
from tests.waiting import until

CLOCK = SimulatedClock(t=100.0)


def record(seq: int, act: Act | None = None, **fields: object) -> Record:
    """The record number `seq` of a small session."""
    return Record(
        seq=seq,
        stamp=CLOCK.stamp(100.0 + seq),
        input=Input(act=act or Mark(code="cold"), id=f"input-{seq}", origin=Origin(person="JM", path="socket")),
        **fields,  # type: ignore[arg-type]
    )


class Writing:
    """A journal with the list of what it has acknowledged and complained of."""

    def __init__(self, state: Path, commit: Commit | None = None) -> None:
        self.acknowledged: list[int] = []
        self.troubles: list[str] = []
        self.state = state
        self.journal = Journal(state, CLOCK, self.troubles.append, commit=commit)

    def write(self, *records: Record, book: str = "s-1", snapshot: bytes | None = None, text: str = "") -> None:
        for each in records:
            self.journal.append(each, book=book, snapshot=snapshot, text=text, done=self.acknowledged.append)

    async def until(self, true: Callable[[], bool]) -> None:
        await until(true, every_s=0.002)

    async def until_acknowledged(self, count: int) -> None:
        await self.until(lambda: len(self.acknowledged) >= count)


@asynccontextmanager
async def writing(state: Path, commit: Commit | None = None) -> AsyncIterator[Writing]:
    """A journal that is closed at the end."""
    it = Writing(state, commit)
    try:
        yield it
    finally:
        await it.journal.close()


async def write_to_the_room(state: Path, act: Act, *, synced: bool = True) -> None:
    """One more record of the room's own book."""
    told = record(last_of(state, ROOM)[0] + 1, act)
    async with writing(state) as it:
        it.write(replace(told, stamp=replace(told.stamp, synced=synced)), book=ROOM)


async def write_small_session(state: Path, session: str = "s-1", *, close: bool = True) -> None:
    """Twelve records with notes, effects, facts and two snapshots, and one in the room's book."""
    async with writing(state) as it:
        it.write(record(1, Mark(code="opened")), book=ROOM)
        for seq in range(1, 13):
            act = Note(text=f"spoke softly, {seq}") if seq % 4 == 0 else Mark(code="cold")
            effects = (SetTransport(session=session, transport="pause", fade_s=2.0),) if seq % 3 == 0 else ()
            facts = (Fact(code="phase_began", values={"phase": "peak"}),) if seq == 6 else ()
            snapshot = b"state after %d" % seq if seq % 5 == 0 else None
            it.write(record(seq, act, effects=effects, facts=facts), book=session, snapshot=snapshot)
        if close:
            it.journal.close_session(session)


async def _write_until_killed(state: Path, burst: int) -> None:
    clock = RoomClock()
    journal = Journal(state, clock, lambda why: print("trouble", why, flush=True))
    seq = 0
    kept_up = asyncio.Event()

    def acknowledge(kept: int) -> None:
        print(kept, f"input-{kept}", flush=True)
        if kept >= seq - burst:
            kept_up.set()

    while True:
        for _ in range(burst):
            seq += 1
            it = Record(seq=seq, stamp=clock.stamp(), input=Input(act=Note(text=f"word {seq}"), id=f"input-{seq}"))
            snapshot = b"state after %d" % seq if seq % 7 == 0 else None
            journal.append(it, book="s-1", snapshot=snapshot, done=acknowledge)
        kept_up.clear()
        await kept_up.wait()


def make_writers() -> None:
    """Each in a process of its own, without the half second of imports; says the number of each process."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        state, burst, fifo = line.rstrip("\n").split("\t")
        if pid := os.fork():
            print(pid, flush=True)
            continue
        try:
            os.dup2(os.open(fifo, os.O_WRONLY), 1)
            asyncio.run(_write_until_killed(Path(state), int(burst)))
        finally:
            os._exit(1)


if __name__ == "__main__":
    make_writers()


def tamper(file: Path, *orders: str) -> None:
    """What somebody does who is out to change a record, and knows how."""
    connection = sqlite3.connect(file, isolation_level=None)
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for order in orders:
        connection.execute(order)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for name, sql in triggers:
        if name.partition("_")[0] in tables:
            connection.execute(sql)
    connection.close()
