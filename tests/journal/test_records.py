"""What consoles are shown of sessions that are over: all of it page by page, as the team may see it, and read only."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller import records
from controller.messages import LogEntry, LookUp
from controller.records import look_up
from tests.journal.day import FIRST, SECOND, run
from tests.journal.test_archive import NOTE


def asked(session: str = "", before: int = 0) -> LookUp:
    return LookUp(id="1", session=session, before=before)


def pages(state: Path, session: str) -> list[list[LogEntry]]:
    found, before = [], 0
    while True:
        shown = look_up(state, asked(session, before))
        assert not shown.refused
        found.append(list(shown.entries))
        if not shown.older:
            return found
        before = shown.entries[-1].seq


def test_closed_sessions_are_listed_the_newest_first(state: Path) -> None:
    listed = look_up(state, asked()).sessions
    assert [one.session for one in listed] == [SECOND, FIRST]
    assert all(one.participants and one.programme and one.length_s > 0 for one in listed)


def test_a_long_session_is_read_whole_page_by_page(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (whole,) = pages(state, FIRST)
    monkeypatch.setattr(records, "PAGE", 7)
    found = pages(state, FIRST)
    assert len(found) > 2 and [entry for page in found for entry in page] == whole
    assert [entry.seq for entry in whole] == sorted((entry.seq for entry in whole), reverse=True)


def test_reading_writes_nothing_and_what_was_blanked_is_not_shown(state: Path) -> None:
    before = {file.name: file.read_bytes() for file in (state / "sessions").glob("*.db")}
    texts = {entry.seq: entry.text for entry in pages(state, FIRST)[0]}
    assert texts[NOTE]
    assert {file.name: file.read_bytes() for file in (state / "sessions").glob("*.db")} == before
    assert run(state, "redact", FIRST, str(NOTE), "--as", "XY", "--why", "a name", "--yes")[0] == 0
    assert not {entry.seq: entry.text for entry in pages(state, FIRST)[0]}[NOTE]


def test_a_session_that_is_not_there_is_refused(state: Path) -> None:
    assert look_up(state, asked("20990101T000000Z-0000")).refused == "unknown_record"
