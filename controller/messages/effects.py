"""The closed list of what can be done, and the Record that keeps why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Discriminator

from controller.messages.acts import Input
from controller.messages.timetable import Check
from controller.messages.words import RECORD_SCHEMA, CallLevel, Cue, Scene, Transport


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One end of a fade: a level (and a colour temperature in kelvin, where the lamp is to have one) at a room time."""

    level: float
    t: float
    kelvin: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlayCues:
    """The whole cue sheet of a session. A cue with the id of one that plays goes on, with its new length and fades."""

    kind: Literal["play_cues"] = "play_cues"
    session: str
    plan: int
    cues: tuple[Cue, ...]
    timeline_s: float = 0.0
    """Where the timeline begins if the engine does not hold this session (after a power cut)."""


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
    """A straight line in perceived level between two absolute points. `swift`: exit and medical light's faster ramp.

    `scene`: who asks for it; lamps that only burn in certain scenes go by it.
    """

    kind: Literal["fade_light"] = "fade_light"
    lamp: str
    start: Point
    end: Point
    swift: bool = False
    scene: Scene = "arc"


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
    test: bool = False
    """Nobody needs to come: the preflight's own. A call of the same id that is none makes it one in earnest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunCheck:
    """Look after the room at night; `Checked` is the answer."""

    kind: Literal["run_check"] = "run_check"
    check: Check


@dataclass(frozen=True, kw_only=True, slots=True)
class Erase:
    """Take away what a book says was taken away: texts that were redacted, for the room's the sessions removed."""

    kind: Literal["erase"] = "erase"
    book: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """Make one check of the preflight; `Probed` with the same number is the answer."""

    kind: Literal["probe"] = "probe"
    check: str
    number: int
    programme: str = ""
    values: dict[str, str | int | float] = field(default_factory=dict)
    """What the answer needs to say again: of "lights", where they go to and came from."""


Effect = Annotated[
    PlayCues | SetTransport | FadeMusic | FadeBus | FadeLight | Replan | PlaceCall | RunCheck | Erase | Probe,
    Discriminator("kind"),
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
        case RunCheck():
            return f"check.{effect.check}"
        case Erase():
            return f"erase.{effect.book}"
        case Probe():
            return f"probe.{effect.check}"
        case _:
            return effect.kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """Something the rules concluded, as a code with values; `wording.fact` has the words."""

    code: str
    values: dict[str, str | int | float] = field(default_factory=dict)


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
