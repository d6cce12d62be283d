"""The lines of a journal file as they are stored, and what may be wrong with one beside the chain."""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from controller.journal import chain
from controller.journal.schema import read_body
from controller.journal.store import is_passing
from controller.messages import Start

_PAGE = 500
"""Lines per query: a short read never keeps the writer's log from being folded in."""


class Text(bytes):
    """What SQLite holds as text, as its bytes: a damaged one need not be UTF-8, nor what was written as text."""


@dataclass(frozen=True, slots=True)
class StoredLine:
    """A line with all that belongs to it, as the file has it."""

    line: int
    seq: int | None
    body: bytes
    text_digest: bytes | None
    state_digest: bytes | None
    hash: bytes
    text: tuple[bytes | None, bytes | None] | None
    """Salt and text; both None where they were redacted."""
    state: tuple[bytes | None] | None
    """The snapshot; None inside where it was lost to an earlier damage."""
    beside: str = ""
    """Why text or snapshot cannot be read."""


def stored_lines(connection: sqlite3.Connection) -> Iterator[StoredLine]:
    """The lines in their order, each with what lies beside it. Raises `sqlite3.Error` at the first unreadable one."""
    connection.text_factory = Text
    at = 0
    while True:
        page = connection.execute(
            "SELECT line, seq, body, text_digest, state_digest, hash FROM records WHERE line > ? ORDER BY line LIMIT ?",
            (at, _PAGE),
        )
        before = at
        for line, seq, body, text_digest, state_digest, kept in page:
            if (type(body), type(kept)) != (bytes, bytes) or not _fit(seq, text_digest, state_digest):
                raise sqlite3.DatabaseError("a value is not of the kind that was written")
            beside = _beside(connection, line, text_digest is not None, state_digest is not None)
            yield StoredLine(line, seq, body, text_digest, state_digest, kept, *beside)
            at = line
        if at == before:
            return


def _fit(seq: object, text_digest: object, state_digest: object) -> bool:
    """Whether what may be missing is of its kind where it is there."""
    return type(seq) in (int, type(None)) and {type(text_digest), type(state_digest)} <= {bytes, type(None)}


def text_fault(line: StoredLine) -> str:
    """What is wrong with a line's free text; "" where it is what was written, or was redacted."""
    if line.text_digest is None:
        return ""
    if line.text is None:
        return line.beside or "a text is missing"
    salt, text = line.text
    if salt is None and text is None:
        return ""
    if type(text) is Text and chain.text_digest(salt or b"", text) == line.text_digest:
        return ""
    return "the text is not what was written"


def state_fault(line: StoredLine) -> str:
    """What is wrong with a line's snapshot; "" where it is what was written, or is known to be lost."""
    if line.state_digest is None:
        return ""
    if line.state is None:
        return line.beside or "a snapshot is missing"
    if line.state == (None,):
        return ""
    if type(line.state[0]) is bytes and chain.state_digest(line.state[0]) == line.state_digest:
        return ""
    return "the snapshot is not what was written"


def parts_named(body: bytes) -> set[bytes]:
    """The digests of what a session was run with, as its opening record names them."""
    start = read_body(body).input.act
    return {bytes.fromhex(kept.sha256) for kept in start.kept} if isinstance(start, Start) else set()


def part_is_whole(digest: bytes, content: bytes) -> bool:
    """Whether compressed content is what its digest says."""
    try:
        return type(content) is bytes and hashlib.sha256(zlib.decompress(content)).digest() == digest
    except zlib.error:
        return False


def _beside(
    connection: sqlite3.Connection, line: int, has_text: bool, has_state: bool
) -> tuple[tuple[bytes | None, bytes | None] | None, tuple[bytes | None] | None, str]:
    """Text and snapshot of a line, and why they cannot be read."""
    text: Any = None
    state: Any = None
    try:
        if has_text:
            text = connection.execute("SELECT salt, text FROM texts WHERE line = ?", (line,)).fetchone()
        if has_state:
            state = connection.execute("SELECT state FROM snapshots WHERE line = ?", (line,)).fetchone()
    except sqlite3.DatabaseError as error:
        if is_passing(error):
            raise
        return text, state, f"unreadable: {error}"
    return text, state, ""
