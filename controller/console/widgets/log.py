"""The log: newest first, people's entries brighter than the machine's."""

from __future__ import annotations

from rich.text import Text

from controller import wording
from controller.console.view import View, local_time, row, styled


def draw_log(view: View, width: int, height: int) -> list[Text]:
    """One line an entry: time, kind, text, who."""
    colours = view.look.colours
    lines = []
    for item in wording.amended(view.status.log)[:height]:
        kind, text = wording.entry(item)
        if item.ago_s:
            entered, was = (local_time(item.utc, "%H:%M", ahead_s=ahead) for ahead in (0.0, -item.ago_s))
            text = f"{text} (entered {entered} for {was})"
        person = item.kind in wording.ACTS and item.console not in ("", "room")
        line = styled(f" {local_time(item.utc)}  ", colours.dim)
        line.append_text(styled(f"{kind:<8} ", colours.dim))
        colour = colours.bright if person and not item.taken_back else colours.text
        line.append_text(styled(text, colour))
        elsewhere = item.console if person and item.console != view.console else ""
        who = item.who or elsewhere
        lines.append(row(line, styled(f"{who} ", colours.dim), width))
    return lines
