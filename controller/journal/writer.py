"""The journal thread: it alone writes, in order, many records to a commit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from controller.clock import Clock
from controller.journal.chain import ROOM
from controller.messages import Record

Commit = Callable[[Callable[[], None]], None]
"""Runs the commit that it is given; a test's may dawdle or raise instead."""


class Journal:
    """The writing side of the record. Made on the loop; every method is called on the loop's thread."""

    def __init__(
        self,
        state_dir: Path,
        clock: Clock,
        on_trouble: Callable[[str], None],
        *,
        commit: Commit | None = None,
    ) -> None:
        """Make the directories, take the write lock and start the thread.

        `on_trouble(why)` is called on the loop when writing begins to fail, `on_trouble("")` when it works again.
        Raises OSError where the directories cannot be made, `JournalInUse` where another process writes here.
        """
        raise NotImplementedError

    def append(
        self,
        record: Record,
        *,
        text: str = "",
        snapshot: bytes | None = None,
        book: str = ROOM,
        done: Callable[[int], None] | None = None,
    ) -> None:
        """Queue a record; never blocks. `done(seq)` is called on the loop once it is on disk, in order.

        `book`: "room" or the session's id (letters, digits, - and _), whose file is made with its first record.
        `snapshot`: the state after this record. `record.seq` counts from 1 without gaps within its book.
        A `Note`'s text is taken out of the body by itself; `text` is for any other free text.
        Raises ValueError for a seq out of turn or a bad session id.
        """
        raise NotImplementedError

    def close_session(self, session: str, done: Callable[[int], None] | None = None) -> None:
        """Queue the end of a session's file behind its records; its head hash goes into the room's chain."""
        raise NotImplementedError

    def committed_seq(self, book: str = ROOM) -> int:
        """Seq of the book's newest record on disk; 0 before its first, and before its file was opened."""
        raise NotImplementedError

    def oldest_waiting_s(self) -> float:
        """How long the oldest record that is not on disk yet has waited; 0 when none waits."""
        raise NotImplementedError

    async def close(self, timeout_s: float = 5.0) -> bool:
        """Write what waits and end the thread; False where some records could not be written in that time."""
        raise NotImplementedError
