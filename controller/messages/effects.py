"""The closed list of what can be done, and the Record that keeps why."""

from __future__ import annotations

from msgspec import Struct, field

from controller.messages.acts import Input
from controller.messages.codec import Tagged
from controller.messages.timetable import Check
from controller.messages.words import RECORD_SCHEMA, CallLevel, Cue, Scene, Transport


class Point(Struct, frozen=True, kw_only=True):
    """One end of a fade: a level (and a colour temperature in kelvin, where the lamp is to have one) at a room time."""

    level: float
    t: float
    kelvin: float | None = None


class PlayCues(Tagged, frozen=True, kw_only=True, tag="play_cues"):
    """The whole cue sheet of a session. A cue with the id of one that plays goes on, with its new length and fades."""

    session: str
    plan: int
    cues: tuple[Cue, ...]
    timeline_s: float = 0.0
    """Where the timeline begins if the engine does not hold this session (after a power cut)."""


class SetTransport(Tagged, frozen=True, kw_only=True, tag="set_transport"):
    """Ramp to play, pause (timeline stands still after the fade) or stop (fade out and forget)."""

    session: str
    transport: Transport
    fade_s: float


class FadeMusic(Tagged, frozen=True, kw_only=True, tag="fade_music"):
    """Ramp the music as a whole (0..1 amplitude): silence that was asked for. The timeline goes on."""

    level: float
    fade_s: float


class FadeBus(Tagged, frozen=True, kw_only=True, tag="fade_bus"):
    """Ramp one bus to a level in dB below its calibrated level (0 = as calibrated, never above)."""

    bus: str
    level_db: float
    fade_s: float


class FadeLight(Tagged, frozen=True, kw_only=True, tag="fade_light"):
    """A straight line in perceived level between two absolute points. `swift`: exit and medical light's faster ramp.

    `scene`: who asks for it; lamps that only burn in certain scenes go by it.
    """

    lamp: str
    start: Point
    end: Point
    swift: bool = False
    scene: Scene = "arc"


class Replan(Tagged, frozen=True, kw_only=True, tag="replan"):
    """Ask the planner for the cues from `arc_s` on. `cut`: cross over now; otherwise what plays is left alone."""

    session: str
    plan: int
    arc_s: float
    held: bool = False
    cut: bool = False


class PlaceCall(Tagged, frozen=True, kw_only=True, tag="place_call"):
    """Hand a call, its escalation or its stand-down to the caller. Idempotent by (call, level, stood_down)."""

    call: str
    level: CallLevel
    stood_down: bool = False
    by: str = ""
    test: bool = False
    """Nobody needs to come: the preflight's own. A call of the same id that is none makes it one in earnest."""


class RunCheck(Tagged, frozen=True, kw_only=True, tag="run_check"):
    """Look after the room at night; `Checked` is the answer."""

    check: Check


class Erase(Tagged, frozen=True, kw_only=True, tag="erase"):
    """Take away what a book says was taken away: texts that were redacted, for the room's the sessions removed."""

    book: str


class Probe(Tagged, frozen=True, kw_only=True, tag="probe"):
    """Make one check of the preflight; `Probed` with the same number is the answer."""

    check: str
    number: int
    programme: str = ""
    values: dict[str, str | int | float] = field(default_factory=dict)
    """What the answer needs to say again: of "lights", where they go to and came from."""


Effect = PlayCues | SetTransport | FadeMusic | FadeBus | FadeLight | Replan | PlaceCall | RunCheck | Erase | Probe


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


class Fact(Struct, frozen=True, kw_only=True):
    """Something the rules concluded, as a code with values; `wording.fact` has the words."""

    code: str
    values: dict[str, str | int | float] = field(default_factory=dict)


class Stamp(Struct, frozen=True, kw_only=True):
    """When: room time, CLOCK_BOOTTIME of which boot, UTC (ISO 8601, Z) and whether the wall clock was synchronised."""

    t: float
    boottime: float
    boot_id: str
    utc: str
    synced: bool


class Record(Struct, frozen=True, kw_only=True):
    """One line of the journal: an Input, when, and what followed from it. `seq` counts up without gaps in a session."""

    seq: int
    stamp: Stamp
    input: Input
    effects: tuple[Effect, ...] = ()
    facts: tuple[Fact, ...] = ()
    schema_version: int = RECORD_SCHEMA
