"""A session's record as tables and pages; the record is the real one of a simulated room."""

import csv
import dataclasses
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from controller.__main__ import app
from controller.clock import RoomClock
from controller.config import find_programme
from controller.journal.chain import ROOM
from controller.journal.redaction import blank_text
from controller.journal.store import BookFile, Line, make_dirs, session_file
from controller.messages import (
    Act,
    AdverseEvent,
    Amend,
    ClockSynced,
    Cue,
    DeviceBack,
    DeviceLost,
    Dose,
    End,
    Input,
    JournalDamaged,
    Mark,
    Note,
    Opened,
    Origin,
    Piece,
    PieceEnded,
    PieceStarted,
    Planned,
    Quiet,
    Record,
    Redaction,
    RefusedAct,
    Release,
    Resume,
    RoomRules,
    Stamp,
    Start,
    TakeBack,
    Touch,
    UpdateEvent,
    Vitals,
    Volume,
    encode,
)
from controller.messages.free_words import REDACTED
from controller.report.account import Account
from controller.report.clinical import touch
from controller.report.gathering import account_of
from controller.report.page import html
from controller.report.paper import pdf
from controller.report.respct import respct
from controller.report.roles import ROLES, state_seen_by
from controller.report.study import study_files
from controller.report.tables import jsonl, music_csv, records_csv
from controller.report.terminal import head_lines
from controller.session.state import opening
from controller.session.step import step

SESSION = "20261201T090000Z-0001"
PIECE = Piece(path="/music/settle/a.flac", title="Spiegel <im> Spiegel", artist="Čech & Co", duration_s=600.0)


class Room:
    """Writes a session's journal as the runner does, on a clock of its own."""

    def __init__(self, state_dir: Path) -> None:
        make_dirs(state_dir)
        self.file = session_file(state_dir, SESSION)
        self._book = BookFile(self.file, SESSION, "2026-12-01T09:00:00.000Z")
        self.state = opening(RoomRules(room="room-1", lamps=("lamp",), buses=("speakers",)), 0.0)
        self.seq = 0

    def post(self, t: float, act: Act, who: str | None = None, *whom: str, ago_s: float = 0.0) -> int:
        self.seq += 1
        console = "console-1" if who else "room"
        given = Input(act=act, origin=Origin(person=who, console=console), participants=whom, ago_s=ago_s)
        outcome = step(self.state, given, t, self.seq)
        self.state = outcome.state
        minute, second = divmod(int(t), 60)
        utc = f"2026-12-01T{9 + minute // 60:02d}:{minute % 60:02d}:{second:02d}.000Z"
        stamp = Stamp(t=t, boottime=1000.0 + t, boot_id="boot", utc=utc, synced=False)
        record = Record(seq=self.seq, stamp=stamp, input=given, effects=outcome.effects, facts=outcome.facts)
        text = act.text if isinstance(act, Note) else ""
        body = replace(record, input=replace(given, act=replace(act, text=""))) if isinstance(act, Note) else record
        snapshot = encode(self.state) if self.seq == 1 else None
        self._book.append(
            [Line(seq=self.seq, body=encode(body), text=text, snapshot=snapshot)], lambda commit: commit()
        )
        return self.seq

    def close(self) -> None:
        if not self.state.in_session:
            self._book.mark_closed("2026-12-01T17:00:00.000Z")
        self._book.close()


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    """A session of forty minutes: a late dose, vitals, a note, a mark taken back, a fault, silence, an end."""
    room = Room(tmp_path)
    text = find_programme("psilocybin-25mg").read_text()
    room.post(
        0.0,
        Start(programme="psilocybin-25mg", participants=("C-0412",), programme_text=text, session=SESSION, seed=1),
        "AB",
    )
    cue = Cue(id=1, start_s=0.0, piece=PIECE, length_s=600.0, phase="arrival")
    room.post(0.1, Planned(plan=1, cues=(cue,)))
    room.post(1.0, PieceStarted(cue=1, title=PIECE.title, path=PIECE.path, at_t=1.0, frame=0))
    room.post(600.0, Dose(amount=25.0, unit="mg", witness="CD", minutes_ago=5.0), "AB", "C-0412")
    room.post(601.0, PieceEnded(cue=1, title=PIECE.title, played_s=600.0))
    room.post(700.0, Vitals(systolic=120, diastolic=80, pulse=72, spo2=98), "AB", "C-0412")
    room.post(710.0, Vitals(missed="asleep"), "AB", "C-0412")
    room.post(720.0, Note(text="asked for <b>water</b>"), "CD", "C-0412")
    marked = room.post(730.0, Mark(code="spoke"), "CD", "C-0412")
    room.post(735.0, TakeBack(seq=marked), "CD")
    room.post(800.0, DeviceLost(name="broker", why="timed out"))
    room.post(830.0, DeviceBack(name="broker"))
    room.post(900.0, ClockSynced(offset_s=3600.0))
    room.post(950.0, Volume(step_db=-6.0), "AB")
    room.post(1000.0, Quiet(), "AB")
    room.post(1100.0, Resume(), "AB")
    room.post(2400.0, End(), "AB")
    room.close()
    return_dir = tmp_path
    yield return_dir


