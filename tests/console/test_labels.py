"""The sheet of labels that is stuck on the keys."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from controller.__main__ import app
from controller.console.doing.table import ACTIONS, in_menus, path
from controller.console.keys import plain_key
from controller.console.labels import CAPS, as_text, labels


def test_every_key_of_the_table_has_one_label_that_says_what_it_does() -> None:
    caps = [label.cap for label in labels()]
    assert len(caps) == len(set(caps))
    for action in ACTIONS:
        for key in (key for key in (*action.keys, *action.anywhere) if "+" not in key and key != ":"):
            assert CAPS.get(key, plain_key(key, None).upper()) in caps, key
    text = as_text([("spoke", "spoke"), ("cold", "cold")])
    assert "  2      cold" in text and "  3 " not in text
    assert all(f"{path(action)} " in text for action in in_menus())


def test_the_sheet_is_printed_with_the_marks_of_a_programme(tmp_path: Path) -> None:
    sheet = tmp_path / "labels.pdf"
    run = CliRunner().invoke(app, ["console", "labels", str(sheet), "--programme", "psilocybin-25mg"])
    assert run.exit_code == 0 and sheet.read_bytes().startswith(b"%PDF")
    told = CliRunner().invoke(app, ["console", "labels", "--programme", "psilocybin-25mg"]).stdout
    assert "1      spoke" in told and "Space  pause" in told
    wrong = CliRunner().invoke(app, ["console", "labels", str(tmp_path / "labels.png")])
    assert wrong.exit_code == 1
