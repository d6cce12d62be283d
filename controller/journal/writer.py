"""The journal thread: it alone writes, in order, many records to a commit."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path
from typing import Literal

from controller.clock import Clock
from controller.journal.chain import ROOM, Head, check_book, stored_body
from controller.journal.reserve import Reserve, is_full
from controller.journal.store import BookFile, Commit, JournalInUse, Line, book_file, make_dirs, take_lock
from controller.messages import Act, Record, Start, encode

__all__ = ["Journal", "JournalInUse"]

_FIRST_RETRY_S, _LONGEST_RETRY_S = 0.1, 2.0
_MOST_IN_A_COMMIT = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class _Waiting:
    """A line to write, or with `line` None the end of its session's file."""

    book: str
    line: Line | None
    done: Callable[[int], None] | None


class Journal:
    """The writing side of the record. Made on the loop; every method is called on the loop's thread."""

    def __init__(
        self,
        state_dir: Path,
        clock: Clock,
        on_trouble: Callable[[str], None],
        *,
        commit: Commit | None = None,
        reserve: Reserve | None = None,
        on_reserve: Callable[[], None] = lambda: None,
    ) -> None:
        """Make the directories, take the write lock and start the thread.

        `on_trouble(why)` is called on the loop when writing begins to fail, `on_trouble("")` when it works again.
        `reserve` is given up when the disk is full, and `on_reserve()` is called on the loop then.
        Raises OSError where the directories cannot be made, `JournalInUse` where another process writes here.
        """
        self._state_dir = state_dir
        self._clock = clock
        self._on_trouble = on_trouble
        self._reserve = reserve
        self._on_reserve = on_reserve
        self._offered: dict[str, bytes] = {}
        self._commit = commit or (lambda do: do())
        self._loop = asyncio.get_running_loop()
        make_dirs(state_dir)
        self._lock = take_lock(state_dir)
        """The thread's, to its end: while a commit hangs nobody else may write."""
        self._waiting: deque[_Waiting] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._give_up = threading.Event()
        self._last_queued: dict[str, int] = {}
        # The thread's own:
        self._files: dict[str, BookFile] = {}
        self._announced: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

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
        A note's text and an Input's `why` are taken out of the body by themselves; `text` is for any other free text.
        Raises ValueError for a seq out of turn, a bad session id or a part that was not offered, RuntimeError once the
        journal is closed.
        """
        before = self._last_queued.get(check_book(book), record.seq - 1)
        if record.seq != before + 1 or record.seq < 1:
            raise ValueError(f"record {record.seq} cannot follow {before} in {book}")
        body, taken_out = stored_body(record)
        parts = self._parts_of(record.input.act)
        line = Line(seq=record.seq, body=body, text=text or taken_out, snapshot=snapshot, parts=parts)
        self._queue(_Waiting(book=book, line=line, done=done))
        self._last_queued[book] = record.seq

    def offer(self, contents: dict[str, bytes]) -> None:
        """The contents, by SHA-256 (hex), that the next opening record may name in `Start.kept`."""
        self._offered = contents

    def _parts_of(self, act: Act) -> tuple[bytes, ...]:
        if not isinstance(act, Start) or not act.kept:
            return ()
        try:
            return tuple(self._offered[digest] for digest in dict.fromkeys(kept.sha256 for kept in act.kept))
        except KeyError as missing:
            raise ValueError(f"what the session is run with was not offered: {missing}") from None

    def close_session(self, session: str, done: Callable[[int], None] | None = None) -> None:
        """Queue the end of a session's file behind its records; its head hash goes into the room's chain."""
        if check_book(session) == ROOM:
            raise ValueError("the room's book is never closed")
        self._queue(_Waiting(book=session, line=None, done=done))

    async def close(self, timeout_s: float = 5.0) -> bool:
        """Write what waits and end the thread; False where some records could not be written in that time."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join, timeout_s)
        self._give_up.set()
        await asyncio.to_thread(self._thread.join, 0.2)
        return not self._waiting

    def _queue(self, waiting: _Waiting) -> None:
        with self._wake:
            if self._closing:
                raise RuntimeError("the journal is closed")
            self._waiting.append(waiting)
            self._wake.notify()

    # From here on: the journal thread.

    def _run(self) -> None:
        trouble = False
        pause_s = _FIRST_RETRY_S
        while group := self._next_group():
            try:
                finished = self._write(group)
            except Exception as error:  # whatever it is: the records stay in the queue and the room is told
                self._drop_files()
                if self._reserve and is_full(error, self._state_dir) and self._reserve.give_up():
                    self._tell(self._on_reserve)
                    continue
                if not trouble:
                    trouble = True
                    self._tell(self._on_trouble, f"{error.__class__.__name__}: {error}")
                if self._give_up.wait(pause_s):
                    break
                pause_s = min(pause_s * 2, _LONGEST_RETRY_S)
                continue
            if trouble:
                trouble = False
                pause_s = _FIRST_RETRY_S
                self._tell(self._on_trouble, "")
            self._tell(self._finish, finished)
            if self._give_up.is_set():
                break
            self._fold()
        self._drop_files()
        os.close(self._lock)

    def _next_group(self) -> list[_Waiting]:
        """What goes into the next commit, left in the queue until it is on disk; empty when all is done."""
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._closing)
            first = next(iter(self._waiting), None)
            if first is None or first.line is None:
                return [first] if first else []
            alike = takewhile(lambda it: it.book == first.book and it.line is not None, self._waiting)
            return list(islice(alike, _MOST_IN_A_COMMIT))

    def _write(self, group: list[_Waiting]) -> list[tuple[Callable[[int], None], int]]:
        book = group[0].book
        file = self._open(book)
        lines = [it.line for it in group if it.line is not None]
        if lines:
            # After an error the file may hold more than we were told.
            new = [line for line in lines if (line.seq or 0) > file.seq or not file.holds(line)]
            if new:
                file.append(new, self._commit)
        else:
            self._end(book, file)
        with self._wake:
            for _ in group:
                self._waiting.popleft()
        return [(it.done, it.line.seq or 0 if it.line else file.seq) for it in group if it.done is not None]

    def _fold(self) -> None:
        """While nobody waits."""
        with self._wake:
            idle = not self._waiting
        if idle:
            for file in self._files.values():
                file.fold()

    def _open(self, book: str) -> BookFile:
        file = self._files.get(book)
        if file is None:
            room = self._open(ROOM) if book != ROOM else None
            utc = self._clock.stamp().utc
            file = BookFile(book_file(self._state_dir, book), book, utc)
            self._files[book] = file
            if room is not None and book not in self._announced:
                self._write_head(room, "opened", file)
                self._announced.add(book)
        return file

    def _end(self, session: str, file: BookFile) -> None:
        # The head first: a crash between the two leaves a session that is ended once more, never an unwitnessed end.
        self._write_head(self._open(ROOM), "closed", file)
        file.mark_closed(self._clock.stamp().utc)
        file.settle()
        file.close(ended=True)
        del self._files[session]
        self._announced.discard(session)

    def _write_head(self, room: BookFile, event: Literal["opened", "closed"], file: BookFile) -> None:
        head = Head(
            event=event,
            session=file.book,
            seq=file.seq,
            hash=file.head.hex(),
            utc=self._clock.stamp().utc,
        )
        room.append([Line(seq=None, body=encode(head))], self._commit)

    def _drop_files(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _tell(self, what: Callable[..., object], *values: object) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *values)
        except RuntimeError:
            return  # the loop is closed: nobody is left to be told

    # On the loop again.

    def _finish(self, finished: list[tuple[Callable[[int], None], int]]) -> None:
        for done, seq in finished:
            try:
                done(seq)
            except Exception as error:  # one that fails must not keep the others from their effects
                self._loop.call_exception_handler({"message": f"after record {seq} was written", "exception": error})
