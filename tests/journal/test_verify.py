from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from controller.journal.chain import ROOM, name_digest
from controller.journal.reading import read_records, room_file, session_file, session_info, verify
from controller.journal.redaction import blank_text
from controller.journal.store import BookFile
from controller.journal.verify import verify_sessions
from controller.messages import Note, Redaction, Removal, Retention
from tests.journal.writing import record, tamper, write_small_session, writing


async def test_a_flipped_bit_in_any_byte_of_any_record_is_found_where_it_is(tmp_path: Path) -> None:
    async with writing(tmp_path) as it:
        for seq in range(1, 6):
            it.write(
                record(seq, Note(text=f"word {seq}") if seq == 3 else None), snapshot=b"state" if seq == 4 else None
            )
        it.journal.close_session("s-1")
    file = tmp_path / "alone.db"
    shutil.copy(session_file(tmp_path, "s-1"), file)
    assert verify(file).ok
    connection = sqlite3.connect(file)
    rows = connection.execute("SELECT line, body, hash, text_digest, state_digest FROM records").fetchall()
    rows += connection.execute("SELECT line, salt, text, NULL, NULL FROM texts").fetchall()
    connection.close()
    content = bytearray(file.read_bytes())
    flipped = 0
    with file.open("r+b", buffering=0) as raw:
        for line, *parts in rows:
            for part in parts:
                if part is None:
                    continue
                stored = part.encode() if isinstance(part, str) else part
                at = content.find(stored)
                assert at > 0
                for offset in range(at, at + len(stored)):
                    raw.seek(offset)
                    raw.write(bytes([content[offset] ^ (1 << offset % 8)]))
                    found = verify(file)
                    assert (found.ok, found.first_bad) == (False, line), (line, offset, found)
                    raw.seek(offset)
                    raw.write(content[offset : offset + 1])
                    flipped += 1
    assert flipped > 1500
    assert verify(file).ok


@pytest.mark.parametrize(
    ("order", "first_bad", "why"),
    [
        ("DELETE FROM records WHERE seq = 5", 5, "line 5 is missing"),
        ("UPDATE records SET seq = 40 WHERE seq = 4", 4, "number"),
        ("UPDATE records SET seq = NULL WHERE seq = 4", 4, "number"),
        ("DELETE FROM texts WHERE line = 8", 8, "text is missing"),
        ("INSERT INTO texts VALUES (7, x'00', 'she said')", 7, "belongs to no record"),
        ("INSERT INTO texts VALUES (70, x'00', 'she said')", 70, "belongs to no record"),
        ("UPDATE texts SET text = 'other' WHERE line = 4", 4, "text is not"),
        ("DELETE FROM snapshots WHERE line = 5", 5, "snapshot is missing"),
        ("INSERT INTO snapshots VALUES (6, x'00')", 6, "belongs to no record"),
        ("UPDATE snapshots SET state = x'00' WHERE line = 10", 10, "snapshot is not"),
        ("UPDATE records SET state_digest = NULL WHERE seq = 10", 10, "hash"),
        ("UPDATE meta SET value = 's-2' WHERE key = 'book'", 1, "hash"),
        ("UPDATE meta SET value = '9' WHERE key = 'format'", 1, "file format 9"),
        ("DROP TABLE snapshots", 5, "unreadable"),
        ("CREATE TRIGGER more BEFORE INSERT ON texts BEGIN SELECT 1; END", None, "a table or trigger"),
        ("CREATE TABLE beside (more TEXT)", None, "a table or trigger"),
        ("UPDATE meta SET value = 'yesterday' WHERE key = 'opened_utc'", None, "says of itself"),
        ("INSERT INTO meta VALUES ('arm', 'B')", None, "says of itself"),
        ("INSERT INTO parts (digest, content) VALUES (x'00', NULL)", 1, "run with"),
    ],
)
async def test_whatever_is_changed_behind_the_triggers_is_found(
    tmp_path: Path, order: str, first_bad: int | None, why: str
) -> None:
    await write_small_session(tmp_path)
    tamper(session_file(tmp_path, "s-1"), order)
    found = verify(session_file(tmp_path, "s-1"))
    assert not found.ok
    assert found.first_bad == first_bad
    assert why in found.why


