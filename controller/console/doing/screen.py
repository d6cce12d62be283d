"""What concerns this console alone: its menus, its sheets, its light, and leaving it."""

from __future__ import annotations

from controller.console.doing.action import Action

ACTIONS = (
    Action(
        name="menu", run=lambda do, _key: do.open_menu(), keys=("m",), shown="m", short="menu", long="menu",
        help="everything rare, by subject and digit",
    ),
    Action(
        name="help", run=lambda do, _key: do.shell.show_keys(), keys=("?",), shown="?", short="keys", long="all keys",
        repeat="step", help="this sheet; ? again: the next page; Esc is back", menu="screen",
    ),
    Action(
        name="find", run=lambda do, _key: do.shell.find(), keys=(":", "ctrl+p"), shown="^P", long="find an action",
        menu="screen", help="Ctrl+P or : and a few letters of what you want",
    ),
    Action(
        name="darken", run=lambda do, _key: do.shell.darken(), menu="screen", long="screen darker, then off",
        help="any key wakes it; alarms stay lit",
    ),
    Action(
        name="colours", run=lambda do, _key: do.shell.next_theme(), menu="screen", long="colours",
        help="night, red, day, linux",
    ),
    Action(
        name="leave_console", run=lambda do, _key: do.shell.leave(), anywhere=("ctrl+c", "ctrl+q"), shown="^C",
        long="leave this console", menu="screen", help="twice; the session goes on without it",
    ),
)  # fmt: skip
