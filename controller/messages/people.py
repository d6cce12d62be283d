"""The room's people: who is on duty, at which console, who is on a break, and how wrong PINs are counted.

A PIN is part of none of this: the daemon compares it beside the loop, and only what came of it is told to the rules.
"""

from __future__ import annotations

from msgspec import Struct, field

from controller.messages.codec import Tagged
from controller.messages.words import Scene


class Sitter(Struct, frozen=True, kw_only=True):
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


class Wrong(Struct, frozen=True, kw_only=True):
    """Wrong PINs in a row, and the room time until which no further one is looked at."""

    count: int = 0
    until_t: float = 0.0


class Second(Struct, frozen=True, kw_only=True):
    """Somebody who stood by at a console, by their own PIN, and the room time up to which that counts."""

    initials: str
    until_t: float


class Duty(Struct, frozen=True, kw_only=True):
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


class SittersKnown(Tagged, frozen=True, kw_only=True, tag="sitters_known"):
    """Who may sign on here, as the register says now. Not `readable`: it says nothing, and nobody new can sign on.

    A register that is gone is not readable; one that is empty was emptied, and nobody needs to sign on any more.
    """

    initials: tuple[str, ...] = ()
    readable: bool = True


class SignedOn(Tagged, frozen=True, kw_only=True, tag="signed_on"):
    """The PIN was right. `once`: for one command, which puts nobody on duty. `unlocks`: a console that was locked.

    `seconds`: as the second person of what another one decides at this console in the next minutes, with `once`.

    `key`: digest of the console's secret; "" for one that does not stay.
    """

    initials: str
    key: str = ""
    once: bool = False
    unlocks: bool = False
    seconds: bool = False


class SignOnRefused(Tagged, frozen=True, kw_only=True, tag="sign_on_refused"):
    """The PIN was wrong, or nobody has these initials; `waits`: it was not looked at, for the lockout stands."""

    initials: str
    waits: bool = False


class SignedOff(Tagged, frozen=True, kw_only=True, tag="signed_off"):
    """Off duty; "" is the one whose console it is."""

    initials: str = ""


class HandOver(Tagged, frozen=True, kw_only=True, tag="hand_over"):
    """`to`, whose PIN was right, takes over from `leaves` ("": the one whose console it is)."""

    to: str
    leaves: str = ""
    key: str = ""


class BreakBegun(Tagged, frozen=True, kw_only=True, tag="break_begun"):
    """Out of the room for `minutes` (the room's own where None); "" is the one whose console it is."""

    initials: str = ""
    minutes: float | None = None
    cover: str = ""


class BreakOver(Tagged, frozen=True, kw_only=True, tag="break_over"):
    """Back in the room; "" is the one whose console it is, or the only one who is on a break."""

    initials: str = ""


class DutyKept(Tagged, frozen=True, kw_only=True, tag="duty_kept"):
    """How things stand as a session's book is closed: from here the room's own book goes on with it.

    `buses`: the faders. `level`, `kelvin`: where the light goes, by `scene`; older records say nothing of these.
    """

    duty: Duty
    buses: dict[str, float] = field(default_factory=dict)
    scene: Scene = "arc"
    level: float | None = None
    kelvin: float | None = None


DUTY_ACTS: tuple[type, ...] = (
    SittersKnown, SignedOn, SignOnRefused, SignedOff, HandOver, BreakBegun, BreakOver, DutyKept,
)  # fmt: skip
"""What changes `Duty`."""
