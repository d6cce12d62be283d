"""What an Input can say."""

from __future__ import annotations

from typing import Literal
from uuid import uuid4

from msgspec import Struct, field

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
from controller.messages.codec import Tagged
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
    Dropout,
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


class Start(Tagged, frozen=True, kw_only=True, tag="start"):
    """Open a session. The daemon fills `session`, `programme_text`, `seed` and `software` before the rules see it."""

    programme: str
    participants: tuple[str, ...] = ()
    seed: int | None = None
    minutes: float | None = None
    """Compress or stretch the programme to so many minutes from ingestion (rehearsal and demo)."""
    limits: Limits = Limits()
    """What this session's participants do not want to hear."""
    touch_scope: str = ""
    """The touch that was consented to beforehand, in the clinic's own words; a code, not a story."""
    touch_scopes: dict[str, str] = field(default_factory=dict)
    """The same by participant, for each consents alone; `touch_scope` is of whom it does not name."""
    session: str = ""
    programme_text: str = ""
    software: str = ""
    preflight: tuple[PreflightLine, ...] = ()
    """How the preflight came out; the daemon fills it in. Its `seq` are records of the room's own book."""
    kept: tuple[Kept, ...] = ()
    """What it was run with, by SHA-256; the contents lie in the journal beside the chain."""


class Pause(Tagged, frozen=True, kw_only=True, tag="pause"):
    """Fade to silence; arc and sound stand still. `direct_t`: the engine did it already, at that room time."""

    direct_t: float | None = None


class Resume(Tagged, frozen=True, kw_only=True, tag="resume"):
    """Go on: ends a pause first, with any silence in it, and otherwise silence and hold, or a wait.

    After an outage the arc continues where it was.
    """

    direct_t: float | None = None


class Hold(Tagged, frozen=True, kw_only=True, tag="hold"):
    """Stay in this phase until `Resume` or `Go`; music goes on inside it."""


class Go(Tagged, frozen=True, kw_only=True, tag="go"):
    """Cross over to the beginning of `phase`."""

    phase: str


class CatchUp(Tagged, frozen=True, kw_only=True, tag="catch_up"):
    """Cross over to where T+ says that the arc should be: after an outage, or a long pause."""


class Land(Tagged, frozen=True, kw_only=True, tag="land"):
    """An early, gentle end: what is left becomes the last phase, over `minutes` (the programme's where None)."""

    minutes: float | None = None


class Shorten(Tagged, frozen=True, kw_only=True, tag="shorten"):
    """Take `minutes` off this phase; without, what a long pause offers. Never below the phase's least."""

    minutes: float | None = None


class Skip(Tagged, frozen=True, kw_only=True, tag="skip"):
    """Cross over to another piece now."""


class Next(Tagged, frozen=True, kw_only=True, tag="next"):
    """Draw from this set of the programme's when the piece that plays is over; "" takes that back."""

    set: str = ""


class Ground(Tagged, frozen=True, kw_only=True, tag="ground"):
    """Cross over to a grounding piece now, and then back to the plan."""


class Softer(Tagged, frozen=True, kw_only=True, tag="softer"):
    """All music `db` decibels down, by a slow ramp."""

    db: float = 6.0


class SetLimits(Tagged, frozen=True, kw_only=True, tag="set_limits"):
    """What the participants do not want to hear from now on, in place of what was said before."""

    limits: Limits


class Evacuate(Tagged, frozen=True, kw_only=True, tag="evacuate"):
    """Music out in two seconds and light to leave by; T+ runs on, `Resume` brings all back by ramps."""


class Quiet(Tagged, frozen=True, kw_only=True, tag="quiet"):
    """Silence that was asked for; the arc goes on. Without minutes it lasts until `Resume`."""

    minutes: float | None = None


