"""Backups: the record copied elsewhere while it is written, read back, and its chains walked there.

A backup is itself a state directory, so every verb reads it with --state. A closed session that is there already and
equal is not copied again; a copy that does not verify never takes the place of one that does.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from controller.clock import utc_now, utc_text
from controller.files import private, to_disk
from controller.journal import chain
from controller.journal.manifest import (
    Entry,
    Manifest,
    folder_name,
    read_back,
    read_manifest,
    write_manifest,
)
from controller.journal.place import Place, UnfitPlace
from controller.journal.reading import find_records
from controller.journal.store import (
    is_passing,
    journal_files,
    log_bytes,
    read_meta,
    reading,
    room_file,
    sessions_dir,
    set_aside,
    sheets_dir,
    sheets_of,
    with_log,
)
from controller.journal.verify import Walk, against_heads, heads_of, walk
from controller.messages import Opened, Record

_TRIES = 3
"""The record goes on while it is copied: a session may have been closed between its copy and the room's."""


@dataclass
class Made:
    """A backup that was made. `copied`: the sessions copied this time, with their numbers of records."""

    folder: Path
    manifest: Manifest
    digest: str
    copied: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    held: dict[str, int] = field(default_factory=dict)
    """All the sessions that it holds, with theirs."""
    problems: list[str] = field(default_factory=list)
    """What could not be kept well; the rest of the backup is good."""


def make_backup(state_dir: Path, place: Place, software: str = "") -> Made:
    """Bring the backup at `place` up to the record. Raises UnfitPlace, OSError, `sqlite3.Error`."""
    folder, old = _open_folder(state_dir, place)
    parts: dict[str, Entry] = {}
    kept = {name: entry for name, entry in old.files.items() if _lies_there(folder / name, entry)}
    for _ in range(_TRIES):
        problems: list[str] = []
        parts = dict(_copies(state_dir, place, folder, kept, problems))
        if not problems:
            break
    copied = {name: entry for name, entry in parts.items() if kept.get(name) != entry}
    for name in copied:
        (folder / f"{name}.part").replace(folder / name)
    for directory in (*_folders(folder), folder):
        to_disk(directory)
    manifest = Manifest(
        backup=old.backup, origin=old.origin, utc=utc_text(utc_now()), software=software, files={**old.files, **parts}
    )  # a copy that rotted, and of which the record holds the like no more, stays named: `check_backup` tells of it
    digest = write_manifest(folder, manifest)
    problems += check_backup(folder)
    return Made(
        folder=folder,
        manifest=manifest,
        digest=digest,
        copied=_sessions(copied),
        held=_sessions(manifest.files),
        bytes=sum(entry.bytes for entry in copied.values()),
        problems=problems,
    )


def _sessions(files: dict[str, Entry]) -> dict[str, int]:
    return {Path(name).stem: it.records for name, it in files.items() if name.startswith("sessions/") and it.head}


def check_backup(folder: Path) -> list[str]:
    """What is wrong with a backup, each a whole sentence: files, digests, chains, and the chains against each other."""
    try:
        manifest = read_manifest(folder)
    except (OSError, ValueError) as error:
        return [str(error)]
    if manifest is None:
        return [f"{folder}: there is no manifest: this is no backup, or one that was cut short"]
    wrong = []
    room = Walk()
    for name, entry in sorted(manifest.files.items(), key=lambda it: it[0] != "room.db"):
        file = folder / name
        try:
            if read_back(file) != (entry.bytes, entry.sha256):
                wrong.append(f"{name}: is not what was written")
                continue
        except OSError as error:
            wrong.append(f"{name}: {error.strerror}")
            continue
        if not entry.head:
            continue
        found = walk(file)
        room = found if name == "room.db" else room
        if why := found.why or _differs(found, entry) or against_heads(_heads(room, file.stem, found), found)[1]:
            wrong.append(f"{name}: {why}")
    return wrong


def restore_backup(folder: Path, state_dir: Path) -> Manifest:
    """Make a new state directory of a backup. Raises UnfitPlace where one is there or the backup is not whole."""
    if journal_files(state_dir):
        raise UnfitPlace(f"{state_dir}: holds a record already; restore into an empty directory")
    if wrong := check_backup(folder):
        raise UnfitPlace(f"{folder}: is not whole: {'; '.join(wrong[:3])}")
    manifest = read_manifest(folder)
    assert manifest is not None
    for directory in (state_dir, *_folders(state_dir)):
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    names = sorted(manifest.files, key=lambda name: name != "room.db")  # whose chain tells what else must be there
    for name in names:
        part = state_dir / f"{name}.part"
        shutil.copyfile(folder / name, part)
        part.chmod(0o640)
        to_disk(part)
    for name in names:  # only what is whole bears a name that is taken for a record
        (state_dir / f"{name}.part").replace(state_dir / name)
    for directory in (*_folders(state_dir), state_dir):
        to_disk(directory)
    return manifest


