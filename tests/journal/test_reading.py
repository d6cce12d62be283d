from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from controller.journal.reading import list_sessions, log_entries, read_records, session_file
from controller.journal.schema import read_body
from controller.messages import (
    Act,
    Cue,
    End,
    EngineReported,
    Fact,
    FillerChanged,
    Input,
    LogEntry,
    Mark,
    Note,
    Opened,
    Origin,
    Piece,
    PieceEnded,
    Planned,
    Record,
    RefusedAct,
    RoomRules,
    SittersKnown,
    Start,
    TakeBack,
    Timer,
    decode,
    encode,
)
from controller.verbs.journal import app
from tests.journal.writing import CLOCK, record, tamper, write_small_session, writing

RULES = RoomRules(room="room-1", lamps=("a",), buses=("room",))
CUE = Cue(id=1, start_s=0, length_s=60, piece=Piece(path="/a.flac", title="A", duration_s=60))


@pytest.mark.parametrize(
    "act",
    [
        Timer(),
        Planned(plan=1, cues=(CUE,)),
        EngineReported(),
        PieceEnded(cue=1, title="Moss"),
        SittersKnown(initials=("AB",)),
    ],
)
def test_machinery_leaves_no_line_in_the_log_but_its_facts_do(act: Act) -> None:
    assert log_entries(record(1, act)) == []
    facts = (Fact(code="phase_began", values={"phase": "peak"}),)
    assert [entry.kind for entry in log_entries(record(1, act, facts=facts))] == ["phase_began"]


def test_a_note_shows_its_words_who_said_so_and_whom_it_concerns() -> None:
    note = Record(
        seq=7,
        stamp=CLOCK.stamp(5),
        input=Input(
            act=Note(pressed_t=4.5),
            origin=Origin(person="JM", console="tablet", path="socket"),
            participants=("P-01", "P-02"),
        ),
    )
    (entry,) = log_entries(note, "asked for water")
    assert entry == LogEntry(
        seq=7,
        utc=CLOCK.stamp(5).utc,
        kind="note",
        values={"pressed_t": 4.5, "participants": "P-01,P-02"},
        who="JM",
        console="tablet",
        text="asked for water",
    )
    assert decode(LogEntry, encode(entry)) == entry


@pytest.mark.parametrize(
    ("act", "values"),
    [
        (FillerChanged(on=True, why="late"), {"on": 1, "why": "late", "title": ""}),
        (Start(programme="demo", participants=("P-01",), programme_text="long" * 99),
         {"programme": "demo", "participants": "P-01", "touch_scope": "", "session": "", "software": ""}),
        (Opened(rules=RULES, outage_s=None), {"rebooted": 0}),
        (RefusedAct(act="resume", code="already", values={"state": "running"}),
         {"act": "resume", "code": "already", "state": "running"}),
        (PieceEnded(cue=3, title="Moss", why="truncated", played_s=9),
         {"cue": 3, "title": "Moss", "why": "truncated", "played_s": 9}),
    ],
)  # fmt: skip
def test_an_entry_carries_the_plain_values_of_what_happened(act: Act, values: dict[str, str | float]) -> None:
    (entry,) = log_entries(record(1, act))
    assert entry.kind == act.kind
    assert entry.values == values


async def test_the_list_says_what_each_session_was_and_whether_it_ended(tmp_path: Path) -> None:
    async with writing(tmp_path) as it:
        it.write(record(1, Start(programme="psilocybin-25", participants=("P-01", "P-02"))), record(2))
        it.write(record(1, Start(programme="mdma")), record(2, End()), book="s-2")
        it.journal.close_session("s-2")
    found = {info.session: info for info in list_sessions(tmp_path)}
    assert (found["s-1"].programme, found["s-1"].participants, found["s-1"].closed) == (
        "psilocybin-25",
        ("P-01", "P-02"),
        False,
    )
    assert (found["s-2"].records, found["s-2"].closed) == (2, True)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


async def test_the_record_can_be_listed_shown_and_verified_from_the_command_line(tmp_path: Path) -> None:
    state = str(tmp_path)
    assert run("list", "--state", state) == (0, f"No sessions in {state}.\n")
    assert run("show", "--state", state)[0] == 1
    await write_small_session(tmp_path)
    async with writing(tmp_path) as it:
        it.write(
            record(1, Note(text="wrong"), facts=()),
            record(2, TakeBack(seq=1)),
            record(3, Mark(code="cold")),
            book="s-2",
        )
    code, listed = run("list", "--state", state)
    assert code == 0
    assert [line.split()[0] for line in listed.splitlines()] == ["s-1", "s-2"]
    assert json.loads(run("list", "--json", "--state", state)[1])[0]["closed"] is True
    code, shown = run("show", "s-1", "--state", state, "--after", "7")
    assert code == 0
    assert "spoke softly, 8" in shown
    assert "spoke softly, 4" not in shown
    assert "taken back" in run("show", "--state", state)[1].splitlines()[0]
    whole = json.loads(run("show", "s-1", "--json", "--state", state)[1])
    assert (len(whole), whole[7]["text"], whole[2]["effects"][0]["kind"]) == (12, "spoke softly, 8", "set_transport")
    code, verified = run("verify", "--state", state)
    assert (code, verified.count(" ok ")) == (0, 3)
    assert run("show", "s-9", "--state", state)[0] == 1
    assert run("show", "../x", "--state", state)[0] == 1


async def test_verifying_a_damaged_journal_fails_and_says_where(tmp_path: Path) -> None:
    await write_small_session(tmp_path)
    tamper(session_file(tmp_path, "s-1"), "UPDATE records SET body = x'7b7d' WHERE seq = 6")
    code, verified = run("verify", "s-1", "--state", str(tmp_path))
    assert code == 1
    assert "DAMAGED at record 6" in verified
    assert json.loads(run("verify", "--json", "--state", str(tmp_path))[1])[1]["first_bad"] == 6
    assert run("show", "s-1", "--state", str(tmp_path))[0] == 1
    assert len(list(read_records(session_file(tmp_path, "s-1"), after_seq=6))) == 6


@pytest.mark.parametrize(
    "body", [None, 7, "text", b"7", b"{}", b'{"schema_version":0}', b'{"schema_version":"1"}', b"\xff"]
)
def test_what_is_no_record_is_refused_as_such_whatever_stands_in_its_place(body: Any) -> None:
    with pytest.raises(ValueError):
        read_body(body)
