"""What an account of a session is made of: all that exports and reports tell.

Times are seconds on the room's clock; `zero_t` is the first ingestion (as corrected), or the session's opening where
there was none. Free text stays where the record keeps it and is blank where it was redacted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from controller.arc.curves import Curve
from controller.arc.programme import Programme
from controller.journal.reading import Verified
from controller.messages import (
    Kept,
    KeptName,
    PhaseView,
    Record,
)
from controller.report.clinical import Stamps, Told, VitalsTaken
from controller.report.people import Person
from controller.report.roles import ROLES, Role
from controller.session.state import State
from controller.wording.quantities import counted
from controller.wording.reasons import why
from controller.wording.record import gone

INCIDENTS = frozenset(
    (
        "device_lost", "device_back", "engine_restarted", "dropout", "filler_changed", "piece_ended", "piece_broken",
        "lamp_changed", "journal_late", "resumed_after_outage", "music_short", "journal_damaged", "reserve_changed",
    )
)  # fmt: skip
"""Kinds of entry that belong among the incidents."""

FAULTS = frozenset(("fault", "disk_full"))
"""Refusals for which no hand was to blame; all others say that something was typed or pressed at the wrong time."""


EDGE_S = 1e-3
"""This far inside a phase its curve is its own."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """A line of the session: when, who, and what in words. `utc_read` is the clock as it stood when it was written."""

    seq: int
    t: float
    utc: str
    utc_read: str
    synced: bool
    who: str
    console: str
    kind: str
    word: str
    text: str
    ago_s: float = 0.0
    """So long before it was entered it happened, where it was entered late."""
    happened_utc: str = ""
    values: dict[str, str | int | float] = field(default_factory=dict)
    participants: tuple[str, ...] = ()
    taken_back: bool = False
    afterwards: bool = False
    """Written down after the session was closed; `t` is what it speaks of, where it says."""
    timed: bool = True
    """Whether `t` is a time in the session."""
    after_sign_off: bool = False
    amended_by: tuple[int, ...] = ()
    """The records that correct it; what stood here stays."""
    redacted_by: int = 0
    """The record that had its text blanked."""

    @property
    def remarks(self) -> str:
        """What has to be known of the entry, in brackets behind it; "" for most."""
        told = [f"late entry: entered {self.utc[11:16]} for {self.happened_utc[11:16]}"] if self.ago_s else []
        if self.afterwards and self.kind != "sign_off":
            told.append(f"entered {self.utc[:10]}")
        told += ["after sign-off"] if self.after_sign_off else []
        told += [f"amended by no. {seq}" for seq in self.amended_by]
        told += [f"text redacted, see no. {self.redacted_by}"] if self.redacted_by else []
        return f" ({', '.join(told)})" if told else ""

    @property
    def by_a_person(self) -> bool:
        """Whether somebody did it."""
        return bool(self.who) or self.console not in ("room", "")

    @property
    def by(self) -> str:
        """Initials of who did it; where nobody gave any, the console; "" for what nobody did."""
        return self.who or (self.console if self.by_a_person else "")

    @property
    def incident(self) -> bool:
        """Whether it belongs among what went wrong."""
        return self.kind in INCIDENTS or (self.kind == "refused" and self.values.get("code") in FAULTS)


@dataclass(frozen=True, kw_only=True)
class PiecePlayed:
    """A piece from its first frame to its last; `why` it ended, "" where the record ends before it."""

    cue: int
    t: float
    utc: str
    title: str
    artist: str
    path: str
    phase: str
    played_s: float
    why: str

    @property
    def heard(self) -> str:
        """For how long, and why not to its end."""
        left_off = "" if self.why in ("", "end", "cut") else f", {why(self.why)}"
        return f"{self.played_s / 60:.1f} min{left_off}"


@dataclass(frozen=True, kw_only=True)
class Signature:
    """An investigator's sign-off: of the records up to `after`, whose last has the hash `head`."""

    who: str
    utc: str
    seq: int
    meaning: str
    after: int
    head: str


@dataclass(frozen=True, kw_only=True)
class Account:
    """All that exports are made of."""

    session: str
    records: tuple[tuple[Record, str], ...]
    stamps: Stamps
    room: str
    programme: Programme
    programme_digest: str
    software: str
    opened: Event
    closed: Event | None
    zero_t: float
    dosed: bool
    state: State
    """As the rules leave it at the last record."""
    events: tuple[Event, ...]
    vitals: tuple[VitalsTaken, ...]
    """Those that stand, after every correction."""
    adverse: tuple[Told, ...]
    pieces: tuple[PiecePlayed, ...]
    people: tuple[Person, ...]
    phases: tuple[PhaseView, ...]
    """As they were lived through, on the room's clock."""
    intensity: Curve
    light: Curve
    volume: Curve
    outages: tuple[tuple[float, float], ...]
    """From when to when the whole machine was without power, on the room's clock."""
    chain: Verified
    last_t: float
    """The room time of its end, or of its newest record."""
    missing: tuple[str, ...] = ()
    """What damage took of the record and stands nowhere in this, each in words."""
    kept: tuple[Kept, ...] = ()
    """The digests of what it was run with."""
    as_run: dict[KeptName, bytes] = field(default_factory=dict)
    """The contents, where they were kept."""
    signatures: tuple[Signature, ...] = ()
    role: Role = ROLES["coordinator"]
    """Whom it is for: what they must not see stands in none of its parts."""

    @property
    def participants(self) -> tuple[str, ...]:
        """The participants' codes."""
        return tuple(person.code for person in self.state.participants)

    @property
    def incidents(self) -> tuple[Event, ...]:
        """What went wrong, and when it was right again."""
        return tuple(event for event in self.events if event.incident)

    @property
    def damage(self) -> tuple[str, ...]:
        """All that is not as it was written, each in words, for exports to say; nothing for a whole record."""
        sound = self.chain.ok and not self.chain.unnamed and not self.chain.lost
        return (*(() if sound else (chain_words(self.chain),)), *self.missing)

    def called(self, word: str, otherwise: str) -> str:
        """A heading, where the programme has a word of its own for it ("Client" for a participant)."""
        label = self.programme.labels.get(word, "")
        return f"{label[0].upper()}{label[1:]}" if label else otherwise

    def phase_title(self, code: str) -> str:
        """A phase as people call it."""
        return next((view.title for view in self.phases if view.code == code), code)

    def t_plus(self, t: float) -> float:
        """Seconds from `zero_t`."""
        return t - self.zero_t


def chain_words(chain: Verified) -> str:
    """Whether the record is as it was written, and where it first is not; with what it lacks by anybody's word."""
    where = f" at record {chain.first_bad}" if chain.first_bad else ""
    told = f"chain of {counted(chain.records, 'record')} whole" if chain.ok else f"DAMAGED{where}: {chain.why}"
    return told + gone(redacted=chain.redacted, unnamed=chain.unnamed, lost=chain.lost)
