"""What a session is at one moment: frozen, and everything about time in it is an anchor.

The arc's place is `arc_s` at room time `arc_t`; it moves on from there only while `flows`. The sound timeline is
anchored in the same way. Nothing here changes by time passing; `step` moves it.
"""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

from controller.arc.curves import Curve, kelvin_curve, light_curve
from controller.arc.programme import Phase, Programme
from controller.messages import (
    AdverseEvent,
    Alarm,
    CallView,
    Challenge,
    Cue,
    DosePart,
    Duty,
    Effect,
    Limits,
    Mark,
    Mode,
    Note,
    Point,
    RoomRules,
    Scene,
    Sitter,
    Touch,
    Transport,
    Vitals,
)
from controller.session.bookings import Timetable
from controller.session.preflight import Preflight

UNDO_KEPT = 20
"""How many acts back a person can reach with `TakeBack`."""


class DoseTaken(Struct, frozen=True, kw_only=True):
    """A dose at its room time of ingestion; `seq` is the record that logged it."""

    t: float
    amount: float | None = None
    unit: str = ""
    kit: str = ""
    part: DosePart = "dose"
    seq: int = 0
    witness: str = ""


class Participant(Struct, frozen=True, kw_only=True):
    """One person in the session: doses, vitals and consent are each person's own."""

    code: str
    touch_scope: str = ""
    doses: tuple[DoseTaken, ...] = ()
    vitals: tuple[tuple[float, Vitals], ...] = ()
    stable_t: float | None = None
    """Since when repeated vitals are no longer asked for."""
    booster_declined: bool = False
    answers: dict[str, bool] = field(default_factory=dict)
    """Answers to the release checklist by criterion."""
    left_t: float | None = None
    released_t: float | None = None
    overridden: bool = False
    """Released although something stood against it."""
    at_least: bool = False
    """An outage of unknown length lies behind the ingestion: T+ is a lower bound."""

    @property
    def present(self) -> bool:
        """Whether this person has neither left nor been released."""
        return self.left_t is None and self.released_t is None

    @property
    def ingestion_t(self) -> float | None:
        """Room time of the first dose, or start of an infusion; a booster is none, whatever minute it is given."""
        return min((dose.t for dose in self.doses if dose.part not in ("stop", "booster")), default=None)

    def t_plus(self, now: float) -> float | None:
        """Seconds since the first ingestion, None before it. Never stops."""
        return None if self.ingestion_t is None else now - self.ingestion_t


class Fade(Struct, frozen=True, kw_only=True):
    """A straight line in perceived level between two points in room time."""

    start: Point
    end: Point
    swift: bool = False

    def level(self, t: float) -> float:
        """The level at `t`; constant outside."""
        return self.start.level + (self.end.level - self.start.level) * self._share(t)

    def kelvin(self, t: float) -> float | None:
        """The colour temperature at `t`; None where the lamps keep theirs."""
        start, end = self.start.kelvin, self.end.kelvin
        if start is None or end is None:
            return end
        return start + (end - start) * self._share(t)

    def _share(self, t: float) -> float:
        """How much of the way is done at `t`, 0..1."""
        if t >= self.end.t:
            return 1.0
        return max(0.0, t - self.start.t) / (self.end.t - self.start.t)


class Undoable(Struct, frozen=True, kw_only=True):
    """What `TakeBack` needs to know of an act: its record, whose console, and what stood before."""

    seq: int
    console: str
    kind: str
    targets: tuple[str, ...] = ()
    before: tuple[float, ...] = ()
    person: str = ""


class Entry(Struct, frozen=True, kw_only=True):
    """What somebody entered, as it stands after every correction; `t` when it happened. A note's words are not here."""

    seq: int
    t: float
    act: Mark | Note | Vitals | Touch | Challenge
    participants: tuple[str, ...] = ()
    person: str = ""
    corrected_in: int = 0
    """The record that says what it says now; 0 for its own."""

    @property
    def said_in(self) -> int:
        """The record that has its words."""
        return self.corrected_in or self.seq


class Adverse(Struct, frozen=True, kw_only=True):
    """An adverse event as it stands after every update; `t` its onset, `seq` the record that logged it."""

    seq: int
    t: float
    event: AdverseEvent
    participants: tuple[str, ...]
    person: str = ""
    rescue_in: int = 0
    """The record that says what was given as rescue; 0 for its own."""

    @property
    def said_in(self) -> int:
        """The record that has its words."""
        return self.rescue_in or self.seq


