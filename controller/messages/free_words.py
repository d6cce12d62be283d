"""Words of a person's own inside an act: where they stand, how they are taken out and put back.

A note's text and an Input's `why` are words and nothing else. These stand among what the rules go by. A stored record
has REDACTED in their place; they lie beside the chain with the others, and come back on reading unless they were
blanked. A fact never has them: it names the record that does ("@41").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from msgspec.structs import replace

from controller.messages.acts import Act, Amend, Start
from controller.messages.clinical import Leave, Vitals
from controller.messages.clinical_events import AdverseEvent, Release, UpdateEvent
from controller.messages.codec import Tagged
from controller.messages.preflight import AnswerPreflight
from controller.messages.status import LogEntry

REDACTED = "[redacted]"

Plain = Mapping[str, str | int | float]

_A = TypeVar("_A", bound=Tagged)

_FIELDS: Mapping[type, tuple[str, ...]] = {
    Vitals: ("missed",),
    AdverseEvent: ("rescue",),
    UpdateEvent: ("rescue",),
    Release: ("reason",),
    Leave: ("condition", "told", "transport"),
    Start: ("touch_scope", "touch_scopes"),
    AnswerPreflight: ("value",),
}

_SHOWN: Mapping[str, tuple[str, ...]] = {
    "vitals": ("missed",),
    "amend": ("missed", "was_missed"),
    "amended": ("missed", "was_missed"),
    "adverse_event": ("rescue",),
    "update_event": ("rescue", "was_rescue"),
    "event_updated": ("rescue", "was_rescue"),
    "release": ("reason",),
    "leave": ("condition", "told", "transport"),
    "start": ("touch_scope",),
    "answer_preflight": ("value",),
    "touch_outside": ("scope",),
}
"""By the kind of an entry, or the code of a fact; those of the first versions have words in facts."""


def taken_out(act: Act) -> tuple[Act, dict[str, str]]:
    """The act without its words, and the words by their places in it."""
    words: dict[str, str] = {}

    def out(place: str, said: str) -> str:
        if said != REDACTED:
            words[place] = said
        return REDACTED

    return _with(act, out), words


def put_back(act: Act, words: Mapping[str, str]) -> Act:
    """The act with the words that were taken out of it; those that are not there any more read REDACTED."""
    return _with(act, lambda place, said: words.get(place, said) if said == REDACTED else said)


def without_words(act: _A, instead: str) -> _A:
    """The act with something else in the place of every word in it."""
    return _with(act, lambda _place, _said: instead)


def plain_without(kind: str, values: Plain, instead: str) -> dict[str, str | int | float]:
    """The plain values of an entry or a fact in the same way."""
    return {name: instead if name in _places(kind, values) else value for name, value in values.items()}


def said_in(entry: LogEntry) -> str:
    """All the words of an entry, with dashes between; "" where it has none, or they were redacted."""
    words = [str(entry.values[name]) for name in _places(entry.kind, entry.values)]
    return " - ".join(word for word in (*words, entry.text) if word and word != REDACTED and not refers_to(word))


def redacted(entry: LogEntry) -> LogEntry:
    """The entry without any."""
    return replace(entry, text="", values=plain_without(entry.kind, entry.values, REDACTED))


def reference(seq: int) -> str:
    """What stands in a fact for words that record `seq` has."""
    return f"@{seq}"


def refers_to(said: str) -> int:
    """The record that has them; 0 for words themselves."""
    return int(said[1:]) if said[:1] == "@" and said[1:].isdecimal() else 0


def _places(kind: str, values: Plain) -> tuple[str, ...]:
    if kind == "answer_preflight" and not str(values.get("check", "")).startswith("touch"):
        return ()
    return tuple(name for name in _SHOWN.get(kind, ()) if values.get(name))


def _with(act: _A, change: Callable[[str, str], str]) -> _A:
    if isinstance(act, Amend):
        return replace(act, act=_with(act.act, change))
    if isinstance(act, AnswerPreflight) and not act.check.startswith("touch"):
        return act
    fresh: dict[str, object] = {}
    for name in _FIELDS.get(type(act), ()):
        said = getattr(act, name)
        if isinstance(said, dict):
            fresh[name] = {code: change(f"{name}.{code}", one) if one else one for code, one in said.items()}
        elif said:
            fresh[name] = change(name, said)
    return replace(act, **fresh) if fresh else act
