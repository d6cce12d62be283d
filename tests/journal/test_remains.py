"""Sessions of which only damaged copies are left go as all others do, by what the room's book tells of them."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.journal.chain import ROOM
from controller.journal.erasing import erase
from controller.journal.keeping import RetentionRule, sessions_over
from controller.journal.reading import read_records, room_file, session_file
from controller.journal.recovery import recover
from controller.messages import BackedUp
from tests.journal.day import FIRST, live, run
from tests.journal.writing import write_to_the_room

LATER = datetime(2027, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("synchronised")

LOST = "20260103T092000Z-0003"


def lose(state: Path, *, synced: bool = True) -> Path:
    """A session of which nothing can be read, after the start that set it aside; gives its copy."""
    asyncio.run(live(state, LOST, "C-0001", 1200.0 + 2 * 86400, end=False))
    session_file(state, LOST).write_bytes(b"Anna " * 5000)
    (damage,) = recover(state).damaged
    asyncio.run(write_to_the_room(state, damage.act, synced=synced))
    return damage.kept_as


def test_a_session_of_which_only_a_damaged_copy_is_left_goes_when_its_time_is_over(state: Path, stick: Path) -> None:
    kept = lose(state)
    code, said = run(state, "redact", LOST, "10", "--as", "XY", "--why", "a name", "--yes")
    assert code == 1 and kept.name in said and "journal retention" in said
    remove, back_up = ("retention", "--days", "30", "--yes", "--as", "XY"), ("backup", str(stick), "--same-disk")
    said = run(state, *remove)[1]
    assert f"{LOST} " in said and "stays, neither signed nor in a backup" in said
    assert run(state, *back_up)[0] == 0
    assert "nothing is to be removed" in run(state, "retention", "--days", "36500")[1]
    with kept.open("ab") as more:
        more.write(b"what the backup does not hold")
    assert "stays, neither signed nor in a backup" in run(state, *remove)[1]
    assert kept.exists() and run(state, *back_up)[0] == 0
    (state / "sheets").mkdir()
    (state / "sheets" / f"{LOST}-101500.txt").write_text("T+")
    assert "goes (damaged)" in run(state, *remove)[1]
    assert not [*(state / "sessions").glob(f"{LOST}*"), *(state / "sheets").iterdir()]
    gone = "session of 2026-01-03 (1 file of sheets and 1 of its damaged copies) after 30 days"
    assert gone in run(state, "show", "room")[1]
    code, said = run(state, "verify")
    assert code == 0 and "3 sessions removed by rule" in said
    assert next(stick.rglob(kept.name)).exists(), "the backup keeps its own"


def test_a_damaged_copy_that_is_left_alone_counts_from_when_a_right_clock_first_told(state: Path, stick: Path) -> None:
    def over(now: datetime) -> list[str]:
        rule = RetentionRule(30.0, {"psilocybin-25mg": 90.0})  # by the longer one: it cannot say which programme it was
        return [it.why or "goes" for it in sessions_over(state, rule, now) if it.info.session == LOST]

    lose(state, synced=False)
    assert run(state, "backup", str(stick), "--same-disk")[0] == 0  # on record by a right clock
    room = [it for it, _ in read_records(room_file(state))]
    told = datetime.fromisoformat(room[-1].stamp.utc)
    assert room[-2].input.act.kind == "journal_damaged" and not room[-2].stamp.synced and room[-1].stamp.synced
    assert [over(told + timedelta(days=days)) for days in (60, 89, 91)] == [[], [], ["goes"]]
    room_file(state).unlink()  # whose next one has not seen it
    asyncio.run(write_to_the_room(state, BackedUp(place="/x", at_unix=0.0, ok=False)))
    assert over(LATER) == []


def test_a_removal_of_a_damaged_copy_that_was_cut_short_is_finished_and_takes_no_session_that_came_back(
    state: Path, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = lose(state)
    monkeypatch.setattr("controller.archiving.erase", lambda *_: None)  # cut short
    assert run(state, "backup", str(stick), "--same-disk")[0] == 0
    assert run(state, "retention", "--days", "30", "--yes", "--as", "XY")[0] == 0
    whole = session_file(state, LOST)
    shutil.copy(session_file(state, FIRST), whole)  # somebody has got it back
    erase(state, ROOM)
    assert kept.exists() and whole.exists()
    whole.unlink()
    erase(state, ROOM)
    assert not kept.exists(), "what was cut short is finished"
