"""What consoles show: Status whole, Telemetry at 2 Hz, Reply to an Input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct, field

from controller.messages.acts import Input
from controller.messages.clinical import DosePart, Vitals
from controller.messages.clinical_events import AdverseEvent
from controller.messages.people import Sitter
from controller.messages.preflight import PreflightView
from controller.messages.timetable import Booking
from controller.messages.words import CallLevel, CallStage, Limits, Mode, Scene, Transport


class PhaseView(Struct, frozen=True, kw_only=True):
    """A phase on the arc's own axis (seconds from ingestion; arrival is negative)."""

    code: str
    title: str
    start_s: float
    end_s: float


class ParticipantView(Struct, frozen=True, kw_only=True):
    """T+ is None before ingestion; `at_least`: an outage of unknown length makes it a lower bound."""

    code: str
    t_plus_s: float | None = None
    at_least: bool = False
    doses: int = 0
    last_dose: int = 0
    """Record of the last dose, for `CorrectDose`; 0 for none."""
    infusion: bool = False
    """An infusion runs."""
    dose_total: float | None = None
    """What several parts come to; None for one alone, and where an amount is not known."""
    left: bool = False
    released: bool = False
    touch_scope: str = ""
    """The touch that was consented to."""
    touching: str = ""
    """Where touch goes on now."""
    challenging: bool = False
    """A challenging experience goes on."""


class TrackView(Struct, frozen=True, kw_only=True):
    """What plays; `position_s` is frames played, into the file."""

    title: str
    artist: str = ""
    path: str = ""
    position_s: float = 0.0
    duration_s: float = 0.0
    next_title: str = ""
    next_in_s: float | None = None


class LampView(Struct, frozen=True, kw_only=True):
    """A lamp: what it should show now, what it last confirmed. `state`: confirmed, moving, unconfirmed or lost."""

    lamp: str
    target: float
    confirmed: float | None = None
    state: Literal["confirmed", "moving", "unconfirmed", "lost"] = "unconfirmed"


class BusView(Struct, frozen=True, kw_only=True):
    """One pair of channels: its fader in dB below calibrated, and what leaves it now."""

    bus: str
    level_db: float
    rms_dbfs: float = -120.0


class SoundView(Struct, frozen=True, kw_only=True):
    """The engine as last heard. `state`: ok or lost. `rms_dbfs` is the loudest bus."""

    state: Literal["ok", "lost"] = "lost"
    transport: Transport = "stop"
    rms_dbfs: float = -120.0
    peak_dbfs: float = -120.0
    buses: tuple[BusView, ...] = ()
    filler: bool = False
    late_blocks: int = 0
    output: str = ""
    timeline_s: float = 0.0


class JournalView(Struct, frozen=True, kw_only=True):
    """`seq`: newest record that is on disk. `late_s`: how long the oldest unwritten record has waited."""

    seq: int = 0
    late_s: float = 0.0


class CallView(Struct, frozen=True, kw_only=True):
    """The call that stands open, if any. `call` "" means none."""

    call: str = ""
    level: CallLevel = "assist"
    stage: CallStage = "stood_down"
    by: str = ""
    since_t: float = 0.0
    seq: int = 0


class Alarm(Struct, frozen=True, kw_only=True):
    """Something is wrong and stays wrong until it is put right. Priority as IEC 60601-1-8: high, medium, low."""

    code: str
    priority: Literal["high", "medium", "low"]
    since_t: float
    values: dict[str, str | int | float] = field(default_factory=dict)
    seen: bool = False


class LogEntry(Struct, frozen=True, kw_only=True):
    """A record as a console shows it; worded by `wording.entry`."""

    seq: int
    utc: str
    kind: str
    """The act's kind, or the fact's code."""
    values: dict[str, str | int | float] = field(default_factory=dict)
    who: str = ""
    console: str = ""
    text: str = ""
    taken_back: bool = False
    ago_s: float = 0.0
    """So long before it was entered it happened."""
    amended_by: int = 0
    """The record that corrected it; 0 for none."""
    waits: bool = False
    """It is not on disk yet."""


class DueView(Struct, frozen=True, kw_only=True):
    """Something that falls due: code (vitals, booster_opens, release …) and in how many seconds (negative: past).

    `state`: coming, due (its time has come) or overdue. `needs`: which readings are asked for (bp, temperature, spo2).
    """

    code: str
    in_s: float
    participant: str = ""
    state: Literal["coming", "due", "overdue"] = "coming"
    needs: tuple[str, ...] = ()
    name: str = ""
    """Initials of the sitter whom it concerns."""


class BoosterView(Struct, frozen=True, kw_only=True):
    """One participant's booster: its window in room time, and what came of it."""

    participant: str
    opens_t: float
    closes_t: float
    state: Literal["coming", "open", "closed", "given", "declined"]
    amount: float | None = None
    """The programme's share of this participant's first dose; None where that has no amount."""


class ReleaseView(Struct, frozen=True, kw_only=True):
    """One participant's earliest release (room time; None while an infusion runs) and the checklist.

    `criteria`: (code, label, met or None where it was not answered). `events`: records of the open adverse events
    that block it. `ready`: the time has come, all are met and nothing blocks.
    """

    participant: str
    earliest_t: float | None = None
    criteria: tuple[tuple[str, str, bool | None], ...] = ()
    ready: bool = False
    events: tuple[int, ...] = ()


class DoseView(Struct, frozen=True, kw_only=True):
    """A dose as it stands: `t` in room time, `seq` the record that logged it."""

    participant: str
    t: float
    seq: int
    part: DosePart = "dose"
    amount: float | None = None
    unit: str = ""
    kit: str = ""
    witness: str = ""


