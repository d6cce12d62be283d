"""The console: a thin client. It shows what the room says, sends what is pressed, and may die at any time."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from pathlib import Path

from msgspec.structs import replace
from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.theme import Theme
from textual.widgets import Input

from controller.clock import boottime
from controller.console.client import Client
from controller.console.clinical_forms import note_form
from controller.console.commands import Commands
from controller.console.drill import KeyDrill
from controller.console.forms import Filled, Form
from controller.console.keyboard import Keyboard
from controller.console.lock import Lock
from controller.console.looks import BLOCKS, THEMES, Look, look_for
from controller.console.menu import Menu, Tone
from controller.console.sitter_forms import Signing, pin_form
from controller.console.view import View
from controller.console.widgets.alert import draw_alert
from controller.console.widgets.arc import arc_of, draw_arc
from controller.console.widgets.ask import Ask
from controller.console.widgets.header import draw_header
from controller.console.widgets.keyrows import draw_answer, draw_keys, draw_small
from controller.console.widgets.locked import draw_locked
from controller.console.widgets.log import draw_log
from controller.console.widgets.pane import Ground, Group, Pane
from controller.console.widgets.panels import draw_panels
from controller.console.widgets.sheet import draw_help, draw_menu

PASTE_KEPT = 500
"""So many letters of a paste are offered as a note."""

ANSWER_S = 20.0
"""An answer stays on its line for so long."""

MOVING_S = 0.9
"""What moves by itself (clock, level, light) is painted no more often than this."""

HEARD_S = 0.015
"""What the room says is painted so much later: the answer to a key comes with it, and goes first."""

SETTLED_S = 1.0
"""After so long what was built to stay is there; it need not be looked through whenever memory is tidied."""

HANGUP_GRACE_S = 1.0
"""After the terminal is gone the console may take this long to end by itself."""


class ConsoleApp(App[None]):
    """The screen of one room."""

    CSS_PATH = "console.tcss"
    AUTO_FOCUS = None
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False

    def __init__(self, client: Client, look: Look | None = None) -> None:
        super().__init__()
        self.client = client
        self.look = look or look_for(os.environ)
        self.commands = Commands(client, self)
        self.menu: Menu | None = None
        self.keys_page: int | None = None
        self._answer: tuple[str, Tone, float] = ("", "plain", 0.0)
        self.keyboard = Keyboard(self)
        self.drill: KeyDrill | None = None
        self.lock = Lock(self)
        self._leaving_at = -1e9
        self._signing_at: Form | None = None
        """The question whose PIN is being looked at."""
        self._question = Ask(id="ask")
        self._panes: tuple[Pane, ...] = ()
        self._paint_due = False
        self._heard_due = False
        self._painted_at = -1e9
        self._session = ""
        """The session that was open when something was last heard."""
        self._painted: object = None
        self._asked_at = 0.0
        self._began = boottime()
        self._wear(self.look)  # before the style sheet is read, which else is read twice

    # Building

    def get_default_screen(self) -> Ground:
        """The one screen."""
        return Ground(id="_default")

    def compose(self) -> ComposeResult:
        """The fixed rows, the sheet that takes the arc's place, the question that takes the log's."""
        yield Pane(draw_small, id="small")
        yield Pane(draw_header, id="header")
        yield Pane(draw_alert, id="alert")
        with Group(id="room"):
            yield Pane(draw_arc, id="arc", of=arc_of)
            yield Pane(draw_panels, id="panels")
        yield Pane(self._draw_sheet, id="sheet")
        yield Pane(draw_locked, id="locked")
        with Group(id="lines"):
            yield Pane(draw_log, id="log", of=lambda view, _width: view.status.log)
            yield Pane(draw_answer, id="answer")
        yield self._question
        yield Pane(draw_keys, id="keys", of=lambda view, _width: view.locked)

    async def on_mount(self) -> None:
        """Take the theme and begin to listen."""
        self._panes = tuple(self.query(Pane))
        self._size_class(self.size.width, self.size.height)
        self.client.changed = self._heard
        await self.client.__aenter__()
        self.set_interval(0.5, self._tick)
        self.set_timer(SETTLED_S, gc.freeze)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(number, self._hang_up, number)

    async def on_unmount(self) -> None:
        """Stop listening."""
        self.client.changed = lambda: None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            loop.remove_signal_handler(number)
        await self.commands.close()
        await self.client.__aexit__(None, None, None)

    def _hang_up(self, number: int) -> None:
        """The terminal is gone: end, and do not let a dead terminal keep us spinning."""
        asyncio.get_running_loop().call_later(HANGUP_GRACE_S, os._exit, 128 + number)
        self.exit(return_code=128 + number)

    def on_resize(self, event: events.Resize) -> None:
        """Choose the layout for this size."""
        self._size_class(event.size.width, event.size.height)

    def _size_class(self, width: int, height: int) -> None:
        small = width < 80 or height < 24
        large = width >= 120 and height >= 40
        medium = not large and width >= 100 and height >= 30
        for name, wanted in (("small", small), ("medium", medium), ("large", large)):
            self.screen.set_class(wanted, name)
        self.call_after_refresh(self._changed)

    def _wear(self, look: Look) -> None:
        colours = look.colours
        name = f"{colours.name}-{look.dark}"
        self.register_theme(
            Theme(
                name=name, primary=colours.now, background=colours.ground, surface=colours.faint,
                foreground=colours.bright, dark=colours.name != "day",
            )
        )  # fmt: skip
        self.look = look
        self.theme = name
        self._changed()

    # Showing

    def view(self) -> View:
        """The newest snapshot."""
        client = self.client
        text, tone, until = self._answer
        desk = client.desk
        known = client.heard
        mismatch = str(client.mismatch) if client.mismatch else ""
        return View(
            status=client.status,
            call=client.call,
            call_path=desk.path_state if desk.reachable else "gone" if desk.link.tried else "unknown",
            connected=client.connected,
            known=known,
            silent_s=client.silent_s if known else (boottime() - self._began if client.tried else 0.0),
            unanswered=len(client.unanswered),
            mismatch=mismatch,
            console=client.console,
            person=client.who or "",
            locked=self.lock.on,
            whom=self.commands.whom,
            answer=text if boottime() < until else "",
            answer_tone=tone,
            look=self.look,
        )

    def _heard(self) -> None:
        """Look in a moment at what was heard: what is being said just now comes first, and tells more with one look.

        But a list is closed before the next key, which may open one of the new session.
        """
        if self.client.session != self._session:
            self._session = self.client.session
            self._close_list()
        if self._painted is None:
            self._paint_heard()
        elif not self._heard_due:
            self._heard_due = True
            asyncio.get_running_loop().call_later(HEARD_S, self._paint_heard)

    def _paint_heard(self) -> None:
        """Paint what happened; what only moves on may wait for its second."""
        self._heard_due = False
        client = self.client
        status = client.status
        news = (
            status.state, status.scene, status.alarms, status.bookings,
            tuple((item.code, item.participant, item.state) for item in status.due), status.log, client.connected,
            status.preflight,
            client.call, client.desk.path_state, client.desk.reachable,
            0 if client.connected else len(client.unanswered),
        )  # fmt: skip
        if news != self._painted or boottime() - self._painted_at >= MOVING_S:
            self._painted, self._painted_at = news, boottime()
            self._changed()

    def _close_list(self) -> None:
        """A list is of the session in which it was opened: its lines would do what they say to another one.

        What is only read stays, and so does a question: its answer says which session it means.
        """
        if self.menu is not None and not self.menu.whole and self.is_free:
            self.back()
            self.say(f"the list is closed: {'another session has begun' if self._session else 'the session has ended'}")

    def _changed(self) -> None:
        """Paint once, after everything that is being heard just now."""
        if self.is_running and not self._paint_due:
            self._paint_due = True
            self.call_later(self._paint)

    def _paint(self) -> None:
        self._paint_due = False
        if self.is_running and self.screen_stack:
            if self.menu is not None and self.menu.fresh is not None:
                self.menu = self.menu.fresh(self.menu)
            view = self.view()
            off = self.look.off
            self.screen.set_class(view.in_session, "session")
            for pane in self._panes:
                pane.visible = not off or pane.id in ("alert", "small")  # in colours of the ground, but for alarms
                pane.show(view)

    def _tick(self) -> None:
        """What changes although nothing is heard."""
        self.lock.look()
        over = bool(self._answer[0]) and boottime() >= self._answer[2]
        if over:
            self._answer = ("", "plain", 0.0)
        if over or not self.client.connected:
            self._changed()
        form = self._question.form
        if form and form.closes_after_s and boottime() - self._asked_at > form.closes_after_s:
            self.back()

    def _draw_sheet(self, view: View, width: int, height: int) -> list[Text]:
        if self.keys_page is not None:
            return draw_help(self.keys_page, view, width, height)
        return draw_menu(self.menu, view, width, height) if self.menu else []

    # What the commands ask of the screen

    def say(self, text: str, tone: Tone = "plain") -> None:
        """Put words on the answer line."""
        text = text.replace(BLOCKS.done, self.look.signs.done)
        self._answer = (text, tone, boottime() + ANSWER_S)
        if (ask := self.asking) is not None:
            ask.say(text, self.look.colours.text)
        view = self.view()
        for pane in self._panes:
            if pane.id in ("answer", "small"):
                pane.show(view)

    def ask(self, form: Form, opener: str = "", session: str | None = None) -> None:
        """Open a question in the place of the log; what is answered means `session`, or the one that is open now."""
        self.back()
        self.screen.add_class("asking")
        if (lists := form.lists) is not None or form.above is not None:
            self.menu = lists(form.initial) if lists is not None else form.above() if form.above is not None else None
            self.screen.add_class("listing")
        self._asked_at = boottime()
        self._question.open(form, self.look.colours, opener, self.client.session if session is None else session)

    @property
    def is_free(self) -> bool:
        """Whether nothing is asked, and nothing is locked, at the moment."""
        return self.asking is None and not self.lock.on

    def signed(self, signing: Signing, refused: str) -> None:
        """What became of a PIN: the question closes, or says why not and begins again with an empty line."""
        ask = self.asking
        looked_at = ask is not None and ask.form is not None and ask.form is self._signing_at
        if looked_at and refused:
            self.ask(pin_form(signing), session=self._question.session)
        elif looked_at and ask is not None and not ask.line.value:  # no line is closed under somebody's fingers
            self.back()
        if not refused and signing.purpose == "unlock":  # it may have been locked while another PIN was looked at
            self.lock.open()
        if signing.then is not None and not refused and (looked_at or signing.purpose == "duty"):
            self.commands.fill(signing.then)
            return
        told = {
            "hand_over": f"{signing.leaves} handed over to {signing.initials}",
            "second": f"{signing.initials} stands by; nothing was sent",
        }
        self.say(refused or told.get(signing.purpose, f"{signing.initials} signed on"), "bad" if refused else "good")

    def list_choices(self, menu: Menu) -> None:
        """Open a menu in the place of arc and panels."""
        self.back()
        self.menu = menu
        self.screen.add_class("listing")
        self.screen.set_class(menu.whole, "reading")
        self._changed()

    def find(self) -> None:
        """The palette."""
        from controller.console.palette import find_form

        self.ask(find_form(self.commands))

    def show_keys(self) -> None:
        """The sheet of all keys, or its next page."""
        page = 0 if self.keys_page is None else self.keys_page + 1
        self.back()
        self.screen.add_class("listing")
        self.turn_to(page)

    def turn_to(self, page: int) -> None:
        """Another page of the sheet of all keys; behind the last one comes the first."""
        self.keys_page = page
        self._changed()

    def shut(self) -> None:
        """Lock this console."""
        self.lock.shut()

    def repaint(self) -> None:
        """Show what has changed here."""
        self._changed()

    def darken(self) -> None:
        """One step darker; the last step is off but for alarms."""
        self._wear(self.look.darker())

    def next_theme(self) -> None:
        """The next theme."""
        at = [palette.name for palette in THEMES].index(self.look.palette.name)
        self._wear(replace(self.look, palette=THEMES[(at + 1) % len(THEMES)]))

    def leave(self) -> None:
        """End this console at the second asking, and never from under a question."""
        if self.asking is not None:
            self.say("Esc first; then Ctrl+C twice leaves this console")
            return
        if boottime() - self._leaving_at < 5.0:
            self.exit()
            return
        self._leaving_at = boottime()
        self.keyboard.lift("leave_console")
        self.say("Ctrl+C again leaves this console; the session goes on without it")

    def try_keys(self) -> None:
        """Begin to try the keys, for a minute or until another one comes."""
        self.drill = KeyDrill(boottime())

    def may_try_keys(self) -> bool:
        """Whether nothing stands against it: no session, no call, and a room that hears what is pressed."""
        status, standing = self.client.status, self.client.call
        idle = status.state in ("idle", "ended") and bool(status.preflight.programme)
        return (
            idle
            and not self.lock.on
            and self.client.connected
            and (not standing.call or standing.stage == "stood_down")
        )

    def back(self) -> None:
        """Close question, menu and sheet."""
        self.menu, self.keys_page = None, None
        self._question.form = None
        self.screen.set_focus(None)
        self.screen.remove_class("asking", "listing", "reading")
        self._changed()

    def leave_question(self) -> None:
        """Close the question; the list above it stays."""
        form = self._question.form
        self.back()
        if form is not None and form.above is not None:
            self.list_choices(form.above())

    # Keys

    def _offer_note(self, text: str) -> None:
        do = self.commands
        self.ask(note_form(do.pressed_t(), do.clock, initial=text, blinded=do.status.blinded))

    def on_paste(self, event: events.Paste) -> None:
        """Something was pasted into no question: it does nothing, and is offered as a note."""
        if self.asking is None and not self.lock.on and (text := " ".join(event.text.split())):
            self._offer_note(text[:PASTE_KEPT])
            self.say("pasted: Enter keeps it as a note")

    async def on_event(self, event: events.Event) -> None:
        """Look at every key before Textual does: nothing of its own may end or swallow anything here."""
        if isinstance(event, events.Key) and not event.is_forwarded and self.keyboard.press(event):
            event.stop()
            return
        await super().on_event(event)

    @property
    def asking(self) -> Ask | None:
        """The open question, if there is one."""
        return self._question if self._question.form is not None else None

    def wake(self) -> bool:
        """Light a screen that is off; whether it was."""
        if not self.look.off:
            return False
        self._wear(replace(self.look, dark=0))
        return True

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in a question."""
        event.stop()
        ask = self._question
        if ask.lists:
            self.choose()
            return
        answer = ask.submit(event.value, self.look.colours)
        if isinstance(answer, Filled):
            self.leave_question()
            self.commands.fill(answer)
        elif isinstance(answer, Form):
            self.ask(answer, session=ask.session)
        elif isinstance(answer, Signing):
            self._signing_at = ask.form
            self.say("looking at it …")
            self.commands.sign_on(answer)

    def move_to(self, menu: Menu) -> None:
        """The open menu with another line chosen."""
        self.menu = menu
        self._changed()

    def choose(self) -> None:
        """Do the chosen line of the open menu; one that cannot be done now says why and leaves the menu open."""
        menu = self.menu
        if menu is None or not menu.lines:  # nothing to choose from, or not yet
            return
        line = menu.lines[menu.at]
        if line.why_not:
            self.say(f"{line.label}: {line.why_not}", "bad")
            return
        self.back()
        line.run()

    def typing_seen(self, letters: str) -> None:
        """Somebody types: take back what the letters did, and offer them as a note."""
        self.commands.typing_seen()
        self._offer_note(letters)
        self.say("typing? what the letters did is taken back; Enter keeps them as a note")

    def on_input_changed(self, event: Input.Changed) -> None:
        """The line was edited."""
        event.stop()
        ask = self._question
        ask.edited(self.look.colours)
        if ask.form is not None and ask.form.lists is not None:
            self.move_to(ask.form.lists(event.value))


def run_console(runtime_dir: Path, person: str | None) -> None:
    """Run the console of the room whose sockets lie in `runtime_dir`, until it is left."""
    app = ConsoleApp(Client(runtime_dir, person=person))
    app.run(mouse=False)
