"""Whether a journal is as it was written: every hash, every digest, every number, and the heads kept elsewhere."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller.journal import chain
from controller.journal.schema import read_body
from controller.journal.store import is_passing, read_meta, reading, room_file, sessions_dir, set_aside
from controller.messages import Removal, Retention, decode

_PAGE = 500
"""Lines per query: a short read never keeps the writer's log from being folded in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """Whether a journal is as it was written. `first_bad`: the line (for a session: the seq) where it is not."""

    ok: bool
    records: int
    first_bad: int | None = None
    why: str = ""
    redacted: int = 0
    heads: int = 0
    """Head hashes of the room's chain that were compared."""
    removed: tuple[str, ...] = ()
    """For the room's book: the days on which the sessions were opened that retention has taken."""


@dataclass(slots=True)
class Walk:
    """What one pass over a file's lines found; `why` is "" while all is well."""

    lines: int = 0
    seq: int = 0
    redacted: int = 0
    first_bad: int | None = None
    why: str = ""
    hashes: dict[int, bytes] = field(default_factory=dict)
    """The lines' hashes, by line; the genesis at 0."""
    heads: list[tuple[int, chain.Head]] = field(default_factory=list)
    """The head hashes that a room's book holds, with their lines."""
    removed: dict[str, Removal] = field(default_factory=dict)
    """What a room's book says was removed, by the digest of the session's name."""


def verify(file: Path) -> Verified:
    """Check each hash, digest and number of a file, and the head hashes that the room's chain keeps of it.

    For the room's own file: the head hashes against every session's file that is still kept.
    Raises as `walk` does.
    """
    file = file.absolute()
    room = room_file(file.parent.parent)
    beside = file.parent == sessions_dir(room.parent) and room.is_file()
    heads = walk(room).heads if beside else []
    found = walk(file)
    compared = 0
    if not found.why:
        book = file.name.partition(".")[0]
        if beside:
            mine = [head for _, head in heads if head.session == book]
            compared = len(mine)
            found.first_bad, found.why = compare_heads(mine, found)
            if not found.why and mine and mine[-1].event == "closed" and mine[-1].seq < found.lines:
                # It may have been opened again since we read the room's book.
                again = [head for _, head in walk(room).heads if head.session == book]
                if len(again) == len(mine):
                    found.first_bad, found.why = mine[-1].seq + 1, "records were added after the session was closed"
        elif found.heads:
            compared, found.first_bad, found.why = _compare_sessions(file.parent, found)
    return Verified(
        ok=not found.why,
        records=found.seq,
        first_bad=found.first_bad,
        why=found.why,
        redacted=found.redacted,
        heads=compared,
        removed=tuple(removal.opened_utc[:10] for removal in found.removed.values()),
    )


def verify_sessions(state_dir: Path, files: Iterable[Path]) -> Iterator[Verified]:
    """Check many sessions' files, each as `verify` does, with one look at the room's book; raises as `walk`."""
    room = room_file(state_dir)
    heads: dict[str, list[chain.Head]] = {}
    for _, head in walk(room).heads if room.is_file() else ():
        heads.setdefault(head.session, []).append(head)
    for file in files:
        found = walk(file)
        mine = heads.get(file.stem, [])
        if not found.why:
            found.first_bad, found.why = compare_heads(mine, found)
        added = not found.why and mine and mine[-1].event == "closed" and mine[-1].seq < found.lines
        if added:  # unless it is being added to just now
            yield verify(file)
        else:
            yield Verified(
                ok=not found.why, records=found.seq, first_bad=found.first_bad, why=found.why, redacted=found.redacted,
                heads=len(mine),
            )  # fmt: skip


def walk(file: Path, book: str | None = None) -> Walk:
    """Check a file by itself. `book`: what it must be a book of, where its own word is not enough.

    Raises `sqlite3.OperationalError` where the file cannot be read just now, FileNotFoundError where there is none.
    """
    found = Walk()
    try:
        with reading(file) as connection:
            meta = read_meta(connection)
            if not meta:
                return found
            named = meta.get("book", "")
            if book is not None and named != book:
                found.why = f"the file says that it is the journal of {named}"
                return found
            _check_lines(connection, named, found)
            if not found.why:
                _check_strays(connection, found)
    except (sqlite3.Error, OverflowError, ValueError) as error:
        if is_passing(error):
            raise
        found.first_bad, found.why = found.lines + 1, f"unreadable: {error}"
    return found


