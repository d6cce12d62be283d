"""What stands for a session when its own file goes: a signature, or a backup that is there and holds the same."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from controller.journal.manifest import NAME, backups_at, read_back, read_manifest
from controller.journal.reading import SessionInfo, find_records
from controller.journal.store import damaged_copies, reading, room_file, with_log
from controller.journal.tables import has_parts
from controller.messages import BackedUp


@dataclass
class Backup:
    """A backup as the room's book tells of it. `sessions`: how many records of each it holds."""

    place: str
    at_unix: float = 0.0
    sessions: dict[str, int] = field(default_factory=dict)


def backups(state_dir: Path) -> dict[str, Backup]:
    """Every backup that was made and went well, by its id."""
    found: dict[str, Backup] = {}
    if not room_file(state_dir).is_file():
        return found
    for record, _ in find_records(room_file(state_dir), "backed_up"):
        act = record.input.act
        if isinstance(act, BackedUp) and act.ok:
            kept = found.setdefault(act.backup, Backup(place=act.place))
            kept.place, kept.at_unix = act.place, act.at_unix
            kept.sessions |= act.added
    return found


def holding(state_dir: Path, session: str, seq: int = 1) -> list[Backup]:
    """The backups that hold record `seq` of a session, by the room's book."""
    return [backup for backup in backups(state_dir).values() if backup.sessions.get(session, 0) >= seq]


def kept_by(info: SessionInfo, known: dict[str, Backup]) -> str:
    """What stands for a closed session: "signature", "backup", or "" for nothing.

    A backup stands for it only if it is there now and holds the same, row for row: what the book says of it was said
    by whoever made it.
    """
    if info.signed_by:
        return "signature"
    if info.damaged:  # of which no backup tells how many records it holds
        copies = damaged_copies(info.file.parent.parent, info.session)
        parts = [part for kept in copies for part in with_log(kept)]
        held = any(all(_holds(name, Path(it.place), part, _same_bytes) for part in parts) for name, it in known.items())
        return "backup" if held else ""
    claimed = [(name, it) for name, it in known.items() if it.sessions.get(info.session, 0) >= info.records]
    return "backup" if any(_holds(name, Path(it.place), info.file, _same_rows) for name, it in claimed) else ""


def is_there(act: BackedUp) -> bool:
    """Whether a backup lies where it is said to lie, with this manifest and all the sessions that are claimed."""
    try:
        for folder in backups_at(Path(act.place)):
            manifest = read_manifest(folder)
            if manifest is None or manifest.backup != act.backup:
                continue
            digest = hashlib.sha256((folder / NAME).read_bytes()).hexdigest()
            held = {Path(name).stem: entry.records for name, entry in manifest.files.items() if entry.head}
            return digest == act.manifest and all(held.get(name, 0) >= count for name, count in act.added.items())
    except (OSError, ValueError):
        pass
    return False


def _holds(backup: str, place: Path, file: Path, are_same: Callable[[Path, Path], bool]) -> bool:
    name = f"sessions/{file.name}"
    try:
        for folder in backups_at(place):
            manifest = read_manifest(folder)
            if manifest is None or manifest.backup != backup or name not in manifest.files:
                continue
            entry = manifest.files[name]
            return read_back(folder / name) == (entry.bytes, entry.sha256) and are_same(file, folder / name)
    except (OSError, ValueError, sqlite3.Error):
        pass
    return False


def _same_bytes(one: Path, other: Path) -> bool:
    return read_back(one) == read_back(other)


def _same_rows(one: Path, other: Path) -> bool:
    return all(mine == theirs for mine, theirs in zip_longest(_rows(one), _rows(other)))


def _rows(file: Path) -> Iterator[tuple[Any, ...]]:
    with reading(file) as connection:
        tables = ("records", "texts", "snapshots", *(("parts",) if has_parts(connection) else ()))
        for table in tables:
            yield (table,)
            yield from connection.execute(f"SELECT * FROM {table} ORDER BY 1")
