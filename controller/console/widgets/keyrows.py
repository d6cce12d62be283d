"""Two rows of keys, in the longest words that fit; the line above them that answers."""

from __future__ import annotations

from rich.text import Text

from controller import wording
from controller.console.doing.table import ROWS, named
from controller.console.lock import KEYS
from controller.console.view import View, row, styled
from controller.console.widgets.header import DUTY_COLUMNS, duty


def draw_keys(view: View, width: int, _height: int) -> list[Text]:
    """Both rows of the table; of a locked console what works there."""
    return [_row(view, names, width) for names in ((KEYS,) if view.locked else ROWS)]


def _row(view: View, names: tuple[str, ...], width: int) -> Text:
    items = [named(name) for name in names]
    shown = [action.sign(plain=view.look.signs.plain) for action in items]
    line = Text("")
    for long, gap, margin in ((True, 3, 1), (True, 2, 1), (False, 2, 1), (False, 1, 1), (False, 1, 0)):
        line = Text(" " * margin, no_wrap=True, end="")
        for index, (action, sign) in enumerate(zip(items, shown, strict=True)):
            line.append(" " * gap if index else "")
            colours = view.look.colours
            loud = action.name in ("call", "pause")
            line.append_text(styled(sign, colours.bright, bold=True))
            label = action.long if long else action.short
            line.append_text(styled(f" {label}", colours.text if loud else colours.dim))
        if line.cell_len <= width:
            break
    return line


def draw_answer(view: View, width: int, _height: int) -> list[Text]:
    """What became of the last key, and whom the next entry means."""
    colours = view.look.colours
    colour = {"plain": colours.text, "good": colours.bright, "bad": colours.medium}[view.answer_tone]
    text = view.answer
    if not text and view.status.signs_on and not view.person and not view.locked:
        text, colour = f"nobody is signed on here: {named('sign_on').shown} signs on", colours.text
    elif not text and view.in_session and not view.status.reviewed and not view.locked:
        unprepared = "" if view.status.preflight.required else ", preflight off"
        text, colour = f"{wording.NOT_SIGNED}{unprepared}", colours.dim
    whom = f"for {' and '.join(view.whom)}" if len(view.status.participants) > 1 and view.in_session else ""
    here = duty(view) if width < DUTY_COLUMNS and not view.locked else ""
    right = styled("".join(f"{told}  " for told in (whom, here) if told)[:-1], colours.dim if here else colours.text)
    return [row(styled(f" {text}", colour), right, width)]


def draw_small(view: View, width: int, height: int) -> list[Text]:
    """The small screen: state, T+, alert, call key, nothing else."""
    from controller.console.widgets.alert import draw_alert
    from controller.console.widgets.header import state_text

    colours = view.look.colours
    first = styled(" ", colours.dim)
    first.append_text(state_text(view))
    counts = view.has_dose and view.in_session
    time = styled("T+ " if counts else "", colours.dim)
    time.append_text(styled(view.t_plus(view.leads) if counts else "", colours.now, bold=True))
    call = styled(" c ", colours.bright, bold=True)
    call.append_text(styled("CALL SUPPORT", colours.text))
    lines = [row(first, time, width), *draw_alert(view, width, 1), call]
    if height > 3:
        said = view.answer or ("LOCKED" if view.locked else "")
        lines.append(styled(f" {wording.fit(said, width - 2)}", colours.text))
    if height > 4:
        lines.append(styled(" larger than 80 x 24 shows everything", colours.dim))
    return lines
