"""Backups and redactions where something is in the way: a copy that rotted, a record that cannot be read, a reader."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from controller.files import ConfigError
from controller.journal import erasing
from controller.journal.backup import check_backup, make_backup, restore_backup
from controller.journal.manifest import NAME
from controller.journal.place import UnfitPlace
from controller.journal.reading import list_sessions, session_file
from tests.journal.day import FIRST, SECOND, fit, run


def test_a_last_copy_that_rotted_is_told_of_and_not_forgotten(state: Path, stick: Path) -> None:
    made = make_backup(state, fit(stick, state))
    session_file(state, FIRST).unlink()  # as retention does
    copy = session_file(made.folder, FIRST)
    copy.write_bytes(copy.read_bytes()[:-4096])
    for _ in range(2):
        again = make_backup(state, fit(stick, state))
        assert any(problem.startswith(f"sessions/{FIRST}.db") for problem in again.problems)
        assert check_backup(made.folder)


def test_one_session_that_cannot_be_read_keeps_no_other_from_its_backup(state: Path, stick: Path) -> None:
    session_file(state, FIRST).write_bytes(bytes(8192))
    made = make_backup(state, fit(stick, state))
    assert list(made.copied) == [SECOND]
    assert [problem.partition(":")[0] for problem in made.problems] == [f"sessions/{FIRST}.db"]


def test_a_manifest_names_nothing_outside_its_backup(state: Path, stick: Path, tmp_path: Path) -> None:
    made = make_backup(state, fit(stick, state))
    plain = json.loads((made.folder / NAME).read_text())
    name = f"sessions/{FIRST}.db"
    plain["files"][f"../{made.folder.name}/{name}"] = plain["files"].pop(name)
    (made.folder / NAME).write_text(json.dumps(plain))
    assert check_backup(made.folder)
    with pytest.raises(UnfitPlace):
        restore_backup(made.folder, tmp_path / "new")


def test_a_restore_that_breaks_off_leaves_nothing_that_is_taken_for_a_record(
    state: Path, stick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_backup(state, fit(stick, state))
    copied: list[str] = []
    real = erasing.to_disk

    def fails(path: Path) -> None:
        copied.append(path.name)
        if len(copied) == 3:
            raise OSError(5, "Input/output error")
        real(path)

    with monkeypatch.context() as patched:
        patched.setattr("controller.journal.backup.to_disk", fails)
        with pytest.raises(OSError, match="Input/output"):
            restore_backup(made.folder, tmp_path / "new")
    assert list_sessions(tmp_path / "new") == []
    restore_backup(made.folder, tmp_path / "new")
    assert [info.session for info in list_sessions(tmp_path / "new")] == [FIRST, SECOND]


def test_a_text_that_a_reader_kept_in_the_file_is_gone_once_it_is_erased_again(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "_PAUSE_S", 0.0)
    monkeypatch.setattr(erasing, "_TRIES", 2)
    file = session_file(state, FIRST)

    def left() -> bool:
        return any(b"Anna" in part.read_bytes() for part in file.parent.glob(f"{FIRST}.db*"))

    def redacted() -> tuple[int, str]:
        return run(state, "redact", FIRST, "10", "--as", "XY", "--why", "a name", "--yes")

    assert left()
    with closing(sqlite3.connect(file.as_uri() + "?mode=ro", uri=True, isolation_level=None)) as reader:
        connection = sqlite3.connect(file)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM texts").fetchone()
        code, said = redacted()
        assert left() and code == 1 and "still there" in said, said
    code, said = redacted()
    assert code == 0, said
    assert not left()


def test_a_rule_for_a_misspelt_programme_removes_nothing(state: Path, stick: Path) -> None:
    make_backup(state, fit(stick, state))
    rules = ("--programme", "psilocybn-25mg=7300", "--programme", "xqj-11=9125")  # the latter may have been retired
    with pytest.raises(ConfigError) as wrong:
        run(state, "retention", "--days", "30", *rules, "--yes")
    assert list(wrong.value.mistakes) == [
        'retention.programmes: there is no programme "psilocybn-25mg"; did you mean "psilocybin-25mg"?'
    ]
    assert len(list_sessions(state)) == 2


def test_a_rule_for_a_programme_that_was_retired_keeps_nothing_that_it_cannot_have_meant(state: Path) -> None:
    retired = ("--programme", "mdma-study=7300")  # like a programme of which there is no session here
    own = ("--programme", "psilocybin-30mg=7300", "--programme", "psilocybin-25mg=36500")  # like one with its own time
    for rules in (retired, own):
        assert run(state, "retention", "--days", "30", *rules, "--dry-run")[0] == 0
