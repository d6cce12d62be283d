"""What a blinded session's exports let each reader see."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controller.__main__ import app
from controller.config import find_programme
from controller.journal.store import session_file
from controller.messages import (
    Dose,
    End,
    LookUp,
    MaskingGuess,
    Note,
    Planned,
    Start,
    Vitals,
    telling_words,
    to_plain,
)
from controller.records import look_up
from controller.report.gathering import account_of
from controller.report.page import html
from controller.report.respct import respct
from controller.report.roles import ROLES
from controller.report.tables import jsonl, records_csv
from tests.report.test_report import SESSION, Room

WHO = "AB-0412"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    room = Room(tmp_path)
    text = find_programme("blinded-two-arms").read_text(encoding="utf-8")
    start = Start(programme="blinded-two-arms", participants=(WHO,), programme_text=text, session=SESSION, seed=1)
    room.post(0.0, start, "CD")
    room.post(0.1, Planned(plan=1, cues=()))
    room.post(60.0, Dose(kit="K-17", witness="EF"), "CD", WHO)
    room.post(1800.0, Vitals(systolic=120, diastolic=80), "CD", WHO)
    room.post(1900.0, Note(text="asked for water"), "CD", WHO)
    room.post(2000.0, MaskingGuess(guess="experimental", certainty=7), "CD", WHO)
    room.post(2100.0, End(), "CD")
    room.close()
    return session_file(tmp_path, SESSION)


def everything(file: Path, role: str | None) -> str:
    account = account_of(file, ROLES[role] if role else None)
    page = re.sub(r"<svg.*?</svg>", "", html(account), flags=re.DOTALL)
    return "\n".join((jsonl(account), records_csv(account), page, respct(account)))


@pytest.mark.parametrize("role", [None, *ROLES])
def test_no_export_tells_substance_dose_or_arm(file: Path, role: str | None) -> None:
    assert telling_words(everything(file, role)) == []
    assert not telling_words(file.name)


def test_the_team_does_not_read_what_was_guessed_and_is_who_an_export_is_for(file: Path) -> None:
    for role in (None, "team"):
        guessed = json.loads(jsonl(account_of(file, ROLES.get(role or ""))).splitlines()[6])["input"]["act"]
        assert guessed["guess"] == "withheld" and guessed["certainty"] is None
        assert "K-17" in everything(file, role)


def test_what_is_shown_keeps_to_the_same_roles(file: Path, tmp_path: Path) -> None:
    def shown(*words: str) -> str:
        done = CliRunner().invoke(app, ["journal", "show", SESSION, "--state", str(tmp_path), *words])
        assert done.exit_code == 0, done.output
        return done.stdout

    for words in (["--json"], ["--json", "--after", "5"], ["--json", "--role", "team"]):
        (guessed,) = (one for one in json.loads(shown(*words)) if one["input"]["act"]["kind"] == "masking_guess")
        assert (guessed["input"]["act"]["guess"], guessed["input"]["act"]["certainty"]) == ("withheld", None)
    assert '"guess": "experimental"' in shown("--json", "--role", "coordinator")
    figures = shown("--json", "--role", "analyst") + shown("--role", "analyst")
    assert "K-17" not in figures and "asked for water" not in figures
    wrong = CliRunner().invoke(app, ["journal", "show", SESSION, "--role", "analist", "--state", str(tmp_path)])
    assert wrong.exit_code == 1 and "analyst" in str(wrong.exception or wrong.output)


def test_the_coordinator_reads_everything(file: Path) -> None:
    told = everything(file, "coordinator")
    assert "K-17" in told and "asked for water" in told
    guessed = json.loads(jsonl(account_of(file, ROLES["coordinator"])).splitlines()[6])["input"]["act"]
    assert (guessed["guess"], guessed["certainty"]) == ("experimental", 7)


def test_the_analyst_reads_figures_and_neither_kits_nor_texts(file: Path) -> None:
    told = everything(file, "analyst")
    assert "K-17" not in told and "asked for water" not in told
    assert "120/80" in told and "left out" in told.lower() and "kit numbers" in told


def test_the_verb_names_its_role_and_the_nearest_one(file: Path, tmp_path: Path) -> None:
    where = ["--state", str(tmp_path), "--to", str(tmp_path / "out")]
    done = CliRunner().invoke(app, ["journal", "export", "--jsonl", "--role", "analyst", *where])
    assert done.exit_code == 0, done.output
    head = json.loads((tmp_path / "out" / f"{SESSION}.jsonl").read_text().splitlines()[0])
    assert head["role"] == "analyst" and head["withheld"] == ["kit numbers", "free text"]
    wrong = CliRunner().invoke(app, ["journal", "export", "--jsonl", "--role", "analist", *where])
    assert wrong.exit_code != 0
    assert 'did you mean "analyst"' in f"{wrong.output}{wrong.exception}"


def test_no_console_shows_of_a_closed_session_what_was_guessed_or_what_tells_the_arm(file: Path) -> None:
    shown = look_up(file.parent.parent, LookUp(id="1", session=SESSION))
    told = json.dumps(to_plain(shown))
    assert "asked for water" in told and "K-17" in told
    assert "experimental" not in told and telling_words(told) == []
