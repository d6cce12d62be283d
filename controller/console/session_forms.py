"""The question that keeps the room for a session. Pure."""

from __future__ import annotations

import re
from functools import partial

from controller.console.forms import Filled, Form
from controller.messages import Book

_WHEN = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{1,2}:\d{2})")


def book_form(typed: str = "") -> Form:
    """When, programme, codes; shown before it is noted."""

    def read(text: str) -> Filled:
        when = _WHEN.match(text)
        rest = text[when.end() :].replace(",", " ").split() if when else []
        if when is None or not rest:
            raise ValueError("day, time, programme, code:  2026-12-01 09:30 psilocybin-25mg C-0412")
        day, clock = when.groups()
        programme, *people = rest
        act = Book(programme=programme, participants=tuple(people), wanted=f"{day}T{clock:0>5}")
        of = f" for {' and '.join(people)}" if people else ""
        words = f"book {programme}{of}, {day} {clock}"
        return Filled(act=act, words=words, participants=(), again=partial(book_form, text))

    hint = "2026-12-01 09:30 psilocybin-25mg C-0412"
    return Form(title="Book", hint=hint, read=read, preview=True, initial=typed)