class State(Struct, frozen=True, kw_only=True):
    """The room and its session. `room` is the picture of effects that hold now: `step` sends what differs from it."""

    rules: RoomRules
    mode: Mode = "idle"
    session: str = ""
    programme: Programme | None = None
    """As it is followed: bent by landing, booster, shortening and an onset that was marked."""
    booked: Programme | None = None
    """As the session was opened with."""
    started_t: float = 0.0
    seed: int = 0
    participants: tuple[Participant, ...] = ()

    phase: int = 0
    arc_s: float = 0.0
    arc_t: float = 0.0
    hold: bool = False
    waiting_for: str = ""
    wait_until: float | None = None
    """Room time at which a wait for onset ends by itself."""
    paused_t: float | None = None
    lost_s: float = 0.0
    """Length of the last long pause in this phase, which the phase may be shortened by."""
    landing: bool = False
    evacuated: bool = False
    quiet: bool = False
    quiet_until: float | None = None

    plan: int = 0
    """Number of the newest plan that was asked for."""
    plan_held: int = 0
    """Number of the plan whose cues are held; smaller than `plan` while the planner works."""
    plan_cut: bool = False
    """Whether the plan that is awaited crosses over at once; kept until it comes, whatever is asked meanwhile."""
    cues: tuple[Cue, ...] = ()
    limits: Limits = Limits()
    set_code: str = ""
    """The set that a sitter chose as what comes next."""
    set_until_s: float = 0.0
    """Timeline second up to which pieces are drawn from it."""
    played: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    transport: Transport = "stop"
    transport_fade_s: float = 0.0
    music: float = 1.0
    music_fade_s: float = 0.0
    timeline_s: float = 0.0
    timeline_t: float = 0.0
    """The timeline runs from `timeline_s` at `timeline_t` while transport is play, and to `timeline_stop_t` after."""
    timeline_stop_t: float | None = None
    timeline_base: float = 0.0
    """Where the timeline begins in an engine that holds nothing of this session."""
    buses: dict[str, float] = field(default_factory=dict)
    """The faders as people set them; `limits.faders` has what leaves the room."""
    buses_fade_s: float | None = None
    """A slower ramp than the room's, where one was asked for."""

    scene: Scene = "arc"
    light: Fade
    call: CallView = CallView()
    calls_over: frozenset[str] = frozenset()
    fires: frozenset[str] = frozenset()
    """The fire panel's contacts that call to leave."""
    alarms: tuple[Alarm, ...] = ()
    undoable: tuple[Undoable, ...] = ()
    entries: tuple[Entry, ...] = ()
    """What was entered in this session and can be corrected, in the order in which it was."""
    adverse: tuple[Adverse, ...] = ()
    told: frozenset[str] = frozenset()
    """What fell due and was recorded as such."""
    timetable: Timetable = Timetable()
    duty: Duty = Duty()
    preflight: Preflight = Preflight()
    room: tuple[Effect, ...] = ()

    @property
    def here(self) -> Phase:
        """The phase the session is in; only while there is a programme."""
        assert self.programme is not None
        return self.programme.phases[self.phase]

    @property
    def sitters(self) -> tuple[Sitter, ...]:
        """Who is on duty, in the order in which they came; with whoever is on a break."""
        return self.duty.sitters

    @property
    def in_session(self) -> bool:
        """Whether a session stands open."""
        return self.mode in ("ready", "running", "paused", "waiting")


def rooms_own(state: State) -> State:
    """What of the state belongs to the room, and nothing of a session: that goes with the session's own book."""
    return State(
        rules=state.rules, mode=state.mode, scene=state.scene, light=state.light, buses=state.buses,
        timetable=state.timetable, duty=state.duty, preflight=state.preflight,
    )  # fmt: skip


def opening(rules: RoomRules, t: float) -> State:
    """A room in which nothing runs yet."""
    rest = Point(level=rules.rest_light, t=t)
    buses = dict.fromkeys(rules.buses, 0.0)
    return State(rules=rules, light=Fade(start=rest, end=rest), buses=buses, timeline_t=t, timeline_stop_t=t)


def flows(state: State) -> bool:
    """Whether arc time moves now."""
    return state.mode == "running" and not state.hold and not state.waiting_for


def arc_position(state: State, now: float) -> float:
    """Arc second at room time `now`."""
    return state.arc_s + (now - state.arc_t if flows(state) else 0.0)


def timeline_position(state: State, now: float) -> float:
    """Second of the sound timeline at room time `now`, as far as the rules can know; the engine knows to the frame."""
    end = now if state.timeline_stop_t is None else min(now, state.timeline_stop_t)
    return state.timeline_s + max(0.0, end - state.timeline_t)


def light_points(state: State) -> Curve:
    """The programme's light, inside the room's floor and ceiling."""
    assert state.programme is not None
    return light_curve(state.programme, state.rules.light_floor, state.rules.light_ceiling)


def kelvin_points(state: State) -> Curve:
    """The programme's colour temperature; empty where it says nothing."""
    assert state.programme is not None
    return kelvin_curve(state.programme)


def dosed(state: State) -> bool:
    """Whether anybody's ingestion has been logged."""
    return any(person.doses for person in state.participants)


def replanned(state: State, *, cut: bool = False) -> State:
    """The state that waits for a new plan; `step` asks for it. `cut`: what plays is crossed over from at once."""
    return replace(state, plan=state.plan + 1, plan_cut=cut or state.plan_cut)
