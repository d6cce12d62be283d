"""Whether a journal is as it was written: every hash, every digest, every number, and the heads kept elsewhere."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from controller.journal import chain
from controller.journal.lines import StoredLine, Text, part_is_whole, parts_named, state_fault, stored_lines, text_fault
from controller.journal.mark import read_mark
from controller.journal.schema import read_body
from controller.journal.store import is_passing, read_meta, reading, room_file, sessions_dir, set_aside
from controller.journal.tables import has_parts, tables_changed
from controller.messages import Redaction, Removal, Retention, decode

_META = {b"format", b"book", b"opened_utc", b"closed_utc"}
UTC = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """Whether a journal is as it was written. `first_bad`: the line (for a session: the seq) where it is not."""

    ok: bool
    records: int
    first_bad: int | None = None
    why: str = ""
    redacted: int = 0
    """Texts that are blank."""
    unnamed: int = 0
    """Those of them that no redaction on record names: a damage took them, or somebody who left no word of it."""
    heads: int = 0
    """Head hashes of the room's chain that were compared."""
    head: str = ""
    """The hash of its last line."""
    removed: tuple[str, ...] = ()
    """For the room's book: the days on which the sessions were opened that retention has taken."""
    lost: int = 0
    """Snapshots, and what the session was run with, that an earlier damage took."""


@dataclass(slots=True)
class Walk:
    """What one pass over a file's lines found; `why` is "" while all is well."""

    lines: int = 0
    seq: int = 0
    blank: set[int] = field(default_factory=set)
    """The records whose text is not there any more."""
    redacted: dict[int, int] = field(default_factory=dict)
    """The records whose text is to be gone by the book's own word, and the first record that says so."""
    blank_states: set[int] = field(default_factory=set)
    """The records whose snapshot is not there any more."""
    parts_lost: int = 0
    first_bad: int | None = None
    why: str = ""
    hashes: dict[int, bytes] = field(default_factory=dict)
    """The lines' hashes, by line; the genesis at 0."""
    heads: list[tuple[int, chain.Head]] = field(default_factory=list)
    """The head hashes that a room's book holds, with their lines."""
    removed: dict[str, Removal] = field(default_factory=dict)
    """What a room's book says was removed, by the digest of the session's name."""

    @classmethod
    def of(cls, book: str) -> Walk:
        """Before the first line."""
        return cls(hashes={0: chain.genesis(book)})

    @property
    def gone(self) -> set[int]:
        """The records whose text is not there although nobody redacted it."""
        return self.blank - self.redacted.keys()

    @property
    def lost(self) -> int:
        """Parts, and snapshots that did not go with the words of a record: only those between it and its redaction."""
        spans = self.redacted.items()
        taken = {seq for seq in self.blank_states if any(since <= seq < until for since, until in spans)}
        return self.parts_lost + len(self.blank_states - taken)

    def fault(self, line: StoredLine, book: str) -> str:
        """Why this cannot be the next line of the chain; "" where it is."""
        if line.line != self.lines + 1:
            return f"line {self.lines + 1} is missing"
        if chain.line_hash(self.hashes[self.lines], line.body, line.text_digest, line.state_digest) != line.hash:
            return "the hash is not that of the record"
        if line.seq is None and book == chain.ROOM:
            return ""
        if line.seq != self.seq + 1 or not line.body.startswith(b'{"seq":%d,' % line.seq):
            return f"the number is not {self.seq + 1}"
        return ""

    def take(self, line: StoredLine) -> None:
        """Go on behind a line that has no fault."""
        self.lines = line.line
        self.hashes[line.line] = line.hash
        if line.seq is None:
            self.heads.append((line.line, decode(chain.Head, line.body)))
        else:
            self.seq = line.seq
            if line.text is not None and line.text[1] is None:
                self.blank.add(line.seq)
            if b'"kind":"redaction"' in line.body and isinstance(act := read_body(line.body).input.act, Redaction):
                self.redacted.setdefault(act.seq, line.seq)
            if line.state == (None,):
                self.blank_states.add(line.seq)


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
            mine = heads_of(book, heads)
            compared = len(mine)
            found.first_bad, found.why = against_heads(mine, found)
            if not found.why and mine and mine[-1].event == "closed" and mine[-1].seq < found.lines:
                # It may have been opened again since we read the room's book.
                again = heads_of(book, walk(room).heads)
                if len(again) == len(mine):
                    found.first_bad, found.why = mine[-1].seq + 1, "records were added after the session was closed"
        elif book == chain.ROOM:
            compared, found.first_bad, found.why = _compare_sessions(file.parent, found)
            if not found.why:
                found.first_bad, found.why = unseen_loss(heads_of(book, found.heads), found)
    return Verified(
        ok=not found.why,
        records=found.seq,
        first_bad=found.first_bad,
        why=found.why,
        redacted=len(found.blank),
        unnamed=len(found.gone),
        heads=compared,
        head=found.hashes.get(found.lines, b"").hex(),
        removed=tuple(removal.opened_utc[:10] for removal in found.removed.values()),
        lost=found.lost,
    )


