"""The words of Stillroom: what happens, what is done about it, what is kept, what is shown.

Units everywhere inside: seconds, perceived light levels 0..1, decibels for sound, kelvin.
`t` is *room time*: seconds on the room's own monotonic clock (see `clock.RoomClock`).
`timeline_s` is the session's sound timeline: it stands still while the sound is paused.
`arc_s` is the place in the programme: 0 at ingestion, negative during arrival.

All types are frozen dataclasses; `encode` and `decode` take them across a boundary as JSON, checked by pydantic.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, TypeVar
from uuid import uuid4

from pydantic import Discriminator, TypeAdapter
from typing_extensions import Annotated

PROTOCOL = 1
"""Version of the console socket, the engine socket and the caller socket."""

RECORD_SCHEMA = 1
"""Version of a record's stored form."""

Mode = Literal["idle", "ready", "running", "paused", "waiting", "ended"]
Transport = Literal["play", "pause", "stop"]
CallLevel = Literal["assist", "emergency"]
CallStage = Literal["placed", "sent", "acknowledged", "not_delivered", "stood_down"]
Scene = Literal["arc", "exit", "medical", "manual"]


class Refused(Exception):
    """Not now, and why. `code` and `values` are worded by `wording.refusal`; nothing was changed."""

    def __init__(self, code: str, **values: str | float) -> None:
        super().__init__(code)
        self.code = code
        self.values: dict[str, str | float] = dict(values)


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Who, through which console, by which way."""

    person: str | None = None
    console: str = "room"
    path: Literal["socket", "engine", "caller", "room"] = "room"


# --- Music ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """One file of music, as the library measured it. `duration_s` comes from the audio, never from a tag."""

    path: str
    title: str
    artist: str = ""
    duration_s: float
    lufs: float = -23.0
    true_peak_dbfs: float = -6.0
    digest: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cue:
    """A piece laid on the sound timeline. It sounds from `start_s` for `length_s`, beginning `offset_s` into the file.

    `fade_in_s` and `fade_out_s` are equal-power (sine) and lie inside the length; a crossfade is two cues that overlap
    by the same fade. `gain_db` brings the piece to the programme's loudness. `id` is unique in a session.
    """

    id: int
    start_s: float
    piece: Piece
    length_s: float
    offset_s: float = 0.0
    fade_in_s: float = 0.0
    fade_out_s: float = 0.0
    gain_db: float = 0.0
    phase: str = ""

    @property
    def end_s(self) -> float:
        """Timeline second at which the cue has fallen silent."""
        return self.start_s + self.length_s


# --- Acts: what an Input says ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """Open a session. The daemon fills `session`, `programme_text`, `lamps` … before the rules see it."""

    kind: Literal["start"] = "start"
    programme: str
    participants: tuple[str, ...] = ()
    seed: int | None = None
    minutes: float | None = None
    """Compress or stretch the programme to so many minutes from ingestion (rehearsal and demo)."""
    touch_scope: str = ""
    """The touch that was consented to beforehand, in the clinic's own words; a code, not a story."""
    session: str = ""
    programme_text: str = ""
    software: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dose:
    """A dose was taken. `at_t`: room time of ingestion where it was logged late."""

    kind: Literal["dose"] = "dose"
    amount: float | None = None
    unit: str = ""
    kit: str = ""
    witness: str = ""
    minutes_ago: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Vitals:
    """One line of vitals; `missed` holds the reason where they were not taken."""

    kind: Literal["vitals"] = "vitals"
    systolic: int | None = None
    diastolic: int | None = None
    pulse: int | None = None
    spo2: int | None = None
    celsius: float | None = None
    missed: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """Fade to silence; arc and sound stand still. `direct_t`: the engine did it already, at that room time."""

    kind: Literal["pause"] = "pause"
    direct_t: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Resume:
    """Go on: ends pause, silence and hold alike."""

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
    """What the sound engine says when its link comes up. `session` is "" when it holds nothing."""

    kind: Literal["engine_reported"] = "engine_reported"
    session: str = ""
    plan: int = 0
    transport: Transport = "stop"
    timeline_s: float = 0.0
    output: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PieceStarted:
    """The first frame of a cue was played, at room time `at_t`, frame `frame` of the engine's output."""

    kind: Literal["piece_started"] = "piece_started"
    cue: int
    title: str
    path: str
    at_t: float
    frame: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PieceEnded:
    """A cue's last frame was played. `why`: "end", "cut" (a new plan), or what was wrong with the file."""

    kind: Literal["piece_ended"] = "piece_ended"
    cue: int
    title: str
    why: str = "end"
    played_s: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class FillerChanged:
    """The filler bed came in (and why) or went out again."""

    kind: Literal["filler_changed"] = "filler_changed"
    on: bool
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceLost:
    """A device, link or disk does not answer. Names: "sound", "broker", "caller", "journal", "light.LAMP"."""

    kind: Literal["device_lost"] = "device_lost"
    name: str
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceBack:
    """It answers again; the rules put it right with `room_effects`."""

    kind: Literal["device_back"] = "device_back"
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LampChanged:
    """A lamp's echo confirmed (True) or failed to confirm (False) the level it was sent, for the first time."""

    kind: Literal["lamp_changed"] = "lamp_changed"
    lamp: str
    confirmed: bool
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
    values: dict[str, str | float] = field(default_factory=dict)


