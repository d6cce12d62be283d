"""Whatever a tired person presses, in whatever order and at whatever times, the invariants hold."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.messages import (
    Act,
    Call,
    DeviceBack,
    DeviceLost,
    Dose,
    End,
    EngineReported,
    FadeLight,
    Go,
    Hold,
    Light,
    Mark,
    Opened,
    Pause,
    PieceEnded,
    Quiet,
    Refused,
    Resume,
    StandDown,
    TakeBack,
    Volume,
)
from controller.session.state import Fade, arc_position, flows
from tests.session.room import RULES, PaperRoom

PHASES = ["arrival", "settle", "ascent", "peak", "descent", "return", "nowhere"]

acts: st.SearchStrategy[Act] = st.one_of(
    st.builds(Dose, minutes_ago=st.floats(0, 60)),
    st.builds(Pause),
    st.builds(Resume),
    st.builds(Hold),
    st.builds(Go, phase=st.sampled_from(PHASES)),
    st.builds(Quiet, minutes=st.none() | st.floats(0.1, 60)),
    st.builds(Volume, bus=st.sampled_from(["", "speakers", "none"]), step_db=st.floats(-20, 20)),
    st.builds(Light, step=st.floats(-0.3, 0.3)),
    st.builds(Light, scene=st.sampled_from(["arc", "exit", "medical"])),
    st.builds(Mark, code=st.sampled_from(["spoke", "nothing"])),
    st.builds(TakeBack, seq=st.integers(1, 30)),
    st.builds(Call, call=st.sampled_from(["k1", "k2"]), level=st.sampled_from(["assist", "emergency"])),
    st.builds(StandDown),
    st.builds(DeviceLost, name=st.sampled_from(["sound", "broker", "light.lamp-1"])),
    st.builds(DeviceBack, name=st.sampled_from(["sound", "broker", "light.lamp-1"])),
    st.builds(EngineReported, session=st.sampled_from(["", "s1"])),
    st.builds(PieceEnded, cue=st.integers(1, 20), title=st.just("x"), why=st.sampled_from(["end", "truncated"])),
    st.builds(Opened, rules=st.just(RULES), outage_s=st.none() | st.floats(0, 2000), rebooted=st.booleans()),
)
moments = st.lists(st.tuples(st.floats(0, 3000), acts), max_size=20)


@settings(max_examples=60, deadline=None)
@given(moments)
def test_invariants_hold_in_any_session(moments: list[tuple[float, Act]]) -> None:
    room = PaperRoom()
    room.dosed()
    for pause, act in moments:
        flowing, place, since = flows(room.state), arc_position(room.state, room.now), room.now
        quiet_deadlines = room.state.programme.arc_end_s if room.state.programme else 0.0
        room.wait(pause)
        moved = arc_position(room.state, room.now) - place
        if not flowing:
            assert moved == 0.0, "held, paused or waiting time counted as arc time"
        else:
            assert -1e-6 <= moved <= room.now - since + 1e-6
            assert arc_position(room.state, room.now) <= quiet_deadlines + 1e-6
        before = room.state
        try:
            effects = room.act(act)
        except Refused:
            assert room.state is before
            continue
        for effect in effects:
            if isinstance(effect, FadeLight):
                assert RULES.light_floor <= effect.start.level <= RULES.light_ceiling
                assert RULES.light_floor <= effect.end.level <= RULES.light_ceiling
                assert effect.end.t >= effect.start.t
                if before.in_session:
                    sent = Fade(start=effect.start, end=effect.end).level(room.now)
                    assert abs(sent - before.light.level(room.now)) < 0.006, "the light was set, not faded"
        assert all(RULES.volume_min_db <= level <= 0.0 for level in room.state.buses.values())
        assert all(cue.length_s > 0 and cue.fade_in_s + 1e-9 >= 0 for cue in room.state.cues)
        paths = [cue.piece.path for cue in room.state.cues]
        assert len(paths) == len(set(paths)), "a piece comes twice"


@settings(max_examples=25, deadline=None)
@given(moments)
def test_every_arc_that_is_not_held_for_ever_arrives(moments: list[tuple[float, Act]]) -> None:
    room = PaperRoom()
    room.dosed()
    for pause, act in moments:
        room.wait(pause)
        try:
            room.act(act)
        except Refused:
            continue
    for _ in range(4):
        try:
            room.act(Resume())
        except Refused:
            break
    if room.state.waiting_for == "ingestion" or room.state.phase == 0:
        room.act(Dose())
    room.wait(24 * 3600)
    assert room.state.waiting_for == "end"
    room.act(End())
    assert room.state.mode == "ended"