def verify_sessions(state_dir: Path, files: Iterable[Path]) -> Iterator[Verified]:
    """Check many sessions' files, each as `verify` does, with one look at the room's book; raises as `walk`."""
    room = room_file(state_dir)
    heads: dict[str, list[chain.Head]] = {}
    for _, head in walk(room).heads if room.is_file() else ():
        heads.setdefault(head.session, []).append(head)
    for file in files:
        found = walk(file)
        mine = _since_damage(heads.get(file.stem, []))
        if not found.why:
            found.first_bad, found.why = against_heads(mine, found)
        added = not found.why and mine and mine[-1].event == "closed" and mine[-1].seq < found.lines
        if added:  # unless it is being added to just now
            yield verify(file)
        else:
            yield Verified(
                ok=not found.why, records=found.seq, first_bad=found.first_bad, why=found.why,
                redacted=len(found.blank), unnamed=len(found.gone), heads=len(mine), lost=found.lost,
            )  # fmt: skip


def walk(file: Path, book: str | None = None) -> Walk:
    """Check a file by itself. `book`: what it must be a book of, where its own word is not enough.

    Raises `sqlite3.OperationalError` where the file cannot be read just now, FileNotFoundError where there is none.
    """
    found = Walk()
    try:
        mark = read_mark(file)  # before the lines: the file may grow meanwhile
        with reading(file) as connection:
            meta = read_meta(connection)
            if meta:
                named = meta.get("book", "")
                if book is not None and named != book:
                    found.why = f"the file says that it is the journal of {named}"
                    return found
                found = Walk.of(named)
                connection.text_factory = Text
                _check_lines(connection, named, found)
                if not found.why:
                    _check_rest(connection, int(meta["format"]), found)
        if mark and not found.why:
            _check_mark(mark, found)
    except (sqlite3.Error, OverflowError, ValueError) as error:
        if is_passing(error):
            raise
        found.first_bad, found.why = found.lines + 1, f"unreadable: {error}"
    return found


def heads_of(session: str, heads: list[tuple[int, chain.Head]]) -> list[chain.Head]:
    """What the room's chain says of a session; after a damage only what was left of it counts."""
    return _since_damage([head for _, head in heads if head.session == session])


def _since_damage(mine: list[chain.Head]) -> list[chain.Head]:
    cut = max((place for place, head in enumerate(mine) if head.event == "salvaged"), default=0)
    return [head for head in mine[:cut] if head.seq <= mine[cut].seq] + mine[cut:]


def compare_heads(heads: list[chain.Head], found: Walk) -> tuple[int | None, str]:
    """The first line of a session's file that is missing or other than the room's chain says; (None, "") if none."""
    for head in heads:
        kept = found.hashes.get(head.seq)
        if kept is None and (head.seq > 0 or found.hashes):
            return found.lines + 1, f"the file ends at {found.lines}, but was {head.event} with {head.seq} records"
        if kept is not None and kept.hex() != head.hash:
            return head.seq, "not the record that the room's journal has seen"
    return None, ""