@pytest.fixture
def account(state_dir: Path) -> Account:
    return account_of(session_file(state_dir, SESSION))


def test_t_plus_counts_from_the_true_minute_of_a_dose_that_was_logged_late(account: Account) -> None:
    assert account.zero_t == 300.0
    dose = next(event for event in account.events if event.kind == "dose")
    assert account.t_plus(dose.t) == 300.0
    assert dose.ago_s == 300.0 and dose.remarks == " (late entry: entered 10:10 for 10:05)"


def test_times_before_the_clock_was_set_right_are_corrected_and_both_are_kept(account: Account) -> None:
    note = next(event for event in account.events if event.kind == "note")
    assert (note.utc_read[11:16], note.utc[11:16]) == ("09:12", "10:12")
    end = account.events[-1]
    assert end.utc == end.utc_read


def test_the_light_and_the_volume_are_drawn_as_they_were(account: Account) -> None:
    assert account.light[0] == (0.0, pytest.approx(0.3))
    assert account.light[-1][0] == 2400.0
    assert [t for t, _ in account.light] == sorted(t for t, _ in account.light)
    at = {t: level for t, level in account.volume}
    assert at[950.0] == pytest.approx(0.66, abs=0.01)  # six decibels down: two thirds as loud
    assert at[1000.0] == 0.0
    assert at[1100.0] == pytest.approx(0.66, abs=0.01)


def test_json_lines_hold_every_record_whole(account: Account) -> None:
    lines = [json.loads(line) for line in jsonl(account).splitlines()]
    assert lines[0]["chain"]["ok"] is True
    assert [line["seq"] for line in lines[1:]] == list(range(1, 18))
    assert lines[4]["input"]["act"]["witness"] == "CD"
    assert lines[8]["text"] == "asked for <b>water</b>"
    assert lines[15]["effects"]


def test_the_csv_has_a_row_for_every_record_and_loses_nothing(account: Account) -> None:
    rows = list(csv.DictReader(io.StringIO(records_csv(account), newline="")))
    assert [int(row["seq"]) for row in rows] == list(range(1, 18))
    assert json.loads(rows[5]["values"])["systolic"] == 120
    assert rows[8]["taken_back"] == "1"
    assert rows[0]["t_plus_s"] == "-300.0"
    assert json.loads(rows[14]["effects"])


def test_the_participants_list_has_pieces_and_times_and_nothing_else(account: Account) -> None:
    rows = list(csv.reader(io.StringIO(music_csv(account), newline="")))
    assert rows == [["t_plus", "title", "artist", "minutes"], ["-0:04:59", "Spiegel <im> Spiegel", "Čech & Co", "10.0"]]


