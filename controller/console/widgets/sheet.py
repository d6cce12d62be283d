"""Menus and the sheet of all actions: they take the place of arc and panels, never of header, alert and keys."""

from __future__ import annotations

from textwrap import wrap

from rich.text import Text

from controller import wording
from controller.console.doing.action import Action
from controller.console.doing.table import ordered, reached_by
from controller.console.menu import Line, Menu
from controller.console.view import View, row, styled

FOOTER = "digit, or ↑↓ and Enter    Esc: back"


def draw_menu(menu: Menu, view: View, width: int, height: int) -> list[Text]:
    """Title, numbered lines, what the keys do; a line that asks for Enter says so where it is chosen."""
    colours = view.look.colours
    lines = [styled(f" {menu.title}", colours.bright, bold=True), Text("")]
    room = max(1, height - 4)
    first = min(max(0, menu.at - room + 1), max(0, len(menu.lines) - room))
    for index, line in enumerate(menu.lines[first : first + room], first):
        lines.append(_line(line, menu.digit(index), view, width, chosen=index == menu.at))
    lines += [Text("")] if len(lines) < height - 1 else []
    lines.append(styled(f" {menu.footer or FOOTER}", colours.dim))
    return lines


def _line(line: Line, number: int, view: View, width: int, *, chosen: bool) -> Text:
    colours = view.look.colours
    digit = f"{number}  " if number else ""
    told = f" {'>' if chosen else ' '} {digit}{line.label}"
    if line.why_not:
        return styled(wording.fit(f"{told}   ({line.why_not})", width), colours.dim, bold=chosen)
    asks = "Enter does it " if chosen and line.confirm else f"{line.key} "
    text = styled(told, colours.bright if chosen else colours.text, bold=chosen)
    return row(text, styled(asks, colours.dim), width)


HELP_HEAD = " All actions"


def _room(height: int) -> int:
    return max(1, height - 2)


def help_pages(height: int) -> int:
    """How many pages the sheet has at this height; the last one also has the marks."""
    return -(-(len(ordered()) + 3) // _room(height))


def draw_help(page: int, view: View, width: int, height: int) -> list[Text]:
    """One page of all actions with their keys, the marks, and what this program is not."""
    colours = view.look.colours
    pages = help_pages(height)
    page %= pages
    more = f"   {page + 1} of {pages}: ? shows the next" if pages > 1 else ""
    lines = [styled(f"{HELP_HEAD}{more}", colours.bright, bold=True)]
    room = _room(height)
    lines += [_explained(action, view, width) for action in ordered()[page * room : (page + 1) * room]]
    if page == pages - 1:
        marks = "  ".join(f"{at}_{label.replace(' ', '_')}" for at, (_, label) in enumerate(view.status.marks, 1))
        wrapped = wrap(f"Marks  {marks}", width - 2)[: height - 1 - len(lines)] if marks else []
        lines += [styled(f" {text.replace('_', ' ')}", colours.text) for text in wrapped]
    lines.append(styled(f" {wording.NOT_A_MEDICAL_DEVICE}", colours.dim))
    return lines


def _explained(action: Action, view: View, width: int) -> Text:
    colours = view.look.colours
    line = styled(f" {reached_by(action, plain=view.look.signs.plain):<6}", colours.bright, bold=True)
    line.append_text(styled(f"{action.long:<15} ", colours.text))
    line.append_text(styled(wording.fit(action.help, max(1, width - line.cell_len - 1)), colours.dim))
    return line
