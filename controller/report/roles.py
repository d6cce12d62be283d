"""Who may see what of a record: an export is made for a role, and leaves out what would tell that role too much.

The record itself stays as it is; what is left out of a copy is said at its head.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from controller.arc.programme import parse_programme
from controller.files import ConfigError, did_you_mean
from controller.messages import CorrectDose, Dose, Fact, Input, MaskingGuess, Record, Start
from controller.session.state import Participant

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
    return replace(given, act=act, why=given.why if role.texts else "")


def facts_seen_by(role: Role, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """What followed, as the role may see it."""
    if role.kits:
        return facts
    hidden = {"kit": WITHHELD, "was_kit": WITHHELD}
    return tuple(
        replace(fact, values={name: hidden.get(name, value) if value else value for name, value in fact.values.items()})
        for fact in facts
    )


def doses_seen_by(role: Role, person: Participant) -> Participant:
    """A participant, with the doses as the role may see them."""
    if role.kits:
        return person
    return replace(person, doses=tuple(replace(dose, kit=WITHHELD if dose.kit else "") for dose in person.doses))