def _open_folder(state_dir: Path, place: Place) -> tuple[Path, Manifest]:
    origin = _origin(state_dir)
    rooms = [act.rules.room for record, _ in _openings(state_dir) if isinstance(act := record.input.act, Opened)]
    folder = place.path / folder_name(rooms[-1] if rooms else "", origin)
    for directory in (folder, *_folders(folder)):
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    for directory in (folder, *_folders(folder)):
        for stale in directory.glob("*.part"):
            stale.unlink()
    try:
        old = read_manifest(folder)
    except ValueError as error:
        raise UnfitPlace(f"{error}: move this folder away, and a new backup is begun") from None
    return folder, old or Manifest(backup=uuid4().hex, origin=origin, utc="")


def _folders(root: Path) -> tuple[Path, Path]:
    return sessions_dir(root), sheets_dir(root)


def _openings(state_dir: Path) -> list[tuple[Record, str]]:
    return list(find_records(room_file(state_dir), "opened")) if room_file(state_dir).is_file() else []


def _origin(state_dir: Path) -> str:
    if not room_file(state_dir).is_file():
        raise UnfitPlace(f"{state_dir}: there is no record yet")
    with reading(room_file(state_dir)) as connection:
        row = connection.execute("SELECT hash FROM records ORDER BY line LIMIT 1").fetchone()
    if row is None:
        raise UnfitPlace(f"{state_dir}: there is no record yet")
    first: bytes = row[0]
    return first.hex()


def _heads(room: Walk, session: str, found: Walk) -> list[chain.Head]:
    """What the room's chain says of a session; of one that was removed since, as far as this copy of it goes."""
    heads = heads_of(session, room.heads)
    if chain.name_digest(session) in room.removed:
        return [head for head in heads if head.seq <= found.lines]
    return heads


def _lies_there(file: Path, entry: Entry) -> bool:
    with contextlib.suppress(OSError):
        return read_back(file) == (entry.bytes, entry.sha256)
    return False


def _copies(
    state_dir: Path, place: Place, folder: Path, kept: dict[str, Entry], problems: list[str]
) -> Iterator[tuple[str, Entry]]:
    """Every file of the record as it is in the backup, the room's first; those that changed lie in .part files.

    Beside the journals what was set aside for damage with its log, and the sheets that were written for paramedics.
    """
    room = Walk()
    for source in journal_files(state_dir):
        name = str(source.relative_to(state_dir))
        there = kept.get(name)
        try:
            place.check_space(_size(source) if there is None or not _is_settled(source) else 0)
            if there is not None and _is_settled(source) and _content(source).has_the_content_of(there):
                yield name, there
                continue
            found, entry = _copy(source, folder / f"{name}.part")
        except FileNotFoundError:
            continue  # retention took it meanwhile
        except sqlite3.DatabaseError as error:  # of this file alone: the others are copied all the same
            if is_passing(error):
                raise
            problems.append(f"{name}: cannot be read: {error}")
            (folder / f"{name}.part").unlink(missing_ok=True)
            continue
        room = found if name == "room.db" else room
        if why := found.why or against_heads(heads_of(source.stem, room.heads), found)[1]:
            problems.append(f"{name}: {why}")
            (folder / f"{name}.part").unlink()
            continue
        yield name, entry
    aside = (part for kept in set_aside(state_dir) for part in with_log(kept))
    for source in (*aside, *sheets_of(state_dir)):
        name = str(source.relative_to(state_dir))
        there = kept.get(name)
        try:
            if there is not None and read_back(source) == (there.bytes, there.sha256):
                yield name, there
                continue
            place.check_space(_size(source))
            private(folder / f"{name}.part")
            shutil.copyfile(source, folder / f"{name}.part")
        except FileNotFoundError:
            continue  # as above
        to_disk(folder / f"{name}.part")
        size, digest = read_back(folder / f"{name}.part")
        yield name, Entry(bytes=size, sha256=digest)


def _copy(source: Path, part: Path) -> tuple[Walk, Entry]:
    """An online copy, on the disk and read back: a writer goes on meanwhile."""
    part.unlink(missing_ok=True)
    private(part)
    with reading(source) as connection, contextlib.closing(sqlite3.connect(part, isolation_level=None)) as copy:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
    to_disk(part)
    size, digest = read_back(part)
    found = walk(part)
    head = found.hashes.get(found.lines, b"").hex()
    entry = Entry(
        bytes=size, sha256=digest, records=found.seq, lines=found.lines, head=head, redacted=len(found.blank)
    )  # fmt: skip
    return found, entry


def _size(source: Path) -> int:
    return source.stat().st_size + log_bytes(source)


def _is_settled(source: Path) -> bool:
    """Whether it is a closed session's."""
    with reading(source) as connection:
        return bool(read_meta(connection).get("closed_utc"))


def _content(source: Path) -> Entry:
    """How far a file has come, without a look at each of its hashes."""
    with reading(source) as connection:
        lines, head = connection.execute("SELECT line, hash FROM records ORDER BY line DESC LIMIT 1").fetchone()
        redacted = connection.execute("SELECT count(*) FROM texts WHERE text IS NULL").fetchone()[0]
    return Entry(bytes=0, sha256="", lines=lines, head=head.hex(), redacted=redacted)


def _differs(found: Walk, entry: Entry) -> str:
    same = (found.lines, found.hashes.get(found.lines, b"").hex()) == (entry.lines, entry.head)
    return "" if same else "its chain has not come as far as the manifest says"
