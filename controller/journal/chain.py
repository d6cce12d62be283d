"""The chain: what bytes are kept of a record, and how each is bound to the one before.

A line's hash is SHA-256 over the previous hash and the stored body, followed by the digests of what lies beside it.
A body is JSON without a raw newline, so the newline that begins each addition cannot be mistaken for part of it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Literal

from msgspec.structs import replace

from controller.messages import Amend, Input, Note, Record, encode
from controller.messages.free_words import put_back, taken_out

ROOM = "room"
"""The book of everything outside sessions."""

_BEHIND_WORDS = "\x1e"
"""Between the words that stand inside an act, as JSON by their places, and all other text of its record."""

_SESSION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """A line of the room's chain: how far a session's own chain had come when its file was opened or closed.

    "salvaged": its file was found damaged; what was whole of it goes on, the rest is in the file `kept_as`. Only this
    one may also speak of the room's own book.
    """

    kind: Literal["head"] = "head"
    event: Literal["opened", "closed", "salvaged"]
    session: str
    seq: int
    hash: str
    utc: str
    kept_as: str = ""
    lost: int = 0
    """Snapshots, and things that the session was run with, whose place stays empty since a damage."""
    texts: int | None = None
    """Free texts whose place is empty though nobody redacted them; None where they were not counted."""


def check_book(book: str) -> str:
    """The name itself; raises ValueError where it could not be a file's name."""
    if not _SESSION_NAME.fullmatch(book):
        raise ValueError(f"a session's name has only letters, digits, - and _: {book!r}")
    return book


def free_text(given: Input) -> str:
    """What a person said in words of their own: a note, a reason, or both with a dash between."""
    act = given.act.act if isinstance(given.act, Amend) else given.act
    note = act.text if isinstance(act, Note) else ""
    return " - ".join(part for part in (note, given.why) if part)


def stored_body(record: Record) -> tuple[bytes, str]:
    """The bytes that are chained, and the free text that was taken out of them, as `with_text` puts it back."""
    given = record.input
    act, words = taken_out(given.act)
    text = free_text(given)
    if words or _BEHIND_WORDS in text:
        text = json.dumps(words, ensure_ascii=False) + _BEHIND_WORDS + text
    if not text:
        return encode(record), ""
    if isinstance(act, Note):
        act = replace(act, text="")
    elif isinstance(act, Amend) and isinstance(act.act, Note):
        act = replace(act, act=replace(act.act, text=""))
    return encode(replace(record, input=replace(given, act=act, why=""))), text


def with_text(record: Record, text: object) -> tuple[Record, str]:
    """The record with the words that stand inside its act, and the rest of its text.

    `text`: as it was stored; what is no text was blanked, or damaged.
    """
    words, rest = parted(text if isinstance(text, str) else "")
    if not words:
        return record, rest
    return replace(record, input=replace(record.input, act=put_back(record.input.act, words))), rest


def parted(text: str) -> tuple[dict[str, str], str]:
    """The words that stand inside an act, by their places in it, and the rest of a stored text."""
    inside, behind, rest = text.partition(_BEHIND_WORDS)
    if not behind:
        return {}, text
    try:
        return {str(place): str(said) for place, said in json.loads(inside).items()}, rest
    except (ValueError, AttributeError, RecursionError):  # an older text, in which somebody typed such a mark
        return {}, text


def genesis(book: str) -> bytes:
    """The hash before a book's first line."""
    return hashlib.sha256(b"stillroom journal 1\n" + book.encode()).digest()


def text_digest(salt: bytes, text: bytes) -> bytes:
    """The digest that stands for a text (UTF-8); worthless for guessing once the salt is blanked with the text."""
    return hashlib.sha256(salt + text).digest()


def name_digest(session: str) -> str:
    """What stands for a session's name where it was removed."""
    return hashlib.sha256(session.encode()).hexdigest()


def state_digest(snapshot: bytes) -> bytes:
    """The digest of a state snapshot."""
    return hashlib.sha256(snapshot).digest()


def line_hash(before: bytes, body: bytes, text: bytes | None = None, state: bytes | None = None) -> bytes:
    """The hash of one line: `text` and `state` are the digests of its free text and its snapshot."""
    digest = hashlib.sha256(before + body)
    if text is not None:
        digest.update(b"\ntext " + text)
    if state is not None:
        digest.update(b"\nstate " + state)
    return digest.digest()
