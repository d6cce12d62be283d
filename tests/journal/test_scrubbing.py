"""A text that is redacted goes from the damaged copies of its book too, and nothing else of them does."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from controller.journal.erasing import erase
from controller.journal.reading import read_records, session_file, verify
from controller.journal.recovery import recover
from controller.journal.scrubbing import scrub
from controller.journal.store import damaged_copies
from controller.messages import AdverseEvent, Note, Redaction, Vitals, encode
from tests.journal.writing import record, writing

WORD = "Margarethe gave it"
LONG = "Margarethe told of the sea. " * 400


def rows(file: Path) -> tuple[dict[int, bytes | None], dict[int, bytes], list[bytes]]:
    """Texts, states and bodies."""
    with closing(sqlite3.connect(file)) as connection:
        connection.text_factory = bytes
        texts = dict(connection.execute("SELECT line, text FROM texts").fetchall())
        states = dict(connection.execute("SELECT line, state FROM snapshots").fetchall())
        return texts, states, [body for (body,) in connection.execute("SELECT body FROM records")]


@pytest.mark.parametrize("in_log", [False, True])
async def test_what_goes_on_in_another_page_is_found_there(tmp_path: Path, in_log: bool) -> None:
    async with writing(tmp_path / "live") as it:
        it.write(record(1, Vitals(missed=WORD)), snapshot=b"state")
        for seq in range(2, 90):
            it.write(record(seq, Note(text=LONG[: seq * 119])), snapshot=b"x" * seq * 47 + encode(WORD) + b"y" * 5000)
        await it.until_acknowledged(89)
        live = session_file(tmp_path / "live", "s-1")
        if not in_log:
            with closing(sqlite3.connect(live)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copytree(live.parent, tmp_path / "copy", ignore=shutil.ignore_patterns("*-shm"))
    file = tmp_path / "copy" / live.name
    with closing(sqlite3.connect(live)) as connection:
        salts = dict(connection.execute("SELECT line, salt FROM texts").fetchall())
    texts, states, bodies = rows(live)
    for line, text in texts.items():
        assert text is not None
        assert scrub(file, salts[line], text, [encode(WORD)])
    held = b"".join(part.read_bytes() for part in (file, file.with_name(file.name + "-wal")) if part.exists())
    assert not [line for line, salt in salts.items() if salt in held]
    assert b"Margarethe" not in held and b"the sea" not in held
    if not in_log:
        blank, emptied, same = rows(file)
        assert same == bodies, "a record's own bytes stay"
        assert all(text is not None and not text.strip(b"\0") for text in blank.values())
        assert emptied == {line: it.replace(encode(WORD), b"\0" * len(encode(WORD))) for line, it in states.items()}


async def test_a_damaged_copy_has_no_redacted_text_and_all_else_that_it_had(tmp_path: Path) -> None:
    async with writing(tmp_path) as it:
        it.write(record(1, AdverseEvent(event="fall", grade=1, rescue=WORD)), snapshot=b"{" + encode(WORD) + b"}")
        it.write(record(2, Note(text="Berta came in")), record(3, Note(text="spoke of the sea")))
        it.write(*(record(seq) for seq in range(4, 40)))
        await it.until_acknowledged(39)
    file = session_file(tmp_path, "s-1")
    content = file.read_bytes()
    file.write_bytes(content.replace(b"input-37", b"input-73"))
    assert recover(tmp_path).damaged
    (kept,) = damaged_copies(tmp_path, "s-1")
    for seq in (1, 2):
        newest = max(told.seq for told, _ in read_records(file))
        async with writing(tmp_path) as it:
            it.write(record(newest + 1, Redaction(session="s-1", seq=seq)), snapshot=b"state")
            await it.until_acknowledged(1)
        erase(tmp_path, "s-1")
    held = b"".join(part.read_bytes() for part in tmp_path.rglob("*") if part.is_file())
    assert WORD.encode() not in held and b"Berta" not in held
    assert b"spoke of the sea" in kept.read_bytes() and b"input-73" in kept.read_bytes()
    assert verify(file).ok, verify(file).why
