from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.journal.chain import ROOM
from controller.journal.reading import list_sessions, read_records, room_file, session_file, verify
from controller.journal.recovery import recover
from controller.journal.store import set_aside
from controller.messages import Input, Mark, Note, Record, RefusedAct, Reply
from tests.journal.writing import CLOCK, record, tamper, write_small_session, writing


def test_a_new_room_begins_with_nothing(tmp_path: Path) -> None:
    found = recover(tmp_path / "never")
    assert (found.room.seq, found.session, found.damaged, found.last) == (0, None, (), None)


async def test_a_session_that_stands_open_comes_back_with_its_newest_snapshot_and_what_followed(tmp_path: Path) -> None:
    await write_small_session(tmp_path, close=False)
    found = recover(tmp_path)
    assert found.damaged == ()
    assert found.session is not None
    assert (found.session.book, found.session.seq) == ("s-1", 12)
    assert (found.session.snapshot, found.session.snapshot_seq) == (b"state after 10", 10)
    assert [each.seq for each in found.session.records] == [11, 12]
    assert found.session.records[1].input.act == Note(text="")
    assert found.last == record(12).stamp
    assert found.room.seq == 1
    assert set(found.session.replies) == {f"input-{seq}" for seq in range(1, 13)}


async def test_a_repeated_input_is_known_by_its_first_answer(tmp_path: Path) -> None:
    refusal = RefusedAct(act="resume", code="already", values={"state": "running"})
    async with writing(tmp_path) as it:
        it.write(record(1), Record(seq=2, stamp=CLOCK.stamp(7), input=Input(id="no", act=refusal)))
        it.write(Record(seq=3, stamp=CLOCK.stamp(9), input=Input(id="no", act=Mark(code="cold"))))
    found = recover(tmp_path)
    assert found.session is not None
    utc = CLOCK.stamp(7).utc
    assert found.session.replies["no"] == Reply(id="no", seq=2, utc=utc, refused="already", values={"state": "running"})


async def test_without_a_snapshot_the_whole_session_is_replayed(tmp_path: Path) -> None:
    async with writing(tmp_path) as it:
        it.write(*[record(seq) for seq in range(1, 1501)])
        it.write(*[record(seq) for seq in range(1, 1501)], book=ROOM)
    found = recover(tmp_path)
    assert found.session is not None
    assert [each.seq for each in found.session.records] == list(range(1, 1501))
    assert len(found.session.replies) == 1000
    assert [each.seq for each in found.room.records] == list(range(501, 1501))


async def test_the_newest_of_the_open_sessions_goes_on(tmp_path: Path) -> None:
    for number, session in enumerate(("s-b", "s-a", "s-c")):
        CLOCK.advance_to(CLOCK.now() + 60)
        await write_small_session(tmp_path / str(number), session, close=False)
        (tmp_path / "sessions").mkdir(exist_ok=True)
        session_file(tmp_path / str(number), session).rename(session_file(tmp_path, session))
    found = recover(tmp_path)
    assert found.session is not None
    assert found.session.book == "s-c"
    assert [info.session for info in list_sessions(tmp_path)] == ["s-a", "s-b", "s-c"], "their records are of one time"


async def test_a_damaged_session_is_set_aside_with_its_log_and_never_deleted(tmp_path: Path) -> None:
    await write_small_session(tmp_path, close=False)
    tamper(session_file(tmp_path, "s-1"), "UPDATE records SET body = x'7b7d' WHERE seq = 6")
    found = recover(tmp_path)
    assert [(it.book, it.first_bad, it.kept, it.lost) for it in found.damaged] == [("s-1", 6, 5, 7)]
    kept = found.damaged[0].kept_as
    assert set_aside(tmp_path) == [kept]
    assert verify(kept).first_bad == 6
    assert len([1 for each, _ in read_records_until_bad(kept)]) == 5
    assert verify(session_file(tmp_path, "s-1")).records == 5
    assert recover(tmp_path).damaged == ()


def read_records_until_bad(file: Path) -> list[tuple[Record, str]]:
    found = []
    records = read_records(file)
    while True:
        try:
            found.append(next(records))
        except (StopIteration, ValueError):
            return found