def unseen_loss(heads: list[chain.Head], found: Walk) -> tuple[int | None, str]:
    """Texts, snapshots or parts that are gone without anything that the chains know of: where, and what to say."""
    if found.lost > max((head.lost for head in heads), default=0):
        return None, "a snapshot, or what the session was run with, is gone, and no damage is on record"
    counted = [head.texts for head in heads if head.event == "salvaged"]
    if found.gone and None not in counted and len(found.gone) > max((texts or 0 for texts in counted), default=0):
        first = min(found.gone)
        return first, f"the text of record {first} is gone, and neither a redaction nor a damage is on record"
    return None, ""


def against_heads(heads: list[chain.Head], found: Walk) -> tuple[int | None, str]:
    """Whether a file is what the room's chain says of it: the first line that is not, and why; (None, "") if none."""
    first_bad, why = compare_heads(heads, found)
    return (first_bad, why) if why else unseen_loss(heads, found)


def _check_parts(connection: sqlite3.Connection, body: bytes, found: Walk) -> None:
    there = connection.execute("SELECT digest, content FROM parts").fetchall()
    if any(type(digest) is not bytes for digest, _ in there):
        found.why = "what the session was run with is not named as it was"
    elif any(content is not None and not part_is_whole(digest, content) for digest, content in there):
        found.why = "what the session was run with is not what was written"
    elif sorted(digest for digest, _ in there) != sorted(parts_named(body)):
        found.why = "what the session was run with is missing, or was added to"
    found.parts_lost += sum(content is None for _, content in there)


def _compare_sessions(state_dir: Path, room: Walk) -> tuple[int, int | None, str]:
    walks: dict[str, Walk] = {}
    compared = 0
    last = {head.session: head.hash for _, head in room.heads}
    kept_aside = {file.name.partition(".")[0] for file in set_aside(state_dir)}
    standing = {id(head) for session in last for head in heads_of(session, room.heads)}
    for line, head in room.heads:
        if id(head) not in standing or head.session == chain.ROOM:
            continue
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


def _check_lines(connection: sqlite3.Connection, book: str, found: Walk) -> None:
    for line in stored_lines(connection):
        found.why = found.fault(line, book) or text_fault(line) or state_fault(line)
        if not found.why and line.seq == 1 and has_parts(connection):
            _check_parts(connection, line.body, found)
        if found.why:
            found.first_bad = found.lines + 1
            return
        found.take(line)
        if book == chain.ROOM and b'"kind":"retention"' in line.body:
            act = read_body(line.body).input.act
            found.removed |= {it.session: it for it in act.removed} if isinstance(act, Retention) else {}


def _check_rest(connection: sqlite3.Connection, file_format: int, found: Walk) -> None:
    """What belongs to no single record: rows that nothing names, the tables, what the file says of itself."""
    for table, digest in (("texts", "text_digest"), ("snapshots", "state_digest")):
        stray = connection.execute(
            f"SELECT min(line) FROM {table} WHERE line NOT IN (SELECT line FROM records WHERE {digest} IS NOT NULL)"
        ).fetchone()[0]
        if stray is not None:
            found.first_bad, found.why = stray, f"{table} has a row that belongs to no record"
            return
    meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    if not _is_as_said(meta):
        found.why = "what the file says of itself is not what was written"
    elif tables_changed(connection, file_format):
        found.why = "a table or trigger is not as it was made"
    else:
        told = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if told != b"ok":
            found.why = f"the file's structure is damaged: {told.decode(errors='replace')}"


def _is_as_said(meta: dict[bytes, bytes]) -> bool:
    if set(meta) != _META or {type(said) for entry in meta.items() for said in entry} != {Text}:
        return False
    return all(UTC.fullmatch(at) for at in (meta[b"opened_utc"], meta[b"closed_utc"]) if at)


def _check_mark(mark: tuple[int, bytes], found: Walk) -> None:
    line, head = mark
    if line > found.lines:
        found.first_bad = found.lines + 1
        found.why = f"the file ends at {found.lines}, but was written up to {line}"
    elif found.hashes.get(line, head) != head:
        found.first_bad, found.why = line, "not the record that the mark beside the file has seen"
