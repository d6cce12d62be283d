"""Acts about the written record, and who writes them down: whoever holds the journal's lock.

That is the daemon where it runs (`ArchiveDesk` looks things up for it beside the loop), and otherwise the command's own
process by the same writer (`write_directly`).
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from controller.clock import RoomClock
from controller.journal.chain import ROOM
from controller.journal.erasing import erase
from controller.journal.keeping import RetentionRule
from controller.journal.recovery import last_of
from controller.journal.sealing import fill
from controller.journal.writer import Journal
from controller.messages import AboutABook, Effect, Erase, Input, Record, Refused, Reply
from controller.session import archive

log = logging.getLogger(__name__)

PATIENCE_S = 20.0


class StillThere(Exception):
    """The act is recorded, but what it takes away could not be taken away; the text says why."""


class ArchiveDesk:
    """The daemon's part: files are looked up, and taken away, beside the loop; one thing after the other."""

    def __init__(self, state_dir: Path, rule: RetentionRule | None = None) -> None:
        """`rule`: the room file's on how long sessions are kept."""
        self._state_dir = state_dir
        self._rule = rule
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._filled: dict[str, Input | Refused] = {}

    def look_up(self, given: Input, open_book: str, then: Callable[[], None]) -> None:
        """Find what the act leaves to the files, then call `then` on the loop; `filled` has it from there on."""
        self._spawn(self._look_up(given, open_book, then))

    def filled(self, given: Input) -> Input:
        """The Input with what was looked up, once. Raises Refused."""
        found = self._filled.pop(given.id, given)
        if isinstance(found, Refused):
            raise found
        return found

    def apply(self, effect: Effect, seq: int) -> None:
        """Begin to take away what the effect's book says."""
        if isinstance(effect, Erase):
            self._spawn(self._erase(effect.book))

    async def close(self) -> None:
        """Wait for what was begun."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look_up(self, given: Input, open_book: str, then: Callable[[], None]) -> None:
        async with self._lock:
            try:
                self._filled[given.id] = await asyncio.to_thread(fill, self._state_dir, given, open_book, self._rule)
            except Refused as refusal:
                self._filled[given.id] = refusal
            except Exception:  # whoever asked is told, and it is on record
                log.exception("%s could not be looked up", given.act.kind)
                self._filled[given.id] = Refused("fault", what=given.act.kind)
        then()
        self._filled.pop(given.id, None)

    async def _erase(self, book: str) -> None:
        async with self._lock:
            try:
                await asyncio.to_thread(erase, self._state_dir, book)
            except (OSError, sqlite3.Error, ValueError) as error:
                log.error("what %s says was taken away is still there: %s", book, error)


async def write_directly(state_dir: Path, given: Input, check: Callable[[], None]) -> Reply:
    """Record an act about the written record where no daemon runs, and take away what it says.

    `check` is called once the lock is held, and raises where this must not be done.
    Raises JournalInUse where a daemon (or another of us) holds the lock, PermissionError where we may not write,
    TimeoutError where the disk does not take it, StillThere.
    """
    clock = RoomClock()
    journal = Journal(state_dir, clock, lambda why: None)
    try:
        await asyncio.to_thread(check)
        return await _write(journal, state_dir, clock, given)
    except Refused as refusal:
        return Reply(id=given.id, refused=refusal.code, values=refusal.values)
    finally:
        await journal.close()


async def _write(journal: Journal, state_dir: Path, clock: RoomClock, given: Input) -> Reply:
    given = fill(state_dir, given)
    act = given.act
    book = str(act.session) if isinstance(act, AboutABook) else ROOM
    seq, last = last_of(state_dir, book)
    if last is not None:
        clock.continue_from(last)
    stamp = clock.stamp()
    record = Record(seq=seq + 1, stamp=stamp, input=given, effects=archive.effects(act), facts=archive.facts(act))
    loop = asyncio.get_running_loop()
    written: asyncio.Future[int] = loop.create_future()
    journal.append(record, book=book, done=written.set_result)
    async with asyncio.timeout(PATIENCE_S):
        await written
    if book != ROOM:
        closed: asyncio.Future[int] = loop.create_future()
        journal.close_session(book, closed.set_result)
        async with asyncio.timeout(PATIENCE_S):
            await closed
    for effect in record.effects:
        if isinstance(effect, Erase):
            try:
                await asyncio.to_thread(erase, state_dir, effect.book)
            except (OSError, sqlite3.Error) as error:
                raise StillThere(str(error)) from error
    return Reply(id=given.id, seq=record.seq, utc=stamp.utc)
