"""One table: every act of people is in it, each action has its verb, its place and its words."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
import typer

from controller.console.doing.table import ACTIONS, ROWS, SUBJECTS, lines_of, named, path, reached_by
from controller.console.menu import DIGITS, most_lines
from controller.console.palette import found
from controller.ctl import acts_of, app
from controller.messages import PEOPLES_ACTS, Addendum, Redaction, kind_of
from controller.wording.sentences import ACTS, FACTS

VERBS: dict[str, click.Command] = typer.main.get_command(app).commands  # type: ignore[attr-defined]


READS = ("sheet",)
"""Actions, and their verbs, that only read."""


@pytest.mark.parametrize("act", (*PEOPLES_ACTS, Addendum, Redaction), ids=lambda act: act.__name__)
def test_every_act_of_people_is_reached_by_key_or_menu_by_the_palette_and_by_ctl_and_has_its_words(act: type) -> None:
    doing = [action for action in ACTIONS if act in action.sends]
    assert any(reached_by(action) for action in doing)
    assert any(action.ctl for action in doing)
    assert all(action in found(action.long) for action in doing)
    assert kind_of(act) in FACTS, "log and account tell it"
    assert kind_of(act) in ACTS or act in (Addendum, Redaction), "a refusal names it"


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_action_has_a_place_and_its_verb(action) -> None:  # type: ignore[no-untyped-def]
    assert action.keys or action.anywhere or action.menu
    assert bool(action.shown) == bool(action.keys or action.anywhere)
    asks = bool(action.sends) or action.name in READS
    assert bool(action.ctl) == asks, "a verb of ctl for what is sent or read, and for nothing else"
    if action.ctl:
        verb, *options = action.ctl.split()
        assert verb in VERBS
        known = {flag for parameter in VERBS[verb].params for flag in parameter.opts}
        assert {option for option in options if option.startswith("--")} <= known
    if action.menu is None and not action.shown:
        pytest.fail("neither key nor menu")


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("status", *READS)])
def test_what_a_verb_sends_is_what_an_action_of_the_table_sends(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("limits.toml").write_text("no_vocals = true\n", encoding="utf-8")
    example = re.search(r"Example: stillroom ctl (.+)", VERBS[verb].help or "")
    assert example, "every verb shows an example"
    act, _ = acts_of(shlex.split(example[1]))
    senders = [action for action in ACTIONS if action.ctl.split()[:1] == [verb]]
    assert any(type(act) in action.sends for action in senders), f"no action of the console names {verb}"


def test_no_menu_is_longer_than_nine_lines_and_everything_rare_is_three_keys_away() -> None:
    assert len(SUBJECTS) <= DIGITS
    for subject in SUBJECTS:
        assert len(lines_of(subject)) <= most_lines(opened_by=1), subject
    for action in ACTIONS:
        assert len(reached_by(action).split()) <= 3
    ways = [path(action) for action in ACTIONS if action.menu]
    assert len(ways) == len(set(ways))
    assert all(len(set(way)) == len(way) for way in (way.split() for way in ways)), "a held digit must not go on"


def test_the_key_rows_name_actions_with_a_short_word() -> None:
    for name in (name for row in ROWS for name in row):
        assert named(name).short and named(name).shown


@pytest.mark.parametrize(
    ("typed", "name"),
    [("med", "medical_light"), ("evac", "evacuate"), ("booster", "decline_booster"), ("sofetr", "softer"),
     ("stand down", "stand_down"), ("dark", "darken"), ("lan", "land"), ("end", "end"), ("take-back", "take_back")],
)  # fmt: skip
def test_the_palette_finds_what_was_meant_first(typed: str, name: str) -> None:
    assert found(typed)[0].name == name


def test_the_palette_offers_nothing_for_nonsense() -> None:
    assert found("qqxzzy") == []
