"""The place where something is typed: three rows instead of the log, so that nothing else moves."""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace
from rich.padding import Padding
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from controller.console.forms import Filled, Form
from controller.console.looks import Palette
from controller.console.sitter_forms import Signing, is_pin, may_become_pin
from controller.console.view import styled

KEYS = "Enter: confirm    Esc: back"

NOT_KEPT = "that looks like a PIN: nothing of it was kept. Esc, then 0 signs on"


class Ask(Vertical):
    """Shows one Form. Keys are fed by the app; `submit` reads the line."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.form: Form | None = None
        self.begun = False
        """Whether anything was typed; the field itself takes letters in a moment later."""
        self.session = ""
        """The session that is asked about; "" where none was open."""
        self._ready: Filled | None = None
        self._opener = ""
        self._opened_twice = False

    def compose(self) -> ComposeResult:
        """Title and hint, the line, and what is wrong with it."""
        yield Static(id="ask-title")
        line = Input(id="ask-line", compact=True, select_on_focus=False)
        line.cursor_blink = False
        yield line
        yield Static(id="ask-said")

    @property
    def lists(self) -> bool:
        """Whether the letters choose among the lines above."""
        return self.form is not None and self.form.lists is not None

    @property
    def line(self) -> Input:
        """The text field."""
        return self.query_one("#ask-line", Input)

    def open(self, form: Form, colours: Palette, opener: str = "", session: str = "") -> None:
        """Ask a question. `opener`: the key that brought it, which may still be held down."""
        self.form, self.session, self._ready = form, session, None
        self._opener, self._opened_twice = opener, False
        self.begun = bool(form.initial)
        title = styled(f"{form.title}  ", colours.bright, bold=True)
        title.append_text(styled(form.hint, colours.text))
        title.no_wrap = False  # a long hint takes the empty row above as well
        self.query_one("#ask-title", Static).update(title)
        self.line.password = form.masked
        self.say(form.beside or KEYS, colours.bright if form.beside else colours.dim)
        self.line.value = form.initial
        self.line.cursor_position = len(form.initial)
        self.screen.set_focus(self.line)  # `focus()` comes a moment later, when the question may be left again

    def say(self, text: str, colour: str) -> None:
        """The two rows beneath the line."""
        said = Text(text, style=colour, no_wrap=False, overflow="fold")
        self.query_one("#ask-said", Static).update(Padding(said, (0, 1)))

    def held(self, key: str) -> bool:
        """Whether this key is the opener's own repeat, which is not text.

        The first repeat is let through, for it may be the first letter of a word; the second one in a row tells a held
        key, and takes the first away again.
        """
        self.begun = True
        if not self._opener or key != self._opener:
            self._opener = ""
            return False
        if self._opened_twice:
            self.line.value = ""
            return True
        self._opened_twice = True
        return False

    def edited(self, colours: Palette) -> None:
        """The line changed, so what was shown before is no longer what Enter would do."""
        self.begun = self.begun or bool(self.line.value)  # what is pasted comes without a key
        if self._ready is not None:
            self._ready = None
            self.say(KEYS, colours.dim)

    def begun_line(self) -> Form | None:
        """The question with the line so far; None where there is none, or it must not be kept."""
        form, line = self.form, self.line.value
        if form is None or not line or form.lists is not None or form.closes_after_s:
            return None
        if form.masked or form.secret or (may_become_pin(line.strip()) and not form.codes):
            return None
        return replace(form, initial=line)

    def submit(self, text: str, colours: Palette) -> Filled | Form | Signing | None:
        """Read the line: an answer, a further question, or None where more is needed."""
        if self.form is None:
            return None
        if self._ready is not None:
            return self._ready
        line = " ".join(text.split())
        if is_pin(line) and not (self.form.masked or self.form.codes):
            self.line.value = ""
            self.say(NOT_KEPT, colours.medium)
            return None
        try:
            answer = self._meant(self.form.read(line), self.form, line)
        except ValueError as wrong:
            self.say(str(wrong), colours.medium)
            return None
        if isinstance(answer, Filled) and answer.doubt:
            self._ready = answer
            self.say(f"{answer.doubt}: is it so?   Enter: note it    Esc: back", colours.medium)
            return None
        if isinstance(answer, Filled) and self.form.preview:
            self._ready = answer
            self.say(f"{answer.words}.   Enter: note it    Esc: back", colours.bright)
            return None
        if isinstance(answer, Signing):
            self.line.value = ""  # whatever comes now was typed behind it
        return answer

    def _meant(self, answer: Filled | Form | Signing, form: Form, line: str) -> Filled | Form | Signing:
        """The answer with the session that it means, and the way back to its line where the room does not take it."""
        if isinstance(answer, Signing) and answer.then is not None:
            return replace(answer, then=replace(answer.then, session=answer.then.session or self.session))
        if not isinstance(answer, Filled):
            return answer
        again = answer.again
        if again is None and line and not form.closes_after_s:
            again = partial(replace, form, initial=line)
        return replace(answer, session=self.session, again=again)
