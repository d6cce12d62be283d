"""Menus and the sheet of all keys: they take the place of arc and panels, never of header, alert and keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from textwrap import wrap

from rich.text import Text

from controller import wording
from controller.console.keys import ACTIONS
from controller.console.view import View, styled


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One line of a menu."""

    label: str
    run: Callable[[], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Menu:
    """A numbered list. `at_once`: a digit does it; otherwise it only chooses, and Enter confirms."""

    title: str
    choices: tuple[Choice, ...]
    at: int = 0
    at_once: bool = True
    footer: str = "digit or ↑↓ and Enter    Esc: back"

    def moved(self, by: int) -> Menu:
        """The menu with another line chosen."""
        return replace(self, at=(self.at + by) % len(self.choices))

    def at_line(self, at: int) -> Menu:
        """The menu with this line chosen."""
        return replace(self, at=at)


def draw_menu(menu: Menu, view: View, width: int, height: int) -> list[Text]:
    """Title, numbered lines, what the keys do."""
    colours = view.look.colours
    lines = [styled(f" {menu.title}", colours.bright, bold=True), Text("")]
    room = max(1, height - 4)
    first = min(max(0, menu.at - room + 1), max(0, len(menu.choices) - room))
    for index, choice in enumerate(menu.choices[first : first + room], first):
        chosen = index == menu.at
        sign = ">" if chosen else " "
        number = f"{index + 1}" if index < 9 else " "
        colour = colours.bright if chosen else colours.text
        lines.append(styled(wording.fit(f" {sign} {number}  {choice.label}", width), colour, bold=chosen))
    lines += [Text("")] if len(lines) < height - 1 else []
    lines.append(styled(f" {menu.footer}", colours.dim))
    return lines


HELP_HEAD = " All keys"


def help_pages(height: int) -> int:
    """How many pages the sheet of all keys has at this height."""
    room = max(1, height - 4)
    return -(-len(ACTIONS) // room)


def draw_help(page: int, view: View, width: int, height: int) -> list[Text]:
    """One page of all keys, and what this program is not."""
    colours = view.look.colours
    room = max(1, height - 4)
    pages = help_pages(height)
    page %= pages
    more = f"   {page + 1} of {pages}: ? shows the next" if pages > 1 else ""
    lines = [styled(f"{HELP_HEAD}{more}", colours.bright, bold=True)]
    for action in ACTIONS[page * room : (page + 1) * room]:
        plain = view.look.signs.plain and action.shown_plain
        line = styled(f" {action.shown_plain if plain else action.shown:<6}", colours.bright, bold=True)
        line.append_text(styled(f"{action.long:<14}", colours.text))
        line.append_text(styled(wording.fit(action.help, max(1, width - 22)), colours.dim))
        lines.append(line)
    marks = "  ".join(f"{at}_{label.replace(' ', '_')}" for at, (_, label) in enumerate(view.status.marks, 1))
    if len(lines) + len(wrapped := wrap(f"Marks  {marks}", width - 2)) < height and marks:
        lines += [styled(f" {text.replace('_', ' ')}", colours.text) for text in wrapped]
    lines.append(styled(f" {wording.NOT_A_MEDICAL_DEVICE}", colours.dim))
    return lines
