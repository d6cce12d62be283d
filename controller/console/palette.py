"""The palette: any action by a few letters of its name, with the key that does the same."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rapidfuzz import fuzz, utils

from controller.console.doing.action import Action
from controller.console.doing.table import ordered, reached_by
from controller.console.forms import Filled, Form
from controller.console.menu import DIGITS, Line, Menu

if TYPE_CHECKING:
    from controller.console.commands import Commands

NEAR = 55.0
"""Below this likeness (0..100) nothing is offered."""


def likeness(typed: str, action: Action) -> float:
    """How well an action answers to these letters, 0..100: its name first, then its verb, then its explanation."""
    wanted = utils.default_process(typed)
    name, help_, verb = (utils.default_process(text) for text in (action.long, action.help, action.ctl))
    begins = 100.0 if name.startswith(wanted) else 98.0 if f" {wanted}" in f" {name}" else 0.0
    verbs = 97.0 if verb.startswith(wanted) else 0.0
    return max(begins, verbs, 0.95 * fuzz.WRatio(wanted, name), 0.8 * fuzz.partial_ratio(wanted, help_))


def found(typed: str) -> list[Action]:
    """At most nine actions that these letters may mean, the likeliest first; without letters, the menus' first."""
    if not typed.strip():
        return [action for action in ordered() if not action.keys][:DIGITS]
    rated = sorted(((likeness(typed, action), action) for action in ordered()), key=lambda pair: -pair[0])
    return [action for rate, action in rated[:DIGITS] if rate >= NEAR]


def find_form(do: Commands) -> Form:
    """Letters above which the actions stand that they may mean; ↑↓ choose, Enter does it."""

    def lists(typed: str) -> Menu:
        lines = [
            Line(
                label=f"{action.long}   {action.help}", run=partial(do.run, action, ""),
                why_not=action.offered(do.status), key=reached_by(action),
            )
            for action in found(typed)
        ]  # fmt: skip
        footer = "↑↓ and Enter    Esc: back" if lines else "nothing is called so    Esc: back"
        return Menu(title="Find an action", lines=tuple(lines), footer=footer, numbered=False)

    def read(_text: str) -> Filled:
        raise ValueError("nothing is called so")

    return Form(title="Find", hint="a few letters of what you want", read=read, lists=lists)
