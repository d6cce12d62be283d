"""What concerns this console alone: its menus, its sheets, its light, and leaving it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.console.doing.action import Action

if TYPE_CHECKING:
    from controller.console.commands import Commands


def menu(do: Commands, _key: str) -> None:
    """The subjects."""
    do.open_menu()


def find(do: Commands, _key: str) -> None:
    """The palette."""
    do.shell.find()


def show_keys(do: Commands, _key: str) -> None:
    """The sheet of all keys."""
    do.shell.show_keys()


def darken(do: Commands, _key: str) -> None:
    """One step darker."""
    do.shell.darken()


def colours(do: Commands, _key: str) -> None:
    """The next theme."""
    do.shell.next_theme()


def leave(do: Commands, _key: str) -> None:
    """End this console."""
    do.shell.leave()


ACTIONS = (
    Action(
        name="menu", run=menu, keys=("m",), shown="m", short="menu", long="menu",
        help="everything rare, by subject and digit",
    ),
    Action(
        name="help", run=show_keys, keys=("?",), shown="?", short="keys", long="all keys",
        help="this sheet; ? again: the next page; Esc is back", menu="screen",
    ),
    Action(
        name="find", run=find, keys=(":", "ctrl+p"), shown="^P", long="find an action", menu="screen",
        help="Ctrl+P or : and a few letters of what you want",
    ),
    Action(
        name="darken", run=darken, menu="screen", long="screen darker, then off",
        help="any key wakes it; alarms stay lit",
    ),
    Action(name="colours", run=colours, menu="screen", long="colours", help="night, red, day, linux"),
    Action(
        name="leave_console", run=leave, anywhere=("ctrl+c", "ctrl+q"), shown="^C", long="leave this console",
        menu="screen", help="twice; the session goes on without it",
    ),
)  # fmt: skip
