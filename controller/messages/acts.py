"""What an Input can say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal
from uuid import uuid4

from pydantic import Discriminator

from controller.messages.archive import Addendum, BackedUp, Redaction, Retention, SignOff
from controller.messages.blinding import MaskingGuess
from controller.messages.clinical import (
    CorrectDose,
    DeclineBooster,
    Dose,
    Leave,
    ReleaseAnswer,
    Stable,
    Vitals,
)
from controller.messages.clinical_events import (
    AdverseEvent,
    Challenge,
    Release,
    Touch,
    UpdateEvent,
)
from controller.messages.people import (
    BreakBegun,
    BreakOver,
    DutyKept,
    HandOver,
    SignedOff,
    SignedOn,
    SignOnRefused,
    SittersKnown,
)
from controller.messages.preflight import (
    PREFLIGHT_ACTS,
    AnswerPreflight,
    BeginPreflight,
    DropPreflight,
    OverridePreflight,
    PreflightLine,
    PreflightUsed,
    Probed,
    RunPreflight,
)
from controller.messages.record import JournalDamaged, Kept, ReserveChanged
from controller.messages.reports import (
    BatteryChanged,
    CallChanged,
    ClockSynced,
    DeviceBack,
    DeviceLost,
    EngineReported,
    EngineRestarted,
    FillerChanged,
    Fire,
    FireOver,
    LampChanged,
    LampTakenOver,
    Opened,
    PieceEnded,
    PieceStarted,
    Planned,
    RefusedAct,
    Timer,
)
from controller.messages.timetable import TIMETABLE_ACTS, Book, BookingBegun, CancelBooking, Checked, TimetableDue
from controller.messages.words import CallLevel, Limits, Scene


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """Open a session. The daemon fills `session`, `programme_text`, `seed` and `software` before the rules see it."""

    kind: Literal["start"] = "start"
    programme: str
    participants: tuple[str, ...] = ()
    seed: int | None = None
    minutes: float | None = None
    """Compress or stretch the programme to so many minutes from ingestion (rehearsal and demo)."""
    limits: Limits = Limits()
    """What this session's participants do not want to hear."""
    touch_scope: str = ""
    """The touch that was consented to beforehand, in the clinic's own words; a code, not a story."""
    session: str = ""
    programme_text: str = ""
    software: str = ""
    preflight: tuple[PreflightLine, ...] = ()
    """How the preflight came out; the daemon fills it in. Its `seq` are records of the room's own book."""
    kept: tuple[Kept, ...] = ()
    """What it was run with, by SHA-256; the contents lie in the journal beside the chain."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """Fade to silence; arc and sound stand still. `direct_t`: the engine did it already, at that room time."""

    kind: Literal["pause"] = "pause"
    direct_t: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Resume:
    """Go on: ends pause, silence, hold and wait alike; after an outage the arc continues where it was."""

    kind: Literal["resume"] = "resume"
    direct_t: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """Stay in this phase until `Resume` or `Go`; music goes on inside it."""

    kind: Literal["hold"] = "hold"


@dataclass(frozen=True, kw_only=True, slots=True)
class Go:
    """Cross over to the beginning of `phase`."""

    kind: Literal["go"] = "go"
    phase: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CatchUp:
    """Cross over to where T+ says that the arc should be: after an outage, or a long pause."""

    kind: Literal["catch_up"] = "catch_up"


@dataclass(frozen=True, kw_only=True, slots=True)
class Land:
    """An early, gentle end: what is left becomes the last phase, over `minutes` (the programme's where None)."""

    kind: Literal["land"] = "land"
    minutes: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Shorten:
    """Take `minutes` off this phase; without, what a long pause offers. Never below the phase's least."""

    kind: Literal["shorten"] = "shorten"
    minutes: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Skip:
    """Cross over to another piece now."""

    kind: Literal["skip"] = "skip"


@dataclass(frozen=True, kw_only=True, slots=True)
class Next:
    """Draw from this set of the programme's when the piece that plays is over; "" takes that back."""

    kind: Literal["next"] = "next"
    set: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ground:
    """Cross over to a grounding piece now, and then back to the plan."""

    kind: Literal["ground"] = "ground"


@dataclass(frozen=True, kw_only=True, slots=True)
class Softer:
    """All music `db` decibels down, by a slow ramp."""

    kind: Literal["softer"] = "softer"
    db: float = 6.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SetLimits:
    """What the participants do not want to hear from now on, in place of what was said before."""

    kind: Literal["set_limits"] = "set_limits"
    limits: Limits


@dataclass(frozen=True, kw_only=True, slots=True)
class Evacuate:
    """Music out in two seconds and light to leave by; T+ runs on, `Resume` brings all back by ramps."""

    kind: Literal["evacuate"] = "evacuate"


@dataclass(frozen=True, kw_only=True, slots=True)
class Quiet:
    """Silence that was asked for; the arc goes on. Without minutes it lasts until `Resume`."""

    kind: Literal["quiet"] = "quiet"
    minutes: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Volume:
    """Set (`level_db`) or move (`step_db`) one bus, or all of them with bus ""."""

    kind: Literal["volume"] = "volume"
    bus: str = ""
    step_db: float | None = None
    level_db: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Light:
    """Take the light over (`level`, `step`, scene exit/medical) or give it back (scene arc)."""

    kind: Literal["light"] = "light"
    scene: Scene = "manual"
    level: float | None = None
    step: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A one-key event. `code` is one of the programme's marks."""

    kind: Literal["mark"] = "mark"
    code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """A few words; `text` goes to the side table and never into the chain. `pressed_t`: when the key was pressed."""

    kind: Literal["note"] = "note"
    text: str = ""
    pressed_t: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Amend:
    """What record `entry` should have said: an amendment, never a deletion; what stood before stays in the record.

    Participants of the Input, where there are any, are those it should have named. `minutes_ago`: when it happened,
    before this was said; None leaves its time. Doses have `CorrectDose`, adverse events `UpdateEvent`.
    """

    kind: Literal["amend"] = "amend"
    entry: int
    act: Annotated[Mark | Note | Vitals | Touch | Challenge, Discriminator("kind")]
    minutes_ago: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """Call support. `call` is the call's own id, the same through every path."""

    kind: Literal["call"] = "call"
    call: str
    level: CallLevel = "assist"


@dataclass(frozen=True, kw_only=True, slots=True)
class StandDown:
    """Nobody needs to come any more; only from the room."""

    kind: Literal["stand_down"] = "stand_down"
    call: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TakeBack:
    """Undo one's own mark, note, volume or light step, or assist call by its seq: an amendment, never a deletion."""

    kind: Literal["take_back"] = "take_back"
    seq: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SeeAlarm:
    """Alarm seen: silences, never clears. Empty code: all."""

    kind: Literal["see_alarm"] = "see_alarm"
    code: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """Close the session: music fades out, light comes up gently."""

    kind: Literal["end"] = "end"


Act = Annotated[
    Start | Dose | Vitals | Pause | Resume | Hold | Go | Quiet | Volume | Light | Mark | Note | Call | StandDown
    | TakeBack | SeeAlarm | End | CorrectDose | DeclineBooster | Stable | ReleaseAnswer | Leave | CatchUp | Land
    | Shorten | Skip | Next | Ground | Softer | SetLimits | Evacuate | Opened | Timer | Planned | EngineReported
    | EngineRestarted | PieceStarted | PieceEnded | FillerChanged | DeviceLost | DeviceBack | LampChanged
    | LampTakenOver | CallChanged | Fire | FireOver | BatteryChanged | ClockSynced | RefusedAct
    | Book | CancelBooking | TimetableDue | BookingBegun | Checked
    | SittersKnown | SignedOn | SignOnRefused | SignedOff | HandOver | BreakBegun | BreakOver | DutyKept
    | MaskingGuess
    | SignOff | Addendum | Redaction | BackedUp | Retention
    | BeginPreflight | AnswerPreflight | RunPreflight | OverridePreflight | DropPreflight | Probed | PreflightUsed
    | JournalDamaged | ReserveChanged
    | Touch | AdverseEvent | UpdateEvent | Challenge | Release | Amend,
    Discriminator("kind"),
]  # fmt: skip

PEOPLES_ACTS: tuple[type, ...] = (
    Start, Dose, Vitals, Pause, Resume, Hold, Go, Quiet, Volume, Light, Mark, Note, Call, StandDown, TakeBack, SeeAlarm,
    End, CorrectDose, DeclineBooster, Stable, ReleaseAnswer, Leave, CatchUp, Land, Shorten, Skip, Next, Ground, Softer,
    SetLimits, Evacuate, Book, CancelBooking,
    SignedOff, BreakBegun, BreakOver,
    MaskingGuess,
    BeginPreflight, AnswerPreflight, RunPreflight, OverridePreflight, DropPreflight,
    Touch, AdverseEvent, UpdateEvent, Challenge, Release, Amend,
)  # fmt: skip
"""The acts that a console may send."""

ROOMS_ACTS: tuple[type, ...] = (*TIMETABLE_ACTS, *PREFLIGHT_ACTS)
"""Acts that concern the room and never its session; they are recorded in the room's own book."""


LATE_ACTS: tuple[type, ...] = (Mark, Note, Vitals, Dose, Touch, AdverseEvent, UpdateEvent, Challenge, Leave, Release)
"""The acts that can be entered later than they happened."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Who, through which console, by which way."""

    person: str | None = None
    console: str = "room"
    path: Literal["socket", "engine", "caller", "button", "room"] = "room"


@dataclass(frozen=True, kw_only=True, slots=True)
class Input:
    """Something happened or was asked. A repeated `id` returns the first result and does nothing.

    `participants`: codes of those it concerns; empty means the room. `why`: a person's reason in a few words, where
    one was given; free text, which goes to the side table and never into the chain. No rule reads it.
    """

    act: Act
    id: str = field(default_factory=lambda: str(uuid4()))
    origin: Origin = Origin()
    participants: tuple[str, ...] = ()
    why: str = ""
    ago_s: float = 0.0
    """So long before it reached the room it happened; only acts of `LATE_ACTS` can say so."""