class Volume(Tagged, frozen=True, kw_only=True, tag="volume"):
    """Set (`level_db`) or move (`step_db`) one bus, or all of them with bus ""."""

    bus: str = ""
    step_db: float | None = None
    level_db: float | None = None


class Light(Tagged, frozen=True, kw_only=True, tag="light"):
    """Take the light over (`level`, `step`, scene exit/medical) or give it back (scene arc)."""

    scene: Scene = "manual"
    level: float | None = None
    step: float | None = None


class Mark(Tagged, frozen=True, kw_only=True, tag="mark"):
    """A one-key event. `code` is one of the programme's marks."""

    code: str


class Note(Tagged, frozen=True, kw_only=True, tag="note"):
    """A few words; `text` goes to the side table and never into the chain. `pressed_t`: when the key was pressed."""

    text: str = ""
    pressed_t: float | None = None


class Amend(Tagged, frozen=True, kw_only=True, tag="amend"):
    """What record `entry` should have said: an amendment, never a deletion; what stood before stays in the record.

    Participants of the Input, where there are any, are those it should have named. `minutes_ago`: when it happened,
    before this was said; None leaves its time. Doses have `CorrectDose`, adverse events `UpdateEvent`.

    `only`: the fields of `act` that were said, where the others stay as they stand; None: it stands for the whole.
    """

    entry: int
    act: Mark | Note | Vitals | Touch | Challenge
    minutes_ago: float | None = None
    only: tuple[str, ...] | None = None


class Call(Tagged, frozen=True, kw_only=True, tag="call"):
    """Call support. `call` is the call's own id, the same through every path."""

    call: str
    level: CallLevel = "assist"


class StandDown(Tagged, frozen=True, kw_only=True, tag="stand_down"):
    """Nobody needs to come any more; only from the room."""

    call: str = ""


class TakeBack(Tagged, frozen=True, kw_only=True, tag="take_back"):
    """Undo one's own mark, note, volume or light step, or assist call by its seq: an amendment, never a deletion."""

    seq: int


class SeeAlarm(Tagged, frozen=True, kw_only=True, tag="see_alarm"):
    """Alarm seen: silences, never clears. Empty code: all."""

    code: str = ""


class End(Tagged, frozen=True, kw_only=True, tag="end"):
    """Close the session: music fades out, light comes up gently."""


Act = (
    Start | Dose | Vitals | Pause | Resume | Hold | Go | Quiet | Volume | Light | Mark | Note | Call | StandDown
    | TakeBack | SeeAlarm | End | CorrectDose | DeclineBooster | Stable | ReleaseAnswer | Leave | CatchUp | Land
    | Shorten | Skip | Next | Ground | Softer | SetLimits | Evacuate | Opened | Timer | Planned | EngineReported
    | EngineRestarted | PieceStarted | PieceEnded | FillerChanged | Dropout | DeviceLost | DeviceBack
    | LampChanged | LampTakenOver | CallChanged | Fire | FireOver | BatteryChanged | ClockSynced | RefusedAct
    | Book | CancelBooking | TimetableDue | BookingBegun | Checked
    | SittersKnown | SignedOn | SignOnRefused | SignedOff | HandOver | BreakBegun | BreakOver | DutyKept
    | MaskingGuess
    | SignOff | Addendum | Redaction | BackedUp | Retention
    | BeginPreflight | AnswerPreflight | RunPreflight | OverridePreflight | DropPreflight | Probed | PreflightUsed
    | JournalDamaged | ReserveChanged
    | Touch | AdverseEvent | UpdateEvent | Challenge | Release | Amend
)  # fmt: skip

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


class Origin(Struct, frozen=True, kw_only=True):
    """Who, through which console, by which way."""

    person: str | None = None
    console: str = "room"
    path: Literal["socket", "engine", "caller", "button", "room"] = "room"


class Input(Struct, frozen=True, kw_only=True):
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
    session: str = ""
    """The session in which it was asked, where one was open: what is a session's own is refused in another one."""
