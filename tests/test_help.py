"""What `--help` shows of every verb."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import click
import typer

from controller.__main__ import app


def _verbs(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    yield name, command
    if hasattr(command, "list_commands"):
        context = click.Context(command)
        for verb in command.list_commands(context):
            yield from _verbs(command.get_command(context, verb), f"{name} {verb}")


def test_no_word_of_the_help_is_swallowed_as_a_style() -> None:
    verbs = list(_verbs(typer.main.get_command(app), "stillroom"))
    assert len(verbs) > 100
    for name, verb in verbs:
        for said in (verb.help, *(getattr(parameter, "help", "") for parameter in verb.params)):
            assert not re.search(r"(?<!\\)\[[a-z]", said or ""), f"{name}: {said}"
