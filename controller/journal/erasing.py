"""What a book says was taken away is taken away: texts that were redacted, sessions whose time was over.

The record comes first, and is all that is gone by: done twice it does nothing, and what a crash cut short is finished
when it is done again.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from controller.files import to_disk
from controller.journal.chain import ROOM, name_digest, parted
from controller.journal.reading import SessionInfo, find_records, session_info
from controller.journal.redaction import blank_text
from controller.journal.remains import remains
from controller.journal.scrubbing import scrub
from controller.journal.store import (
    COMPANIONS,
    book_file,
    damaged_copies,
    log_bytes,
    read_meta,
    reading,
    room_file,
    sessions_dir,
    sheets_of,
)
from controller.messages import Redaction, Removal, Retention, encode

log = logging.getLogger(__name__)

_TRIES, _PAUSE_S = 40, 0.25
"""A reader may hold the log that still has a text; it is done within seconds."""


def erase(state_dir: Path, book: str) -> None:
    """Blank the texts and remove the files that `book` says. Raises `sqlite3.Error` or OSError where that fails."""
    file = book_file(state_dir, book)
    if not file.is_file():
        return
    for seq, said in _left(file).items():
        _scrub_copies(state_dir, book, seq)  # before its salt is gone, by which it is found
        _blank(file, seq, said)
    if book == ROOM:
        for removal, file, info in _standing(state_dir):
            _remove(removal, file, info)


def unblanked(file: Path) -> list[int]:
    """The records whose text is to be blanked by the book's own word, and is not yet, or not yet in the file itself."""
    return sorted(_left(file))


def _left(file: Path) -> dict[int, int]:
    """Those records, and for each the first that says so."""
    said: dict[int, int] = {}
    for record, _ in find_records(file, "redaction"):
        if isinstance(act := record.input.act, Redaction):
            said.setdefault(act.seq, record.seq)
    left = bool(said) and _log_is_left(file)
    return {seq: by for seq, by in said.items() if left or has_text(file, seq)}


def has_text(file: Path, seq: int) -> bool:
    """Whether a record has a free text that was not redacted."""
    with reading(file) as connection:
        row = connection.execute(
            "SELECT t.text FROM texts t JOIN records r USING (line) WHERE r.seq = ?", (seq,)
        ).fetchone()
    return row is not None and row[0] is not None


def _log_is_left(file: Path) -> bool:
    """Whether a closed book's log was not folded in: a reader prevented it, and the file has what was blanked.

    An open book's is folded in as it goes on.
    """
    if not log_bytes(file):
        return False
    with reading(file) as connection:
        return bool(read_meta(connection).get("closed_utc"))


def removals(state_dir: Path) -> dict[str, Removal]:
    """What the room's book says was removed, by the digest of the session's name."""
    if not room_file(state_dir).is_file():
        return {}
    acts = (record.input.act for record, _ in find_records(room_file(state_dir), "retention"))
    return {it.session: it for act in acts if isinstance(act, Retention) for it in act.removed}


def _standing(state_dir: Path) -> Iterator[tuple[Removal, Path, SessionInfo | None]]:
    removed = removals(state_dir)
    if not removed:
        return
    for file in sorted(sessions_dir(state_dir).glob("*.db")):
        if removal := removed.get(name_digest(file.stem)):
            yield removal, file, session_info(file)
    for info in remains(state_dir):
        if removal := removed.get(name_digest(info.session)):
            yield removal, info.file, info


def _remove(removal: Removal, file: Path, info: SessionInfo | None) -> None:
    if info is None or not info.closed or info.head != removal.head:
        log.error("%s is not as it was when it was to be removed; it stays", file.name)
        return
    sheets = sheets_of(file.parent.parent, info.session)
    for sheet in sheets:  # before the file itself, by which a removal that was cut short is found again
        sheet.unlink(missing_ok=True)
    if sheets:
        to_disk(sheets[0].parent)
    for kept in (*damaged_copies(file.parent.parent, info.session), file):
        for ending in (*COMPANIONS, ""):
            kept.with_name(kept.name + ending).unlink(missing_ok=True)
    to_disk(file.parent)


def _scrub_copies(state_dir: Path, book: str, seq: int) -> None:
    with reading(book_file(state_dir, book)) as connection:
        found = connection.execute(
            "SELECT t.salt, t.text FROM texts t JOIN records r USING (line) WHERE r.seq = ? AND t.text IS NOT NULL",
            (seq,),
        ).fetchone()
    if found is not None:
        salt, text = found
        words = [encode(word) for word in parted(text)[0].values()]
        for kept in damaged_copies(state_dir, book):
            scrub(kept, salt, text.encode(), words)


def _blank(file: Path, seq: int, said: int) -> None:
    wait = threading.Event()
    for _ in range(_TRIES - 1):
        try:
            return blank_text(file, seq, said)
        except sqlite3.OperationalError:
            wait.wait(_PAUSE_S)
    return blank_text(file, seq, said)
