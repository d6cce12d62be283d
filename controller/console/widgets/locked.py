"""What stands in the place of arc, music and log while a console is locked."""

from __future__ import annotations

from rich.text import Text

from controller import wording
from controller.console.view import View, styled


def draw_locked(view: View, width: int, height: int) -> list[Text]:
    """In the middle of what is left: that it is locked, by whom it is opened, and what works all the same."""
    colours = view.look.colours
    opens = "0 and your digits: PIN" if view.status.signs_on else "any other key unlocks"
    told = [
        styled("LOCKED", colours.bright, bold=True),
        styled(wording.on_duty(view.status), colours.text),
        styled("call, pause, exit light and evacuation work", colours.text),
        styled(opens, colours.dim),
    ]
    lines = [styled("", colours.dim)] * max(0, (height - len(told)) // 2)
    for text in told:
        lines.append(styled(" " * max(0, (width - text.cell_len) // 2), colours.dim))
        lines[-1].append_text(text)
    return lines[:height]
