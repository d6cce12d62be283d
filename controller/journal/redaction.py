"""The one thing that may be taken out of a journal: a free text, such as a name typed by mistake."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from controller.journal.chain import parted
from controller.journal.store import connect_writing, read_meta
from controller.journal.tables import LET_SNAPSHOTS_BE_BLANKED
from controller.messages import encode


def blank_text(file: Path, seq: int, said: int | None = None) -> None:
    """Redact the free text of one record for good, its salt, and the snapshots that have words of it.

    The chain stays valid. `said`: the record that says so, from which on no snapshot has them.

    Works beside a running daemon. That it was done is for the caller to record. Raises FileNotFoundError, KeyError
    where the record has no text, and `sqlite3.OperationalError` where a reader keeps the log from being emptied: the
    text is blanked then, and calling again finishes the work.
    """
    if not file.is_file():
        raise FileNotFoundError(file)
    with contextlib.closing(connect_writing(file)) as connection:
        meta = read_meta(connection)
        row = connection.execute(
            "SELECT t.line, t.text FROM texts t JOIN records r USING (line) WHERE r.seq = ?", (seq,)
        ).fetchone()
        if row is None:
            raise KeyError(seq)
        connection.execute("BEGIN IMMEDIATE")
        try:
            _blank_snapshots(connection, int(meta["format"]), row[0], row[1], said)
            connection.execute("UPDATE texts SET salt = NULL, text = NULL WHERE line = ?", row[:1])
        except BaseException:
            connection.rollback()
            raise
        connection.execute("COMMIT")
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise sqlite3.OperationalError("the text is blanked, but a reader holds the log that still has it")
        if meta["closed_utc"]:
            with contextlib.suppress(sqlite3.OperationalError):
                connection.execute("PRAGMA journal_mode = DELETE")


def _blank_snapshots(
    connection: sqlite3.Connection, file_format: int, line: int, text: str | None, said: int | None
) -> None:
    """Those from `line` on, and before `said`, that hold a word of the record's text as a value of their own."""
    words = {encode(word) for word in parted(text or "")[0].values()}
    if not words or file_format == 1:  # whose snapshots have never been without the words of their records
        return
    for statement in LET_SNAPSHOTS_BE_BLANKED if file_format == 2 else ():
        connection.execute(statement)
    end = "(SELECT coalesce(max(line), 9e18) FROM records WHERE seq = ?)"
    for word in words:
        connection.execute(
            f"UPDATE snapshots SET state = NULL WHERE line >= ? AND line < {end} AND instr(state, ?)",
            (line, said, word),
        )
