"""What is done with a written record: signed, added to, redacted, listed, shown, looked through."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from controller.clock import RoomClock
from controller.commissioning.permission import NotNow, ask_permission
from controller.console.client import Client
from controller.journal.erasing import erase, has_text
from controller.journal.reading import read_records, room_file, session_file, session_info, verify
from controller.journal.recovery import recover
from controller.journal.search import Wanted, search
from controller.journal.writer import Journal
from controller.messages import Addendum, Input, Note, Record, SignOff, Start
from controller.places import runtime_dir
from controller.report.gathering import account_of
from controller.report.page import html
from controller.report.tables import jsonl, records_csv
from controller.sitters.register import Register
from tests.journal.day import FIRST, SECOND, run
from tests.waiting import PATIENCE_S

NOTE = 10
"""The record of a note with a name in it."""


@contextmanager
def daemon(state: Path) -> Iterator[subprocess.Popen[str]]:
    """`stillroom run` in a room without devices."""
    room = state / "room.toml"
    room.write_text('format = 1\nname = "room-1"\nsimulated = true\n[preflight]\nrequired = false\n', encoding="utf-8")
    command = [sys.executable, "-m", "controller", "run", str(room), "--state", str(state)]
    with (
        (state / "daemon.log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", (state / "daemon.log").read_text()
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def test_a_session_is_signed_off_and_what_is_added_later_is_marked_so_in_every_export(state: Path) -> None:
    code, said = run(state, "sign", FIRST, "--as", "XY", "--yes")
    assert code == 0
    assert "C-0412 at 0:00:00 25 mg" in said, "the signer sees what is signed"
    assert run(state, "sign", FIRST, "--as", "XY", "--yes") == (
        1, said.splitlines()[0].split()[1] + " is signed by XY already, and nothing was added since\n",
    )  # fmt: skip
    assert run(state, "add", FIRST, "--note", "slept", "--at", "T+1:20", "--as", "AB")[0] == 0
    assert run(state, "amend", FIRST, "4", "--note", "pulse was 71", "--as", "AB")[0] == 0
    account = account_of(session_file(state, FIRST))
    assert [(it.who, it.after, it.meaning) for it in account.signatures] == [("XY", 28, "reviewed and complete")]
    assert account.last_t - account.opened.t == 7200.0, "the session has not become longer"
    late = next(event for event in account.events if "slept" in event.text)
    assert (account.t_plus(late.t), late.afterwards, late.after_sign_off) == (4800.0, True, True)
    page = html(account)
    assert "1:20:00" in page and page.count("after sign-off") == 2
    assert "it stood: vitals 121/79" in page and "amended by no. 31" in page
    rows = list(csv.DictReader(io.StringIO(records_csv(account), newline="")))
    assert [row["after_sign_off"] for row in rows[27:]] == ["0", "0", "1", "1"]
    assert [row["about_t_plus_s"] for row in rows[28:]] == ["", "4800.0", ""]
    lines = [json.loads(line) for line in jsonl(account).splitlines()]
    assert lines[0]["signatures"][0]["who"] == "XY"
    assert [line.get("after_sign_off", False) for line in lines[-3:]] == [False, True, True]
    info = session_info(session_file(state, FIRST))
    assert info is not None and (info.state, info.signed_by, info.later, info.length_s) == ("signed", "XY", 3, 7200.0)
    assert verify(session_file(state, FIRST)).ok and verify(room_file(state)).ok


def test_a_signature_is_for_what_was_seen_and_for_nothing_that_came_meanwhile(state: Path) -> None:
    info = session_info(session_file(state, FIRST))
    assert info is not None
    run(state, "add", FIRST, "--note", "one more", "--as", "AB")
    from controller.verbs.archive import record

    with pytest.raises(BaseException, match="1"):
        record(state, SignOff(session=FIRST, after=info.records, head=info.head), "XY")
    assert verify(session_file(state, FIRST)).records == 29


def test_a_redacted_name_is_gone_from_the_file_and_who_did_it_stands_there(state: Path) -> None:
    file = session_file(state, FIRST)
    assert b"Anna" in file.read_bytes()
    code, said = run(state, "redact", FIRST, str(NOTE), "--as", "XY", "--why", "a name was typed", "--yes")
    assert code == 0 and "is gone" in said
    assert b"Anna" not in file.read_bytes()
    assert verify(file).ok and verify(file).redacted == 1
    account = account_of(file)
    assert "a name was typed" in html(account) and "text redacted, see no. 29" in html(account)
    assert run(state, "redact", FIRST, str(NOTE), "--as", "XY", "--why", "again", "--yes")[0] == 1


def test_a_redaction_that_was_cut_short_is_finished_when_it_is_said_again(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.archiving.erase", lambda *_: None)  # killed between the record and the deed
    monkeypatch.setattr("controller.verbs.archive._is_blank", lambda *_: False)
    assert run(state, "redact", FIRST, str(NOTE), "--as", "XY", "--why", "a name", "--yes")[0] == 1
    assert has_text(session_file(state, FIRST), NOTE)
    erase(state, FIRST)
    assert not has_text(session_file(state, FIRST), NOTE)


def test_the_daemon_writes_while_it_runs_and_the_command_does_where_none_runs(state: Path) -> None:
    with daemon(state) as process:
        assert run(state, "sign", FIRST, "--as", "XY", "--yes")[0] == 0
        assert run(state, "redact", FIRST, str(NOTE), "--as", "XY", "--why", "a name", "--yes")[0] == 0
        assert b"Anna" not in session_file(state, FIRST).read_bytes()
        asyncio.run(_open_session(state))
        assert run(state, "add", SECOND, "--note", "late", "--as", "AB")[0] == 0, "also while a session is open"
        newest = session_info(sorted((state / "sessions").glob("*.db"))[-1])
        assert newest is not None
        code, said = run(state, "sign", newest.session, "--as", "XY", "--yes")
        assert (code, "is not closed" in said) == (1, True)
        typed = next(record for record, text in read_records(newest.file) if text == "Berta came in")
        assert run(state, "redact", newest.session, str(typed.seq), "--as", "AB", "--why", "a name", "--yes")[0] == 0
        assert b"Berta" not in newest.file.read_bytes()
        entries = asyncio.run(_log(state))
        assert "Berta" not in entries and "late entry" not in entries
        Register(state).keep("XY", "02468")
        (state / "pin").write_text("02468\n")
        (state / "pin").chmod(0o600)
        asyncio.run(_until_people_sign_on(state))
        code, said = run(state, "sign", SECOND, "--as", "XY", "--yes")
        assert code and "no PIN of XY" in said
        code, said = run(state, "sign", SECOND, "--as", "XY", "--yes", "--pin-from", str(state / "pin"))
        assert code == 0, said
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert verify(room_file(state)).ok
    assert run(state, "add", FIRST, "--note", "late", "--as", "XY", "--pin-from", str(state / "pin"))[0] == 0
    assert run(state, "verify")[0] == 0
    infos = [session_info(session_file(state, name)) for name in (FIRST, SECOND)]
    assert [info.records for info in infos if info] == [31, 30]
    origins = [record.input.origin.path for record, _ in read_records(session_file(state, FIRST), 28)]
    assert origins == ["socket", "socket", "room"]


def test_a_second_daemon_or_a_place_that_cannot_be_written_is_told_in_a_sentence(state: Path) -> None:
    stillroom = [sys.executable, "-m", "controller"]
    with daemon(state):
        again = [*stillroom, "run", str(state / "room.toml"), "--state"]
        second = subprocess.run([*again, str(state)], capture_output=True, text=True, check=False)
        assert second.returncode == 1 and "this room's daemon is running already" in second.stderr.splitlines()[-1]
        for words in (("start", "preparation-hour", "--participant", "C-0412"), ("end",)):
            subprocess.run([*stillroom, "ctl", *words, "--state", str(state)], check=True, capture_output=True)
        with pytest.raises(NotNow, match="Stop it first: end `stillroom run`"):  # and not that a session is open
            asyncio.run(ask_permission(state))
    nowhere = state / "room.toml" / "stillroom"  # below a file nobody, not even root, can make one
    for verb in ("run", "sound"):
        command = [*stillroom, verb, str(state / "room.toml"), "--state", str(nowhere)]
        barred = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        assert barred.returncode == 1 and "Traceback" not in barred.stderr
        assert barred.stderr.startswith(str(state / "room.toml"))


def test_in_a_room_with_sitters_a_signature_takes_a_pin(state: Path) -> None:
    Register(state).keep("XY", "02468")
    pin = state / "pin"
    pin.write_text("01357\n")
    pin.chmod(0o600)
    words = ("sign", FIRST, "--as", "XY", "--yes")
    assert "no PIN of XY" in run(state, *words)[1]
    assert run(state, *words, "--pin-from", str(pin))[0] == 1
    assert run(state, "add", FIRST, "--note", "x", "--as", "AB", "--pin-from", str(pin))[0] == 1, "nobody known"
    assert verify(session_file(state, FIRST)).records == 28, "nothing of that is on record"
    pin.write_text("02468\n")
    assert run(state, *words, "--pin-from", str(pin))[0] == 0
    (state / "sitters.json").write_text('{"format": 1, "sitters": {"XY": "broken"}}', encoding="utf-8")
    assert "nor counted as wrong" in run(state, "sign", SECOND, *words[2:], "--pin-from", str(pin))[1]


async def _open_session(state: Path) -> None:
    async with Client(runtime_dir(state), console="test", person="AB") as client:
        await client.ready(PATIENCE_S)
        assert not (await client.send(Start(programme="psilocybin-25mg", participants=("C-5",)))).refused
        assert not (await client.send(Note(text="Berta came in"))).refused


async def _until_people_sign_on(state: Path) -> None:
    async with Client(runtime_dir(state), console="test") as client, asyncio.timeout(PATIENCE_S):
        await client.ready(PATIENCE_S)
        while not client.status.signs_on:
            await asyncio.sleep(0.05)


async def _log(state: Path) -> str:
    async with Client(runtime_dir(state), console="test", person="AB") as client:
        return str((await client.ready(PATIENCE_S)).log)


async def test_an_entry_that_a_crash_left_unwitnessed_is_witnessed_at_the_next_start(state: Path) -> None:
    journal = Journal(state, RoomClock(), lambda why: None)
    written: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    late = Record(seq=29, stamp=RoomClock().stamp(), input=Input(act=Addendum(session=FIRST), why="late"))
    journal.append(late, book=FIRST, done=written.set_result)
    await written
    await journal.close()  # without the session's end: as if killed here
    found = recover(state)
    assert (found.session, found.reopened, found.damaged) == (None, (FIRST,), ())
    journal = Journal(state, RoomClock(), lambda why: None)
    journal.close_session(FIRST)
    await journal.close()
    assert recover(state).reopened == ()
    assert verify(session_file(state, FIRST)).ok


def test_sessions_are_listed_with_all_that_tells_them_apart(state: Path) -> None:
    run(state, "sign", SECOND, "--as", "XY", "--yes")
    code, said = run(state, "list")
    assert code == 0
    first, second = said.splitlines()
    assert ("2 h" in first, "closed" in first, "C-0412" in first, "chain ok" in first) == (True,) * 4
    assert "signed XY" in second
    assert [info["chain_ok"] for info in json.loads(run(state, "list", "--json")[1])] == [True, True]


def test_an_account_can_be_read_by_time_and_by_kind(state: Path) -> None:
    said = run(state, "show", FIRST, "--at", "0:40-0:45")[1]
    assert [line.split()[0] for line in said.splitlines()] == ["13", "14", "15"]
    assert [line.split()[0] for line in run(state, "show", FIRST, "--kind", "vitals")[1].splitlines()] == [
        "4",
        "12",
        "27",
    ]


def test_a_kind_or_a_date_that_there_is_not_is_told_and_not_read_as_nothing_found(state: Path) -> None:
    assert run(state, "show", FIRST, "--kind", "vitls") == (
        1, 'no entry is of kind "vitls"; did you mean "vitals"?\n'
    )  # fmt: skip
    assert run(state, "search", "x", "--kind", "marc")[1].endswith('of kind "marc"; did you mean "mark"?\n')
    assert run(state, "show", FIRST, "--kind", "adverse_event") == (0, ""), "a kind, but there was none"
    for option in ("--from", "--to"):
        code, said = run(state, "search", "water", option, "20x")
        assert code == 1 and f'{option}: "20x" is no date' in said
    assert run(state, "search", "water", "--from", "2026-1")[0] == 1


def test_a_mistyped_state_directory_does_not_verify(state: Path) -> None:
    for verb in (("list",), ("verify",), ("search", "water"), ("show",)):
        code, said = run(state / "nowhere", *verb)
        assert code == 1 and "there is no such directory" in said


def test_a_late_entry_is_of_no_time_that_has_not_come(state: Path) -> None:
    code, said = run(state, "add", FIRST, "--note", "slept", "--at", "2999-01-01T09:00Z", "--as", "AB")
    assert code == 1 and "2999-01-01T09:00Z has not come yet" in said
    assert run(state, "add", FIRST, "--note", "slept", "--at", "T+1:20", "--as", "AB")[0] == 0


def found(state: Path, **wanted: Any) -> list[tuple[str, int]]:
    return [(info.session, entry.seq) for info, entry in search(state, Wanted(**wanted))]


def test_words_are_found_in_any_session_and_nothing_is_written(state: Path) -> None:
    before = {file.name: file.stat().st_mtime_ns for file in (state / "sessions").iterdir()}
    code, said = run(state, "search", "anxious")
    assert (code, [line[:21] for line in said.splitlines()]) == (0, [FIRST, SECOND])
    assert len(found(state, words=("anxious",), participant="C-0977")) == 1
    assert len(found(state, kinds=("vitals",), since="2026-01-02")) == 3
    assert len(found(state, who="CD", until="2026-01-01", kinds=("mark",))) == 2
    assert len(found(state, words=("ANNA", "water"))) == 2
    assert run(state, "search", "nowhere")[0] == 1
    assert {file.name: file.stat().st_mtime_ns for file in (state / "sessions").iterdir()} == before
