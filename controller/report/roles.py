"""Who may see what of a record: an export is made for a role, and leaves out what would tell that role too much.

The record itself stays as it is; what is left out of a copy is said at its head.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from controller.arc.programme import parse_programme
from controller.files import ConfigError, did_you_mean
from controller.messages import CorrectDose, Dose, Fact, Input, MaskingGuess, Record, Start, Touch
from controller.messages.free_words import REDACTED, plain_without, without_words
from controller.session.state import Entry, Participant, State
from controller.session.touch import is_outside

WITHHELD = "withheld"


@dataclass(frozen=True, kw_only=True)
class Role:
    """A reader of exports. `withheld`: what is left out for them, in words."""

    name: str
    told: str
    kits: bool = True
    guesses: bool = True
    texts: bool = True

    @property
    def withheld(self) -> tuple[str, ...]:
        """What a copy for this role does not hold."""
        parts = (
            ("kit numbers", self.kits),
            ("masking guesses", self.guesses),
            ("free text", self.texts),
        )
        return tuple(name for name, shown in parts if not shown)


ROLES: dict[str, Role] = {
    role.name: role
    for role in (
        Role(name="coordinator", told="everything that is in the record"),
        Role(name="team", told="those who sat: all but what was guessed of the arm", guesses=False),
        Role(
            name="analyst",
            told="figures and times: no kit numbers, by which a list could tell arms, and no free text",
            kits=False,
            texts=False,
        ),
    )
}


def default_role(*, blinded: bool) -> Role:
    """Who an export is for where nobody says: the team in a blinded session, for it must not learn the guesses."""
    return ROLES["team" if blinded else "coordinator"]


def role_named(name: str) -> Role | None:
    """The role of that name, None for "". Raises ConfigError."""
    if name and name not in ROLES:
        raise ConfigError([f'"{name}" is no role{did_you_mean(name, ROLES)}'])
    return ROLES.get(name)


def copies(
    records: Iterable[tuple[Record, str]], opening: Record | None, role: Role | None
) -> Iterator[tuple[Record, str]]:
    """Records with their texts as the role may see them; `opening` is the first of their session, None for the room's.

    Without a role: as the default. What cannot be told is held for blinded.
    """
    role = role or default_role(blinded=opening is not None and _is_blinded(opening))
    for record, text in records:
        yield copy_for(role, record), text if role.texts else ""


def copy_for(role: Role, record: Record) -> Record:
    """A record as the role may see it."""
    return replace(record, input=seen_by(role, record.input), facts=facts_seen_by(role, record.facts))


def _is_blinded(opening: Record) -> bool:
    start = opening.input.act
    try:
        return not isinstance(start, Start) or parse_programme(start.programme_text).blinded is not None
    except ValueError:
        return True


def seen_by(role: Role, given: Input) -> Input:
    """What happened, as the role may see it."""
    act = given.act
    if (isinstance(act, Dose) and act.kit and not role.kits) or (
        isinstance(act, CorrectDose) and act.kit and not role.kits
    ):
        act = replace(act, kit=WITHHELD)
    elif isinstance(act, MaskingGuess) and not role.guesses:
        act = replace(act, guess=WITHHELD, certainty=None)
    if role.texts:
        return replace(given, act=act)
    return replace(given, act=without_words(act, WITHHELD), why="")


def facts_seen_by(role: Role, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """What followed, as the role may see it."""
    if not role.texts:
        facts = tuple(replace(fact, values=plain_without(fact.code, fact.values, WITHHELD)) for fact in facts)
    if role.kits:
        return facts
    hidden = {"kit": WITHHELD, "was_kit": WITHHELD}
    return tuple(
        replace(fact, values={name: hidden.get(name, value) if value else value for name, value in fact.values.items()})
        for fact in facts
    )


def state_seen_by(role: Role, state: State) -> State:
    """How the session stands, as the role may see it."""
    if not role.kits:
        state = replace(state, participants=tuple(_without_kits(person) for person in state.participants))
    return state if role.texts else _without_words(state)


def _without_kits(person: Participant) -> Participant:
    return replace(person, doses=tuple(replace(dose, kit=WITHHELD if dose.kit else "") for dose in person.doses))


def _without_words(state: State) -> State:
    """The state without anybody's own words; whether a touch lay outside what they allow is told all the same."""
    scopes = {person.code: person.touch_scope for person in state.participants}
    return replace(
        state,
        participants=tuple(
            replace(
                person,
                touch_scope=person.touch_scope if person.touch_scope in ("", REDACTED) else WITHHELD,
                vitals=tuple((t, without_words(vitals, WITHHELD)) for t, vitals in person.vitals),
            )
            for person in state.participants
        ),
        entries=tuple(fresh for entry in state.entries for fresh in _entries_without_words(entry, scopes)),
        adverse=tuple(replace(one, event=without_words(one.event, WITHHELD)) for one in state.adverse),
    )


def _entries_without_words(entry: Entry, scopes: Mapping[str, str]) -> Iterator[Entry]:
    act = entry.act
    if not isinstance(act, Touch):
        yield replace(entry, act=without_words(act, WITHHELD))
        return
    for code in entry.participants:  # each consented to a scope of their own
        scope = scopes.get(code, "")
        known = act if scope == REDACTED else replace(act, outside=is_outside(act, scope))
        yield replace(entry, act=known, participants=(code,))
