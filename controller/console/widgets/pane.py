"""A region of the screen that is drawn by a pure function."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual.widget import Widget

from controller.console.view import View

_PLAIN = str.maketrans("✓…’–", "√.'-")
"""What the words use and the Linux console's font lacks, sign for sign."""

Draw = Callable[[View, int, int], list[Text]]
"""(view, columns, rows) -> at most so many lines, none wider than the columns."""


class Pane(Widget):
    """Shows what `draw` makes of the newest View, and repaints only when that differs.

    `of`: all that `draw` looks at, given the View and the columns, where that is cheaper to compare than to draw.
    """

    def __init__(self, draw: Draw, *, id: str, of: Callable[[View, int], object] | None = None) -> None:
        super().__init__(id=id)
        self._draw = draw
        self._of = of
        self._drawn_of: object = None
        self._view: View | None = None
        self._shown: Text | None = None

    def show(self, view: View) -> None:
        """Take a new snapshot."""
        self._view = view
        if self._of is not None:
            of = self.size, self._of(view, self.size.width)
            if of == self._drawn_of and self._shown is not None:
                return
            self._drawn_of = of
        drawn = self._drawn()
        if drawn != self._shown or (self._shown is not None and drawn.spans != self._shown.spans):
            self._shown = drawn
            self.refresh()

    def render(self) -> Text:
        """The lines of the newest snapshot."""
        self._shown = self._drawn()
        return self._shown

    def _drawn(self) -> Text:
        if self._view is None or self.size.width <= 0:
            return Text("")
        lines = self._draw(self._view, self.size.width, self.size.height)[: self.size.height]
        drawn = Text("\n", no_wrap=True, end="").join(lines)
        if self._view.look.signs.plain:
            drawn.plain = drawn.plain.translate(_PLAIN)
        return drawn
