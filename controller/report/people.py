"""Who was present and when: from who was on duty, who was out, who stayed instead, and who else made an entry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from controller.messages import Sitter

Duties = Sequence[tuple[str, tuple[Sitter, ...]]]
"""(UTC, who was on duty from then on), in order."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who was there, and from when to when; `out`: without them. `as_what`: "duty", "cover" or "entries"."""

    who: str
    first_utc: str
    last_utc: str
    as_what: str = "duty"
    out: tuple[tuple[str, str], ...] = field(default=())


def present(duties: Duties, entries: Iterable[tuple[str, str]], last_utc: str) -> tuple[Person, ...]:
    """Each stay on duty, then covers, then who else made an entry: (initials, UTC) of each, in order."""
    stays: list[Person] = []
    for who in dict.fromkeys(sitter.initials for _, sitters in duties for sitter in sitters):
        stays += _stays(duties, who, last_utc)
    covers = list(_covers(duties, last_utc))
    known = {person.who for person in stays}
    others: dict[str, Person] = {}
    for who, utc in entries:
        if who and who not in known:
            first = others.get(who, Person(who=who, first_utc=utc, last_utc=utc, as_what="entries"))
            others[who] = replace(first, last_utc=utc)
    return (*stays, *covers, *others.values())


def told(people: Iterable[Person]) -> str:
    """One line, with times in UTC: "AB (09:00 to 13:40; out 11:02 to 11:09), EF (cover 11:02 to 11:09)"."""
    return ", ".join(_told(person) for person in people)


def _told(person: Person) -> str:
    out = ", ".join(f"{_clock(first)} to {_clock(last)}" for first, last in person.out)
    gone = f"; out {out}" if out else ""
    cover = "cover " if person.as_what == "cover" else ""
    return f"{person.who} ({cover}{_clock(person.first_utc)} to {_clock(person.last_utc)}{gone})"


def _clock(utc: str) -> str:
    return utc[11:16]


def _spans(duties: Duties, holds: Sequence[bool], last_utc: str) -> Iterator[tuple[str, str]]:
    """From when to when something held; `holds` says it for each line of `duties`."""
    began = ""
    for (utc, _), it in zip(duties, holds, strict=True):
        if it and not began:
            began = utc
        elif began and not it:
            yield began, utc
            began = ""
    if began:
        yield began, last_utc


def _stays(duties: Duties, who: str, last_utc: str) -> Iterator[Person]:
    here = [next((one for one in sitters if one.initials == who), None) for _, sitters in duties]
    breaks = list(_spans(duties, [one is not None and one.on_break for one in here], last_utc))
    for first, last in _spans(duties, [one is not None for one in here], last_utc):
        out = tuple(span for span in breaks if first <= span[0] <= last)
        yield Person(who=who, first_utc=first, last_utc=last, out=out)


def _covers(duties: Duties, last_utc: str) -> Iterator[Person]:
    for who in dict.fromkeys(sitter.cover for _, sitters in duties for sitter in sitters if sitter.cover):
        holds = [any(sitter.cover == who for sitter in sitters) for _, sitters in duties]
        for first, last in _spans(duties, holds, last_utc):
            yield Person(who=who, first_utc=first, last_utc=last, as_what="cover")
