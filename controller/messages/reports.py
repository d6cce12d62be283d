"""What an Input can say of the room itself: its daemon, its sound, its devices and its clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from controller.messages.words import CallLevel, CallStage, Cue, RoomRules, Transport


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """The daemon is up. `outage_s`: how long the room was without it; None when that cannot be known."""

    kind: Literal["opened"] = "opened"
    rules: RoomRules
    outage_s: float | None = 0.0
    rebooted: bool = False
    unrecorded_s: float = 0.0
    """How long before now the record ends, where later records were lost to damage; 0 where none were."""


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
    test: bool = False
    """The preflight's test call."""


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
