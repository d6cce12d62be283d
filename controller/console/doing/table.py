"""Every action of the console, in the order of the key rows, the sheet of all keys and the menus."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from controller.console.doing import (
    blinding,
    calls,
    clinical,
    closed,
    correcting,
    leaving,
    music,
    preflight,
    record,
    room,
    screen,
    session,
    sitters,
    touching,
)
from controller.console.doing.action import Action, Subject
from controller.console.menu import Line, Menu, digit_of, menu_of

if TYPE_CHECKING:
    from controller.console.commands import Commands

ACTIONS: tuple[Action, ...] = (
    *calls.ACTIONS,
    *room.ACTIONS,
    *music.ACTIONS,
    *touching.ACTIONS,
    *clinical.ACTIONS,
    *record.ACTIONS,
    *correcting.ACTIONS,
    *closed.ACTIONS,
    *blinding.ACTIONS,
    *leaving.ACTIONS,
    *sitters.ACTIONS,
    *session.ACTIONS,
    *preflight.ACTIONS,
    *screen.ACTIONS,
)

SUBJECTS: dict[Subject, str] = {
    "call": "Call and alarms",
    "room": "Light and room",
    "music": "Music and arc",
    "clinical": "Participants: doses, vitals, limits",
    "record": "Record",
    "leaving": "Release and leaving",
    "sitters": "Sitters",
    "session": "Start, end, book",
    "screen": "This console",
}
"""The menus behind `m`."""

ROWS: tuple[tuple[str, ...], ...] = (
    ("call", "emergency", "pause", "resume", "hold", "go", "note", "mark", "next_whom", "help"),
    (
        "vitals", "dose", "quiet", "volume", "headphones", "light", "exit_light", "follow_arc", "take_back", "seen",
        "menu",
    ),
)  # fmt: skip
"""The two rows of keys, from the left."""

_BY_KEY = {key: action for action in ACTIONS for key in (*action.keys, *action.anywhere)}
_BY_NAME = {action.name: action for action in ACTIONS}


def action_of(key: str) -> Action | None:
    """What a plain key does."""
    return _BY_KEY.get(key)


def named(name: str) -> Action:
    """The action of this name."""
    return _BY_NAME[name]


def lines_of(subject: Subject) -> tuple[Action, ...]:
    """What stands in a menu, in the order of its digits."""
    return tuple(action for action in ACTIONS if action.menu == subject)


def subjects() -> tuple[Subject, ...]:
    """The menus that hold something, in the order of their digits."""
    return tuple(subject for subject in SUBJECTS if lines_of(subject))


def _digit(subject: Subject) -> int:
    return subjects().index(subject) + 1


def in_menus() -> tuple[Action, ...]:
    """All that stands in the menus, in the order of its digits."""
    return tuple(action for subject in subjects() for action in lines_of(subject))


def path(action: Action) -> str:
    """The keys from the open room to an action in a menu: "m 3 1"; "" for one that stands in none."""
    if action.menu is None:
        return ""
    opened_by = _digit(action.menu)
    return f"m {opened_by} {digit_of(lines_of(action.menu).index(action), opened_by)}"


def reached_by(action: Action, *, plain: bool = False) -> str:
    """How a person gets to it, in the shortest way: its key, or its path through the menus."""
    return action.sign(plain=plain) or path(action)


def main_menu(do: Commands) -> Menu:
    """The subjects."""
    lines = [Line(label=SUBJECTS[subject], run=partial(do.open_subject, subject)) for subject in subjects()]
    return menu_of("Menu", lines, do.show)


def subject_menu(do: Commands, subject: Subject) -> Menu:
    """The lines of one subject; what cannot be done now keeps its place and says why."""
    lines = []
    for action in lines_of(subject):
        why_not = action.offered(do.status)
        stands = "" if why_not or action.stands is None else action.stands(do.status)
        lines.append(
            Line(
                label=f"{action.long}   {stands}".rstrip(), run=partial(do.run, action, ""),
                confirm=action.confirm, why_not=why_not, key=action.shown,
            )
        )  # fmt: skip
    return menu_of(SUBJECTS[subject], lines, do.show, opened_by=_digit(subject))


def ordered() -> tuple[Action, ...]:
    """The keys as their rows have them, then what has a key besides, then the menus."""
    rows = [_BY_NAME[name] for row in ROWS for name in row]
    menus = [action for subject in SUBJECTS for action in lines_of(subject) if action not in rows]
    return (*rows, *(action for action in ACTIONS if action not in rows and action not in menus), *menus)
