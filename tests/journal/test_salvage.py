"""A damaged journal is kept as it was found, and the room goes on from its good part."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.journal.chain import ROOM
from controller.journal.mark import read_mark
from controller.journal.reading import read_records, room_file, session_file, verify
from controller.journal.recovery import Recovered, recover
from controller.journal.store import BookFile, JournalInUse, read_meta, reading, set_aside, writing_alone
from controller.messages import Mark, Note
from tests.journal.writing import record, tamper, writing

Damage = Callable[[Path], None]

RECORDS = 60
PAGE = 4096


async def session_cut_by_a_crash(state: Path) -> Path:
    """An open session of sixty records whose log lies beside it, as a power cut leaves it; its directory's copy."""
    async with writing(state / "live") as it:
        it.write(record(1, Mark(code="opened")), book=ROOM)
        for seq in range(1, RECORDS + 1):
            act = Note(text=f"spoke of the sea, {seq}") if seq % 4 == 0 else None
            it.write(record(seq, act), snapshot=b"state after %d " % seq * 30 if seq % 10 == 1 else None)
            if seq == 40:
                await it.until_acknowledged(41)
                fold_the_log(session_file(state / "live", "s-1"))
        await it.until_acknowledged(RECORDS + 1)
        shutil.copytree(state / "live", state / "cut", ignore=shutil.ignore_patterns("*-shm"))
    return state / "cut"


