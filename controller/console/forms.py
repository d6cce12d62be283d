"""One-line questions: what may be typed, what it means, and what it will do, before Enter does it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from controller.console.menu import Menu
from controller.messages import Act, End, Quiet, Start

if TYPE_CHECKING:
    from controller.console.sitter_forms import Signing


class Filled(Struct, frozen=True, kw_only=True):
    """A form's answer: the act, whom it concerns (None: whoever is chosen), and its name for the answer line.

    `doubt`: what of it may be a slip; it is asked about, and never refused.
    """

    act: Act
    words: str
    participants: tuple[str, ...] | None = None
    why: str = ""
    doubt: str = ""
    ago_s: float = 0.0
    """So long ago it was."""
    again: Callable[[], Form] | None = None
    """The question once more, with what was typed, where the room does not take it."""
    session: str = ""
    """The session in which it was asked."""
    pressed_at: float | None = None
    """CLOCK_BOOTTIME of the key that it counts from, where that is not Enter's."""
    after: Callable[[], None] | None = None
    """Done once it is noted."""


class Form(Struct, frozen=True, kw_only=True):
    """One question. `read` gives the answer or the next question, and raises ValueError with what is wrong.

    `preview`: ask for a second Enter after showing what will be done. `closes_after_s`: answers no by itself.
    `masked`: what is typed is secret: digits alone, shown as dots. `codes`: participants' codes are typed, of which one
    may well look like a PIN; no other question keeps such a line. `secret`: a PIN was typed just before it.
    `above`: the list that stays above it and is open again after it, answered or not.
    `beside`: what to know before anything is typed. `lists`: what fits the letters typed so far, as a menu above the
    line, of which Enter does the chosen line.
    """

    title: str
    hint: str
    read: Callable[[str], Filled | Form | Signing]
    preview: bool = False
    initial: str = ""
    closes_after_s: float | None = None
    beside: str = ""
    lists: Callable[[str], Menu] | None = None
    masked: bool = False
    codes: bool = False
    secret: bool = False
    above: Callable[[], Menu] | None = None


def quiet_form() -> Form:
    """How long a silence lasts that is already there."""

    def read(text: str) -> Filled:
        if not text:
            return Filled(act=Quiet(), words="silence until r")
        if not text.isdigit() or not 1 <= int(text) <= 240:
            raise ValueError("whole minutes, 1 to 240")
        return Filled(act=Quiet(minutes=float(text)), words=f"silence for {text} min")

    return Form(title="Silence", hint="for how many minutes?    empty: until r", read=read)


def start_form(programme: str = "", participants: tuple[str, ...] = (), hint: str = "", *, typed: bool = False) -> Form:
    """Programme, then participants' codes, then Enter once more; filled in with what is known, or was typed before."""

    def read(name: str) -> Form:
        if not name:
            raise ValueError("a programme's name, as in playlists/")

        def codes(text: str) -> Filled:
            people = tuple(re.split(r"[ ,]+", text)) if text else ()
            if not people:
                raise ValueError("a code, never a name; several with a space between")
            words = f"start {name} for {' and '.join(people)}"
            return Filled(
                act=Start(programme=name, participants=people), words=words, participants=people,
                again=partial(start_form, name, people, typed=True),
            )  # fmt: skip

        known = " ".join(participants) if name == programme or typed else ""
        return Form(title=f"Start {name}", hint="participant's code; several with a space between", read=codes,
                    preview=True, initial=known, codes=True)  # fmt: skip

    hint = hint or "programme, e.g. psilocybin-25mg"
    return Form(title="Start a session", hint=hint, read=read, initial=programme)


END_CLOSES_S = 10.0


def end_form(still_here: tuple[str, ...] = ()) -> Form:
    """Ends the session only for the typed word; asks once more where somebody has not gone. Answers no by itself."""
    filled = Filled(act=End(), words="end of the session", participants=())

    def read(text: str) -> Filled | Form:
        if text.lower() != "end":
            raise ValueError("type  end  and Enter; Esc goes back")
        if not still_here:
            return filled
        verb = "is" if len(still_here) == 1 else "are"
        return Form(
            title=f"{' and '.join(still_here)} {verb} neither released nor left", closes_after_s=END_CLOSES_S,
            hint="Enter closes the record all the same    Esc: back", read=lambda _text: filled,
        )  # fmt: skip

    return Form(
        title="End the session", read=read, closes_after_s=END_CLOSES_S,
        hint=f"type  end  and Enter within {END_CLOSES_S:.0f} s: music fades, light comes up",
    )  # fmt: skip


def stand_down_form(filled: Filled) -> Form:
    """Enter alone stands a call down."""
    return Form(title="Stand the call down?", hint="Enter: nobody needs to come any more", read=lambda _text: filled)
