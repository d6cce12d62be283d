"""Backup, restore and retention: copies that were read back, and files that go when their time is over."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from controller.config import load_room
from controller.files import ConfigError
from controller.journal.backup import check_backup, make_backup, restore_backup
from controller.journal.chain import ROOM, name_digest
from controller.journal.erasing import erase
from controller.journal.keeping import KeepingSettings, RetentionRule, sessions_over
from controller.journal.manifest import read_manifest
from controller.journal.place import UnfitPlace, look_at
from controller.journal.reading import list_sessions, room_file, session_file, verify
from controller.journal.sealing import fill
from controller.messages import (
    Act,
    BackedUp,
    Checked,
    End,
    Input,
    Note,
    Origin,
    Record,
    Refused,
    Removal,
    Retention,
    RoomRules,
    RunCheck,
    SignOff,
    Start,
    TimetableDue,
    to_plain,
)
from controller.nightly import Nightly
from controller.restoring import timetable_of
from controller.session.state import opening
from controller.session.step import step
from controller.verbs.record import app as journal_app
from tests.journal.day import FIRST, SECOND, fit, live, run
from tests.journal.writing import record, tamper, write_to_the_room, writing

LATER = datetime(2027, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("synchronised")


def test_a_backup_is_read_back_and_what_is_there_already_is_not_copied_again(state: Path, stick: Path) -> None:
    made = make_backup(state, fit(stick, state))
    assert (made.problems, made.copied) == ([], {FIRST: 28, SECOND: 28})
    assert check_backup(made.folder) == []
    before = session_file(made.folder, FIRST).stat().st_mtime_ns
    again = make_backup(state, fit(stick, state))
    assert (again.problems, again.copied, again.manifest.backup) == ([], {}, made.manifest.backup)
    assert session_file(made.folder, FIRST).stat().st_mtime_ns == before
    assert run(made.folder, "verify")[0] == 0, "a backup is a state directory"
    assert "C-0412" in run(made.folder, "show", FIRST)[1]


def test_a_redaction_and_a_late_entry_reach_the_backup_with_the_next_one(state: Path, stick: Path) -> None:
    stick_words = ("backup", str(stick), "--same-disk")
    assert run(state, *stick_words)[0] == 0
    said = run(state, "redact", FIRST, "10", "--as", "XY", "--why", "a name", "--yes")[1]
    assert f"still in the backup at {stick}" in said
    folder = next(stick.iterdir())
    assert b"Anna" in session_file(folder, FIRST).read_bytes()
    assert "2 sessions, 1 of them copied now" in run(state, *stick_words)[1]
    assert b"Anna" not in session_file(folder, FIRST).read_bytes()
    assert "still in the backup" not in run(state, "redact", SECOND, "2", "--as", "XY", "--why", "x", "--yes")[1]


async def test_a_session_is_backed_up_while_it_is_being_written(tmp_path: Path, stick: Path) -> None:
    state = tmp_path / "state"
    async with writing(state) as it:
        it.write(record(1), book=ROOM)
        it.write(*[record(seq, Note(text=f"word {seq}")) for seq in range(1, 51)])
        await it.until_acknowledged(51)
        work = asyncio.create_task(asyncio.to_thread(make_backup, state, fit(stick, state)))
        seq = 50
        while not work.done():
            seq += 1
            it.write(record(seq, Note(text=f"word {seq}")))
            await it.until_acknowledged(seq + 1)
        made = await work
        assert it.troubles == []
    assert made.problems == []
    assert 50 <= made.copied["s-1"] <= seq
    assert verify(session_file(made.folder, "s-1")).records == made.copied["s-1"]
    assert make_backup(state, fit(stick, state)).copied == {"s-1": seq}


def test_a_damaged_record_never_takes_the_place_of_a_good_copy(state: Path, stick: Path) -> None:
    made = make_backup(state, fit(stick, state))
    tamper(session_file(state, FIRST), "DELETE FROM records WHERE seq > 20", "DELETE FROM texts WHERE line > 20")
    again = make_backup(state, fit(stick, state))
    assert [problem.partition(":")[0] for problem in again.problems] == [f"sessions/{FIRST}.db"]
    assert verify(session_file(made.folder, FIRST)).records == 28
    assert check_backup(made.folder) == []


@pytest.mark.parametrize("harm", ["flip", "lose", "older"])
def test_a_stick_that_does_not_hold_what_was_written_is_found_out(state: Path, stick: Path, harm: str) -> None:
    made = make_backup(state, fit(stick, state))
    file = session_file(made.folder, SECOND)
    content = bytearray(file.read_bytes())
    if harm == "flip":
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    elif harm == "lose":
        file.unlink()
    else:
        run(state, "add", SECOND, "--note", "late", "--as", "AB")
        shutil.copy(session_file(state, SECOND), file)
    assert [problem.partition(":")[0] for problem in check_backup(made.folder)] == [f"sessions/{SECOND}.db"]
    assert run(state, "verify", "--backup", str(stick))[0] == 1
    assert SECOND in make_backup(state, fit(stick, state)).copied, "it is copied anew"
    assert run(state, "verify", "--backup", str(stick))[0] == 0


def test_a_backup_becomes_a_record_again_but_never_over_another(state: Path, stick: Path, tmp_path: Path) -> None:
    made = make_backup(state, fit(stick, state))
    new = tmp_path / "new"
    assert run(new, "restore", str(stick))[0] == 0
    assert [info.session for info in list_sessions(new)] == [FIRST, SECOND]
    assert run(new, "verify")[0] == 0
    with pytest.raises(UnfitPlace, match="holds a record already"):
        restore_backup(made.folder, state)
    session_file(made.folder, FIRST).write_bytes(b"")
    with pytest.raises(UnfitPlace, match="not whole"):
        restore_backup(made.folder, tmp_path / "newer")


def test_a_damaged_copy_is_backed_up_with_the_log_that_has_what_was_written_last(
    state: Path, stick: Path, tmp_path: Path
) -> None:
    kept = state / "sessions" / f"{FIRST}.db.damaged-20260101T000000000000Z"
    for ending in ("", "-wal", "-shm"):
        kept.with_name(kept.name + ending).write_text(f"the{ending}")
    made = make_backup(state, fit(stick, state))
    assert (made.problems, check_backup(made.folder)) == ([], [])
    restore_backup(made.folder, tmp_path / "new")
    held = {file.name: file.read_text() for file in (tmp_path / "new" / "sessions").glob("*.damaged-*")}
    assert held == {kept.name: "the", f"{kept.name}-wal": "the-wal"}


def test_two_rooms_on_one_stick_never_meet(state: Path, stick: Path, tmp_path: Path) -> None:
    asyncio.run(live(tmp_path / "other", at=5000.0))
    folders = {make_backup(room, fit(stick, room)).folder for room in (state, tmp_path / "other")}
    assert len(folders) == 2
    assert all(check_backup(folder) == [] for folder in folders)


def test_a_place_that_is_not_fit_is_named_with_what_to_do(
    state: Path, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = run(state, "backup", str(stick))
    assert code == 1 and "nothing is mounted there" in said and "--same-disk" in said
    assert "Is the stick mounted?" in run(state, "backup", str(stick / "gone"))[1]
    with pytest.raises(UnfitPlace, match="inside the record"):
        look_at(state / "sessions", state, same_disk=True)
    usage = shutil.disk_usage(stick)
    monkeypatch.setattr("controller.journal.place.shutil.disk_usage", lambda _path: usage._replace(free=1000 * 1024**2))
    with pytest.raises(UnfitPlace, match="0 MiB may be used"):
        make_backup(state, fit(stick, state))
    assert make_backup(state, dataclasses.replace(fit(stick, state), shared=False)).problems == []
    failed = [record.input.act for record, _ in _acts(state) if isinstance(record.input.act, BackedUp)]
    assert [act.ok for act in failed] == [False, False], "what failed stands in the record too"


def _acts(state: Path) -> list[tuple]:  # type: ignore[type-arg]
    from controller.journal.reading import read_records

    return list(read_records(room_file(state)))


# Retention


def test_nothing_is_removed_while_the_clock_is_not_synchronised(state: Path, synchronised: list[bool]) -> None:
    run(state, "sign", FIRST, "--as", "XY", "--yes")
    asked = Retention(removed=removals(state).removed[:1])
    synchronised.append(False)
    code, said = run(state, "retention", "--days", "30", "--yes")
    assert code == 1 and "not synchronised now" in said
    code, said = run(state, "retention", "--days", "30", "--dry-run")
    assert code == 0 and f"{FIRST} " in said and "not synchronised now" in said, "what it would do may be looked at"
    assert refused(state, asked) == "clock_unsure", "whoever sends it, and whatever was seen before"
    assert len(list_sessions(state)) == 2
    synchronised.append(True)
    assert refused(state, asked) == ""


def test_only_what_is_closed_and_signed_or_backed_up_goes_when_its_time_is_over(state: Path, stick: Path) -> None:
    asyncio.run(live(state, "20260103T092000Z-0003", "C-0001", 1200.0 + 2 * 86400, end=False))
    run(state, "sign", FIRST, "--as", "XY", "--yes")
    code, said = run(state, "retention", "--days", "30", "--dry-run")
    assert code == 0
    assert [line.split()[-2:] for line in said.splitlines()] == [["goes", "(signed)"], ["it", "is"]]
    assert len(list_sessions(state)) == 3, "a dry run takes nothing"
    assert run(state, "retention", "--days", "30")[0] == 1, "nobody is there to ask"
    assert run(state, "retention", "--days", "30", "--yes", "--as", "XY")[0] == 0
    assert [info.session for info in list_sessions(state)] == [SECOND, "20260103T092000Z-0003"]
    code, said = run(state, "verify")
    assert code == 0 and "1 session removed by rule, opened 2026-01-01" in said
    run(state, "backup", str(stick), "--same-disk")
    assert run(state, "retention", "--days", "30", "--yes")[0] == 0
    assert [info.session for info in list_sessions(state)] == ["20260103T092000Z-0003"], "the open one stays"
    assert len(list_sessions(next(stick.iterdir()))) == 2, "the backup keeps its own"


def refused(state: Path, act: Act, rule: RetentionRule | None = None) -> str:
    """What a daemon with this rule answers, or ""."""
    try:
        fill(state, Input(act=act, origin=Origin(person="XY", path="socket")), rule=rule)
    except Refused as why:
        return why.code
    return ""


def removals(state: Path, **changes: Any) -> Retention:
    """Both sessions, as somebody sends them."""
    return Retention(
        removed=tuple(
            Removal(
                session=name_digest(info.session), opened_utc="", closed_utc="", records=1, head=info.head,
                **{"days": 1.0, "kept_by": "backup", **changes},
            )
            for info in list_sessions(state)
        )
    )  # fmt: skip


def test_a_backup_that_somebody_only_tells_of_stands_for_nothing(state: Path, stick: Path) -> None:
    claimed = BackedUp(
        backup="b", place=str(stick), at_unix=0.0, ok=True, added={FIRST: 10_000, SECOND: 10_000}, manifest="0" * 64
    )
    assert refused(state, claimed) == "no_such_backup"
    asyncio.run(write_to_the_room(state, claimed))  # as if it had been believed once
    assert refused(state, removals(state)) == "not_kept"
    assert run(state, "backup", str(stick), "--same-disk")[0] == 0
    assert refused(state, removals(state)) == ""
    (kept,) = (folder / "sessions" / f"{SECOND}.db" for folder in stick.iterdir())
    tamper(kept, "UPDATE texts SET text = 'another' WHERE line = (SELECT min(line) FROM texts)")
    assert refused(state, removals(state)) == "not_kept", "what lies there now is not what is to go"
    stick.rename(stick.parent / "pulled out")
    assert refused(state, removals(state)) == "not_kept"


def test_what_is_removed_and_whether_its_time_is_over_is_looked_up_and_not_believed(state: Path) -> None:
    for session in (FIRST, SECOND):
        run(state, "sign", session, "--as", "XY", "--yes")
    asked = removals(state)
    assert refused(state, asked, RetentionRule(36500.0)) == "not_over"
    assert refused(state, asked, RetentionRule(None, {"another": 1.0})) == "not_over", "those are kept for ever"
    assert refused(state, removals(state, days=36500.0)) == "not_over"
    filled = fill(state, Input(act=asked), rule=RetentionRule(30.0)).act
    assert isinstance(filled, Retention)
    first, info = filled.removed[0], list_sessions(state)[0]
    assert (first.days, first.kept_by, first.records, first.opened_utc) == (
        30.0, "signature", info.records, info.opened_utc,
    )  # fmt: skip


def test_a_damaged_copy_that_was_set_aside_goes_with_its_session(state: Path) -> None:
    for session in (FIRST, SECOND):
        for ending in ("", "-wal"):
            (state / "sessions" / f"{session}.db.damaged-20260101T000000000000Z{ending}").write_text(f"of {session}")
    run(state, "sign", FIRST, "--as", "XY", "--yes")
    assert run(state, "retention", "--days", "30", "--yes")[0] == 0
    left = {file.name.partition(".")[0] for file in (state / "sessions").iterdir()}
    assert left == {SECOND}, "what is over is over in every copy"
    assert "records and 1 of its damaged copies)" in run(state, "show", "room")[1]
    assert run(state, "verify")[0] == 0


def test_sheets_for_paramedics_are_backed_up_and_go_with_their_session(
    state: Path, stick: Path, tmp_path: Path
) -> None:
    sheets = state / "sheets"
    sheets.mkdir()
    for session in (FIRST, SECOND):
        for suffix in ("pdf", "txt"):
            (sheets / f"{session}-101500.{suffix}").write_text(f"T+ of {session}")
    assert run(state, "backup", str(stick), "--same-disk")[0] == 0
    (folder,) = stick.iterdir()
    assert check_backup(folder) == [] and len(list((folder / "sheets").iterdir())) == 4
    run(state, "sign", FIRST, "--as", "XY", "--yes")
    assert run(state, "retention", "--days", "30", "--yes")[0] == 0
    assert not list(sheets.iterdir())
    assert "records and 2 files of sheets)" in run(state, "show", "room")[1]
    assert run(state, "backup", str(stick), "--same-disk")[0] == 0
    assert check_backup(folder) == [] and len(list((folder / "sheets").iterdir())) == 4, "the backup keeps its own"
    (folder / "sheets" / f"{FIRST}-101500.txt").write_text("T+ of another")
    assert "sheets/" in check_backup(folder)[0]
    (folder / "sheets" / f"{FIRST}-101500.txt").write_text(f"T+ of {FIRST}")
    restore_backup(folder, tmp_path / "again")
    assert (tmp_path / "again" / "sheets" / f"{SECOND}-101500.txt").read_text() == f"T+ of {SECOND}"


async def test_a_clock_that_was_never_set_makes_no_session_go(tmp_path: Path) -> None:
    def unset(seq: int, act: Act | None = None) -> Record:
        it = record(seq, act)
        return replace(it, stamp=replace(it.stamp, synced=False, utc="1970-01-01T00:00:05.000Z"))

    async def add(*records: Record) -> None:
        async with writing(tmp_path) as it:
            it.write(*records)
            it.journal.close_session("s-1")

    def over(now: datetime) -> list[tuple[bool, str]]:
        found = sessions_over(tmp_path, RetentionRule(30.0), now)
        return [(it.removal is not None, it.why.partition(";")[0]) for it in found]

    await add(record(1, Start(programme="mdma")), unset(2, End()))
    await add(unset(3, SignOff(session="s-1", after=2)))
    assert over(LATER) == [(False, "its clock was not synchronised when it ended")]
    await add(record(4, SignOff(session="s-1", after=3)))
    assert over(LATER) == [(True, "")]
    assert over(datetime.fromisoformat(record(4).stamp.utc)) == [], "it counts from when a right clock first told"


def test_a_programme_has_a_rule_of_its_own(state: Path) -> None:
    def days(rule: RetentionRule) -> list[float]:
        return [over.days for over in sessions_over(state, rule, LATER)]

    assert days(RetentionRule(30.0, {"psilocybin-25mg": 3650.0})) == []
    assert days(RetentionRule(None, {"psilocybin-25mg": 100.0})) == [100.0, 100.0]
    assert days(RetentionRule(None, {"another": 1.0})) == []


def test_a_removal_that_was_cut_short_is_finished_and_one_that_was_added_to_since_stays(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for session in (FIRST, SECOND):
        run(state, "sign", session, "--as", "XY", "--yes")
    monkeypatch.setattr("controller.archiving.erase", lambda *_: None)
    run(state, "retention", "--days", "30", "--yes")
    run(state, "add", SECOND, "--note", "wait", "--as", "AB")
    assert len(list_sessions(state)) == 2
    erase(state, ROOM)
    assert [info.session for info in list_sessions(state)] == [SECOND]


def test_a_file_that_is_gone_without_a_removal_on_record_is_missed(state: Path) -> None:
    session_file(state, FIRST).unlink()
    code, said = run(state, "verify")
    assert code == 1 and "no removal is on record" in said


# By night


async def test_the_night_backs_up_and_removes_by_the_room_files_rule(
    state: Path, stick: Path, monkeypatch: pytest.MonkeyPatch, synchronised: list[bool]
) -> None:
    keeping = KeepingSettings(backup_to=stick, same_disk=True, retention=RetentionRule(30.0, {"another": 1.0}))
    nightly = Nightly(state, lambda: True, lambda: True, keeping)
    done = await nightly.job("backup")
    assert isinstance(done, BackedUp) and done.ok and set(done.added) == {FIRST, SECOND}

    async def at_once(state_dir: Path, *words: str) -> Any:
        """The verb without its process."""
        said = await asyncio.to_thread(
            CliRunner().invoke, journal_app, [*words[1:], "--json", "--state", str(state_dir)]
        )
        return json.loads(said.stdout)

    monkeypatch.setattr("controller.nightly.verb_json", at_once)
    assert await nightly.job("retention") == Checked(check="retention", looked_at=2), "it is not on record yet"
    await asyncio.to_thread(run, state, "backup", str(stick), "--same-disk")
    over = await nightly.job("retention")
    assert isinstance(over, Retention) and [it.kept_by for it in over.removed] == ["backup"] * 2, "now it is"
    synchronised.append(False)
    with pytest.raises(ValueError, match="not synchronised now"):
        await nightly.job("retention")
    stick.rename(stick.parent / "pulled out")
    failed = await nightly.job("backup")
    assert isinstance(failed, BackedUp) and not failed.ok and "Is the stick mounted?" in failed.why


def test_a_backup_that_is_too_old_is_a_low_alarm_until_a_good_one_is_made() -> None:
    state = opening(RoomRules(room="r", lamps=(), buses=()), 0.0)
    day = 86400.0
    told = []
    for night in range(6):
        due = TimetableDue(job="backup", due_unix=night * day, oldest_s=3 * day)
        outcome = step(state, Input(act=due), night * day, night + 1)
        assert outcome.effects[-1] == RunCheck(check="backup")
        state = step(outcome.state, Input(act=BackedUp(place="/x", at_unix=night * day, ok=night == 1)), 0.0, 1).state
        told.append([(alarm.code, alarm.priority, alarm.values["days"]) for alarm in state.timetable.alarms])
    assert told == [[], [], [], [], [], [("backup", "low", 4.0)]]
    state = step(state, Input(act=BackedUp(place="/x", at_unix=6 * day, ok=True)), 0.0, 1).state
    assert state.timetable.alarms == ()


async def test_what_was_backed_up_is_known_after_a_restart(state: Path) -> None:
    from controller.journal.recovery import recover

    run_in_thread = asyncio.to_thread(run, state, "backup", str(state.parent), "--same-disk")
    assert (await run_in_thread)[0] == 0
    assert timetable_of(recover(state).room).backup_unix is not None


def test_a_room_file_says_where_and_how_long(tmp_path: Path) -> None:
    room = tmp_path / "room-1.toml"
    head = 'format = 1\nname = "room-1"\n'
    room.write_text(
        f'{head}[backup]\npath = "/media/usb"\nat = "03:30"\nalarm_after_days = 2\n'
        "[retention]\ndays = 3650\n[retention.programmes]\npsilocybin-25mg = 7300\n"
    )
    loaded = load_room(room)
    assert (str(loaded.timetable().backup), loaded.timetable().backup_oldest_s) == ("03:30:00", 2 * 86400.0)
    assert str(loaded.timetable().retention) == "04:00:00"
    rule = loaded.keeping().retention
    assert rule is not None and (rule.days_of("psilocybin-25mg"), rule.days_of("other")) == (7300.0, 3650.0)
    room.write_text(f'{head}[backup]\npath = "/media/usb"\nat = "half past three"\nevery = 1\n')
    with pytest.raises(ConfigError) as wrong:
        load_room(room)
    assert len(wrong.value.mistakes) == 2
    room.write_text(head)
    assert load_room(room).keeping() == KeepingSettings()
    assert load_room(room).timetable().retention is None


def test_the_backups_result_can_be_read_by_a_program(state: Path, stick: Path) -> None:
    words = ["backup", str(stick), "--same-disk", "--json", "--state", str(state)]
    result = CliRunner().invoke(journal_app, words)
    plain = json.loads(result.stdout)
    assert plain["sessions"] == 2 and plain["ok"] is True
    manifest = read_manifest(Path(plain["place"]))
    assert manifest is not None and manifest.backup == plain["backup"]
    assert to_plain(Retention(removed=()))["kind"] == "retention"