async def test_a_truncated_session_is_found_through_the_room_s_chain(tmp_path: Path) -> None:
    await write_small_session(tmp_path)
    file = session_file(tmp_path, "s-1")
    tamper(file, "DELETE FROM records WHERE seq > 9", "DELETE FROM texts WHERE line > 9",
           "DELETE FROM snapshots WHERE line > 9")  # fmt: skip
    found = verify(file)
    assert (found.ok, found.records, found.first_bad) == (False, 9, 10)
    assert "12 records" in found.why
    assert not verify(room_file(tmp_path)).ok
    shutil.copy(file, tmp_path / "alone.db")
    assert verify(tmp_path / "alone.db").ok  # by itself a truncated chain is a chain


async def test_a_session_written_anew_from_end_to_end_is_found_through_the_room_s_chain(tmp_path: Path) -> None:
    await write_small_session(tmp_path / "true")
    async with writing(tmp_path / "false") as it:
        it.write(*[record(seq, Note(text="all was well")) for seq in range(1, 13)])
        it.journal.close_session("s-1")
    shutil.copy(session_file(tmp_path / "false", "s-1"), session_file(tmp_path / "true", "s-1"))
    found = verify(session_file(tmp_path / "true", "s-1"))
    assert (found.ok, found.first_bad) == (False, 12)


async def test_records_slipped_in_after_the_end_are_found(tmp_path: Path) -> None:
    await write_small_session(tmp_path / "kept")
    shutil.copytree(tmp_path / "kept", tmp_path / "other")
    async with writing(tmp_path / "other") as it:
        it.write(record(13))
        it.journal.close_session("s-1")
    assert verify(session_file(tmp_path / "other", "s-1")).ok
    shutil.copy(session_file(tmp_path / "other", "s-1"), session_file(tmp_path / "kept", "s-1"))
    found = verify(session_file(tmp_path / "kept", "s-1"))
    assert (found.ok, found.first_bad) == (False, 13)


def test_a_book_whose_writer_dies_as_it_begins_the_mark_is_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> int:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="error"):
        patched.setattr(os, "pwrite", dies)
        BookFile(room_file(tmp_path), ROOM, "2026-11-23T08:00:00.000Z")
    assert verify(room_file(tmp_path)).ok


async def test_the_room_s_own_chain_is_checked_head_lines_and_all(tmp_path: Path) -> None:
    await write_small_session(tmp_path)
    assert verify(room_file(tmp_path)).heads == 2
    tamper(room_file(tmp_path), "DELETE FROM records WHERE seq IS NULL AND line = 3")
    tamper(room_file(tmp_path), "UPDATE records SET line = line - 1 WHERE line > 3")
    found = verify(room_file(tmp_path))
    assert (found.ok, found.first_bad, "written up to 3" in found.why) == (False, 3, True)
    (tmp_path / "room.db-mark").unlink()
    assert verify(room_file(tmp_path)).ok  # nothing else shows that the last line of a chain was cut off
    tamper(room_file(tmp_path), "DELETE FROM records WHERE line = 1")
    assert verify(room_file(tmp_path)).first_bad == 1


async def test_a_session_that_retention_took_is_not_missed(tmp_path: Path) -> None:
    await write_small_session(tmp_path, "s-1")
    info = session_info(session_file(tmp_path, "s-1"))
    assert info is not None
    session_file(tmp_path, "s-1").unlink()
    missed = verify(room_file(tmp_path))
    assert "s-1: its file is missing" in missed.why
    removal = Removal(
        session=name_digest("s-1"), opened_utc="2026-01-01T09:00:00Z", closed_utc="2026-01-01T10:00:00Z", records=12,
        head=info.head, days=30.0, kept_by="signature",
    )  # fmt: skip
    async with writing(tmp_path) as it:
        it.write(record(2, Retention(removed=(removal,))), book=ROOM)
    found = verify(room_file(tmp_path))
    assert (found.ok, found.removed) == (True, ("2026-01-01",))


