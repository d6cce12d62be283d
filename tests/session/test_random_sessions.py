"""Whatever a tired person presses, in whatever order and at whatever times, the invariants hold."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.messages import (
    Act,
    AdverseEvent,
    Amend,
    BreakBegun,
    BreakOver,
    Call,
    CatchUp,
    Challenge,
    CorrectDose,
    DeclineBooster,
    DeviceBack,
    DeviceLost,
    Dose,
    Effect,
    End,
    EngineReported,
    Evacuate,
    FadeLight,
    Fire,
    FireOver,
    Go,
    Ground,
    HandOver,
    Hold,
    Input,
    Land,
    Leave,
    Light,
    Limits,
    Mark,
    Next,
    Note,
    Opened,
    Pause,
    PieceEnded,
    Quiet,
    Refused,
    Release,
    ReleaseAnswer,
    Resume,
    SetLimits,
    Shorten,
    SignedOff,
    SignedOn,
    SignOnRefused,
    SittersKnown,
    Skip,
    Softer,
    Stable,
    StandDown,
    TakeBack,
    Timer,
    Touch,
    UpdateEvent,
    Vitals,
    Volume,
    decode,
    encode,
)
from controller.session.deadlines import next_deadline
from controller.session.limits import SILENT_DB
from controller.session.state import Fade, State, arc_position, flows
from tests.session.room import RULES, PaperRoom

PHASES = ["arrival", "settle", "ascent", "peak", "descent", "return", "nowhere"]

acts: st.SearchStrategy[Act] = st.one_of(
    st.builds(Dose, minutes_ago=st.floats(0, 60), part=st.sampled_from(["dose", "booster", "start", "stop"])),
    st.builds(CorrectDose, dose=st.integers(1, 9), by_minutes=st.floats(-60, 60)),
    st.builds(CorrectDose, dose=st.integers(1, 9), minutes_ago=st.floats(0, 300)),
    st.builds(DeclineBooster),
    st.builds(Vitals, pulse=st.just(70), celsius=st.none() | st.just(37.0)),
    st.builds(Vitals, missed=st.just("asleep")),
    st.builds(Stable),
    st.builds(ReleaseAnswer, criterion=st.sampled_from(["oriented", "nothing"]), met=st.booleans()),
    st.builds(Leave),
    st.builds(Release, override=st.booleans(), reason=st.just("asks to go"), second=st.just("CD")),
    st.builds(Touch, where=st.just("hand"), part=st.sampled_from(["given", "start", "stop"])),
    st.builds(AdverseEvent, event=st.just("fall"), grade=st.integers(1, 5)),
    st.builds(UpdateEvent, event=st.integers(1, 20), resolved=st.booleans(), grade=st.none() | st.integers(1, 5)),
    st.builds(Challenge, part=st.sampled_from(["start", "end"])),
    st.builds(Note, text=st.just("a name")),
    st.builds(
        Amend,
        entry=st.integers(1, 20),
        act=st.sampled_from([Vitals(pulse=80), Mark(code="onset"), Mark(code="spoke"), Touch(), Note(text="a name")]),
        minutes_ago=st.none() | st.floats(0, 60),
    ),
    st.builds(Pause),
    st.builds(Resume),
    st.builds(Hold),
    st.builds(Go, phase=st.sampled_from(PHASES)),
    st.builds(CatchUp),
    st.builds(Land, minutes=st.none() | st.floats(0.1, 60)),
    st.builds(Shorten, minutes=st.none() | st.floats(0.1, 60)),
    st.builds(Quiet, minutes=st.none() | st.floats(0.1, 60)),
    st.builds(Skip),
    st.builds(Next, set=st.sampled_from(["calm", "grounding", "none", ""])),
    st.builds(Ground),
    st.builds(Softer, db=st.floats(1, 12)),
    st.builds(SetLimits, limits=st.builds(Limits, no_vocals=st.booleans(), volume_cap_db=st.sampled_from([0.0, -6.0]))),
    st.builds(Evacuate),
    st.builds(Volume, bus=st.sampled_from(["", "speakers", "none"]), step_db=st.floats(-20, 20)),
    st.builds(Light, step=st.floats(-0.3, 0.3)),
    st.builds(Light, scene=st.sampled_from(["arc", "exit", "medical"])),
    st.builds(Mark, code=st.sampled_from(["spoke", "onset", "nothing"])),
    st.builds(TakeBack, seq=st.integers(1, 30)),
    st.builds(Call, call=st.sampled_from(["k1", "k2"]), level=st.sampled_from(["assist", "emergency"])),
    st.builds(StandDown),
    st.builds(DeviceLost, name=st.sampled_from(["sound", "broker", "light.lamp-1"])),
    st.builds(DeviceBack, name=st.sampled_from(["sound", "broker", "light.lamp-1"])),
    st.builds(EngineReported, session=st.sampled_from(["", "s1"])),
    st.builds(PieceEnded, cue=st.integers(1, 20), title=st.just("x"), why=st.sampled_from(["end", "truncated"])),
    st.builds(Opened, rules=st.just(RULES), outage_s=st.none() | st.floats(0, 2000), rebooted=st.booleans()),
)
SITTERS = st.sampled_from(["AB", "CD", "EF"])
duties: st.SearchStrategy[Act] = st.one_of(
    st.builds(SittersKnown, initials=st.sampled_from([("AB", "CD"), ("AB", "CD", "EF"), ()])),
    st.builds(SignedOn, initials=SITTERS, key=st.sampled_from(["", "k"])),
    st.builds(SignOnRefused, initials=SITTERS, waits=st.booleans()),
    st.builds(SignedOff, initials=SITTERS),
    st.builds(HandOver, to=SITTERS, leaves=SITTERS),
    st.builds(BreakBegun, initials=SITTERS, minutes=st.none() | st.floats(1, 60), cover=st.sampled_from(["", "GH"])),
    st.builds(BreakOver, initials=SITTERS),
)
fires: st.SearchStrategy[Act] = st.sampled_from([Fire(contact="panel"), FireOver(contact="panel")])
moments = st.lists(st.tuples(st.floats(0, 3000), acts | fires | duties), max_size=20)
programmes = st.sampled_from(["psilocybin-25mg", "mdma", "ketamine-iv-40min", "preparation-hour", "demo"])

JUMPS = (Go, Land, CatchUp)
NEAR = 1e-6


@dataclass
class WatchedRoom(PaperRoom):
    """A room in which every stretch of time and every Input is looked at."""

    inputs: list[tuple[float, Input]] = field(default_factory=list)
    seen: list[State] = field(default_factory=list)

    def begin(self, programme: str) -> None:
        """A session, with the dose taken where there is one."""
        self.start(programme)
        self.wait(60.0)
        if self.state.programme and self.state.programme.dose.shape != "none":
            part = "start" if self.state.programme.dose.shape == "infusion" else "dose"
            self.act(Dose(amount=25, unit="mg", part=part), "C-0412")  # type: ignore[arg-type]

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            deadline = next_deadline(self.state)
            to = end if deadline is None else min(end, max(deadline, self.now))
            before = arc_position(self.state, self.now)
            moved = arc_position(self.state, to) - before
            assert abs(moved - (to - self.now if flows(self.state) else 0.0)) < NEAR
            if self.state.programme is not None and self.state.in_session:
                assert before + moved <= self.state.programme.end_s(self.state.phase) + NEAR
            self._look_at_light(to)
            self.now = to
            self.settle()

    def _take(self, given: Input) -> list[Effect]:
        before, place = self.state, arc_position(self.state, self.now)
        self.inputs.append((self.now, given))
        try:
            effects = super()._take(given)
        except Refused:
            self.inputs.pop()
            assert self.state is before
            raise
        self._look_at_place(before, place, given.act)
        self._look_at_effects(before, effects)
        return effects

    def _look_at_place(self, before: State, place: float, act: Act) -> None:
        if not before.in_session or not self.state.in_session:
            return
        after = arc_position(self.state, self.now)
        begins = before.phase == 0 and self.state.phase > 0 and isinstance(act, Dose | Leave | Release)
        if isinstance(act, Go):
            return
        if isinstance(act, Opened):
            assert after <= place + NEAR, "an outage moved the arc forward"
        elif isinstance(act, JUMPS) or begins:
            assert after >= place - NEAR, "the arc went back"
        else:
            assert abs(after - place) < NEAR, f"{act.kind} moved the arc"

    def _look_at_effects(self, before: State, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, FadeLight):
                assert effect.end.t >= effect.start.t
                if before.in_session:
                    sent = Fade(start=effect.start, end=effect.end).level(self.now)
                    assert abs(sent - before.light.level(self.now)) < 0.006, "the light was set, not faded"
        least = min(RULES.volume_min_db, SILENT_DB)
        assert all(least <= level <= 0.0 for level in self.state.buses.values())
        assert all(cue.length_s > 0 and cue.fade_in_s + 1e-9 >= 0 for cue in self.state.cues)
        if self.state.programme and self.state.programme.repeats == "never":
            paths = [cue.piece.path for cue in self.state.cues]
            assert len(paths) == len(set(paths)), "a piece comes twice"

    def _look_at_light(self, to: float) -> None:
        for t in (self.now, (self.now + to) / 2, to):
            assert RULES.light_floor - NEAR <= self.state.light.level(t) <= RULES.light_ceiling + NEAR


def live(room: WatchedRoom, moments: list[tuple[float, Act]]) -> None:
    """The session as it was pressed."""
    for pause, act in moments:
        room.wait(pause)
        try:
            room.act(act)
        except Refused:
            continue


@settings(max_examples=60)
@given(programmes, moments)
def test_arc_light_and_music_stay_within_bounds_in_any_session(
    programme: str, moments: list[tuple[float, Act]]
) -> None:
    room = WatchedRoom()
    room.begin(programme)
    live(room, moments)
    room.wait(3600)


@settings(max_examples=25)
@given(programmes, moments)
def test_every_arc_that_is_not_held_for_ever_arrives(programme: str, moments: list[tuple[float, Act]]) -> None:
    room = WatchedRoom()
    room.begin(programme)
    live(room, moments)
    _let_go_on(room)
    room.wait(24 * 3600)
    assert room.state.waiting_for == "end"
    room.act(End())
    assert room.state.mode == "ended"


@settings(max_examples=25)
@given(programmes, moments, st.none() | st.floats(0.1, 60))
def test_a_landing_always_ends_in_its_time(
    programme: str, moments: list[tuple[float, Act]], minutes: float | None
) -> None:
    room = WatchedRoom()
    room.begin(programme)
    live(room, moments)
    if room.state.waiting_for == "end":
        return
    try:
        room.act(Land(minutes=minutes))
    except Refused:
        return
    assert room.state.landing and room.state.programme is not None
    most = (minutes or room.state.programme.landing_minutes) * 60.0
    room.wait(most + 1.0)
    assert room.state.waiting_for == "end"


@settings(max_examples=25)
@given(programmes, moments)
def test_the_recorded_inputs_give_the_same_states(programme: str, moments: list[tuple[float, Act]]) -> None:
    from controller.session.state import opening
    from controller.session.step import step

    room = WatchedRoom()
    room.begin(programme)
    live(room, moments)
    state = opening(RULES, 1000.0)
    for seq, (t, asked) in enumerate(room.inputs, start=1):
        state = step(state, asked, t, seq).state
    assert state == room.state


@settings(max_examples=40)
@given(programmes, moments)
def test_what_was_entered_is_kept_in_order_once_and_without_its_words(
    programme: str, moments: list[tuple[float, Act]]
) -> None:
    room = WatchedRoom()
    room.begin(programme)
    live(room, moments)
    state = room.state
    for person in state.participants:
        times = [t for t, _ in person.vitals]
        assert times == sorted(times) and all(t <= room.now for t in times)
        mine = [
            (one.t, one.act) for one in state.entries if one.act.kind == "vitals" and person.code in one.participants
        ]
        assert sorted(person.vitals, key=repr) == sorted(mine, key=repr)
    seqs = [entry.seq for entry in state.entries]
    assert len(seqs) == len(set(seqs))
    assert b"a name" not in encode(state)
    assert decode(State, encode(state)) == state


def _let_go_on(room: PaperRoom) -> None:
    for _ in range(6):
        if room.state.mode == "running" and not room.state.hold:
            break
        try:
            room.act(Resume())
        except Refused:
            break
    if room.state.waiting_for == "ingestion" or room.state.phase == 0:
        for act in (Dose(), Dose(part="start"), Timer()):
            try:
                room.act(act, *(() if isinstance(act, Timer) else ("C-0412",)))
                break
            except Refused:
                continue