def test_the_page_is_whole_in_itself_and_never_runs_what_somebody_typed(account: Account) -> None:
    page = html(account)
    for word in ("C-0412", "120/80", "missed: asleep", "chain of 17 records whole", "AB (", "late entry", "10:12:00"):
        assert word in page
    assert "<b>water</b>" not in page
    assert "&lt;b&gt;water" in page
    assert "Spiegel &lt;im&gt; Spiegel" in page
    assert "<script" not in page
    assert 'src="http' not in page
    assert "<svg" in page


def test_a_session_that_ended_before_its_music_was_planned_is_told_too(tmp_path: Path) -> None:
    room = Room(tmp_path)
    text = find_programme("psilocybin-25mg").read_text()
    room.post(0.0, Start(programme="x", participants=("C-1",), programme_text=text, session=SESSION, seed=1), "AB")
    room.post(1.0, End(), "AB")
    room.close()
    account = account_of(room.file)
    assert [phase.code for phase in account.phases] == ["arrival"]
    assert html(account)


def test_what_is_there_once_is_told_in_the_singular(account: Account) -> None:
    (inside,) = [line for line in head_lines(account) if line.startswith("In it")]
    assert "1 line of vitals, 1 missed, 0 marks, 1 note, 0 calls" in inside
    told = respct(account).splitlines()
    for beginning in ("1 piece (1 named artist), ", "2 vitals entries; "):
        assert any(line.startswith(beginning) for line in told), beginning


def test_the_pdf_has_its_pages(account: Account) -> None:
    made = pdf(account)
    assert made == pdf(account), "the same record, the same bytes"
    assert made.startswith(b"%PDF")
    assert made.count(b"/Type /Page\n") <= 2
    long = pdf(dataclasses.replace(account, events=account.events * 10))
    assert long.count(b"/Type /Page\n") > 2


def test_what_nobody_gave_initials_for_stands_with_its_console_on_every_page(account: Account) -> None:
    asked = next(event for event in account.events if event.who)
    unsigned = dataclasses.replace(asked, who="", console="ctl-1659")
    machine = dataclasses.replace(asked, who="", console="room")
    assert [event.by for event in (asked, unsigned, machine)] == [asked.who, "ctl-1659", ""]
    told = dataclasses.replace(account, events=(unsigned,))
    assert '<td class="n">ctl-1659</td>' in html(told)
    assert pdf(told) != pdf(dataclasses.replace(account, events=(machine,)))


