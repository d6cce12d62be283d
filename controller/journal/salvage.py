"""A damaged journal goes on from its good part, in a file of its own; the damaged one is kept as it was found.

What is kept is what the chain proves: every record up to the first that is not as it was written. A free text or a
snapshot that is damaged beside a whole chain costs only itself, and its place stays empty.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from controller.clock import utc_now, utc_text
from controller.journal import chain
from controller.journal.lines import StoredLine, part_is_whole, parts_named, state_fault, stored_lines, text_fault
from controller.journal.mark import read_mark, remove_mark
from controller.journal.store import (
    COMPANIONS,
    BookFile,
    Line,
    connect_writing,
    is_passing,
    read_meta,
    reading,
    room_file,
    writing_alone,
)
from controller.journal.tables import has_parts
from controller.journal.verify import UTC, Walk
from controller.messages import JournalDamaged, encode

_T = TypeVar("_T")

_UNFINISHED = ".salvage"


@dataclass(frozen=True, kw_only=True, slots=True)
class Damage:
    """A journal file that did not verify, the name under which it is kept, and what of it goes on.

    `first_bad`: None where the records are whole and only the file is not. `kept`: records that go on, 0 for none.
    `lost`: records known to be missing, None where nobody can know.
    `texts`, `states`, `parts`: lost among what goes on.
    """

    book: str
    kept_as: Path
    first_bad: int | None
    why: str
    kept: int = 0
    lost: int | None = None
    texts: int = 0
    states: int = 0
    parts: int = 0

    @property
    def act(self) -> JournalDamaged:
        """For the record."""
        return JournalDamaged(
            book=self.book,
            kept_as=self.kept_as.name,
            first_bad=self.first_bad,
            kept=self.kept,
            lost=self.lost,
            texts=self.texts,
            states=self.states,
            parts=self.parts,
        )


@dataclass(slots=True)
class _Good:
    """What could be copied."""

    walk: Walk
    texts: int = 0
    states: int = 0
    parts: int = 0
    has_state: bool = False


def set_aside(state_dir: Path, file: Path, book: str, found: Walk, witnessed: int = 0) -> Damage:
    """Keep a damaged file under another name, and put what is whole of it in its place.

    `witnessed`: the line that the file is known to have reached, beside what its mark says.

    What is left half done, by a power cut or a disk that does not allow it, is taken back by `put_back`.
    Raises `sqlite3.Error` or OSError for such a disk.
    """
    fresh = file.with_name(file.name + _UNFINISHED)
    _forget(fresh)
    witnessed = max(witnessed, _marked(file))
    kept_as = file.with_name(f"{file.name}.damaged-{utc_now():%Y%m%dT%H%M%S%fZ}")
    good = _copy(file, fresh, book)
    goes_on = good.walk.seq > 0 and (good.has_state or book == chain.ROOM)
    if goes_on:
        _witness(fresh if book == chain.ROOM else room_file(state_dir), book, good, kept_as.name)
        remove_mark(fresh)  # it is made anew where the file goes on
    fresh.touch()  # until all is done it tells that something was begun
    for ending in (*COMPANIONS, ""):  # the log goes along, so that nothing in it is lost
        part = file.with_name(file.name + ending)
        if part.exists():
            part.rename(kept_as.with_name(kept_as.name + ending))
    if not goes_on:
        _forget(fresh)
        return Damage(book=book, kept_as=kept_as, first_bad=found.first_bad, why=found.why)
    fresh.rename(file)
    return Damage(
        book=book,
        kept_as=kept_as,
        first_bad=found.first_bad or (good.walk.seq + 1 if witnessed > good.walk.lines else None),
        why=found.why,
        kept=good.walk.seq,
        lost=max(0, witnessed - good.walk.lines) if witnessed else None,
        texts=good.texts,
        states=good.states,
        parts=good.parts,
    )


def put_back(state_dir: Path, directory: Path) -> None:
    """Give damaged files that a power cut kept from being set aside whole their names back.

    So they are found damaged, set aside and told of as if nothing had been begun. Raises JournalInUse where another
    process is just doing so.
    """
    if not any(directory.glob(f"*.db{_UNFINISHED}")):
        return
    with writing_alone(state_dir):
        for fresh in list(directory.glob(f"*.db{_UNFINISHED}")):
            file = fresh.with_name(fresh.name.removesuffix(_UNFINISHED))
            kept = [it for it in directory.glob(f"{file.name}.damaged-*") if not it.name.endswith(COMPANIONS)]
            if kept and not file.exists():
                max(kept).rename(file)
            for ending in COMPANIONS:
                for part in directory.glob(f"{file.name}.damaged-*{ending}"):
                    if not part.with_name(part.name.removesuffix(ending)).exists():
                        part.replace(file.with_name(file.name + ending))
            _forget(fresh)


def _marked(file: Path) -> int:
    """The newest line that the mark tells of; 0 where it tells nothing."""
    with contextlib.suppress(ValueError):
        mark = read_mark(file)
        return mark[0] if mark else 0
    return 0


def _forget(fresh: Path) -> None:
    for ending in ("", *COMPANIONS):
        fresh.with_name(fresh.name + ending).unlink(missing_ok=True)


def _copy(file: Path, fresh: Path, book: str) -> _Good:
    """Put what can be read and proven of `file` into `fresh`, one file without a log."""
    good = _Good(Walk.of(book))
    with contextlib.ExitStack() as stack:
        try:
            damaged = stack.enter_context(reading(file, damaged=True))
            opened_utc = read_meta(damaged).get("opened_utc", "")
        except (sqlite3.DatabaseError, ValueError) as error:
            if is_passing(error):
                raise
            return good
        BookFile(fresh, book, opened_utc if UTC.fullmatch(opened_utc.encode()) else utc_text(utc_now())).close()
        writing = stack.enter_context(contextlib.closing(connect_writing(fresh)))
        writing.execute("BEGIN IMMEDIATE")
        for line in _readable(stored_lines(damaged)):
            if good.walk.fault(line, book):
                break
            _put(writing, line, good)
            if line.seq == 1:
                _put_parts(writing, damaged, line.body, good)
        writing.execute("COMMIT")
        writing.execute("PRAGMA journal_mode = DELETE")
    remove_mark(fresh)
    return good


def _readable(rows: Iterator[_T]) -> Iterator[_T]:
    """The rows up to the first that cannot be read."""
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except (sqlite3.DatabaseError, OverflowError) as error:
            if is_passing(error):
                raise
            return
        yield row


def _put(writing: sqlite3.Connection, line: StoredLine, good: _Good) -> None:
    if line.text_digest is not None:
        salt, text = (None, None) if text_fault(line) or line.text is None else line.text
        good.texts += bool(text_fault(line))
        written = text.decode() if text is not None else None
        writing.execute("INSERT INTO texts VALUES (?, ?, ?)", (line.line, salt, written))
    if line.state_digest is not None:
        state = None if state_fault(line) or line.state is None else line.state[0]
        good.states += state is None  # also what an earlier damage took
        good.has_state = good.has_state or state is not None
        writing.execute("INSERT INTO snapshots VALUES (?, ?)", (line.line, state))
    row = (line.line, line.seq, line.body, line.text_digest, line.state_digest, line.hash)
    writing.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)", row)
    good.walk.take(line)
    if line.seq is not None and text_fault(line):
        good.walk.blank.add(line.seq)
    if line.seq is not None and state_fault(line):
        good.walk.blank_states.add(line.seq)


def _put_parts(writing: sqlite3.Connection, damaged: sqlite3.Connection, body: bytes, good: _Good) -> None:
    """The parts that the opening record names; one that is not as it was written is named as lost."""
    whole: dict[bytes, bytes] = {}
    if has_parts(damaged):
        for digest, content in _readable(iter(damaged.execute("SELECT digest, content FROM parts"))):
            if content is not None and part_is_whole(digest, content):
                whole[digest] = content
    for digest in parts_named(body):
        good.parts += digest not in whole
        good.walk.parts_lost += digest not in whole
        writing.execute("INSERT INTO parts (digest, content) VALUES (?, ?)", (digest, whole.get(digest)))


def _witness(room: Path, book: str, good: _Good, kept_as: str) -> None:
    """Write into the room's chain where this book goes on from."""
    utc = utc_text(utc_now())
    walk = good.walk
    file = BookFile(room, chain.ROOM, utc)
    try:
        head = chain.Head(
            event="salvaged",
            session=book,
            seq=walk.seq,
            hash=walk.hashes[walk.lines].hex(),
            utc=utc,
            kept_as=kept_as,
            lost=good.walk.lost,
            texts=len(walk.gone),
        )
        file.append([Line(seq=None, body=encode(head))], lambda do: do())
        file.settle()
    finally:
        file.close()
