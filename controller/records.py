"""What consoles are shown of sessions that are over. Reads files: not for the loop."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from controller import wording
from controller.journal.reading import SessionInfo, list_sessions, log_entries, read_records
from controller.messages import ClosedSession, LogEntry, LookedUp, LookUp, Redaction
from controller.messages.free_words import redacted
from controller.report.roles import copies

MOST_SESSIONS = 60
PAGE = 300
"""Entries at a time: some 80 kB, which a console reads in a few milliseconds."""


def look_up(state_dir: Path, asked: LookUp) -> LookedUp:
    """The closed sessions, newest first, or the entries of one as the team may see them."""
    try:
        closed = [info for info in reversed(list_sessions(state_dir)) if info.closed]
        if not asked.session:
            return LookedUp(id=asked.id, sessions=tuple(_glance(info) for info in closed[:MOST_SESSIONS]))
        info = next((one for one in closed if one.session == asked.session), None)
        if info is None:
            return LookedUp(id=asked.id, refused="unknown_record", values={"session": asked.session})
        return _entries(info, asked)
    except (sqlite3.Error, OSError, ValueError):
        return LookedUp(id=asked.id, refused="record_damaged", values={"session": asked.session})


def _entries(info: SessionInfo, asked: LookUp) -> LookedUp:
    records = list(read_records(info.file))
    opening = records[0][0]
    gone = {record.input.act.seq for record, _ in records if isinstance(record.input.act, Redaction)}
    found: list[LogEntry] = []
    for record, text in copies(records, opening, None):
        said = log_entries(record, text)
        found += [redacted(entry) for entry in said] if record.seq in gone else said
    told = [entry for entry in wording.amended(reversed(found)) if not asked.before or entry.seq < asked.before]
    page = told[:PAGE]
    while page and len(page) < len(told) and told[len(page)].seq == page[-1].seq:
        page.append(told[len(page)])  # what one record tells stays together
    return LookedUp(
        id=asked.id, entries=tuple(page), older=len(page) < len(told), opened_utc=opening.stamp.utc,
        opened_t=opening.stamp.t, length_s=info.length_s,
    )  # fmt: skip


def _glance(info: SessionInfo) -> ClosedSession:
    return ClosedSession(
        session=info.session, opened_utc=info.opened_utc, length_s=info.length_s, programme=info.programme,
        participants=info.participants, signed_by=info.signed_by, later=info.later,
    )  # fmt: skip