def fold_the_log(file: Path) -> None:
    """What SQLite does by itself every thousand pages."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def log_of(file: Path) -> Path:
    return file.with_name(file.name + "-wal")


def flip(file: Path, found: bytes) -> None:
    content = bytearray(file.read_bytes())
    at = content.find(found)
    assert at > 0
    content[at] ^= 1
    file.write_bytes(content)


def fold(file: Path) -> None:
    fold_the_log(file)
    log_of(file).unlink(missing_ok=True)
    file.with_name(file.name + "-shm").unlink(missing_ok=True)


def flip_a_record(file: Path) -> None:
    fold(file)
    flip(file, b'"id":"input-23"')


def flip_a_text(file: Path) -> None:
    fold(file)
    flip(file, b"spoke of the sea, 24")


def flip_a_snapshot(file: Path) -> None:
    fold(file)
    flip(file, b"state after 51 ")


def flip_a_trigger(file: Path) -> None:
    fold(file)
    flip(file, b"a record never changes")


def zero_a_page(file: Path) -> None:
    fold(file)
    content = bytearray(file.read_bytes())
    page = content.find(b'"id":"input-30"') // PAGE
    content[page * PAGE : (page + 1) * PAGE] = bytes(PAGE)
    file.write_bytes(content)


def truncate(file: Path) -> None:
    fold(file)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // PAGE * 2 // 3 * PAGE])


def lose_the_log(file: Path) -> None:
    log_of(file).unlink()


def flip_in_the_log(file: Path) -> None:
    flip(log_of(file), b'"id":"input-50"')


def cut_the_log(file: Path) -> None:
    content = log_of(file).read_bytes()
    log_of(file).write_bytes(content[: len(content) * 2 // 3])


def zero(file: Path) -> None:
    file.write_bytes(bytes(len(file.read_bytes())))


def empty(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize(
    ("damage", "kept", "beside"),
    [
        (flip_a_record, 22, 0),
        (flip_a_text, RECORDS, 1),
        (flip_a_snapshot, RECORDS, 1),
        (flip_a_trigger, RECORDS, 0),
        (zero_a_page, None, None),
        (truncate, None, None),
        (lose_the_log, 40, 0),
        (flip_in_the_log, None, 0),
        (cut_the_log, None, 0),
    ],
    ids=lambda it: getattr(it, "__name__", ""),
)
async def test_a_damaged_session_goes_on_from_its_good_part(
    tmp_path: Path, damage: Damage, kept: int | None, beside: int | None
) -> None:
    state = await session_cut_by_a_crash(tmp_path)
    written = list(read_records(session_file(tmp_path / "live", "s-1")))
    damage(session_file(state, "s-1"))
    before = session_file(state, "s-1").read_bytes()
    assert not verify(session_file(state, "s-1")).ok

    found = recover(state)

    (it,) = found.damaged
    assert it.kept_as.read_bytes() == before
    assert set_aside(state) == [it.kept_as]
    assert found.session is not None
    assert found.session.seq == it.kept == (kept or it.kept)
    assert 0 < it.kept <= RECORDS
    assert it.lost == RECORDS - it.kept
    assert beside is None or it.texts + it.states == beside
    whole = list(read_records(session_file(state, "s-1")))
    assert [each for each, _ in whole] == [each for each, _ in written[: it.kept]]
    said = [(now, then) for (_, now), (_, then) in zip(whole, written, strict=False)]
    assert sum(now != then for now, then in said) == it.texts
    assert verify(session_file(state, "s-1")).ok
    assert verify(room_file(state)).ok

    async with writing(state) as again:
        again.write(record(it.kept + 1))
    assert again.troubles == []
    assert verify(session_file(state, "s-1")).records == it.kept + 1
    assert verify(room_file(state)).ok
    assert recover(state).damaged == ()
    assert not [path for path in (state / "sessions").iterdir() if ".salvage" in path.name]


async def test_a_damage_before_what_the_room_has_seen_is_witnessed_in_the_room_s_chain(tmp_path: Path) -> None:
    state = await session_cut_by_a_crash(tmp_path)
    async with writing(state) as again:
        again.write(record(RECORDS + 1))  # the room's chain now says that there were sixty
    flip_a_record(session_file(state, "s-1"))
    kept_as = recover(state).damaged[0].kept_as
    assert verify(session_file(state, "s-1")).ok
    assert kept_as.name.encode() in room_file(state).read_bytes()
    session_file(state, "s-1").unlink()
    shutil.copy(kept_as, session_file(state, "s-1"))
    assert not verify(session_file(state, "s-1")).ok


@pytest.mark.parametrize("whole_header", [True, False])
async def test_a_session_of_which_nothing_can_be_read_is_kept_and_the_room_begins_anew(
    tmp_path: Path, whole_header: bool
) -> None:
    state = await session_cut_by_a_crash(tmp_path)
    lose_the_log(session_file(state, "s-1"))
    content = session_file(state, "s-1").read_bytes()
    session_file(state, "s-1").write_bytes((content[:100] if whole_header else b"") + bytes(len(content) - 100))
    found = recover(state)
    assert found.session is None
    assert [(it.kept, it.kept_as.exists()) for it in found.damaged] == [(0, True)]
    assert recover(state).damaged == ()
    assert verify(room_file(state)).ok


async def test_the_room_s_own_book_goes_on_from_its_good_part(tmp_path: Path) -> None:
    async with writing(tmp_path) as it:
        for seq in range(1, 31):
            it.write(record(seq), book=ROOM)
    fold(room_file(tmp_path))
    flip(room_file(tmp_path), b'"id":"input-12"')
    found = recover(tmp_path)
    assert [(it.book, it.kept, it.lost) for it in found.damaged] == [(ROOM, 11, 19)]
    assert found.room.seq == 11
    async with writing(tmp_path) as it:
        it.write(record(12), book=ROOM)
    assert verify(room_file(tmp_path)).ok
    assert recover(tmp_path).damaged == ()


class PowerCut(BaseException):
    """Nothing after it is done."""


def recover_with_cuts(state: Path, after: int, monkeypatch: pytest.MonkeyPatch) -> Recovered:
    """A start whose power is cut after so many files were renamed, and another one in which that is cut once more."""
    left, rename = [after, after, 100], Path.rename

    def cut_short(self: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] < 0:
            left.pop(0)
            raise PowerCut
        return rename(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", cut_short)
        patched.setattr(Path, "replace", cut_short)
        while True:
            with contextlib.suppress(PowerCut):
                return recover(state)


@pytest.mark.parametrize("damage", [flip_in_the_log, flip_a_record, zero, empty])
async def test_a_power_cut_while_a_damaged_file_is_set_aside_loses_nothing_and_everybody_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Damage
) -> None:
    state = await session_cut_by_a_crash(tmp_path)
    damage(session_file(state, "s-1"))
    told: list[object] = []
    for after in range(6):
        cut = tmp_path / f"cut-{after}"
        shutil.copytree(state, cut)
        whole = {file.read_bytes() for file in (cut / "sessions").iterdir()}
        found = recover_with_cuts(cut, after, monkeypatch)
        (it,) = found.damaged
        told.append((found.session and found.session.seq, it.kept, it.lost, it.first_bad, verify(room_file(cut)).ok))
        kept = {file.read_bytes() for file in (cut / "sessions").glob(f"{it.kept_as.name}*")}
        assert whole <= kept and it.kept_as.is_file()
        assert not list((cut / "sessions").glob("*.salvage*")) and recover(cut).damaged == ()
    assert told == [told[0]] * 6


def test_a_book_that_another_process_begins_while_it_is_looked_at_is_no_damaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, stat = tmp_path / "s-1.db", Path.stat
    file.touch()
    begun: list[BookFile] = []

    def begun_meanwhile(self: Path, **how: bool) -> os.stat_result:
        if self == log_of(file) and not begun:
            begun.append(BookFile(file, "s-1", "2026-01-01T09:00:00.000Z"))
        return stat(self, **how)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", begun_meanwhile)
        with reading(file) as connection:
            assert begun and log_of(file).stat().st_size
            assert read_meta(connection)["book"] == "s-1"
    begun[0].close()


async def test_what_another_daemon_is_just_setting_aside_is_left_to_it(tmp_path: Path) -> None:
    state = await session_cut_by_a_crash(tmp_path)
    fresh = session_file(state, "s-1").with_name("s-1.db.salvage")
    fresh.touch()
    with writing_alone(state), pytest.raises(JournalInUse):
        recover(state)
    assert fresh.exists()
    recover(state)
    assert not fresh.exists()


async def test_what_lay_only_in_the_log_is_missed_when_the_log_is_gone(tmp_path: Path) -> None:
    state = await session_cut_by_a_crash(tmp_path)
    assert read_mark(session_file(state, "s-1")) is not None
    lose_the_log(session_file(state, "s-1"))
    found = verify(session_file(state, "s-1"))
    assert (found.ok, found.first_bad) == (False, 41)
    assert "written up to 60" in found.why


async def test_a_snapshot_that_is_gone_without_a_damage_on_record_is_found(tmp_path: Path) -> None:
    state = await session_cut_by_a_crash(tmp_path)
    file = session_file(state, "s-1")
    flip_a_snapshot(file)
    assert recover(state).damaged[0].states == 1
    assert (verify(file).ok, verify(file).lost) == (True, 1)
    tamper(file, "UPDATE snapshots SET state = NULL WHERE line = 11")
    found = verify(file)
    assert (found.ok, found.lost) == (False, 2)
    assert "no damage is on record" in found.why
