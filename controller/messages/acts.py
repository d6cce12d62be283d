"""What an Input can say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal
from uuid import uuid4

from pydantic import Discriminator

from controller.messages.clinical import (
    CorrectDose,
    DeclineBooster,
    Dose,
    Leave,
    ReleaseAnswer,
    Stable,
    Vitals,
)
from controller.messages.timetable import Book, BookingBegun, CancelBooking, Checked, TimetableDue
from controller.messages.words import CallLevel, CallStage, Cue, Limits, RoomRules, Scene, Transport


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """The daemon is up. `outage_s`: how long the room was without it; None when that cannot be known."""

    kind: Literal["opened"] = "opened"
    rules: RoomRules
    outage_s: float | None = 0.0
    rebooted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Timer:
    """`next_deadline` has come."""

    kind: Literal["timer"] = "timer"


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """The planner's answer to `Replan` number `plan`: all cues, those already playing included."""

    kind: Literal["planned"] = "planned"
    plan: int
    cues: tuple[Cue, ...]
    short_s: float = 0.0
    """Seconds of music that the pool could not fill."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineReported:
    """What the sound engine says when its link comes up, or when a device is back under it.

    `session` is "" when it holds nothing. `filler`: whether the filler plays, None where it was not told.
    """

    kind: Literal["engine_reported"] = "engine_reported"
    session: str = ""
    plan: int = 0
    transport: Transport = "stop"
    timeline_s: float = 0.0
    output: str = ""
    filler: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineRestarted:
    """The sound engine was started anew. `why` the one before it ended: hung, killed, crashed, or ended by itself.

    The music went on at the same place after `silent_s` seconds without any.
    """

    kind: Literal["engine_restarted"] = "engine_restarted"
    why: str
    silent_s: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class PieceStarted:
    """The first frame of a cue was played, at room time `at_t`, frame `frame` of the engine's output.

    `session` is the one whose sheet held the cue; "" in records of the first engines.
    """

    kind: Literal["piece_started"] = "piece_started"
    cue: int
    title: str
    path: str
    at_t: float
    frame: int
    session: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PieceEnded:
    """A cue's last frame was played. `why`: "end", "cut" (a new plan), or what was wrong with the file.

    `session` as in `PieceStarted`.
    """

    kind: Literal["piece_ended"] = "piece_ended"
    cue: int
    title: str
    why: str = "end"
    played_s: float = 0.0
    session: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class FillerChanged:
    """The filler bed came in (and why, instead of which piece) or went out again."""

    kind: Literal["filler_changed"] = "filler_changed"
    on: bool
    why: str = ""
    title: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceLost:
    """A device, link or disk does not answer: "sound", "broker", "caller", "journal", "light.LAMP", "port.PORT",
    "buttons", "button.BUTTON".
    """

    kind: Literal["device_lost"] = "device_lost"
    name: str
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceBack:
    """It answers again; the rules put it right with `room_effects`."""

    kind: Literal["device_back"] = "device_back"
    name: str
    late_from: int = 0
    late_to: int = 0
    """For "journal": the records that reached the disk later than their effects reached the room."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LampChanged:
    """A lamp's echo confirmed (True) or failed to confirm (False) the level it was sent, for the first time."""

    kind: Literal["lamp_changed"] = "lamp_changed"
    lamp: str
    confirmed: bool
    level: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LampTakenOver:
    """Something else drives a lamp: it says that it is at `level`, which we never sent. It is led back."""

    kind: Literal["lamp_taken_over"] = "lamp_taken_over"
    lamp: str
    level: float


@dataclass(frozen=True, kw_only=True, slots=True)
class CallChanged:
    """The caller says how far a call has come."""

    kind: Literal["call_changed"] = "call_changed"
    call: str
    level: CallLevel
    stage: CallStage
    by: str = ""
    placed_t: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Fire:
    """The fire panel's contact calls to leave: music out, light to leave by. `contact`: its name in the room."""

    kind: Literal["fire"] = "fire"
    contact: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FireOver:
    """The fire panel's contact is closed again; nothing comes back by itself."""

    kind: Literal["fire_over"] = "fire_over"
    contact: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BatteryChanged:
    """A button's battery has become low, or was changed. `percent` is None where it does not say."""

    kind: Literal["battery_changed"] = "battery_changed"
    name: str
    low: bool
    percent: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockSynced:
    """The wall clock was set right: add `offset_s` to the UTC of earlier records of this boot."""

    kind: Literal["clock_synced"] = "clock_synced"
    offset_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedAct:
    """An Input that was refused; kept because refused attempts are records too."""

    kind: Literal["refused"] = "refused"
    act: str
    code: str
    values: dict[str, str | int | float] = field(default_factory=dict)


Act = Annotated[
    Start | Dose | Vitals | Pause | Resume | Hold | Go | Quiet | Volume | Light | Mark | Note | Call | StandDown
    | TakeBack | SeeAlarm | End | CorrectDose | DeclineBooster | Stable | ReleaseAnswer | Leave | CatchUp | Land
    | Shorten | Skip | Next | Ground | Softer | SetLimits | Evacuate | Opened | Timer | Planned | EngineReported
    | EngineRestarted | PieceStarted | PieceEnded | FillerChanged | DeviceLost | DeviceBack | LampChanged
    | LampTakenOver | CallChanged | Fire | FireOver | BatteryChanged | ClockSynced | RefusedAct
    | Book | CancelBooking | TimetableDue | BookingBegun | Checked,
    Discriminator("kind"),
]  # fmt: skip

PEOPLES_ACTS: tuple[type, ...] = (
    Start, Dose, Vitals, Pause, Resume, Hold, Go, Quiet, Volume, Light, Mark, Note, Call, StandDown, TakeBack, SeeAlarm,
    End, CorrectDose, DeclineBooster, Stable, ReleaseAnswer, Leave, CatchUp, Land, Shorten, Skip, Next, Ground, Softer,
    SetLimits, Evacuate, Book, CancelBooking,
)  # fmt: skip
"""The acts that a console may send."""


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
