"""The locked console: T+, state and alarms stay in sight, what stops, lights or calls works, all else asks for a PIN.

What is pressed while it is locked goes under nobody's initials, for nobody knows whose hand it was.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from controller.clock import boottime
from controller.console.doing.action import Action
from controller.console.doing.table import named
from controller.console.forms import Form
from controller.console.menu import Line, Menu, menu_of
from controller.console.sitter_forms import unlock_form

if TYPE_CHECKING:
    from controller.console.app import ConsoleApp

KEYS = ("call", "emergency", "pause", "exit_light", "seen", "menu")
"""The actions whose keys work, as the key rows show them; `menu` is the short one of `MENU`."""

MENU = ("medical_light", "evacuate")

OPENS_MENU = ("menu", "go")


class Lock:
    """Whether this console is locked, and what its keys do then."""

    def __init__(self, app: ConsoleApp) -> None:
        self._app = app
        self.on = False
        self._touched = boottime()
        self._begun: tuple[str | None, Form, str] | None = None
        """Who was typing when it was locked, the question with the line so far, and the session that it is about."""

    def touch(self, now: float) -> None:
        """A key was pressed."""
        self._touched = now

    def look(self) -> None:
        """Lock where the room's time without a key is over."""
        after = self._app.client.status.lock_after_s
        if after and not self.on and boottime() - self._touched >= after:
            self.shut()

    def shut(self) -> None:
        """Lock: what was open is closed, and nothing of the session can be read but what must be."""
        self._app.drill = None
        self._begun = self._typed()
        self._app.back()
        self._turn(on=True)
        self._app.say("")

    def open(self) -> None:
        """Unlock; whoever was typing here finds their line again, and nobody else does."""
        self._turn(on=False)
        begun, self._begun = self._begun, None
        if begun is not None and begun[0] == self._app.client.who:
            self._app.ask(begun[1], session=begun[2])

    def _typed(self) -> tuple[str | None, Form, str] | None:
        """The line that was begun and would be lost."""
        ask = self._app.asking
        form = ask.begun_line() if ask is not None else None
        return (self._app.client.who, form, ask.session) if ask is not None and form is not None else None

    def allows(self, action: Action) -> bool:
        """Whether an action can be done now."""
        return not self.on or action.name in KEYS or action.name in MENU

    def press(self, key: str, action: Action | None) -> bool:
        """A key on the locked screen, without a question or a menu open; whether its action is to be done."""
        app = self._app
        if action is not None and action.name in OPENS_MENU:
            app.list_choices(self._menu())
        elif action is not None and self.allows(action):
            return True
        elif not app.client.status.signs_on:
            self.open()
            app.say("unlocked")
        else:
            app.ask(unlock_form(app.client.signed_on, key if action is named("sign_on") else ""))
        return False

    def _menu(self) -> Menu:
        do = self._app.commands
        lines = [
            Line(label=action.long, run=partial(do.run, action, ""), confirm=action.confirm)
            for action in map(named, MENU)
        ]
        return menu_of("Locked", lines, do.show)

    def _turn(self, *, on: bool) -> None:
        self.on = self._app.client.locked = on
        self._app.screen.set_class(on, "locked")
        self._app.repaint()
