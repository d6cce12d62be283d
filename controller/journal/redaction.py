"""The one thing that may be taken out of a journal: a free text, such as a name typed by mistake."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from controller.journal.store import connect_writing, read_meta


def blank_text(file: Path, seq: int) -> None:
    """Redact the free text of one record for good, and its salt; the chain stays valid.

    Works beside a running daemon. That it was done is for the caller to record. Raises FileNotFoundError, KeyError
    where the record has no text, and `sqlite3.OperationalError` where a reader keeps the log from being emptied: the
    text is blanked then, and calling again finishes the work.
    """
    if not file.is_file():
        raise FileNotFoundError(file)
    with contextlib.closing(connect_writing(file)) as connection:
        meta = read_meta(connection)
        row = connection.execute(
            "SELECT t.line FROM texts t JOIN records r USING (line) WHERE r.seq = ?", (seq,)
        ).fetchone()
        if row is None:
            raise KeyError(seq)
        connection.execute("UPDATE texts SET salt = NULL, text = NULL WHERE line = ?", row)
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise sqlite3.OperationalError("the text is blanked, but a reader holds the log that still has it")
        if meta["closed_utc"]:
            with contextlib.suppress(sqlite3.OperationalError):
                connection.execute("PRAGMA journal_mode = DELETE")
