"""Every key of the console in one table: the key rows, the sheet of all keys and the scripts read it from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Repeat = Literal["once", "step"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """One thing that a key does.

    `keys`: Textual's names or single characters, in lower case. `anywhere`: the ones that work even inside a text
    field. `row`: key row 1 or 2; 0 is shown on the sheet only. `repeat`: a held "once" key counts once until it has
    rested for 700 ms, a held "step" key counts at most every 120 ms. `ctl`: the verb of `stillroom ctl`.
    """

    name: str
    keys: tuple[str, ...]
    shown: str
    short: str
    long: str
    help: str
    anywhere: tuple[str, ...] = ()
    in_dialog: bool = False
    row: int = 0
    repeat: Repeat = "once"
    ctl: str = ""
    shown_plain: str = ""
    """The key's sign where the font lacks `shown`."""


AZERTY_DIGITS = {"&": 1, "é": 2, '"': 3, "'": 4, "(": 5, "-": 6, "è": 7, "_": 8, "ç": 9}
"""An unshifted French digit row."""

ACTIONS: tuple[Action, ...] = (
    Action(
        name="call", keys=("c",), anywhere=("f1", "f2", "f3", "f4", "ctrl+g"), in_dialog=True, shown="c",
        short="CALL", long="CALL SUPPORT", row=1, ctl="call",
        help="one press; F1-F4 and Ctrl+G even while you type",
    ),
    Action(
        name="emergency", keys=("e",), anywhere=("f9",), in_dialog=True, shown="e", short="EMERG", long="EMERGENCY",
        row=1, ctl="call --emergency", help="after c: makes it an emergency; F9 alone does it at once",
    ),
    Action(
        name="pause", keys=("space",), in_dialog=True, shown="Space", short="pause", long="pause", row=1, ctl="pause",
        help="fade to silence, everything waits; twice is safe",
    ),
    Action(
        name="resume", keys=("r",), in_dialog=True, shown="r", short="go on", long="go on", row=1, ctl="resume",
        help="go on: ends pause, silence and hold",
    ),
    Action(
        name="hold", keys=("h",), shown="h", short="hold", long="hold", row=1, ctl="hold",
        help="stay in this phase until r; the music goes on inside it",
    ),
    Action(
        name="go", keys=("g",), shown="g", short="go", long="go to phase", row=1, ctl="go",
        help="cross over to a phase from a list; Enter confirms",
    ),
    Action(
        name="note", keys=("n",), shown="n", short="note", long="note", row=1, ctl="note",
        help="a few words, no names; the time is that of the key",
    ),
    Action(
        name="mark", keys=tuple("123456789"), shown="1-9", short="mark", long="marks", row=1, ctl="mark",
        help="a timed mark; the list is the programme's",
    ),
    Action(
        name="next_whom", keys=("tab",), shown="Tab", short="whom", long="whom", row=1,
        help="whom the next entry means, and a fresh last mark",
    ),
    Action(
        name="vitals", keys=("v",), shown="v", short="BP", long="vitals", row=2, ctl="vitals",
        help="120/80 72 98 36.8 in one line; empty: missed, and why",
    ),
    Action(
        name="dose", keys=("d",), shown="d", short="dose", long="dose", row=2, ctl="dose",
        help="amount or kit, minutes ago, witness; Enter twice",
    ),
    Action(
        name="quiet", keys=("s",), shown="s", short="quiet", long="silence", row=2, ctl="quiet",
        help="silence until r, the arc goes on; s again asks for minutes",
    ),
    Action(
        name="volume", keys=("up", "down"), shown="↑↓", short="vol", long="volume", row=2, repeat="step", ctl="volume",
        help="speakers and headphones together, in small ramps",
    ),
    Action(
        name="headphones", keys=("pageup", "pagedown"), shown="Pg", short="phones", long="headphones", row=2,
        repeat="step", ctl="volume --bus", help="PgUp and PgDn: the headphones alone",
    ),
    Action(
        name="light", keys=("left", "right"), shown="←→", short="light", long="light", row=2, repeat="step",
        ctl="light", help="darker and brighter by hand, in small ramps",
    ),
    Action(
        name="exit_light", keys=("l",), shown="l", short="exit", long="exit light", row=2, ctl="light exit",
        help="light to stand up by, for the bathroom",
    ),
    Action(
        name="follow_arc", keys=("f",), shown="f", short="arc", long="follow arc", row=2, ctl="light arc",
        help="the light follows the arc again",
    ),
    Action(
        name="take_back", keys=("backspace", "ctrl+h"), shown="⌫", shown_plain="Bs", short="undo", long="take back",
        row=2, ctl="take-back", help="Backspace: this console's last mark, note, step, assist",
    ),
    Action(
        name="seen", keys=("a",), shown="a", short="seen", long="alarm seen", row=2,
        help="alarm seen: quiets it, never clears it",
    ),
    Action(
        name="menu", keys=("m",), shown="m", short="menu", long="menu", row=2,
        help="medical light, stand-down, darker screen, start, end …",
    ),
    Action(name="help", keys=("?",), shown="?", short="keys", long="all keys", row=1, help="this sheet; Esc is back"),
    Action(
        name="leave", keys=(), anywhere=("ctrl+c", "ctrl+q"), shown="^C", short="leave", long="leave",
        help="twice: leave this console; the session goes on without it",
    ),
)  # fmt: skip

_BY_KEY = {key: action for action in ACTIONS for key in (*action.keys, *action.anywhere)}


def plain_key(key: str, character: str | None) -> str:
    """The name a key goes by here: case, shift and the keyboard's country taken out."""
    if character and len(character) == 1 and character.isprintable() and character != " ":
        digit = AZERTY_DIGITS.get(character.lower())
        return str(digit) if digit else character.lower()
    return key.lower()


def action_of(key: str) -> Action | None:
    """What a plain key does."""
    return _BY_KEY.get(key)
