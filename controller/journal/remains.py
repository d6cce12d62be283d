"""Sessions of which only damaged copies are left. They cannot tell of themselves: the room's book tells of them."""

from __future__ import annotations

from pathlib import Path

from controller.journal.chain import Head
from controller.journal.reading import SessionInfo, find_records, read_records
from controller.journal.store import lone_copies, room_file
from controller.journal.verify import walk
from controller.messages import JournalDamaged, Stamp


def remains(state_dir: Path) -> list[SessionInfo]:
    """Each as a session that ended when it was set aside, as far as the room's book has seen it; no programme.

    Raises as `read_records`.
    """
    lone = lone_copies(state_dir)
    room = room_file(state_dir)
    if not lone or not room.is_file():
        return []
    heads = [head for _, head in walk(room).heads]
    return [
        _told(room, session, copies[-1], [head for head in heads if head.session == session])
        for session, copies in lone.items()
    ]


def _told(room: Path, session: str, newest: Path, heads: list[Head]) -> SessionInfo:
    ended, sure_utc = _set_aside(room, newest.name)
    return SessionInfo(
        session=session,
        file=newest,
        records=heads[-1].seq if heads else 0,
        opened_utc=heads[0].utc if heads else "",
        last_utc=heads[-1].utc if heads else "",
        closed=True,
        head=heads[-1].hash if heads else "",
        ended_utc=ended.utc if ended else heads[-1].utc if heads else "",
        sure_utc=sure_utc,
    )


def _set_aside(room: Path, kept_as: str) -> tuple[Stamp | None, str]:
    """When that was recorded, and the UTC of the first record from there on whose clock was synchronised."""
    for record, _ in find_records(room, "journal_damaged"):
        if isinstance(record.input.act, JournalDamaged) and record.input.act.kept_as == kept_as:
            later = (it.stamp for it, _ in read_records(room, record.seq - 1))
            return record.stamp, next((stamp.utc for stamp in later if stamp.synced), "")
    return None, ""
