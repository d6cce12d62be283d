from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from controller.journal.chain import ROOM
from controller.journal.reading import list_sessions, read_records, room_file, session_file, verify
from controller.journal.recovery import recover
from controller.journal.store import take_lock
from controller.journal.writer import Journal, JournalInUse
from controller.messages import Note
from tests.journal.writing import CLOCK, record, write_small_session, writing
from tests.waiting import PATIENCE_S

MARKS = [record(seq) for seq in range(1, 301)]


def kept(file: Path) -> list[int]:
    return [each.seq for each, _ in read_records(file)]


async def test_records_are_acknowledged_in_the_order_they_were_made(tmp_path: Path) -> None:
    async with writing(tmp_path) as it:
        it.write(*MARKS)
        await it.until_acknowledged(300)
        assert it.acknowledged == list(range(1, 301))
    assert [each for each, _ in read_records(session_file(tmp_path, "s-1"))] == MARKS


async def test_an_acknowledged_record_is_on_disk_for_everybody(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    async with writing(tmp_path) as it:

        def look(seq: int) -> None:
            with closing(sqlite3.connect(f"file:{session_file(tmp_path, 's-1')}?mode=ro", uri=True)) as other, other:
                seen.append((seq, other.execute("SELECT max(seq) FROM records").fetchone()[0]))
            other.close()

        for each in MARKS[:50]:
            it.journal.append(each, book="s-1", done=look)
            await asyncio.sleep(0)
        await it.until(lambda: len(seen) == 50)
    assert all(on_disk >= seq for seq, on_disk in seen)


async def test_many_records_share_a_commit_and_the_loop_never_waits_for_a_slow_disk(tmp_path: Path) -> None:
    go_on, commits = threading.Event(), []

    def dawdle(do: Callable[[], None]) -> None:
        go_on.wait(PATIENCE_S)
        do()
        commits.append(1)

    async with writing(tmp_path, dawdle) as it:
        it.write(*MARKS[:200])
        await asyncio.sleep(0.05)
        assert it.acknowledged == []
        assert it.troubles == []
        go_on.set()
        await it.until_acknowledged(200)
    assert len(commits) <= 5


async def test_a_full_disk_is_told_once_and_nothing_is_lost_when_there_is_room_again(tmp_path: Path) -> None:
    full = True

    def commit(do: Callable[[], None]) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        do()

    async with writing(tmp_path, commit) as it:
        it.write(*MARKS[:20])
        await it.until(lambda: len(it.troubles) == 1)
        it.write(*MARKS[20:40])
        await asyncio.sleep(0.3)
        assert len(it.troubles) == 1
        assert "No space left" in it.troubles[0]
        assert it.acknowledged == []
        full = False
        await it.until_acknowledged(40)
        assert it.troubles[1:] == [""]
    assert kept(session_file(tmp_path, "s-1")) == list(range(1, 41))
    assert verify(session_file(tmp_path, "s-1")).ok
    assert verify(room_file(tmp_path)).ok


async def test_a_commit_that_failed_after_it_was_done_is_not_written_twice(tmp_path: Path) -> None:
    doubtful = True

    def commit(do: Callable[[], None]) -> None:
        nonlocal doubtful
        do()
        if doubtful:
            doubtful = False
            raise OSError(errno.EIO, "Input/output error")

    async with writing(tmp_path, commit) as it:
        it.write(record(1, Note(text="a word")), MARKS[1])
        await it.until_acknowledged(2)
        doubtful = True
        it.write(record(3, Note(text="another")))
        await it.until_acknowledged(3)
    assert [(each.seq, text) for each, text in read_records(session_file(tmp_path, "s-1"))] == [
        (1, "a word"),
        (2, ""),
        (3, "another"),
    ]
    assert verify(session_file(tmp_path, "s-1")).ok


async def test_a_locked_file_delays_the_record_and_nothing_more(tmp_path: Path) -> None:
    async with writing(tmp_path) as it:
        it.write(MARKS[0])
        await it.until_acknowledged(1)
        other = sqlite3.connect(session_file(tmp_path, "s-1"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        it.write(MARKS[1])
        await it.until(lambda: bool(it.troubles))
        assert "locked" in it.troubles[0]
        other.close()
        await it.until_acknowledged(2)
        assert it.troubles[1:] == [""]


async def test_closing_writes_what_waits_and_tells_when_it_cannot(tmp_path: Path) -> None:
    async with writing(tmp_path / "good") as it:
        it.write(*MARKS)
        assert await it.journal.close()
        assert it.acknowledged == list(range(1, 301))

    def never(_do: Callable[[], None]) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with writing(tmp_path / "full", never) as it:
        it.write(*MARKS)
        assert not await it.journal.close(timeout_s=0.2)
        assert it.acknowledged == []
    assert not any(thread.name == "journal" for thread in threading.enumerate())


async def test_a_commit_that_still_hangs_keeps_other_writers_out(tmp_path: Path) -> None:
    go_on = threading.Event()

    def dawdle(do: Callable[[], None]) -> None:
        go_on.wait(PATIENCE_S)
        do()

    async with writing(tmp_path, dawdle) as it:
        it.write(MARKS[0])
        assert not await it.journal.close(timeout_s=0.05)
        with pytest.raises(JournalInUse):
            take_lock(tmp_path)
        go_on.set()
        await it.until(lambda: not any(thread.name == "journal" for thread in threading.enumerate()))
    os.close(take_lock(tmp_path))
    assert kept(session_file(tmp_path, "s-1")) == [1]


async def test_room_and_session_are_numbered_apart(tmp_path: Path) -> None:
    async with writing(tmp_path) as it:
        it.write(MARKS[0], book=ROOM)
        it.write(*MARKS[:3])
        it.write(MARKS[1], book=ROOM)
        await it.until_acknowledged(5)
        assert it.acknowledged == [1, 1, 2, 3, 2]
        with pytest.raises(ValueError, match="cannot follow"):
            it.write(MARKS[3], book=ROOM)
    assert kept(room_file(tmp_path)) == [1, 2]


async def test_a_session_goes_on_in_its_file_after_a_restart(tmp_path: Path) -> None:
    for part in (MARKS[:5], MARKS[5:9]):
        async with writing(tmp_path) as it:
            it.write(*part)
    assert kept(session_file(tmp_path, "s-1")) == list(range(1, 10))
    assert verify(session_file(tmp_path, "s-1")).heads == 2


async def test_a_second_daemon_is_turned_away(tmp_path: Path) -> None:
    async with writing(tmp_path):
        with pytest.raises(JournalInUse):
            Journal(tmp_path, CLOCK, lambda _why: None)
    async with writing(tmp_path):
        pass


async def test_nobody_outside_the_group_can_read_a_journal(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with writing(state) as it:
        it.write(MARKS[0])
        await it.until_acknowledged(1)
        files = [path for path in state.rglob("*") if path.is_file()]
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o640}
        assert {stat.S_IMODE(path.stat().st_mode) for path in (state, state / "sessions")} == {0o750}


async def test_a_closed_session_is_one_file_that_can_be_copied_alone(tmp_path: Path) -> None:
    async with writing(tmp_path) as it:
        it.write(*MARKS[:9])
        it.journal.close_session("s-1", it.acknowledged.append)
        await it.until_acknowledged(10)
        assert it.acknowledged[-1] == 9
    assert [path.name for path in (tmp_path / "sessions").iterdir()] == ["s-1.db"]
    copy = tmp_path / "copy.db"
    copy.write_bytes(session_file(tmp_path, "s-1").read_bytes())
    assert verify(copy).ok
    assert len(kept(copy)) == 9
    assert [info.closed for info in list_sessions(tmp_path)] == [True]
    assert recover(tmp_path).session is None


@pytest.mark.parametrize(
    "order",
    [
        "UPDATE records SET body = x'7b7d' WHERE seq = 4",
        "DELETE FROM records WHERE seq = 12",
        "INSERT OR REPLACE INTO records VALUES (4, 4, x'7b7d', NULL, NULL, x'00')",
        "INSERT INTO records VALUES (0, 0, x'7b7d', NULL, NULL, x'00')",
        "INSERT INTO records VALUES (99, 99, x'7b7d', NULL, NULL, x'00')",
        "UPDATE snapshots SET state = x'00'",
        "DELETE FROM snapshots",
        "INSERT OR REPLACE INTO snapshots VALUES (5, x'00')",
        "UPDATE texts SET text = 'other' WHERE line = 4",
        "UPDATE texts SET text = NULL WHERE line = 4",
        "DELETE FROM texts",
        "INSERT OR REPLACE INTO texts VALUES (4, x'00', 'other')",
    ],
)
async def test_the_file_itself_refuses_to_change_what_was_written(tmp_path: Path, order: str) -> None:
    await write_small_session(tmp_path)
    connection = sqlite3.connect(session_file(tmp_path, "s-1"))
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(order)
    connection.close()
    assert verify(session_file(tmp_path, "s-1")).ok


async def test_one_failing_answer_does_not_keep_the_others_from_theirs(tmp_path: Path) -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context["exception"]))
    async with writing(tmp_path) as it:
        it.journal.append(MARKS[0], book="s-1", done=lambda _seq: 1 // 0)
        it.write(MARKS[1])
        await it.until(lambda: it.acknowledged == [2])
    assert [type(error) for error in told] == [ZeroDivisionError]


async def test_the_write_ahead_log_is_folded_between_commits_and_stays_small(tmp_path: Path) -> None:
    async with writing(tmp_path) as it:
        for count, each in enumerate(MARKS, start=1):
            it.write(each)
            await it.until_acknowledged(count)
        await asyncio.sleep(0.1)
        log = session_file(tmp_path, "s-1").with_name("s-1.db-wal").stat().st_size
        file = session_file(tmp_path, "s-1").stat().st_size
    assert file > 100_000, "what was written lies in the file itself"
    assert log < 1_500_000, "the log is written anew from its beginning"
    assert [each for each, _ in read_records(session_file(tmp_path, "s-1"))] == MARKS
