"""A region of the screen that is drawn by a pure function."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from rich.style import Style
from rich.text import Text
from textual.color import Color
from textual.containers import Vertical
from textual.geometry import Region, Size
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from controller.console.view import View, style_of

Draw = Callable[[View, int, int], list[Text]]
"""(view, columns, rows) -> at most so many lines, none wider than the columns."""


class Ground(Screen[None]):
    """The screen behind the panes: blank, so that no change of a row has Textual style all rows behind it."""

    BLANK = True


class Group(Vertical):
    """Panes below each other; blank behind them, as the screen is."""

    BLANK = True


class Pane(Widget):
    """Shows what `draw` makes of the newest View, and repaints only those of its rows that differ.

    It has no border and no padding: its rows are the widget's rows, and are laid out and filtered once, when they are
    drawn, not whenever another pane of the screen changes.

    `of`: all that `draw` looks at, given the View and the columns, where that is cheaper to compare than to draw.
    """

    def __init__(self, draw: Draw, *, id: str, of: Callable[[View, int], object] | None = None) -> None:
        super().__init__(id=id)
        self._draw = draw
        self._of = of
        self._drawn_of: object = None
        self._drawn_size = Size(0, 0)
        self._view: View | None = None
        self._lines: list[Text] = []
        self._strips: dict[int, Strip] = {}
        self._ground = ""

    def show(self, view: View) -> None:
        """Take a new snapshot."""
        self._view = view
        size = self.size
        if size.area == 0:  # hidden: it is drawn when it is uncovered, which nobody tells it of
            self._drawn_size, self._drawn_of = size, None
            return
        if self._of is not None:
            of = size, view.look, self._of(view, size.width)
            if of == self._drawn_of:
                return
            self._drawn_of = of
        before, ground = self._lines, self._ground
        self._draw_now(view)
        if len(before) != len(self._lines) or ground != self._ground:
            self.refresh()
            return
        changed = groupby(enumerate(self._lines), key=lambda row: row[1] != before[row[0]])
        runs = [[y for y, _ in rows] for differs, rows in changed if differs]
        if runs:  # one region for rows that touch: each costs as much as a row
            self.refresh(*(Region(0, ys[0], size.width, len(ys)) for ys in runs))

    def render_lines(self, crop: Region) -> list[Strip]:
        """Rows of the newest snapshot."""
        size = self.size
        if self._view is not None and size != self._drawn_size:
            self._draw_now(self._view)
        rows = [self._row(y, size.width) for y in crop.line_range]
        return rows if crop.column_span == (0, size.width) else [row.crop(*crop.column_span) for row in rows]

    def _row(self, y: int, width: int) -> Strip:
        """One row on the ground of its theme."""
        strip = self._strips.get(y)
        if strip is not None:
            return strip
        if self._view is None:
            return Strip.blank(width)
        ground = style_of(self._view.look.colours.text, ground=self._ground)
        line = self._lines[y] if y < len(self._lines) else Text("")
        # A text without spans renders without its own style, so that is laid beneath together with the ground.
        own = line.style if isinstance(line.style, Style) else Style.null()
        strip = Strip(line.render(self.app.console)).apply_style(ground + own).adjust_cell_length(width, ground)
        for each in self.get_line_filters():
            strip = strip.apply_filter(each, Color.parse(self._ground))
        self._strips[y] = strip
        return strip

    def _draw_now(self, view: View) -> None:
        size = self.size
        lines = self._draw(view, size.width, size.height)[: size.height]
        ground = view.look.colours.ground
        if ground == self._ground and size == self._drawn_size and len(lines) == len(self._lines):
            kept = {y: strip for y, strip in self._strips.items() if y < len(lines) and lines[y] == self._lines[y]}
        else:
            kept = {}
        self._lines, self._strips, self._ground, self._drawn_size = lines, kept, ground, size