async def test_a_session_cut_short_is_set_aside(tmp_path: Path) -> None:
    await write_small_session(tmp_path, close=False)
    async with writing(tmp_path) as it:
        it.write(record(13))  # opening it again left its head in the room's chain
    tamper(session_file(tmp_path, "s-1"), "DELETE FROM records WHERE seq > 7", "DELETE FROM texts WHERE line > 7",
           "DELETE FROM snapshots WHERE line > 7")  # fmt: skip
    assert [(it.book, it.first_bad) for it in recover(tmp_path).damaged] == [("s-1", 8)]


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000])
async def test_a_room_whose_own_book_is_damaged_still_finds_its_session(tmp_path: Path, content: bytes) -> None:
    await write_small_session(tmp_path, close=False)
    for file in tmp_path.glob("room.db*"):
        file.unlink()
    room_file(tmp_path).write_bytes(content)
    found = recover(tmp_path)
    assert found.session is not None
    assert found.session.seq == 12
    assert [it.book for it in found.damaged] == ([ROOM] if content else [])
    async with writing(tmp_path) as it:
        it.write(record(13))
        it.write(record(1), book=ROOM)
    assert verify(room_file(tmp_path)).ok
    assert verify(session_file(tmp_path, "s-1")).ok


async def test_a_session_that_died_before_its_first_record_never_was(tmp_path: Path) -> None:
    await write_small_session(tmp_path)
    session_file(tmp_path, "s-2").touch()
    assert recover(tmp_path).session is None
    assert recover(tmp_path).damaged == ()
    async with writing(tmp_path) as it:
        it.write(record(1), book="s-2")
    assert verify(session_file(tmp_path, "s-2")).ok


def kill_while_writing(writers: subprocess.Popen[str], state: Path, chance: random.Random) -> None:
    """Let a process write, kill it with SIGKILL at a random moment, and hold the journal against what it said."""
    assert writers.stdin is not None and writers.stdout is not None
    state.mkdir()
    fifo = state / "said"
    os.mkfifo(fifo)
    writers.stdin.write(f"{state}\t{chance.choice((1, 3, 20))}\t{fifo}\n")
    writers.stdin.flush()
    writer = int(writers.stdout.readline())
    with fifo.open() as saying:
        said = [saying.readline()]
        last = chance.randrange(1, 400)
        while len(said) < last:
            said.append(saying.readline())
        threading.Event().wait(chance.random() * 0.01)
        os.kill(writer, signal.SIGKILL)
        said += saying.read().splitlines()  # to the end, which is its death
    acknowledged = [line.split() for line in said if line.endswith("\n") or line.count("-")]
    found = recover(state)
    assert found.damaged == ()
    assert found.session is not None
    kept = {str(each.seq): (each.input.id, text) for each, text in read_records(session_file(state, "s-1"))}
    assert len(kept) == found.session.seq
    for seq, *rest in acknowledged:
        if rest and rest[0] == f"input-{seq}":  # the last line may be cut
            assert kept[seq] == (f"input-{seq}", f"word {seq}")
    assert verify(session_file(state, "s-1")).ok
    assert verify(room_file(state)).ok
    newest = found.session.seq - found.session.seq % 7
    assert found.session.snapshot == (b"state after %d" % newest if newest else None)
    assert [each.seq for each in found.session.records] == list(range(newest + 1, found.session.seq + 1))


@pytest.fixture
def writers() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.journal.writing"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


def test_no_acknowledged_record_is_lost_when_the_daemon_is_killed(
    writers: subprocess.Popen[str], tmp_path: Path
) -> None:
    chance = random.Random(5)
    for sample in range(6):
        kill_while_writing(writers, tmp_path / str(sample), chance)


@pytest.mark.proof
@pytest.mark.timeout(1200)
def test_no_acknowledged_record_is_lost_in_three_hundred_kills(writers: subprocess.Popen[str], tmp_path: Path) -> None:
    chance = random.Random(11)
    for sample in range(300):
        kill_while_writing(writers, tmp_path / str(sample), chance)