class VitalsView(Struct, frozen=True, kw_only=True):
    """A line of vitals that was read at room time `t`."""

    participant: str
    t: float
    vitals: Vitals


class EventView(Struct, frozen=True, kw_only=True):
    """An adverse event as it stands now; `t` its onset in room time."""

    seq: int
    participants: tuple[str, ...]
    t: float
    event: AdverseEvent


class EntryView(Struct, frozen=True, kw_only=True):
    """Something that was entered and can be corrected, as it stands now; `t` when it happened, in room time."""

    seq: int
    kind: str
    t: float
    values: dict[str, str | int | float] = field(default_factory=dict)
    participants: tuple[str, ...] = ()
    who: str = ""


class Telemetry(Struct, frozen=True, kw_only=True):
    """What changes by itself; sent at 2 Hz. Every field has the same name in `Status`."""

    t: float = 0.0
    utc: str = ""
    arc_s: float = 0.0
    participants: tuple[ParticipantView, ...] = ()
    track: TrackView | None = None
    light: tuple[LampView, ...] = ()
    sound: SoundView = SoundView()
    journal: JournalView = JournalView()
    due: tuple[DueView, ...] = ()
    projected_end_t: float | None = None
    """Room time at which the arc will be over if nothing more is asked; None where no arc runs."""
    booked_end_t: float | None = None
    """Room time at which it would be over if nothing had been asked, beside the projected one."""
    shorten_s: float = 0.0
    """So much of this phase a long pause offers to leave out; 0 where nothing is offered."""


class Status(Struct, frozen=True, kw_only=True):
    """All that a console shows; sent whole on connect and on every change of state."""

    room: str = ""
    state: Mode = "idle"
    session: str = ""
    programme: str = ""
    programme_title: str = ""
    reviewed: bool = False
    """The clinic's medical lead has signed the programme."""
    hold: bool = False
    quiet: bool = False
    silent_phase: bool = False
    """The programme itself is silent now."""
    quiet_until_s: float | None = None
    """Room time at which a timed silence ends."""
    landing: bool = False
    evacuated: bool = False
    waiting_for: str = ""
    """ingestion, onset or choice (after a long outage); "" when the arc does not wait."""
    phase: str = ""
    phases: tuple[PhaseView, ...] = ()
    intensity: tuple[tuple[float, float], ...] = ()
    """Points (arc_s, 0..1) of the intensity curve."""
    light_curve: tuple[tuple[float, float], ...] = ()
    """Points (arc_s, 0..1) of the light's curve."""
    scene: Scene = "arc"
    marks: tuple[tuple[str, str], ...] = ()
    """(code, label) in the order of the keys 1-9."""
    sets: tuple[tuple[str, str], ...] = ()
    """(code, title) of the sets that `next` can choose."""
    set_code: str = ""
    """The set that was chosen and is drawn from, or comes next."""
    grounding: bool = False
    """Whether the programme has a grounding set."""
    landing_minutes: float = 0.0
    limits: Limits = Limits()
    dose_unit: str = ""
    blinded: bool = False
    """Kit numbers and study codes alone; no amounts."""
    unblinding_phone: str = ""
    guesses: tuple[str, ...] = ()
    """What a masking guess can be, in a blinded session."""
    dose_parts: tuple[str, ...] = ("dose",)
    """What can be given, as `Dose.part` names it."""
    repeats_vitals: bool = False
    """Vitals are taken again and again until somebody says that they are stable."""
    leads: str = ""
    """The participant whose T+ the arc counts from."""
    booster: tuple[BoosterView, ...] = ()
    release: tuple[ReleaseView, ...] = ()
    call: CallView = CallView()
    alarms: tuple[Alarm, ...] = ()
    log: tuple[LogEntry, ...] = ()
    """Newest first, at most 40."""
    doses: tuple[DoseView, ...] = ()
    vitals: tuple[VitalsView, ...] = ()
    """The newest lines of each participant, newest first."""
    vitals_limits: tuple[tuple[str, float, float], ...] = ()
    """(reading, least, most) beside which the programme wants vitals shown."""
    apart_minutes: float = 0.0
    """So long after a device the next one comes."""
    events: tuple[EventView, ...] = ()
    """The session's adverse events, newest first."""
    entries: tuple[EntryView, ...] = ()
    """What was entered last and can be corrected, newest first."""
    desk_phone: str = ""
    bookings: tuple[Booking, ...] = ()
    """What the room is kept for, soonest first."""
    sitters: tuple[Sitter, ...] = ()
    """On duty, in the order in which they came."""
    signs_on: bool = False
    """Whether acts of people need somebody who signed on."""
    break_minutes: float = 5.0
    """How long a break is where nobody says."""
    lock_after_s: float = 0.0
    """A console locks itself after so long without a key; 0 for never."""
    preflight: PreflightView = PreflightView()
    simulated: bool = False
    # The fields of Telemetry:
    t: float = 0.0
    utc: str = ""
    arc_s: float = 0.0
    participants: tuple[ParticipantView, ...] = ()
    track: TrackView | None = None
    light: tuple[LampView, ...] = ()
    sound: SoundView = SoundView()
    journal: JournalView = JournalView()
    due: tuple[DueView, ...] = ()
    projected_end_t: float | None = None
    booked_end_t: float | None = None
    shorten_s: float = 0.0


class Reply(Struct, frozen=True, kw_only=True):
    """The answer to an Input, sent when its record is on disk; `refused` holds a refusal's code instead."""

    id: str
    seq: int = 0
    utc: str = ""
    refused: str = ""
    values: dict[str, str | int | float] = field(default_factory=dict)


Listener = Callable[[Reply], None]
"""Hears the answer to an Input, once."""

PostInput = Callable[[Input, Listener | None], None]
"""Takes an Input; the listener hears when its record is on disk, or at once that it was refused."""
