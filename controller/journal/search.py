"""Looking through all sessions: by words, time, kind, participant, and who did it. Only reads, page by page."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from controller import wording
from controller.journal.chain import with_text
from controller.journal.reading import SessionInfo, list_sessions, log_entries
from controller.journal.schema import read_body
from controller.journal.store import reading
from controller.messages import LogEntry

_PAGE = 200
_NEVER = tuple(f'"act":{{"kind":"{kind}"'.encode() for kind in ("planned", "timer"))
"""What a machine says to itself: large, and no entry of a log."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is looked for; empty fields let everything through. Times are ISO 8601 in UTC, or their beginnings."""

    words: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    kinds: tuple[str, ...] = ()
    participant: str = ""
    who: str = ""


def search(state_dir: Path, wanted: Wanted) -> Iterator[tuple[SessionInfo, LogEntry]]:
    """Every entry that has all the words, oldest session first. A file that cannot be read is left to `verify`."""
    for info in list_sessions(state_dir):
        begins_later = wanted.until and info.opened_utc[: len(wanted.until)] > wanted.until
        ended_before = wanted.since and info.last_utc < wanted.since
        if begins_later or ended_before or (wanted.participant and wanted.participant not in info.participants):
            continue
        try:
            for entry in _entries(info.file, wanted):
                if _fits(entry, wanted, info):
                    yield info, entry
        except (sqlite3.Error, ValueError):
            continue


def _entries(file: Path, wanted: Wanted) -> Iterator[LogEntry]:
    """The entries of the records that can have what is wanted: the rest is not even decoded."""
    conditions, values = ["NOT instr(r.body, ?)"] * len(_NEVER), list(_NEVER)
    if wanted.who:
        conditions.append("instr(r.body, ?)")
        values.append(f'"person":"{wanted.who}"'.encode())
    if wanted.kinds:
        marks = [f'"{key}":"{kind}"'.encode() for kind in wanted.kinds for key in ("kind", "code")]
        conditions.append("(" + " OR ".join("instr(r.body, ?)" for _ in marks) + ")")
        values += marks
    at = 0
    while True:
        with reading(file) as connection:
            page = connection.execute(
                "SELECT r.line, r.body, t.text FROM records r LEFT JOIN texts t USING (line) "
                f"WHERE r.line > ? AND {' AND '.join(conditions)} ORDER BY r.line LIMIT {_PAGE}",
                (at, *values),
            ).fetchall()
        for _, body, text in page:
            yield from log_entries(*with_text(read_body(body), text))
        if len(page) < _PAGE:
            return
        at = page[-1][0]


def _fits(entry: LogEntry, wanted: Wanted, info: SessionInfo) -> bool:
    if wanted.kinds and entry.kind not in wanted.kinds:
        return False
    if wanted.who and entry.who != wanted.who:
        return False
    if wanted.since and entry.utc < wanted.since:
        return False
    if wanted.until and entry.utc[: len(wanted.until)] > wanted.until:
        return False
    whose = str(entry.values.get("participants", ""))
    if wanted.participant and whose and wanted.participant not in whose.split(","):
        return False
    kind, text = wording.entry(entry)
    said = f"{kind} {entry.kind} {text} {entry.who} {info.programme}".casefold()
    return all(word.casefold() in said for word in wanted.words)