Act = Annotated[
    Start | Dose | Vitals | Pause | Resume | Hold | Go | Quiet | Volume | Light | Mark | Note | Call | StandDown
    | TakeBack | SeeAlarm | End | Opened | Timer | Planned | EngineReported | PieceStarted | PieceEnded | FillerChanged
    | DeviceLost | DeviceBack | LampChanged | CallChanged | ClockSynced | RefusedAct,
    Discriminator("kind"),
]  # fmt: skip

PEOPLES_ACTS = frozenset(
    "start dose vitals pause resume hold go quiet volume light mark note call stand_down take_back see_alarm end".split()
)
"""The kinds of act that a console may send."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Input:
    """Something happened or was asked. A repeated `id` returns the first result and does nothing.

    `participants`: codes of those it concerns; empty means the room.
    """

    act: Act
    id: str = field(default_factory=lambda: str(uuid4()))
    origin: Origin = Origin()
    participants: tuple[str, ...] = ()


# --- Effects -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One end of a fade: a level at a room time."""

    level: float
    t: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PlayCues:
    """The whole cue sheet of a session. A cue with the id of one that plays goes on, with its new length and fades."""

    kind: Literal["play_cues"] = "play_cues"
    session: str
    plan: int
    cues: tuple[Cue, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SetTransport:
    """Ramp to play, pause (timeline stands still after the fade) or stop (fade out and forget)."""

    kind: Literal["set_transport"] = "set_transport"
    session: str
    transport: Transport
    fade_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class FadeMusic:
    """Ramp the music as a whole (0..1 amplitude): silence that was asked for. The timeline goes on."""

    kind: Literal["fade_music"] = "fade_music"
    level: float
    fade_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class FadeBus:
    """Ramp one bus to a level in dB below its calibrated level (0 = as calibrated, never above)."""

    kind: Literal["fade_bus"] = "fade_bus"
    bus: str
    level_db: float
    fade_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class FadeLight:
    """A straight line in perceived level between two absolute points. `swift`: exit and medical light's faster ramp."""

    kind: Literal["fade_light"] = "fade_light"
    lamp: str
    start: Point
    end: Point
    swift: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Replan:
    """Ask the planner for the cues from `arc_s` on. `cut`: cross over now; otherwise what plays is left alone."""

    kind: Literal["replan"] = "replan"
    session: str
    plan: int
    arc_s: float
    held: bool = False
    cut: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaceCall:
    """Hand a call, its escalation or its stand-down to the caller. Idempotent by (call, level, stood_down)."""

    kind: Literal["place_call"] = "place_call"
    call: str
    level: CallLevel
    stood_down: bool = False
    by: str = ""


Effect = Annotated[
    PlayCues | SetTransport | FadeMusic | FadeBus | FadeLight | Replan | PlaceCall, Discriminator("kind")
]


def target(effect: Effect) -> str:
    """The one thing an effect acts upon; a later effect for the same target replaces an earlier one."""
    match effect:
        case FadeBus():
            return f"bus.{effect.bus}"
        case FadeLight():
            return f"light.{effect.lamp}"
        case PlaceCall():
            return f"call.{effect.call}"
        case _:
            return effect.kind


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomRules:
    """What the rules need to know of a room; recorded at every opening, so that a replay needs no file."""

    room: str
    lamps: tuple[str, ...]
    buses: tuple[str, ...]
    light_floor: float = 0.05
    light_ceiling: float = 0.8
    exit_light: float = 0.4
    medical_light: float = 0.8
    rest_light: float = 0.3
    """Level at which the room is left when nothing runs."""
    pause_fade_s: float = 2.0
    resume_fade_s: float = 6.0
    volume_fade_s: float = 1.0
    quiet_return_s: float = 20.0
    end_fade_s: float = 20.0
    scene_fade_s: float = 2.0
    release_fade_s: float = 10.0
    volume_min_db: float = -40.0
    ask_after_outage_s: float = 600.0


# --- Records -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """Something the rules concluded, as a code with values; `wording.fact` has the words."""

    code: str
    values: dict[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamp:
    """When: room time, CLOCK_BOOTTIME of which boot, UTC (ISO 8601, Z) and whether the wall clock was synchronised."""

    t: float
    boottime: float
    boot_id: str
    utc: str
    synced: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One line of the journal: an Input, when, and what followed from it. `seq` counts up without gaps in a session."""

    seq: int
    stamp: Stamp
    input: Input
    effects: tuple[Effect, ...] = ()
    facts: tuple[Fact, ...] = ()
    schema_version: int = RECORD_SCHEMA


# --- Status: what consoles show ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseView:
    """A phase on the arc's own axis (seconds from ingestion; arrival is negative)."""

    code: str
    title: str
    start_s: float
    end_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ParticipantView:
    """T+ is None before ingestion."""

    code: str
    t_plus_s: float | None = None
    doses: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackView:
    """What plays; `position_s` is frames played, into the file."""

    title: str
    artist: str = ""
    path: str = ""
    position_s: float = 0.0
    duration_s: float = 0.0
    next_title: str = ""
    next_in_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LampView:
    """A lamp: what it should show now, what it last confirmed. `state`: confirmed, moving, unconfirmed or lost."""

    lamp: str
    target: float
    confirmed: float | None = None
    state: Literal["confirmed", "moving", "unconfirmed", "lost"] = "unconfirmed"


@dataclass(frozen=True, kw_only=True, slots=True)
class BusView:
    """One pair of channels: its fader in dB below calibrated, and what leaves it now."""

    bus: str
    level_db: float
    rms_dbfs: float = -120.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SoundView:
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


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalView:
    """`seq`: newest record that is on disk. `late_s`: how long the oldest unwritten record has waited."""

    seq: int = 0
    late_s: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class CallView:
    """The call that stands open, if any. `call` "" means none."""

    call: str = ""
    level: CallLevel = "assist"
    stage: CallStage = "stood_down"
    by: str = ""
    since_t: float = 0.0
    seq: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """Something is wrong and stays wrong until it is put right. Priority as IEC 60601-1-8: high, medium, low."""

    code: str
    priority: Literal["high", "medium", "low"]
    since_t: float
    values: dict[str, str | float] = field(default_factory=dict)
    seen: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEntry:
    """A record as a console shows it; worded by `wording.entry`."""

    seq: int
    utc: str
    kind: str
    """The act's kind, or the fact's code."""
    values: dict[str, str | float] = field(default_factory=dict)
    who: str = ""
    console: str = ""
    text: str = ""
    taken_back: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DueView:
    """Something that falls due: code (vitals, booster_opens, release …) and in how many seconds (negative: overdue)."""

    code: str
    in_s: float
    participant: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Telemetry:
    """What changes by itself; sent at 2 Hz. Every field has the same name in `Status`."""

    t: float = 0.0
    utc: str = ""
    arc_s: float = 0.0
    participants: tuple[ParticipantView, ...] = ()
    track: TrackView | None = None
    light: tuple[LampView, ...] = ()
    sound: SoundView = SoundView()
    journal: JournalView = JournalView()


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
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
    quiet_until_s: float | None = None
    """Room time at which a timed silence ends."""
    landing: bool = False
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
    due: tuple[DueView, ...] = ()
    call: CallView = CallView()
    alarms: tuple[Alarm, ...] = ()
    log: tuple[LogEntry, ...] = ()
    """Newest first, at most 40."""
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """The answer to an Input, sent when its record is on disk; `refused` holds a refusal's code instead."""

    id: str
    seq: int = 0
    utc: str = ""
    refused: str = ""
    values: dict[str, str | float] = field(default_factory=dict)


T = TypeVar("T")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def encode(value: object, kind: Any = None) -> bytes:
    """JSON bytes of a message; keys in the order of the fields, so equal values give equal bytes."""
    return _adapter(kind or type(value)).dump_json(value)


def decode(kind: type[T], data: bytes | str) -> T:
    """The message in `data`; raises `pydantic.ValidationError` where it is not one."""
    result: T = _adapter(kind).validate_json(data)
    return result


def to_plain(value: object) -> Any:
    """The message as dicts, lists and numbers, for a JSON line."""
    return _adapter(type(value)).dump_python(value, mode="json")


def from_plain(kind: type[T], value: object) -> T:
    """The message out of dicts, lists and numbers; raises `pydantic.ValidationError`."""
    result: T = _adapter(kind).validate_python(value)
    return result
