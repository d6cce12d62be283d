"""What a restarted daemon begins from."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from controller.journal.chain import ROOM, Head, with_text
from controller.journal.salvage import Damage, put_back, set_aside
from controller.journal.schema import read_body
from controller.journal.store import (
    book_file,
    is_passing,
    read_meta,
    reading,
    room_file,
    session_file,
    sessions_dir,
    writing_alone,
)
from controller.journal.verify import Walk, against_heads, compare_heads, heads_of, walk
from controller.messages import Record, RefusedAct, Reply, Stamp

_REPLIES = 1000
"""How many inputs back a repeat is recognised: a client repeats within seconds."""
_ROOM_TAIL = 1000
"""The room's book grows for years; a daemon needs its end."""

_ENDED_TAIL = 20
"""Of a session that is closed, its end and what came just before it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Book:
    """One journal file as recovery found it: whole, verified.

    `records` follow the newest snapshot (all, where there is none; of the room's book then at most the last 1000),
    with no more text than stands inside their acts. `replies`: the first answer to each of the last 1000 inputs,
    by input id.
    """

    book: str
    seq: int = 0
    last: Stamp | None = None
    snapshot: bytes | None = None
    snapshot_seq: int = 0
    records: tuple[Record, ...] = ()
    replies: dict[str, Reply] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovered:
    """The room's book, the session that was not closed (if any), and what had to be set aside."""

    room: Book
    session: Book | None = None
    ended: dict[str, Reply] = field(default_factory=dict)
    """The answers to the last inputs of the session that was closed last: its end may be asked for once more."""
    over: Book | None = None
    """The session that was begun last, where it is closed and whole: who falls ill after it is asked about."""
    damaged: tuple[Damage, ...] = ()
    reopened: tuple[str, ...] = ()
    """Closed sessions to which something was added whose end the room's chain has not seen."""

    @property
    def replies(self) -> dict[str, Reply]:
        """Every answer that is still known, by input id."""
        found = dict(self.ended)
        for book in (self.room, self.session):
            found |= book.replies if book else {}
        return found

    def unrecorded_s(self, now: float) -> float:
        """How long before room time `now` the session's record ends, where damage took its end; 0 where it did not."""
        book = self.session
        cut = book is not None and any(it.book == book.book and it.lost != 0 for it in self.damaged)
        return max(0.0, now - book.last.t) if cut and book and book.last else 0.0

    @property
    def last(self) -> Stamp | None:
        """The newest stamp of all, for `RoomClock.continue_from`."""
        stamps = [book.last for book in (self.room, self.session) if book and book.last]
        return max(stamps, key=lambda stamp: stamp.t, default=None)


def recover(state_dir: Path) -> Recovered:
    """Verify the journals and find the session to go on with. Call it before `Journal` is made.

    A damaged file is renamed to `*.damaged-<utc>` and kept, and its good part goes on in its place; an empty or missing
    state directory gives an empty room. Raises `sqlite3.OperationalError` where a file cannot be read just now, or the
    good part cannot be written, and `JournalInUse` where another process writes: nothing is set aside for that.
    """
    for directory in (state_dir, sessions_dir(state_dir)):
        put_back(state_dir, directory)
    damaged: list[Damage] = []
    room, heads = _recover_room(state_dir, damaged)
    sessions = []
    reopened: list[str] = []
    for file in sorted(sessions_dir(state_dir).glob("*.db")):
        mine = heads_of(file.stem, heads)
        found = _recover_session(state_dir, file, mine, damaged)
        if found is not None:
            sessions.append(found)
        elif mine and mine[-1].event == "opened" and _is_whole(file, mine):
            reopened.append(file.stem)
    newest = max(sessions, key=lambda found: found[0], default=None)
    return Recovered(
        room=room if not damaged else _read_room(state_dir),
        session=newest[1] if newest else None,
        ended=_replies_of_the_ended(state_dir, [head for _, head in heads]),
        over=None if newest else _newest_that_is_over(state_dir, heads),
        damaged=tuple(damaged),
        reopened=tuple(reopened),
    )


def last_of(state_dir: Path, book: str) -> tuple[int, Stamp | None]:
    """The number of a book's last record (0 before its first), and the newest stamp of it and the room's book."""
    seq, stamps = 0, []
    for name in dict.fromkeys((ROOM, book)):
        file = book_file(state_dir, name)
        if not file.is_file():
            continue
        found = _read_book(file, name, tail=1)
        seq = found.seq if name == book else seq
        stamps += [found.last] if found.last else []
    return seq, max(stamps, key=lambda stamp: stamp.t, default=None)


def _is_whole(file: Path, heads: list[Head]) -> bool:
    found = walk(file, file.stem) if file.is_file() else None
    return found is not None and not found.why and not compare_heads(heads, found)[1]


def _replies_of_the_ended(state_dir: Path, heads: list[Head]) -> dict[str, Reply]:
    """The last answers of the session that was closed last; none where its file cannot be read any more."""
    closed = next((head.session for head in reversed(heads) if head.event == "closed"), "")
    file = session_file(state_dir, closed) if closed else None
    if file is None or not file.is_file():
        return {}
    try:
        return _read_book(file, closed, tail=_ENDED_TAIL).replies
    except (sqlite3.DatabaseError, ValueError) as error:
        if is_passing(error):
            raise
        return {}


def _newest_that_is_over(state_dir: Path, heads: list[tuple[int, Head]]) -> Book | None:
    begun = dict.fromkeys(head.session for _, head in heads if head.event == "opened")  # what is added reopens, later
    if not begun:
        return None
    newest = [*begun][-1]
    file = session_file(state_dir, newest)
    try:
        return _read_book(file, newest) if _is_whole(file, heads_of(newest, heads)) else None
    except (sqlite3.DatabaseError, ValueError) as error:
        if is_passing(error):
            raise
        return None


def _recover_room(state_dir: Path, damaged: list[Damage]) -> tuple[Book, list[tuple[int, Head]]]:
    file = room_file(state_dir)
    if not file.is_file():
        return Book(book=ROOM), []
    found = walk(file, ROOM)
    if found.why:
        with writing_alone(state_dir):
            damaged.append(set_aside(state_dir, file, ROOM, found))
    return _read_room(state_dir), found.heads


def _read_room(state_dir: Path) -> Book:
    file = room_file(state_dir)
    return _read_book(file, ROOM, tail=_ROOM_TAIL) if file.is_file() else Book(book=ROOM)


def _recover_session(state_dir: Path, file: Path, heads: list[Head], damaged: list[Damage]) -> tuple[str, Book] | None:
    """An open session with the UTC at which it was opened; None for one that is closed, never begun or lost."""
    found = Walk()
    try:
        with reading(file) as connection:
            meta = read_meta(connection)
        if meta.get("closed_utc"):
            return None
        found = walk(file, file.stem)
        if not found.why:
            found.first_bad, found.why = against_heads(heads, found)
        if not found.why:
            return (meta["opened_utc"], _read_book(file, file.stem)) if found.seq else None
    except (sqlite3.DatabaseError, ValueError) as error:
        if is_passing(error):
            raise
        found.why = f"unreadable: {error}"
    with writing_alone(state_dir):
        damaged.append(set_aside(state_dir, file, file.stem, found, max((head.seq for head in heads), default=0)))
    if not damaged[-1].kept:
        return None
    with reading(file) as connection:
        meta = read_meta(connection)
    return meta["opened_utc"], _read_book(file, file.stem)


def _read_book(file: Path, book: str, tail: int | None = None) -> Book:
    with reading(file) as connection:
        if not read_meta(connection):
            return Book(book=book)
        newest = connection.execute(
            "SELECT r.seq, s.state FROM snapshots s JOIN records r USING (line) WHERE s.state IS NOT NULL "
            "ORDER BY s.line DESC LIMIT 1"
        ).fetchone()
        snapshot_seq, snapshot = newest or (0, None)
        seq = connection.execute("SELECT coalesce(max(seq), 0) FROM records").fetchone()[0]
        first = snapshot_seq + 1 if tail is None or newest else seq - tail + 1
        again = seq - (_REPLIES if tail is None else min(tail, _REPLIES)) + 1
        rows = connection.execute(
            "SELECT r.body, t.text FROM records r LEFT JOIN texts t USING (line) WHERE r.seq >= ? ORDER BY r.line",
            (min(first, again),),
        )
        recent = [with_text(read_body(body), text)[0] for body, text in rows]
    replies: dict[str, Reply] = {}
    for record in recent[-_REPLIES:]:
        replies.setdefault(record.input.id, _reply(record))
    return Book(
        book=book,
        seq=seq,
        last=recent[-1].stamp if recent else None,
        snapshot=snapshot,
        snapshot_seq=snapshot_seq,
        records=tuple(record for record in recent if record.seq >= first),
        replies=replies,
    )


def _reply(record: Record) -> Reply:
    act = record.input.act
    if isinstance(act, RefusedAct):
        return Reply(id=record.input.id, seq=record.seq, utc=record.stamp.utc, refused=act.code, values=act.values)
    return Reply(id=record.input.id, seq=record.seq, utc=record.stamp.utc)
