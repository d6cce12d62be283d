"""How long a record takes to be safe, beside what the disk itself takes: `python -m tests.bench.bench_journal [DIR]`.

Three ways in turn, interleaved so that a busy disk is unfair to none: a file with append and fsync, SQLite with WAL and
synchronous=FULL, and the journal from `append` to `done` on the loop. Then the journal in bursts, as group commit.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from controller.clock import RoomClock, boottime
from controller.journal.chain import stored_body
from controller.journal.writer import Journal
from controller.messages import Input, Note, Record

ROUNDS, WARM_UP, BURSTS, BURST = 500, 50, 50, 200


class Bare:
    """Append and fsync: nothing durable is cheaper."""

    def __init__(self, directory: Path) -> None:
        self._file = os.open(directory / "bare.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(self, body: bytes) -> None:
        os.write(self._file, body)
        os.fsync(self._file)


class Floor:
    """One insert and one commit: what SQLite asks for at the least."""

    def __init__(self, directory: Path) -> None:
        self._connection = sqlite3.connect(directory / "floor.db", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("CREATE TABLE lines (line INTEGER PRIMARY KEY, body BLOB)")

    def write(self, body: bytes) -> None:
        self._connection.execute("INSERT INTO lines (body) VALUES (?)", (body,))


class Ours:
    """The journal, one record at a time and in bursts."""

    def __init__(self, directory: Path) -> None:
        self._clock = RoomClock()
        self.journal = Journal(directory / "state", self._clock, lambda why: print("trouble:", why))
        self._seq = 0

    def next_record(self) -> Record:
        self._seq += 1
        return Record(seq=self._seq, stamp=self._clock.stamp(), input=Input(act=Note(text="asked for water")))

    async def write(self, *records: Record) -> None:
        done = asyncio.Event()
        for record in records:
            last = record is records[-1]
            self.journal.append(record, book="bench", done=(lambda _seq: done.set()) if last else None)
        await done.wait()


def timed(do: Callable[[], object]) -> float:
    """Seconds that `do` takes."""
    start = boottime()
    do()
    return boottime() - start


async def measure(directory: Path) -> dict[str, list[float]]:
    """Seconds of each write, by way."""
    bare, floor, ours = Bare(directory), Floor(directory), Ours(directory)
    found: dict[str, list[float]] = {"append+fsync": [], "sqlite": [], "journal": []}
    for _ in range(WARM_UP + ROUNDS):
        record = ours.next_record()
        body, _text = stored_body(record)
        found["append+fsync"].append(timed(lambda body=body: bare.write(body)))  # type: ignore[misc]
        found["sqlite"].append(timed(lambda body=body: floor.write(body)))  # type: ignore[misc]
        start = boottime()
        await ours.write(record)
        found["journal"].append(boottime() - start)
    bursts = []
    for _ in range(BURSTS):
        records = [ours.next_record() for _ in range(BURST)]
        start = boottime()
        await ours.write(*records)
        bursts.append((boottime() - start) / BURST)
    await ours.journal.close()
    return {way: times[WARM_UP:] for way, times in found.items()} | {"journal, in bursts": bursts}


def main() -> None:
    """Print medians, 99th percentiles and how they compare."""
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as directory:
        found = asyncio.run(measure(Path(directory)))
    bare = statistics.median(found["append+fsync"])
    for way, times in found.items():
        median, worst = statistics.median(times), statistics.quantiles(times, n=100)[98]
        print(
            f"{way:<20} median {median * 1e3:7.3f} ms   p99 {worst * 1e3:7.3f} ms   {median / bare:5.2f} x append+fsync"
        )


if __name__ == "__main__":
    main()
