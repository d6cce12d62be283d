"""The tables of a journal file, by format, and whether a file still has exactly them."""

from __future__ import annotations

import sqlite3
from functools import cache

FILE_FORMAT = 3
"""The format that is written. 2 adds `parts`, and lets a snapshot that damage took be kept as lost; in 3 a snapshot
may be blanked, for it may hold words that are redacted."""

_RECORDS = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE records (
    line INTEGER PRIMARY KEY, seq INTEGER, body BLOB NOT NULL, text_digest BLOB, state_digest BLOB, hash BLOB NOT NULL
);
"""

_SNAPSHOTS = {
    1: "CREATE TABLE snapshots (line INTEGER PRIMARY KEY, state BLOB NOT NULL);\n",
    2: "CREATE TABLE snapshots (line INTEGER PRIMARY KEY, state BLOB);\n",
}

_SIDES = """
CREATE TABLE texts (line INTEGER PRIMARY KEY, salt BLOB, text TEXT);
CREATE TRIGGER records_grow BEFORE INSERT ON records
    WHEN NEW.line IS NOT (SELECT coalesce(max(line), 0) + 1 FROM records)
    BEGIN SELECT raise(ABORT, 'a journal only grows'); END;
CREATE TRIGGER snapshots_grow BEFORE INSERT ON snapshots
    WHEN NEW.line <= (SELECT coalesce(max(line), 0) FROM snapshots)
    BEGIN SELECT raise(ABORT, 'a journal only grows'); END;
CREATE TRIGGER texts_grow BEFORE INSERT ON texts
    WHEN NEW.line <= (SELECT coalesce(max(line), 0) FROM texts)
    BEGIN SELECT raise(ABORT, 'a journal only grows'); END;
CREATE TRIGGER records_stay BEFORE UPDATE ON records BEGIN SELECT raise(ABORT, 'a record never changes'); END;
CREATE TRIGGER records_remain BEFORE DELETE ON records BEGIN SELECT raise(ABORT, 'a record is never deleted'); END;
CREATE TRIGGER snapshots_remain BEFORE DELETE ON snapshots
    BEGIN SELECT raise(ABORT, 'a snapshot is never deleted'); END;
CREATE TRIGGER texts_blank_only BEFORE UPDATE ON texts
    WHEN NEW.line IS NOT OLD.line OR NEW.text IS NOT NULL OR NEW.salt IS NOT NULL
    BEGIN SELECT raise(ABORT, 'a text may only be blanked'); END;
CREATE TRIGGER texts_remain BEFORE DELETE ON texts BEGIN SELECT raise(ABORT, 'a text may only be blanked'); END;
"""

_SNAPSHOTS_STAY = """
CREATE TRIGGER snapshots_stay BEFORE UPDATE ON snapshots BEGIN SELECT raise(ABORT, 'a snapshot never changes'); END;
"""

_SNAPSHOTS_BLANK_ONLY = """
CREATE TRIGGER snapshots_blank_only BEFORE UPDATE ON snapshots WHEN NEW.line IS NOT OLD.line OR NEW.state IS NOT NULL
    BEGIN SELECT raise(ABORT, 'a snapshot may only be blanked'); END;
"""

_PARTS = """
CREATE TABLE parts (part INTEGER PRIMARY KEY, digest BLOB NOT NULL, content BLOB);
CREATE TRIGGER parts_stay BEFORE UPDATE ON parts BEGIN SELECT raise(ABORT, 'a part never changes'); END;
CREATE TRIGGER parts_remain BEFORE DELETE ON parts BEGIN SELECT raise(ABORT, 'a part is never deleted'); END;
"""

TABLES = {
    1: _RECORDS + _SNAPSHOTS[1] + _SIDES + _SNAPSHOTS_STAY,
    2: _RECORDS + _SNAPSHOTS[2] + _SIDES + _SNAPSHOTS_STAY + _PARTS,
    3: _RECORDS + _SNAPSHOTS[2] + _SIDES + _SNAPSHOTS_BLANK_ONLY + _PARTS,
}
"""By format. `parts`: what a session was run with, compressed; its digests stand in the opening record.
A content is NULL where damage took it, a text or a snapshot also where it was redacted."""

LET_SNAPSHOTS_BE_BLANKED = (
    "DROP TRIGGER snapshots_stay", _SNAPSHOTS_BLANK_ONLY, "UPDATE meta SET value = '3' WHERE key = 'format'",
)  # fmt: skip
"""What makes a file of format 2 one of format 3."""

_LOOK = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"


def has_tables(connection: sqlite3.Connection) -> bool:
    """Whether the file was ever begun."""
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone() is not None


def has_parts(connection: sqlite3.Connection) -> bool:
    """Whether the file's format keeps parts."""
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'parts'").fetchone() is not None


def tables_changed(connection: sqlite3.Connection, file_format: int) -> bool:
    """Whether a table or trigger is other than the format's."""
    return connection.execute(_LOOK).fetchall() != _expected(file_format, connection.text_factory is not str)


@cache
def _expected(file_format: int, as_bytes: bool) -> list[tuple[object, ...]]:
    model = sqlite3.connect(":memory:")
    try:
        if as_bytes:
            model.text_factory = bytes
        model.executescript(TABLES[file_format])
        return model.execute(_LOOK).fetchall()
    finally:
        model.close()
