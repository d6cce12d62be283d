"""The alert line: always reserved, black when all is well, the most urgent thing first."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from controller import wording
from controller.console.looks import STARS, Priority
from controller.console.view import View

_ORDER: dict[Priority, int] = {"high": 0, "medium": 1, "low": 2}

RETURNS_S = 120.0
"""So long before its end a timed silence is spoken of."""

Alert = tuple[Priority, bool, str]
"""(priority, seen, text)"""


def alerts(view: View) -> list[Alert]:
    """Everything that is not as it should be, the most urgent and unseen first.

    An open call stands before all but what is high: whoever called looks there for whether somebody comes.
    """
    found: list[Alert] = []
    call = called = wording.call(view.call)
    if call:
        level: Priority = "high" if view.call.stage == "not_delivered" else "medium"
        if view.call.stage == "acknowledged":
            level = "low"
        called = call if level != "low" else f"{call}   Enter: stand it down"
        found.append((level, False, called))
    if view.mismatch:
        found.append(("high", False, f"{view.mismatch}: update this console"))
    elif view.known and not view.connected:
        found.append(("high", False, _lost(view)))
    elif not view.known and view.silent_s > 0:
        found.append(("high", False, f"NO ROOM ANSWERS - {_call_key(view)}"))
    if told := _music_returns(view):
        found.append(("low", False, told))
    found += [
        (alarm.priority, alarm.seen, wording.alarm(alarm))
        for alarm in view.status.alarms
        if not (alarm.code == "call_not_delivered" and call)
    ]
    return sorted(found, key=lambda alert: (alert[1], _ORDER[alert[0]] > 0, alert[2] != called, _ORDER[alert[0]]))


def _music_returns(view: View) -> str:
    """A timed silence is near its end; "" otherwise."""
    status = view.status
    if not status.quiet or status.quiet_until_s is None:
        return ""
    left = status.quiet_until_s - status.t - view.ahead_s
    return f"MUSIC RETURNS IN {wording.duration(max(0.0, left))}   s: other minutes" if left <= RETURNS_S else ""


def _lost(view: View) -> str:
    kept = f", {view.unanswered} kept" if view.unanswered else ""
    return f"ROOM NOT ANSWERING {wording.duration(view.silent_s)} - {_call_key(view)}{kept}"


def _call_key(view: View) -> str:
    """What the call key can still do without the room, as far as the caller's own word goes."""
    match view.call_path:
        case "gone":
            return "c CANNOT CALL - use the wall button"
        case "ok":
            return "c still calls, Space still pauses"
        case _:
            return "c may not get through: wall button"


def draw_alert(view: View, width: int, _height: int) -> list[Text]:
    """One line of at most 76 columns of text; how many more stand behind it at its end."""
    found = alerts(view)
    if not found:
        return [Text("")]
    priority, seen, text = found[0]
    more = f"   +{len(found) - 1}" if len(found) > 1 else ""
    hint = "   a seen" if not seen and view.connected and _from_room(view, text) else ""
    stars = f"{STARS[priority]:<3} "
    room = width - len(stars) - 1
    if len(text) + len(hint) + len(more) <= room:  # the hint gives way first, and how many more stand behind never does
        more = hint + more
    line = wording.fit(text, room - len(more))
    line = f" {stars}{line}{more}"[:width].ljust(width)
    return [Text(line, style=_style(view, priority, seen), no_wrap=True, end="")]


def _from_room(view: View, text: str) -> bool:
    return any(wording.alarm(alarm) == text for alarm in view.status.alarms)


def _style(view: View, priority: Priority, seen: bool) -> Style:
    colours = view.look.colours
    colour = {"high": colours.high, "medium": colours.medium, "low": colours.low}[priority]
    if seen:
        return Style(color=colour)
    if priority == "high" or (colours.inverse and priority == "medium"):
        return Style(color=colours.ground, bgcolor=colour, bold=True)
    return Style(color=colour, bold=True)
