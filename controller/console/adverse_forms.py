"""The questions of an adverse event: what it is, and how it goes on. Pure."""

from __future__ import annotations

from functools import partial
from typing import Any

from msgspec.structs import replace

from controller import wording
from controller.console.forms import Filled, Form
from controller.console.typed import WHEN, Clock, Said, late_words, read_event, taken_apart
from controller.messages import (
    AdverseEvent,
    EventView,
    UpdateEvent,
    plain_fields,
)

_ASKED = (
    ("grade", "grade", "1 mild  2 moderate  3 severe  4 life-threatening  5 death; serious behind it"),
    ("related", "related to what was given?", "related, possible, unrelated; Enter: unknown"),
    ("needed", "what did it need?", "none, rescue (given 1 mg X), provider, emergency, transport"),
)
"""What is asked for one by one where the first line did not say it."""


def event_form(whom: str, pressed_at: float, clock: Clock, typed: str = "") -> Form:
    """What it is; whatever of grade, relation and need was not said is asked for. Its onset is the press of the key."""

    def ask(said: Said, known: dict[str, Any]) -> Filled | Form:
        for name, question, hint in _ASKED:
            if name not in known:
                return Form(
                    title=f"{known['event']}: {question}", hint=hint, read=lambda text: answer(said, known, text)
                )
        event = AdverseEvent(**known)
        words = f"{whom}: {wording.event_words(plain_fields(event))}{late_words(said.ago_s)}"
        filled = Filled(
            act=event, words=words, why=said.why, ago_s=said.ago_s, pressed_at=None if said.dated else pressed_at,
            again=partial(event_form, whom, pressed_at, clock, _line_of(event, said)),
        )  # fmt: skip
        hint = "Enter: note it    Esc: back"
        return Form(title="Adverse event", hint=hint, read=lambda _text: filled, beside=words)

    def answer(said: Said, known: dict[str, Any], text: str) -> Filled | Form:
        missing = next(name for name, _, _ in _ASKED if name not in known)
        more = {"related": "unknown"} if missing == "related" and not text else read_event(text)
        if missing not in more:
            raise ValueError(f"{missing}: one of what is shown")
        more.pop("event", None)
        return ask(said, {**known, **more})

    def read(line: str) -> Filled | Form:
        said = taken_apart(line, clock)
        known = read_event(said.text)
        if "event" not in known:
            raise ValueError("what it is, in a word or two")
        return ask(said, known)

    hint = f"headache, 2   its onset is the key's   {WHEN}"
    return Form(title=f"Adverse event of {whom}", hint=hint, read=read, initial=typed)


def _line_of(event: AdverseEvent, said: Said) -> str:
    """The one line that says all of an event."""
    flags = ("serious",) if event.serious else ()
    given = (f"given {event.rescue}",) if event.rescue else ()
    line = ", ".join((event.event, f"{event.grade}", *flags, event.related, *event.needed, *given))
    when = f" @{said.ago_s / 60.0:.0f}" if said.dated else ""
    return f"{line}{when}{f'; {said.why}' if said.why else ''}"


def update_form(one: EventView, clock: Clock, onset: bool = False) -> Form:
    """What is true of an event now; shown beside what stands before it is noted. `onset`: @ moves its onset."""

    def read(line: str) -> Filled:
        said = taken_apart(line, clock)
        known = read_event(said.text)
        code = known.pop("event", None)
        onset_ago = said.ago_s / 60.0 if onset and said.dated else None
        if not known and code is None and onset_ago is None:
            raise ValueError("what is true now: resolved, grade 3, serious, related, provider, given ...")
        act = UpdateEvent(event=one.seq, code=code, onset_minutes_ago=onset_ago, **known)
        new = replace(one.event, **known, **({"event": code} if code else {}))
        words = f"{wording.event_words(plain_fields(one.event))} -> {wording.event_words(plain_fields(new))}"
        at = f", onset{late_words(said.ago_s)}" if onset_ago is not None else late_words(said.ago_s)
        ago_s = 0.0 if onset else said.ago_s
        return Filled(act=act, words=f"{words}{at}", participants=one.participants, why=said.why, ago_s=ago_s)

    return Form(
        title=f"{one.event.event} of {' and '.join(one.participants)}", preview=True, read=read,
        hint=f"resolved, grade 3, not serious, provider, given ...   {WHEN}",
        beside=wording.event_words(plain_fields(one.event)),
    )  # fmt: skip
