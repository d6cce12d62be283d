"""A numbered list of lines to choose from: plain data, drawn by `widgets.sheet` and driven by `keyboard`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

DIGITS = 9

Tone = Literal["plain", "good", "bad"]


class Line(Struct, frozen=True, kw_only=True):
    """One line of a menu. `confirm`: its digit only chooses it, and Enter does it. `why_not`: shown, and not done."""

    label: str
    run: Callable[[], None]
    confirm: bool = False
    why_not: str = ""
    key: str = ""
    """The key that does the same."""
    name: str = ""
    """By which it is found again in a list that is drawn anew."""
    tone: Tone = "plain"
    other: Callable[[], None] | None = None
    """What the right arrow does."""


class Menu(Struct, frozen=True, kw_only=True):
    """Title, at most nine lines, and the one that is chosen.

    `opened_by`: the digit that opened it is the digit of no line, so that a held key cannot go on into it.
    """

    title: str
    lines: tuple[Line, ...]
    at: int = 0
    footer: str = ""
    """In place of the words on what the keys do."""
    numbered: bool = True
    opened_by: int = 0
    fresh: Callable[[Menu], Menu] | None = None
    """The same list as things stand now; asked whenever something was heard."""
    whole: bool = False
    """A page to be read, in the place of the log as well; the answer line stays."""

    def moved(self, by: int) -> Menu:
        """The menu with another line chosen."""
        return replace(self, at=(self.at + by) % max(1, len(self.lines)))

    def at_line(self, at: int) -> Menu:
        """The menu with this line chosen."""
        return replace(self, at=at)

    def digit(self, at: int) -> int:
        """The digit of a line; 0 where it has none."""
        return digit_of(at, self.opened_by) if self.numbered else 0

    def line_of(self, digit: int) -> int | None:
        """The line of a digit."""
        return next((at for at in range(len(self.lines)) if self.digit(at) == digit), None)


def digit_of(at: int, opened_by: int = 0) -> int:
    """The digit of the line at this place in a menu that this digit opens."""
    return at + 1 if not opened_by or at + 1 < opened_by else at + 2


def most_lines(opened_by: int = 0) -> int:
    """How many lines find a digit."""
    return DIGITS - (1 if opened_by else 0)


def menu_of(
    title: str,
    lines: Sequence[Line],
    show: Callable[[Menu], None],
    *,
    at: int = 0,
    footer: str = "",
    opened_by: int = 0,
) -> Menu:
    """A menu of these lines; where there are more than digits, the last one shows the rest."""
    room = most_lines(opened_by)
    if len(lines) > room:
        rest = lines[room - 1 :]
        by = digit_of(room - 1, opened_by)
        more = Line(label="more …", run=lambda: show(menu_of(title, rest, show, footer=footer, opened_by=by)))
        lines = (*lines[: room - 1], more)
    return Menu(title=title, lines=tuple(lines), at=max(0, min(at, len(lines) - 1)), footer=footer, opened_by=opened_by)
