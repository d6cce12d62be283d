"""The tables of library.db, and how those of older versions are taken over."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import fields

from controller.library.measurement import Measurement
from controller.messages import encode, from_plain

SCHEMA = 2

_TABLES = (
    # What one content says, wherever it lies; `version` of the measuring, `why` where it cannot be used.
    """CREATE TABLE contents (
        digest TEXT PRIMARY KEY, version INTEGER NOT NULL, measurement BLOB, why TEXT NOT NULL DEFAULT ''
    ) WITHOUT ROWID""",
    # Where content lies; `why` where the file could not be read at all. `note`: what music.csv says of it.
    """CREATE TABLE files (
        path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, digest TEXT NOT NULL DEFAULT '',
        why TEXT NOT NULL DEFAULT '', note BLOB
    ) WITHOUT ROWID""",
    # Where was looked, so that the next scan needs no argument.
    "CREATE TABLE folders (path TEXT PRIMARY KEY) WITHOUT ROWID",
)


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables, or take over those of an older version: its pieces stay until they are measured anew.

    What another version made that we do not know is dropped: it is nothing but measurements.
    """
    if _version(connection) == SCHEMA:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)
        if version != SCHEMA:
            kept = _read_first(connection) if version == 1 else []
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                connection.execute(f'DROP TABLE "{table}"')
            for table in _TABLES:
                connection.execute(table)
            for path, digest, measurement in kept:
                connection.execute("INSERT OR IGNORE INTO contents VALUES (?, 1, ?, '')", (digest, measurement))
                connection.execute("INSERT INTO files VALUES (?, 0, 0, ?, '', NULL)", (path, digest))
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _read_first(connection: sqlite3.Connection) -> list[tuple[str, str, bytes]]:
    """Path, digest and measurement of every piece as version 1 kept it: by path, with the fields it had."""
    names = {each.name for each in fields(Measurement)}
    rows = connection.execute("SELECT path, piece FROM files WHERE piece IS NOT NULL").fetchall()
    kept = []
    for path, piece in rows:
        given = json.loads(piece)
        measurement = from_plain(Measurement, {name: value for name, value in given.items() if name in names})
        kept.append((path, given["digest"], encode(measurement)))
    return kept