@pytest.mark.parametrize("content", [b"not a database at all" * 300, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_journal_is_named_so(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "s-1.db"
    file.write_bytes(content)
    found = verify(file)
    assert not found.ok
    assert "unreadable" in found.why


async def test_a_journal_verifies_while_it_is_being_written(tmp_path: Path) -> None:
    async with writing(tmp_path) as it:
        for seq in range(1, 400):
            it.write(record(seq))
            if seq % 40 == 0:
                await it.until_acknowledged(seq - 30)
                found = verify(session_file(tmp_path, "s-1"))
                assert found.ok, found
                assert found.records >= seq - 30
                assert verify(room_file(tmp_path)).ok


async def test_a_redacted_text_is_gone_from_the_disk_and_the_chain_still_holds(tmp_path: Path) -> None:
    async with writing(tmp_path) as it:
        it.write(record(1, Note(text="Margarethe wept " * 400)), record(2, Note(text="asked for water")), record(3))
        await it.until_acknowledged(3)
        it.write(record(4, Redaction(session="s-1", seq=1)))
        await it.until_acknowledged(4)
        blank_text(session_file(tmp_path, "s-1"), 1)
        await it.until_acknowledged(4)
        for file in (tmp_path / "sessions").iterdir():
            assert b"Margarethe" not in file.read_bytes(), file
        assert it.troubles == []
    found = verify(session_file(tmp_path, "s-1"))
    assert (found.ok, found.records, found.redacted) == (True, 4, 1)
    texts = [text for _, text in read_records(session_file(tmp_path, "s-1"))]
    assert texts == ["", "asked for water", "", ""]


async def test_a_text_of_a_closed_session_is_redacted_too(tmp_path: Path) -> None:
    await write_small_session(tmp_path, close=False)
    async with writing(tmp_path) as it:
        it.write(record(13, Redaction(session="s-1", seq=8)))
        it.journal.close_session("s-1")
    file = session_file(tmp_path, "s-1")
    blank_text(file, 8)
    assert b"spoke softly, 8" not in file.read_bytes()
    assert (verify(file).ok, verify(file).redacted) == (True, 1)
    assert [path.name for path in file.parent.iterdir()] == ["s-1.db"]
    with pytest.raises(KeyError):
        blank_text(file, 1)
    with pytest.raises(FileNotFoundError):
        blank_text(session_file(tmp_path, "s-2"), 1)


@pytest.mark.parametrize("book", [ROOM, "s-1"])
async def test_a_text_that_is_blank_and_that_nobody_redacted_is_found(tmp_path: Path, book: str) -> None:
    async with writing(tmp_path) as it:
        for name in (ROOM, "s-1"):
            it.write(record(1), record(2, Note(text="rang the desk")), record(3, Note(text="wept")), book=name)
            it.write(record(4, Redaction(session=name, seq=2)), book=name)
    for file in (room_file(tmp_path), session_file(tmp_path, "s-1")):
        blank_text(file, 2)
        assert (verify(file).ok, verify(file).redacted, verify(file).unnamed) == (True, 1, 0)
    file = room_file(tmp_path) if book == ROOM else session_file(tmp_path, book)
    blank_text(file, 3)
    found = verify(file)
    assert (found.ok, found.first_bad, found.unnamed) == (False, 3, 1)
    assert "neither a redaction nor a damage is on record" in found.why
    assert [it.ok for it in verify_sessions(tmp_path, [session_file(tmp_path, "s-1")])] == [book == ROOM]


async def test_reading_needs_no_right_to_write(tmp_path: Path) -> None:
    await write_small_session(tmp_path)
    for path in (tmp_path / "sessions", session_file(tmp_path, "s-1")):
        path.chmod(0o550)
    try:
        assert verify(session_file(tmp_path, "s-1")).ok
        assert len(list(read_records(session_file(tmp_path, "s-1"), after_seq=10))) == 2
    finally:
        (tmp_path / "sessions").chmod(0o750)
    assert [each.seq for each, _ in read_records(room_file(tmp_path))] == [1]
    assert verify(room_file(tmp_path)).records == 1
    assert ROOM not in [path.stem for path in (tmp_path / "sessions").iterdir()]
