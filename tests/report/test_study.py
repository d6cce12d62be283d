"""The study's tables over many sessions, the codebook, and fidelity: as a coordinator opens them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from controller.files import ConfigError
from controller.journal.reading import session_file
from controller.messages import AdverseEvent, Amend, Challenge, Touch, UpdateEvent, Vitals
from controller.report.account import Account
from controller.report.codebook import TABLES, VARIABLES, columns
from controller.report.fidelity import phases_of, vitals_of
from controller.report.gathering import account_of
from controller.report.study import study_files
from tests.journal.day import FIRST, SECOND, live, live_days, run
from tests.journal.writing import tamper

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("lived")
    live_days(state)
    asyncio.run(live(state, "20260103T092000Z-0003", "C-0001", 1200.0 + 2 * 86400, end=False))
    return state


@pytest.fixture(scope="module")
def account(lived: Path) -> Account:
    return account_of(session_file(lived, FIRST))


def read(folder: Path, table: str) -> Rows:
    text = (folder / f"{table}.csv").read_bytes().decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture(scope="module")
def study(lived: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = Path(shutil.copytree(lived, tmp_path_factory.mktemp("copy") / "state"))
    run(state, "sign", FIRST, "--as", "XY", "--yes")
    run(state, "amend", FIRST, "4", "--note", "pulse was 71, Anna said", "--as", "AB")
    folder = tmp_path_factory.mktemp("study")
    assert run(state, "export", "--study", str(folder))[0] == 0
    return folder


def test_every_column_of_every_table_stands_in_the_codebook_and_has_its_type(study: Path) -> None:
    book = json.loads((study / "codebook.json").read_text(encoding="utf-8"))
    assert book["codebook"] == 2
    assert [row["variable"] for row in read(study, "codebook")] == [it.variable for it in VARIABLES]
    for table in TABLES:
        heading = (study / f"{table}.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
        assert heading == list(columns(table)) == [it["variable"] for it in book["variables"] if it["table"] == table]
        assert {"session", "utc", "t_plus_min"} <= set(heading)
        for row in read(study, table):
            for it in (it for it in VARIABLES if it.table == table and row[it.variable]):
                value = row[it.variable]
                if it.type in ("integer", "flag"):
                    int(value)
                elif it.type == "number":
                    float(value)
                elif it.type == "utc":
                    assert value.endswith("Z") and datetime.fromisoformat(value)
                if it.allowed:
                    assert value in it.allowed.split("|"), (table, it.variable, value)
                assert it.type != "flag" or value in "01"
    assert all(it.meaning for it in VARIABLES)


def test_the_tables_hold_codes_and_figures_and_no_word_of_a_note(study: Path) -> None:
    for file in study.iterdir():
        text = file.read_text(encoding="utf-8")
        assert "Anna" not in text and "holds my hand" not in text, file.name
    notes = read(study, "notes")
    assert [(row["phase"], row["notes"]) for row in notes] == [("settle", "1"), ("settle", "1")]


def test_what_was_done_can_be_found_in_the_tables(study: Path) -> None:
    sessions = read(study, "sessions")
    assert [row["session"] for row in sessions] == [FIRST, SECOND], "the open one is left out"
    assert [(row["state"], row["signed_by"], row["length_min"]) for row in sessions] == [
        ("signed", "XY", "120.0"), ("closed", "", "120.0"),
    ]  # fmt: skip
    assert [row["chain_ok"] for row in sessions] == ["1", "1"]
    dose = read(study, "doses")[0]
    assert (dose["t_plus_min"], dose["amount"], dose["unit"], dose["witness"], dose["utc"]) == (
        "0.0", "25.0", "mg", "CD", "2026-01-01T09:40:00.000Z",
    )  # fmt: skip
    vitals = [row for row in read(study, "vitals") if row["session"] == FIRST]
    assert [row["t_plus_min"] for row in vitals] == ["-15.0", "31.0", "88.0"]
    assert [row["systolic"] for row in vitals] == ["121", "130", "128"]
    late = read(study, "late_entries")
    assert [(row["amends"], row["after_sign_off"]) for row in late] == [(vitals[0]["record"], "1")]
    marks = [row for row in read(study, "marks") if row["session"] == FIRST]
    assert [(row["code"], row["taken_back"], row["phase"]) for row in marks] == [
        ("anxious", "0", "ascent"), ("nausea", "1", "ascent"),
    ]  # fmt: skip
    assert [row["code"] for row in read(study, "incidents")][:2] == ["device_lost", "device_back"]
    quiet = [row["loudness_percent"] for row in read(study, "volume") if float(row["t_plus_min"]) > 0]
    assert quiet[:2] == ["0.0", "100.0"]


def test_what_was_corrected_stands_corrected_and_says_so(tmp_path: Path) -> None:
    more = (
        lambda seq: Amend(entry=seq, act=Vitals(systolic=138, diastolic=82, pulse=80)),
        lambda _seq: AdverseEvent(event="nausea", grade=2, needed=("rescue",), rescue="given by CD"),
        lambda seq: UpdateEvent(event=seq, grade=3, related="related", resolved=True),
        lambda _seq: Touch(touch="hand", where="shoulder"),
        lambda _seq: Challenge(part="start"),
    )
    asyncio.run(live(tmp_path, more=more))
    assert run(tmp_path, "export", "--study", str(tmp_path / "study"))[0] == 0
    vitals = read(tmp_path / "study", "vitals")
    assert [(row["systolic"], row["amended"]) for row in vitals] == [("121", "0"), ("130", "0"), ("138", "1")]
    (event,) = read(tmp_path / "study", "adverse_events")
    told = ("participant", "event", "grade", "serious", "related", "needed", "resolved", "t_plus_min")
    assert [event[name] for name in told] == ["C-0412", "nausea", "3", "0", "related", "rescue", "1", "91.0"]
    assert [row["where"] for row in read(tmp_path / "study", "touch")] == ["shoulder"]
    assert [row["part"] for row in read(tmp_path / "study", "challenges")] == ["start"]
    assert read(tmp_path / "study", "sessions")[0]["adverse_events"] == "1"
    assert "given by CD" not in "".join(file.read_text(encoding="utf-8") for file in (tmp_path / "study").iterdir())


def test_fidelity_holds_each_phase_against_the_programme(account: Account) -> None:
    phases = {it.code: it for it in phases_of(account)}
    assert (phases["arrival"].planned, phases["arrival"].delivered, phases["arrival"].music_heard) == (20.0, 20.0, 19.0)
    ascent = phases["ascent"]
    assert (ascent.planned, ascent.delivered, ascent.silence) == (46.0, 69.0, 5.0)
    assert dict(ascent.interventions) == {"hold": 1, "quiet": 1, "resume": 2}
    assert (phases["peak"].start_t, phases["peak"].delivered) == (None, 0.0)
    assert phases["settle"].light_off == 0.0


def test_fidelity_knows_which_readings_were_outside_their_window(account: Account) -> None:
    readings = [(account.t_plus(it.due_t) / 60, it.standing) for it in vitals_of(account)]
    assert {standing for minute, standing in readings if minute > 100} == {"not_reached"}
    assert readings[:4] == [(0.0, "in_window"), (30.0, "in_window"), (60.0, "not_taken"), (90.0, "in_window")]


def test_light_that_was_taken_over_is_seen(account: Account) -> None:
    brighter = replace(account, light=tuple((t, min(1.0, level + 0.3)) for t, level in account.light))
    settle = next(it for it in phases_of(brighter) if it.code == "settle")
    assert settle.light_mean == pytest.approx(30.0, abs=0.5)
    assert settle.light_off == pytest.approx(settle.delivered)


def test_fidelity_reads_in_a_terminal(lived: Path) -> None:
    code, said = run(lived, "fidelity", FIRST)
    assert code == 0
    assert "never reached" in said and "hold, quiet, resume 2" in said
    assert "vitals asked for: 4, 3 in window, 0 late, 0 missed, 1 not taken" in said
    assert all(len(line) <= 100 for line in said.splitlines())


def test_a_study_can_be_narrowed_and_made_for_a_spreadsheet(lived: Path, tmp_path: Path) -> None:
    words = ("export", "--study", str(tmp_path), "--sessions", SECOND, "--excel")
    assert run(lived, *words)[0] == 0
    assert (tmp_path / "sessions.csv").read_bytes().startswith(b"\xef\xbb\xbfsession,")
    assert len((tmp_path / "sessions.csv").read_text(encoding="utf-8-sig").splitlines()) == 2
    for words in (("--sessions", "nobody"), ("--programme", "another"), ("--signed",)):
        with pytest.raises(ConfigError, match="no closed"):
            run(lived, "export", "--study", str(tmp_path), *words)


def test_a_damaged_session_and_one_that_cannot_be_read_say_so_in_the_tables(lived: Path, tmp_path: Path) -> None:
    state = Path(shutil.copytree(lived, tmp_path / "state"))
    tamper(session_file(state, FIRST), "UPDATE texts SET text = 'another' WHERE line = (SELECT min(line) FROM texts)")
    session_file(state, SECOND).write_bytes(bytes(8192))
    code, said = run(state, "export", "--study", str(tmp_path / "study"))
    assert code == 1 and f"{SECOND} is LEFT OUT: unreadable" in said and f"{FIRST} is DAMAGED at record" in said
    rows = {row["session"]: row for row in read(tmp_path / "study", "sessions")}
    assert (rows[FIRST]["state"], rows[FIRST]["chain_ok"]) == ("closed", "0") and "DAMAGED" in rows[FIRST]["missing"]
    assert (rows[SECOND]["state"], rows[SECOND]["chain_ok"]) == ("unreadable", "0") and rows[SECOND]["missing"]
    assert SECOND in run(state, "list")[1]


def test_a_session_of_which_nothing_could_go_on_is_still_told_of(lived: Path, tmp_path: Path) -> None:
    state = Path(shutil.copytree(lived, tmp_path / "state"))
    session_file(state, SECOND).rename(state / "sessions" / f"{SECOND}.db.damaged-20260103T000000000000Z")
    assert f"{SECOND}" in run(state, "list")[1]
    code, _ = run(state, "export", "--study", str(tmp_path / "study"))
    rows = {row["session"]: row for row in read(tmp_path / "study", "sessions")}
    assert code == 1 and rows[SECOND]["state"] == "unreadable" and "nothing of it" in rows[SECOND]["missing"]


def test_a_column_that_the_codebook_lacks_is_refused(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.report.study._ROWS", {**_rows(), "sessions": lambda _told: [{"secret": 1}]})
    with pytest.raises(KeyError, match="secret"):
        dict(study_files([account], {}))


def _rows() -> dict[str, object]:
    from controller.report import study

    return dict(study._ROWS)
