"""From a key to a command, a menu or a text field: held keys counted once, typists told from commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

from controller.clock import boottime
from controller.console.doing.action import Action
from controller.console.doing.preflight import tried
from controller.console.doing.table import action_of
from controller.console.drill import KEYS, KeyDrill
from controller.console.keys import plain_key
from controller.console.menu import Menu
from controller.console.repeat import KeyRests, TypingWatch
from controller.console.widgets.ask import Ask

if TYPE_CHECKING:
    from controller.console.app import ConsoleApp

WAKING = ("call", "emergency", "pause", "resume", "sign_on")
"""What a key does besides waking a screen that is off."""

IN_A_PIN = ("enter", "escape", "backspace", "delete", "left", "right", "home", "end")
"""The keys that a hidden line is typed with, beside digits."""

TURNING = {"down": 1, "right": 1, "pagedown": 1, "up": -1, "left": -1, "pageup": -1}
"""Keys that turn the pages of the sheet of all keys."""

MIXED_LETTERS = 3
"""So many letters just before and with the one that opened a question make its text suspect of being typed prose."""


class Keyboard:
    """Sees every key before Textual does, whatever is open."""

    def __init__(self, app: ConsoleApp) -> None:
        self._app = app
        self._rests = KeyRests()
        self._typing = TypingWatch()

    def lift(self, name: str) -> None:
        """Let the next press of an action count although the last one was a moment ago."""
        self._rests.lift(name)

    def press(self, event: events.Key) -> bool:
        """Act upon a key; False leaves it to the text field."""
        app = self._app
        key, now = plain_key(event.key, event.character), boottime()
        action = action_of(key)
        app.lock.touch(now)
        if app.wake() and (action is None or action.name not in WAKING):
            return True
        ask = app.asking
        hidden = ask is not None and ask.form is not None and ask.form.masked  # a PIN is no trial of the keys
        if app.drill is not None and not hidden and self._tries(app.drill, key, now):
            return True
        if app.lock.on and ask is None:
            self._typing.clear()
            return self._locked(key, action, now)
        if not (event.character and event.is_printable):
            self._typing.clear()
        elif self._somebody_types(event.character, now, ask):
            return True
        if ask is not None:
            return self._in_question(ask, key, action, now)
        if key == "escape":
            app.back()
        elif app.menu is not None:
            self._in_menu(app.menu, key, action, now)
        elif app.keys_page is not None and key in TURNING:
            if self._rests.counts(f"page {key}", now, step=True):
                app.turn_to(app.keys_page + TURNING[key])
        elif action is not None and (app.keys_page is None or _over_sheet(action, key)):
            self._act(action, key, now)
        return True

    def _tries(self, drill: KeyDrill, key: str, now: float) -> bool:
        """Whether a key was part of the trial; any other one ends it, and e calls as F9 does."""
        app = self._app
        meaning = drill.takes(key, now) if app.may_try_keys() else "meant"
        action = action_of(key)
        if meaning == "meant":
            if key not in KEYS:
                app.drill = None
            elif action is not None:
                self._rests.lift(action.name)
            if key == "e" and action is not None:
                self._act(action, "f9", now)
            return key in ("e", "escape")
        if action is not None:
            self._rests.counts(action.name, now)  # held on, it is no further press
        if meaning == "trial":
            tried(app.commands, key)
        return True

    def _locked(self, key: str, action: Action | None, now: float) -> bool:
        if key == "escape":
            self._app.back()
        elif self._app.menu is not None and (action is None or action.name != "sign_on"):
            self._in_menu(self._app.menu, key, action, now)
        elif self._app.lock.press(key, action) and action is not None:
            self._act(action, key, now)
        return True

    def _act(self, action: Action, key: str, now: float) -> None:
        if not self._app.lock.allows(action):
            return
        each = action.name == "mark" or action.repeat == "step"
        # Enter is one key wherever it is pressed, so that a held one cannot ask and confirm.
        name = key if key == "enter" else f"{action.name} {key}" if each else action.name
        counts = self._rests.counts(name, now, step=action.repeat == "step")
        if counts:
            self._app.commands.run(action, key)

    def _in_question(self, ask: Ask, key: str, action: Action | None, now: float) -> bool:
        if ask.form is not None and ask.form.masked and key not in IN_A_PIN:
            # A PIN is of digits, so every other key that works over a question keeps its meaning.
            if key.isdigit():
                ask.line.insert_text_at_cursor(key)
            elif action is not None and (action.in_dialog or key in action.anywhere):
                self._act(action, key, now)
            return True
        if action is not None and key in action.anywhere:
            self._act(action, key, now)
        elif key == "escape":
            self._app.leave_question()
        elif key == "enter":
            # The field itself hands the line over, after the letters that it still has to take in.
            return not self._rests.counts("enter", now)
        elif key in ("up", "down") and self._app.menu is not None and ask.lists:
            self._move(self._app.menu, key, now)
        elif key == "space" and not ask.begun and action is not None:
            # A line never begins with a space, so the largest key keeps its meaning.
            self._act(action, key, now)
        elif key != "tab":
            self._rests.lift("enter")
            return ask.held(key)
        return True

    def _in_menu(self, menu: Menu, key: str, action: Action | None, now: float) -> None:
        if action is not None and (action.in_dialog or key in action.anywhere):
            self._act(action, key, now)
        elif action is not None and action.name == "menu" and not self._app.lock.on:
            self._act(action, key, now)  # m is the way from anywhere
        elif key in ("up", "down"):
            self._move(menu, key, now)
        elif key == "right" and menu.lines and (other := menu.lines[menu.at].other) is not None:
            self._app.back()
            other()
        elif key.isdigit() and (at := menu.line_of(int(key))) is not None:
            self._typing.clear()  # whoever finds a line by its digit is not typing prose
            self._app.move_to(menu.at_line(at))
            if not menu.lines[at].confirm and self._rests.counts(f"menu {key}", now):
                self._app.choose()
        elif key == "enter" and self._rests.counts("enter", now):
            self._app.choose()

    def _move(self, menu: Menu, key: str, now: float) -> None:
        if self._rests.counts(f"menu {key}", now, step=True):
            self._app.move_to(menu.moved(1 if key == "down" else -1))

    def _somebody_types(self, character: str, now: float, ask: Ask | None) -> bool:
        """Text in a question is no command, unless other letters came just before the one that opened it.

        A PIN is never taken for prose: what is offered as a note is shown.
        """
        masked = ask is not None and ask.form is not None and ask.form.masked
        if masked or (ask is not None and self._typing.letters < MIXED_LETTERS):
            self._typing.clear()
            return False
        letters = self._typing.feed(character, now)
        if letters:
            self._typing.clear()
            self._app.typing_seen(letters)
        return bool(letters)


def _over_sheet(action: Action, key: str) -> bool:
    """Whether the key keeps its meaning while the sheet of all keys is open."""
    return action.in_dialog or key in action.anywhere or action.name == "help"
