"""The room's people: who is on duty, at which console, who is on a break, and how wrong PINs are counted.

A PIN is part of none of this: the daemon compares it beside the loop, and only what came of it is told to the rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Sitter:
    """Somebody who is on duty: since when, at which consoles, and until when on a break (room times).

    `cover`: initials of whoever stays with the participant meanwhile, where that is nobody on duty.
    """

    initials: str
    since_t: float
    consoles: tuple[str, ...] = ()
    break_since_t: float | None = None
    break_until_t: float | None = None
    cover: str = ""

    @property
    def on_break(self) -> bool:
        """Whether this sitter is out of the room."""
        return self.break_until_t is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Wrong:
    """Wrong PINs in a row, and the room time until which no further one is looked at."""

    count: int = 0
    until_t: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Second:
    """Somebody who stood by at a console, by their own PIN, and the room time up to which that counts."""

    initials: str
    until_t: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Duty:
    """Who may sign on, who has, and who may not try for a while."""

    signs_on: bool = False
    """Whether acts of people need somebody who signed on; a room without sitters goes by the initials it is told."""
    known: tuple[str, ...] = ()
    sitters: tuple[Sitter, ...] = ()
    """On duty, in the order in which they came."""
    keys: dict[str, str] = field(default_factory=dict)
    """By console: digest of the secret by which the one that was signed on at is known again."""
    wrong: dict[str, Wrong] = field(default_factory=dict)
    """By initials, and by console."""
    seconds: dict[str, Second] = field(default_factory=dict)
    """By console: who stands by what another one decides there."""

    def sitter(self, initials: str) -> Sitter | None:
        """The one on duty with these initials."""
        return next((sitter for sitter in self.sitters if sitter.initials == initials), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class SittersKnown:
    """Who may sign on here, as the register says now. Not `readable`: it says nothing, and nobody new can sign on.

    A register that is gone is not readable; one that is empty was emptied, and nobody needs to sign on any more.
    """

    kind: Literal["sitters_known"] = "sitters_known"
    initials: tuple[str, ...] = ()
    readable: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedOn:
    """The PIN was right. `once`: for one command, which puts nobody on duty. `unlocks`: a console that was locked.

    `seconds`: as the second person of what another one decides at this console in the next minutes, with `once`.

    `key`: digest of the console's secret; "" for one that does not stay.
    """

    kind: Literal["signed_on"] = "signed_on"
    initials: str
    key: str = ""
    once: bool = False
    unlocks: bool = False
    seconds: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SignOnRefused:
    """The PIN was wrong, or nobody has these initials; `waits`: it was not looked at, for the lockout stands."""

    kind: Literal["sign_on_refused"] = "sign_on_refused"
    initials: str
    waits: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedOff:
    """Off duty; "" is the one whose console it is."""

    kind: Literal["signed_off"] = "signed_off"
    initials: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class HandOver:
    """`to`, whose PIN was right, takes over from `leaves` ("": the one whose console it is)."""

    kind: Literal["hand_over"] = "hand_over"
    to: str
    leaves: str = ""
    key: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakBegun:
    """Out of the room for `minutes` (the room's own where None); "" is the one whose console it is."""

    kind: Literal["break_begun"] = "break_begun"
    initials: str = ""
    minutes: float | None = None
    cover: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakOver:
    """Back in the room; "" is the one whose console it is, or the only one who is on a break."""

    kind: Literal["break_over"] = "break_over"
    initials: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class DutyKept:
    """How things stand as a session's book is closed: from here the room's own book goes on with it."""

    kind: Literal["duty_kept"] = "duty_kept"
    duty: Duty


DUTY_ACTS: tuple[type, ...] = (
    SittersKnown, SignedOn, SignOnRefused, SignedOff, HandOver, BreakBegun, BreakOver, DutyKept,
)  # fmt: skip
"""What changes `Duty`."""