def test_exports_are_for_their_owner_and_group_as_the_journal_is(state_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["journal", "export", SESSION, "--html", "--csv", "--study", str(out / "study"), "--to", str(out)]
    assert CliRunner().invoke(app, [*words, "--state", str(state_dir)]).exit_code == 0
    files = [path for path in out.rglob("*") if path.is_file()]
    assert len(files) > 10 and {path.stat().st_mode & 0o777 for path in files} == {0o640}
    assert (out / "study").stat().st_mode & 0o777 == 0o750


def test_respct_items_are_those_that_the_room_knows(account: Account) -> None:
    text = respct(account)
    numbers = [int(line[3:].split(".")[0]) for line in text.splitlines() if line.startswith("## ")]
    assert numbers == [5, 6, 8, 11, 12, 13, 14, 15, 16, 17]
    assert "C-0412 at 0:00:00 25 mg" in text
    assert "Silence was once asked for" in text
    assert "timed out" in text


def test_a_redacted_note_is_blank_in_every_export(state_dir: Path) -> None:
    file = session_file(state_dir, SESSION)
    blank_text(file, 8)
    assert "1 text blank that no redaction on record names" in html(account_of(file))
    with closing(BookFile(file, SESSION, "")) as book:
        redacted = Record(
            seq=18,
            stamp=Stamp(t=2500.0, boottime=3500.0, boot_id="boot", utc="2026-12-01T10:00:00.000Z", synced=False),
            input=Input(act=Redaction(session=SESSION, seq=8)),
        )
        book.append([Line(seq=18, body=encode(redacted))], lambda commit: commit())
    account = account_of(file)
    for made in (html(account), records_csv(account), jsonl(account), respct(account)):
        assert "water" not in made
    assert "1 text redacted" in html(account)


def test_a_session_that_was_ended_as_soon_as_it_was_opened_has_its_pages(tmp_path: Path) -> None:
    room = Room(tmp_path)
    text = find_programme("psilocybin-25mg").read_text()
    start = Start(programme="psilocybin-25mg", participants=("C-0412",), programme_text=text, session=SESSION, seed=1)
    room.post(0.0, start, "AB")
    room.post(0.0, End(), "AB")
    room.close()
    account = account_of(session_file(tmp_path, SESSION))
    assert "<svg" in html(account) and pdf(account).startswith(b"%PDF")


@pytest.mark.parametrize("damage", ["state = NULL", "state = substr(state, 1, 40)"])
def test_a_session_whose_opening_state_is_lost_is_exported_and_says_what_is_missing(
    state_dir: Path, tmp_path: Path, damage: str
) -> None:
    before = account_of(session_file(state_dir, SESSION))
    with closing(sqlite3.connect(session_file(state_dir, SESSION))) as connection, connection:
        connection.execute("DROP TRIGGER snapshots_blank_only")
        connection.execute(f"UPDATE snapshots SET {damage}")
    out = tmp_path / "out"
    kinds = ["--html", "--csv", "--jsonl", "--pdf", "--respct", "--music"]
    result = CliRunner().invoke(
        app, ["journal", "export", SESSION, *kinds, "--to", str(out), "--state", str(state_dir)]
    )
    assert result.exit_code == 1 and "DAMAGED" in result.stderr and "missing: how the room stood" in result.stderr
    assert len(list(out.iterdir())) == len(kinds)
    assert "is lost and was rebuilt" in (out / f"{SESSION}.html").read_text()
    head = json.loads((out / f"{SESSION}.jsonl").read_text().splitlines()[0])
    assert len(head["missing"]) == 2  # no later snapshot and no book of the room tells its rules
    account = account_of(session_file(state_dir, SESSION))
    assert (account.vitals, account.pieces, account.phases) == (before.vitals, before.pieces, before.phases)
    assert [event.text for event in account.events] == [event.text for event in before.events]


def test_a_damaged_record_is_exported_with_the_damage_named_and_exit_1(state_dir: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(session_file(state_dir, SESSION))) as connection, connection:
        connection.execute("DROP TRIGGER records_stay")
        body = connection.execute("SELECT body FROM records WHERE seq = 6").fetchone()[0]
        connection.execute("UPDATE records SET body = ? WHERE seq = 6", (body.replace(b"120", b"190"),))
    out = tmp_path / "out"
    kinds = ["--html", "--csv", "--jsonl", "--respct", "--music"]
    result = CliRunner().invoke(
        app, ["journal", "export", SESSION, *kinds, "--to", str(out), "--state", str(state_dir)]
    )
    assert result.exit_code == 1
    assert "DAMAGED at record 6" in (out / f"{SESSION}.html").read_text()
    assert "The record is not whole:** DAMAGED at record 6" in (out / f"{SESSION}-respct.md").read_text()
    assert json.loads((out / f"{SESSION}.jsonl").read_text().splitlines()[0])["chain"]["first_bad"] == 6
    first, *rows = csv.DictReader(io.StringIO((out / f"{SESSION}.csv").read_text(), newline=""))
    assert (first["seq"], first["act"]) == ("", "missing") and "DAMAGED at record 6" in first["words"]
    assert [int(row["seq"]) for row in rows] == list(range(1, 18))
    assert "pieces may be missing" in (out / f"{SESSION}-music.csv").read_text()


def test_what_an_earlier_damage_took_is_said_in_every_export(tmp_path: Path) -> None:
    room = Room(tmp_path)
    text = find_programme("psilocybin-25mg").read_text()
    room.post(0.0, Start(programme="x", participants=("C-1",), programme_text=text, session=SESSION, seed=1), "AB")
    room.post(5.0, JournalDamaged(book=SESSION, kept_as="x", kept=1, lost=3))
    room.post(60.0, End(), "AB")
    room.close()
    account = account_of(room.file)
    lost = "RECORD of this session DAMAGED: 3 entries after no. 1 lost"
    assert account.chain.ok and [event.kind for event in account.incidents] == ["journal_damaged"]
    for made in (html(account), records_csv(account), jsonl(account).splitlines()[0], respct(account)):
        assert lost in made


def test_a_key_at_the_wrong_time_is_no_incident_and_a_fault_of_the_room_is_one(tmp_path: Path) -> None:
    room = Room(tmp_path)
    text = find_programme("psilocybin-25mg").read_text()
    room.post(0.0, Start(programme="x", participants=("C-1",), programme_text=text, session=SESSION, seed=1), "AB")
    room.post(10.0, RefusedAct(act="resume", code="already"), "AB")
    room.post(20.0, RefusedAct(act="mark", code="unknown_mark"), "AB")
    room.post(30.0, RefusedAct(act="skip", code="fault"), "AB")
    room.post(60.0, End(), "AB")
    room.close()
    account = account_of(room.file)
    assert [event.values["act"] for event in account.incidents] == ["skip"]
    assert [event.kind for event in account.events].count("refused") == 3, "all of them are in the record"


def test_a_piece_is_not_heard_beyond_a_power_cut(tmp_path: Path) -> None:
    room = Room(tmp_path)
    text = find_programme("psilocybin-25mg").read_text()
    room.post(0.0, Start(programme="x", participants=("C-1",), programme_text=text, session=SESSION, seed=1), "AB")
    room.post(0.1, Planned(plan=1, cues=(Cue(id=1, start_s=0.0, piece=PIECE, length_s=600.0, phase="arrival"),)))
    room.post(1.0, PieceStarted(cue=1, title=PIECE.title, path=PIECE.path, at_t=1.0, frame=0))
    room.post(61.0, Note(text="dark"), "AB")
    rules = room.state.rules
    room.post(361.0, Opened(rules=rules, outage_s=300.0, rebooted=True))
    room.post(365.0, PieceStarted(cue=1, title=PIECE.title, path=PIECE.path, at_t=365.0, frame=0))
    room.post(600.0, End(), "AB")
    room.close()
    account = account_of(room.file)
    assert [(piece.played_s, piece.heard) for piece in account.pieces] == [
        (60.0, "1.0 min, the power went"), (235.0, "3.9 min"),
    ]  # fmt: skip
    assert account.outages == ((61.0, 361.0),)
    assert (61.0, 0.0) in account.volume and (361.0, 0.0) in account.volume
    assert html(account).count(">outage<") == 1


def test_export_says_what_it_can_write_when_nothing_was_asked_for(state_dir: Path) -> None:
    result = CliRunner().invoke(app, ["journal", "export", "--state", str(state_dir)])
    assert "--html" in str(result.exception)


def test_the_rooms_own_book_is_no_session(state_dir: Path) -> None:
    book = BookFile(state_dir / "room.db", ROOM, RoomClock().stamp().utc)
    book.close()
    with pytest.raises(ValueError, match="does not begin"):
        account_of(state_dir / "room.db")


@pytest.fixture
def clinical(tmp_path: Path) -> Account:
    """A session with what is entered late, put right, outside its scope, and with a release by override."""
    room = Room(tmp_path)
    text = find_programme("psilocybin-25mg").read_text()
    scope = "hands"
    start = Start(
        programme="psilocybin-25mg", participants=("C-0412",), programme_text=text, session=SESSION, touch_scope=scope
    )
    room.post(0.0, start, "AB")
    room.post(600.0, Dose(amount=20.0, unit="mg", witness="CD"), "AB", "C-0412")
    room.post(700.0, Dose(amount=5.0, unit="mg", witness="CD"), "AB", "C-0412")
    read = room.post(800.0, Vitals(systolic=12, diastolic=80, kept="systolic_range"), "AB", "C-0412")
    room.post(860.0, Amend(entry=read, act=Vitals(systolic=190, diastolic=80)), "CD", "C-0412")
    room.post(1500.0, Mark(code="spoke"), "AB", "C-0412", ago_s=660.0)
    room.post(1510.0, Touch(where="foot"), "AB", "C-0412")
    event = room.post(1520.0, AdverseEvent(event="fall", grade=3, needed=("provider",)), "AB", "C-0412", ago_s=60.0)
    room.post(1530.0, UpdateEvent(event=event, grade=2, resolved=True), "CD")
    room.post(1540.0, Release(override=True, reason="asks to go", second="EF", desk=True), "AB", "C-0412")
    room.post(1600.0, End(), "AB")
    room.close()
    return account_of(room.file)


def test_every_export_tells_the_touch_that_each_of_two_consented_to(tmp_path: Path) -> None:
    room = Room(tmp_path)
    text = find_programme("mdma-couple").read_text()
    couple = ("C-1", "C-2")
    start = Start(
        programme="mdma-couple", participants=couple, programme_text=text, session=SESSION,
        touch_scopes={"C-1": "hands", "C-2": "none"},
    )  # fmt: skip
    room.post(0.0, start, "AB")
    room.post(60.0, Touch(where="hands"), "AB", *couple)
    room.post(90.0, End(), "AB")
    room.close()
    account = account_of(room.file)
    told = (
        "C-1: hands; 1 entry (hands), none outside the scope consented to",
        "C-2: none; 1 entry (hands), 1 outside the scope consented to",
    )
    for export in (html(account), respct(account), "\n".join(head_lines(account))):
        assert all(words in export for words in told)
    assert pdf(account).startswith(b"%PDF")
    rows = csv.DictReader(io.StringIO(dict(study_files([account], {}))["participants.csv"], newline=""))
    assert [row["touch_scope"] for row in rows] == ["hands", "none"]
    figures = respct(account_of(room.file, ROLES["analyst"]))
    assert "C-1: withheld; 1 entry (hands), none outside" in figures and "1 outside the scope" in figures
    gone = replace(
        account.state, participants=tuple(replace(one, touch_scope=REDACTED) for one in account.state.participants)
    )
    for state in (gone, state_seen_by(ROLES["analyst"], gone)):
        told = list(touch(state))
        assert told[0] == "C-1: [redacted]; 1 entry (hands); which of them lay outside the scope stands with each"


def test_every_export_tells_what_stood_before_and_what_stands(clinical: Account) -> None:
    page = html(clinical)
    for word in (
        "12/80  (asked and kept: systolic 12) -&gt; 190/80", "amended by no. 5", "entered 09:25 for 09:14",
        "foot: OUTSIDE SCOPE", "in all 25 mg", "fall, grade 3",
        "-&gt; fall, grade 2", "systolic 190, limit 180",
        "released by override with EF of the support desk: asks to go", "released although steady: not answered",
        "C-0412: released by override at", "1 entry (foot), 1 outside the scope",
    ):  # fmt: skip
        assert word in page, word
    assert [(taken.vitals.systolic, taken.t) for taken in clinical.vitals] == [(190, 800.0)]
    assert clinical.vitals[0].remarks == "systolic 190, limit 180, corrected in no. 5"
    assert [(one.t, one.text) for one in clinical.adverse] == [
        (1460.0, "fall, grade 2, relation unknown, needed medical provider, resolved")
    ]
    told = respct(clinical)
    assert "fall, grade 2" in told and "C-0412 released by override at 0:15:40" in told
    rows = {row["seq"]: row for row in csv.DictReader(io.StringIO(records_csv(clinical), newline=""))}
    mark = next(row for row in rows.values() if row["act"] == "mark")
    assert float(mark["t_plus_s"]) - float(mark["about_t_plus_s"]) == 660.0
    assert pdf(clinical).startswith(b"%PDF")
