"""The caller's durable memory: every call as it stands, on disk before anybody is told that it was taken.

SQLite with synchronous=FULL, on a thread of its own: a slow or full disk delays no call.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from controller.calls.ladder import CallState
from controller.files import private
from controller.messages import NotAMessage, decode, encode

_log = logging.getLogger(__name__)

_KEPT = 200
"""Calls that are remembered after their end, so that none of them can be placed again."""


class Outbox:
    """One row per call. `load` raises `sqlite3.Error` when the file cannot be used; `save` never raises."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outbox")
        self._database: sqlite3.Connection | None = None

    async def load(self) -> list[tuple[CallState, str]]:
        """Every call, oldest first, with the boot id that its times belong to."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._load)

    async def save(self, state: CallState, boot: str) -> bool:
        """Whether the call is on disk now."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._save, state, boot)
        except sqlite3.Error as error:
            _log.error("call %s cannot be written: %s", state.call, error)
            return False
        return True

    async def set_aside(self) -> None:
        """Keep a file that cannot be used under another name, and begin a fresh one; raises as `load` does."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._set_aside)

    async def close(self) -> None:
        """Finish what is being written; twice is fine."""
        await asyncio.to_thread(self._close)

    def _load(self) -> list[tuple[CallState, str]]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):  # where it cannot be made, the database says so itself
            private(self._path)
        try:
            self._database = self._open()
        except sqlite3.OperationalError as error:
            # A full disk is no damage: what is there can be read, and is written to when there is room again.
            _log.error("the outbox cannot be written: %s", error)
            with contextlib.closing(sqlite3.connect(self._path, isolation_level=None)) as database:
                # So the write-ahead log, which may hold the newest call, is read without a file beside it.
                database.execute("pragma locking_mode=exclusive")
                return _calls_in(database)
        return _calls_in(self._database)

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        try:
            database.execute("pragma journal_mode=wal")
            database.execute("pragma synchronous=full")
            database.execute(
                "create table if not exists calls (id text primary key, state blob not null, boot text not null)"
            )
        except BaseException:
            database.close()
            raise
        return database

    def _set_aside(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None
        for suffix in ("", "-wal", "-shm"):
            part = self._path.with_name(self._path.name + suffix)
            with contextlib.suppress(OSError):
                part.rename(part.with_name(f"{part.name}.damaged"))
        self._load()

    def _save(self, state: CallState, boot: str) -> None:
        if self._database is None:
            self._database = self._open()
        with self._database:
            self._database.execute("begin immediate")
            self._database.execute(
                "insert into calls values (?, ?, ?)"
                " on conflict (id) do update set state = excluded.state, boot = excluded.boot",
                (state.call, encode(state), boot),
            )
            self._database.execute(
                "delete from calls where state ->> 'stage' = 'stood_down' and state ->> 'publish_at' is null"
                " and rowid <= (select max(rowid) from calls) - ?",
                (_KEPT,),
            )

    def _close(self) -> None:
        self._thread.shutdown(wait=True)
        if self._database is not None:
            self._database.close()
            self._database = None


def _calls_in(database: sqlite3.Connection) -> list[tuple[CallState, str]]:
    found = []
    for call, state, boot in database.execute("select id, state, boot from calls order by rowid").fetchall():
        try:
            found.append((decode(CallState, state), boot))
        except NotAMessage as error:  # one that cannot be read, of another version perhaps, hides no other
            _log.error("call %s cannot be read and is left out: %s", call, error)
    return found