def compare_heads(heads: list[chain.Head], found: Walk) -> tuple[int | None, str]:
    """The first line of a session's file that is missing or other than the room's chain says; (None, "") if none."""
    for head in heads:
        kept = found.hashes.get(head.seq)
        if kept is None and (head.seq > 0 or found.hashes):
            return found.lines + 1, f"the file ends at {found.lines}, but was {head.event} with {head.seq} records"
        if kept is not None and kept.hex() != head.hash:
            return head.seq, "not the record that the room's journal has seen"
    return None, ""


def _compare_sessions(state_dir: Path, room: Walk) -> tuple[int, int | None, str]:
    walks: dict[str, Walk] = {}
    compared = 0
    last = {head.session: head.hash for _, head in room.heads}
    kept_aside = {file.name.partition(".")[0] for file in set_aside(state_dir)}
    for line, head in room.heads:
        file = sessions_dir(state_dir) / f"{head.session}.db"
        if not file.is_file():
            removal = room.removed.get(chain.name_digest(head.session))
            if removal is None and head.session not in kept_aside:
                return compared, line, f"session {head.session}: its file is missing, and no removal is on record"
            if removal is not None and removal.head != last[head.session]:
                return compared, line, f"session {head.session}: what was removed is not what was closed"
            continue
        if head.session not in walks:
            walks[head.session] = walk(file)
        compared += 1
        _, why = compare_heads([head], walks[head.session])
        if why:
            return compared, line, f"session {head.session}: {why}"
    return compared, None, ""


def _rows(connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    at = 0
    while True:
        page = connection.execute(
            "SELECT r.line, r.seq, r.body, r.text_digest, r.state_digest, r.hash, t.line, t.salt, t.text, s.state "
            "FROM records r LEFT JOIN texts t USING (line) LEFT JOIN snapshots s USING (line) "
            "WHERE r.line > ? ORDER BY r.line LIMIT ?",
            (at, _PAGE),
        ).fetchall()
        if not page:
            return
        yield from page
        at = page[-1][0]


def _check_lines(connection: sqlite3.Connection, book: str, found: Walk) -> None:
    connection.text_factory = bytes  # a damaged text need not be UTF-8
    head = chain.genesis(book)
    found.hashes[0] = head
    for line, seq, body, text_digest, state_digest, kept, text_line, salt, text, state in _rows(connection):
        head = chain.line_hash(head, body, text_digest, state_digest)
        if line != found.lines + 1:
            found.why = f"line {found.lines + 1} is missing"
        elif head != kept:
            found.why = "the hash is not that of the record"
        elif seq is None and book == chain.ROOM:
            found.heads.append((line, decode(chain.Head, body)))
        elif seq != found.seq + 1 or not body.startswith(b'{"seq":%d,' % seq):
            found.why = f"the number is not {found.seq + 1}"
        elif (text_digest is None) != (text_line is None):
            found.why = "a text is missing" if text_line is None else "a text was added"
        elif text_digest is not None and text is not None and chain.text_digest(salt or b"", text) != text_digest:
            found.why = "the text is not what was written"
        elif (state_digest is None) != (state is None):
            found.why = "a snapshot is missing" if state is None else "a snapshot was added"
        elif state is not None and chain.state_digest(state) != state_digest:
            found.why = "the snapshot is not what was written"
        if found.why:
            found.first_bad = found.lines + 1
            return
        if (
            book == chain.ROOM
            and b'"kind":"retention"' in body
            and isinstance(act := read_body(body).input.act, Retention)
        ):
            found.removed |= {removal.session: removal for removal in act.removed}
        found.lines = line
        found.seq = found.seq if seq is None else seq
        found.hashes[line] = head
        found.redacted += text_digest is not None and text is None


def _check_strays(connection: sqlite3.Connection, found: Walk) -> None:
    for table in ("texts", "snapshots"):
        stray = connection.execute(
            f"SELECT min(line) FROM {table} WHERE line NOT IN (SELECT line FROM records)"
        ).fetchone()[0]
        if stray is not None:
            found.first_bad, found.why = stray, f"{table} has a row that belongs to no record"
