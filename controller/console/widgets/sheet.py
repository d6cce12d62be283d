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
    colour = {"plain": colours.text, "good": colours.dim, "bad": colours.medium}[line.tone]
    text = styled(told, colours.bright if chosen and line.tone != "bad" else colour, bold=chosen)
    return row(text, styled(asks, colours.dim), width)


HELP_HEAD = " All actions"


def help_sheet(view: View, width: int, height: int) -> list[list[Text]]:
    """All pages of the sheet: every action with its key, and each mark's digit where the marks are."""
    entries = [_explained(action, view, width) for action in ordered()]
    room = max(1, height - 1 - len(_is_not(width)))
    pages: list[list[Text]] = [[]]
    for entry in entries:
        if len(pages[-1]) + len(entry) > room and pages[-1]:
            pages.append([])
        pages[-1] += entry
    return pages


def draw_help(page: int, view: View, width: int, height: int) -> list[Text]:
    """One page of all actions with their keys, and what this program is not."""
    colours = view.look.colours
    pages = help_sheet(view, width, height)
    page %= len(pages)
    more = f"   {page + 1} of {len(pages)}: ↑↓ turn the page, Esc: back" if len(pages) > 1 else "   Esc: back"
    return [
        styled(f"{HELP_HEAD}{more}", colours.bright, bold=True),
        *pages[page],
        *(styled(f" {line}", colours.dim) for line in _is_not(width)),
    ]


def _is_not(width: int) -> list[str]:
    """What this program is not, in as many rows as it takes."""
    return wrap(wording.NOT_A_MEDICAL_DEVICE, max(20, width - 1))


def _explained(action: Action, view: View, width: int) -> list[Text]:
    colours = view.look.colours
    line = styled(f" {reached_by(action, plain=view.look.signs.plain):<6}", colours.bright, bold=True)
    line.append_text(styled(f"{action.long:<15}  ", colours.text))
    lines = [line]
    if line.cell_len + len(action.help) < width:
        line.append_text(styled(action.help, colours.dim))
    else:
        below = wrap(action.help, max(20, width - 9))
        lines += [styled(f"        {text}", colours.dim) for text in below]
    if action.name == "mark":
        marks = "  ".join(f"{at}_{label.replace(' ', '_')}" for at, (_, label) in enumerate(view.status.marks, 1))
        told = wrap(marks, max(20, width - 9))
        lines += [styled(f"        {text.replace('_', ' ')}", colours.text) for text in told]
    return lines
