"""What exports tell where something is out of the ordinary: a clock step, a late entry, a person without an entry."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

from msgspec.structs import replace
from typer.testing import CliRunner

from controller.__main__ import app
from controller.config import find_programme
from controller.drawing.arc import arc_svg
from controller.exchange.writing import table, xspf
from controller.messages import (
    Amend,
    BreakBegun,
    ClockSynced,
    Dose,
    End,
    Ground,
    Mark,
    Note,
    Piece,
    PieceEnded,
    PieceStarted,
    Planned,
    PreflightLine,
    Sitter,
    Softer,
    Start,
    TakeBack,
    Timer,
    Volume,
)
from controller.report.account import Account
from controller.report.gathering import account_of
from controller.report.paper import pdf
from controller.report.picture import picture_of
from controller.report.preflight import preflight_words
from controller.report.respct import respct
from controller.report.study import study_files
from controller.report.tables import jsonl, records_csv, written
from tests.report.test_report import SESSION, Room

WHO = "C-0412"


def begun(state_dir: Path, *sitters: Sitter, name: str = "psilocybin-25mg") -> Room:
    room = Room(state_dir)
    room.state = replace(room.state, duty=replace(room.state.duty, sitters=sitters, signs_on=bool(sitters)))
    text = find_programme(name).read_text(encoding="utf-8")
    room.post(0.0, Start(programme=name, participants=(WHO,), programme_text=text, session=SESSION, seed=1), "AB")
    room.post(0.1, Planned(plan=1, cues=()))
    return room


def ended(room: Room, t: float = 3600.0) -> Account:
    room.post(t, End(), "AB")
    room.close()
    return account_of(room.file)


def rows(account: Account, name: str) -> list[dict[str, str]]:
    files = dict(study_files([account], {}))
    return list(csv.DictReader(io.StringIO(files[f"{name}.csv"])))


def test_whoever_was_there_without_an_entry_has_a_row_of_their_own_in_the_study(tmp_path: Path) -> None:
    room = begun(tmp_path, Sitter(initials="AB", since_t=-60.0), Sitter(initials="GH", since_t=-60.0))
    room.post(600.0, BreakBegun(initials="AB", minutes=5.0, cover="EF"), "AB")
    told = [(row["by"], row["t_plus_min"]) for row in rows(ended(room), "presence")]
    assert told == [("AB", "0.0"), ("GH", "0.0"), ("EF", "10.0")]


def test_every_record_has_its_corrected_time_also_what_machines_said(tmp_path: Path) -> None:
    room = begun(tmp_path)
    room.post(60.0, Timer())
    room.post(120.0, ClockSynced(offset_s=3600.0))
    account = ended(room)
    told = [json.loads(line)["utc"] for line in jsonl(account).splitlines()[1:]]
    assert told == [row["utc"] for row in csv.DictReader(io.StringIO(records_csv(account)))]
    assert [utc[11:16] for utc in told[:4]] == ["10:00", "10:00", "10:01", "09:02"]


def test_a_late_mark_that_was_taken_back_stands_where_it_was(tmp_path: Path) -> None:
    room = begun(tmp_path)
    room.post(60.0, Dose(amount=25.0, unit="mg", witness="CD"), "AB", WHO)
    seq = room.post(1260.0, Mark(code="spoke"), "AB", WHO, ago_s=600.0)
    room.post(1300.0, TakeBack(seq=seq), "AB")
    (mark,) = rows(ended(room), "marks")
    assert (mark["t_plus_min"], mark["entered_after_min"], mark["taken_back"]) == ("10.0", "10.0", "1")


def test_what_a_spreadsheet_would_compute_is_kept_as_text() -> None:
    cells = ["-2+3+cmd|' /C calc'!A1", "+1-1", "-1@SUM(A1)", "\n=1", "＝1+1", "=1", "@x", "-3", "+4.5", "-0:05:00", 7]
    (told,) = list(csv.reader(io.StringIO(written(["a"], [cells]).partition("\r\n")[2], newline="")))
    assert [cell.startswith("'") for cell in told] == [True] * 7 + [False] * 4


def test_two_pieces_of_the_same_title_are_each_told_for_as_long_as_they_were_heard(tmp_path: Path) -> None:
    room = begun(tmp_path)
    room.post(10.0, PieceStarted(cue=1, title="Untitled", path="/m/a.flac", at_t=10.0, frame=0))
    room.post(310.0, PieceStarted(cue=2, title="Untitled", path="/m/b.flac", at_t=310.0, frame=0))
    room.post(320.0, PieceEnded(cue=1, title="Untitled", played_s=310.0))
    room.post(920.0, PieceEnded(cue=2, title="Untitled", played_s=610.0))
    assert [(piece.path, piece.played_s) for piece in ended(room).pieces] == [
        ("/m/a.flac", 310.0),
        ("/m/b.flac", 610.0),
    ]


def test_signs_of_a_formula_in_words_are_drawn_as_they_stand(tmp_path: Path) -> None:
    room = begun(tmp_path)
    room.post(10.0, PieceStarted(cue=1, title=r"A $\frac$ B $", path="/m/a.flac", at_t=10.0, frame=0))
    room.post(1810.0, PieceEnded(cue=1, title=r"A $\frac$ B $", played_s=1800.0))
    account = ended(room)
    assert r"A $\frac$ B $" in arc_svg(picture_of(account))
    assert pdf(account).startswith(b"%PDF")


def test_a_long_note_does_not_keep_a_session_from_being_printed(tmp_path: Path) -> None:
    room = begun(tmp_path)
    room.post(60.0, Note(text="one word\nafter another " * 400), "AB")
    assert pdf(ended(room)).startswith(b"%PDF")


def test_what_was_changed_on_request_counts_what_stood_and_all_kinds_of_it(tmp_path: Path) -> None:
    room = begun(tmp_path)
    seq = room.post(60.0, Volume(step_db=-3.0), "AB")
    room.post(61.0, TakeBack(seq=seq), "AB")
    room.post(70.0, Softer(), "AB")
    room.post(80.0, Ground(), "AB")
    assert "2 changes of music, volume or light" in respct(ended(room))


def test_a_disturbance_that_was_something_else_is_none(tmp_path: Path) -> None:
    room = begun(tmp_path)
    seq = room.post(60.0, Mark(code="disturbance"), "AB")
    room.post(90.0, Amend(entry=seq, act=Mark(code="drink")), "AB")
    seq = room.post(120.0, Mark(code="spoke"), "AB")
    told = respct(ended(room)).partition("Disturbances\n\n")[2]
    assert told == "None were recorded.\n"


def show(state_dir: Path, *words: str) -> str:
    done = CliRunner().invoke(app, ["journal", "show", SESSION, "--state", str(state_dir), *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_what_came_after_a_record_is_shown_as_its_reader_may_see_it(tmp_path: Path) -> None:
    room = begun(tmp_path, name="blinded-two-arms")
    room.post(60.0, Dose(kit="K-17", witness="EF"), "CD", WHO)
    room.post(90.0, Note(text="asked for water"), "CD", WHO)
    ended(room)
    for words in ((), ("--after", "1")):
        told = show(tmp_path, "--role", "analyst", *words)
        assert "K-17" not in told and "water" not in told, words
        assert "K-17" in show(tmp_path, *words)


def test_a_list_with_signs_that_no_file_may_hold_can_be_read_again() -> None:
    piece = Piece(path="/m/a.flac", title="Slow\x00 Har\x0bbour", artist="=A", duration_s=60.0)
    root = ElementTree.fromstring(xspf([piece]).partition("\n")[2])
    assert [element.text for element in root.iter() if element.tag.endswith("title")] == ["Slow Harbour"]
    assert next(csv.DictReader(io.StringIO(table([piece]))))["artist"] == "'=A"


def test_the_preflights_times_are_corrected_like_all_others(tmp_path: Path) -> None:
    room = Room(tmp_path)
    text = find_programme("psilocybin-25mg").read_text(encoding="utf-8")
    lines = (PreflightLine(check="lights", stage="green", t=-600.0, by="AB"),)
    room.post(0.0, Start(programme="psilocybin-25mg", participants=(WHO,), programme_text=text, session=SESSION, seed=1,
                         preflight=lines), "AB")  # fmt: skip
    room.post(120.0, ClockSynced(offset_s=3600.0))
    account = ended(room)
    assert account.opened.utc[11:16] == "10:00"
    assert "09:50" in preflight_words(account), preflight_words(account)
