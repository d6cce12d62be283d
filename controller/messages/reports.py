"""What an Input can say of the room itself: its daemon, its sound, its devices and its clock."""

from __future__ import annotations

from msgspec import field

from controller.messages.codec import Tagged
from controller.messages.words import CallLevel, CallStage, Cue, RoomRules, Transport


class Opened(Tagged, frozen=True, kw_only=True, tag="opened"):
    """The daemon is up. `outage_s`: how long the room was without it; None when that cannot be known."""

    rules: RoomRules
    outage_s: float | None = 0.0
    rebooted: bool = False
    unrecorded_s: float = 0.0
    """How long before now the record ends, where later records were lost to damage; 0 where none were."""


class Timer(Tagged, frozen=True, kw_only=True, tag="timer"):
    """`next_deadline` has come."""


class Planned(Tagged, frozen=True, kw_only=True, tag="planned"):
    """The planner's answer to `Replan` number `plan`: all cues, those already playing included."""

    plan: int
    cues: tuple[Cue, ...]
    short_s: float = 0.0
    """Seconds of music that the pool could not fill."""


class EngineReported(Tagged, frozen=True, kw_only=True, tag="engine_reported"):
    """What the sound engine says when its link comes up, or when a device is back under it.

    `session` is "" when it holds nothing. `filler`: whether the filler plays, None where it was not told.
    """

    session: str = ""
    plan: int = 0
    transport: Transport = "stop"
    timeline_s: float = 0.0
    output: str = ""
    filler: bool | None = None


class EngineRestarted(Tagged, frozen=True, kw_only=True, tag="engine_restarted"):
    """The sound engine was started anew. `why` the one before it ended: hung, killed, crashed, or ended by itself.

    The music went on at the same place after `silent_s` seconds without any.
    """

    why: str
    silent_s: float = 0.0


class PieceStarted(Tagged, frozen=True, kw_only=True, tag="piece_started"):
    """The first frame of a cue was played, at room time `at_t`, frame `frame` of the engine's output.

    `session` is the one whose sheet held the cue; "" in records of the first engines.
    """

    cue: int
    title: str
    path: str
    at_t: float
    frame: int
    session: str = ""


class PieceEnded(Tagged, frozen=True, kw_only=True, tag="piece_ended"):
    """A cue's last frame was played. `why`: "end", "cut" (a new plan), or what was wrong with the file.

    `session` as in `PieceStarted`.
    """

    cue: int
    title: str
    why: str = "end"
    played_s: float = 0.0
    session: str = ""


class FillerChanged(Tagged, frozen=True, kw_only=True, tag="filler_changed"):
    """The filler bed came in (and why, instead of which piece) or went out again."""

    on: bool
    why: str = ""
    title: str = ""


class Dropout(Tagged, frozen=True, kw_only=True, tag="dropout"):
    """The sound broke off for `lost_s` in all, within a few seconds, while `title` played."""

    lost_s: float
    why: str = ""
    title: str = ""


class DeviceLost(Tagged, frozen=True, kw_only=True, tag="device_lost"):
    """A device, link or disk does not answer: "sound", "sound.output", "place" (the sound engine's files),
    "broker", "caller", "journal", "light.LAMP", "port.PORT", "buttons", "button.BUTTON".
    """

    name: str
    why: str = ""


class DeviceBack(Tagged, frozen=True, kw_only=True, tag="device_back"):
    """It answers again; the rules put it right with `room_effects`."""

    name: str
    late_from: int = 0
    late_to: int = 0
    """For "journal": the records that reached the disk later than their effects reached the room."""


class LampChanged(Tagged, frozen=True, kw_only=True, tag="lamp_changed"):
    """A lamp's echo confirmed (True) or failed to confirm (False) the level it was sent, for the first time."""

    lamp: str
    confirmed: bool
    level: float


class LampTakenOver(Tagged, frozen=True, kw_only=True, tag="lamp_taken_over"):
    """Something else drives a lamp: it says that it is at `level`, which we never sent. It is led back."""

    lamp: str
    level: float


class CallChanged(Tagged, frozen=True, kw_only=True, tag="call_changed"):
    """The caller says how far a call has come."""

    call: str
    level: CallLevel
    stage: CallStage
    by: str = ""
    placed_t: float | None = None
    test: bool = False
    """The preflight's test call."""


class Fire(Tagged, frozen=True, kw_only=True, tag="fire"):
    """The fire panel's contact calls to leave: music out, light to leave by. `contact`: its name in the room."""

    contact: str


class FireOver(Tagged, frozen=True, kw_only=True, tag="fire_over"):
    """The fire panel's contact is closed again; nothing comes back by itself."""

    contact: str


class BatteryChanged(Tagged, frozen=True, kw_only=True, tag="battery_changed"):
    """A button's battery has become low, or was changed. `percent` is None where it does not say."""

    name: str
    low: bool
    percent: float | None = None


class ClockSynced(Tagged, frozen=True, kw_only=True, tag="clock_synced"):
    """The wall clock was set right: add `offset_s` to the UTC of earlier records of this boot."""

    offset_s: float


class RefusedAct(Tagged, frozen=True, kw_only=True, tag="refused"):
    """An Input that was refused; kept because refused attempts are records too."""

    act: str
    code: str
    values: dict[str, str | int | float] = field(default_factory=dict)
