"""On the bare Linux console nothing is drawn that its font cannot show."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import fields

from controller import console, wording
from controller.console.doing.table import ACTIONS, reached_by
from controller.console.looks import BLOCKS, LINUX
from tests.console.console_font import known

FONT = known()

OTHER_LOOKS = {"looks.py", "labels.py", "digits.py"}
"""Modules whose texts are for paper or for a font with more signs; what they have for this one is looked at apart."""

PROGRAMMES = Path(wording.__file__).parents[2] / "playlists"


def told(text: str) -> str:
    """A text as this console is shown it."""
    return text.replace(BLOCKS.done, LINUX.done)


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """(where, text) of every string that is no docstring, and of no other look."""
    for path in sorted(folder.rglob("*.py")):
        if path.name in OTHER_LOOKS:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }  # fmt: skip
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                yield f"{path.name}:{node.lineno}", node.value


def test_every_sign_of_the_linux_look_is_in_the_font() -> None:
    for field in fields(LINUX):
        value = getattr(LINUX, field.name)
        assert set(value if isinstance(value, str) else "") <= FONT, field.name
    for action in ACTIONS:
        for text in (reached_by(action, plain=True), action.long, action.short, action.help):
            assert set(text) <= FONT, action.name


def test_every_word_of_the_console_can_be_written_in_the_font() -> None:
    shown_otherwise = {action.shown for action in ACTIONS if action.shown_plain}
    for folder in (Path(console.__file__).parent, Path(wording.__file__).parent):
        for where, text in texts(folder):
            assert text in shown_otherwise or set(told(text)) - {"\n"} <= FONT, (where, text)


def test_what_a_programme_says_can_be_written_in_the_font() -> None:
    for path in sorted(PROGRAMMES.glob("*.toml")):
        programme = tomllib.loads(path.read_text(encoding="utf-8"))
        words = [programme["title"], *(phase["title"] for phase in programme["phases"])]
        words += [mark["label"] for mark in programme.get("marks", ())]
        assert set("".join(words)) <= FONT, path.name
