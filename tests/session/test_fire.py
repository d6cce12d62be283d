"""The fire panel's contact: music out, light to leave by, and nobody but a person brings the room back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from controller.messages import (
    LEAVING_FADE_S,
    Act,
    BatteryChanged,
    CatchUp,
    End,
    FadeLight,
    Fire,
    FireOver,
    Go,
    Land,
    Light,
    Opened,
    Pause,
    Quiet,
    Refused,
    Resume,
    SetTransport,
    Start,
)
from controller.session.state import arc_position
from tests.session.room import RULES, PaperRoom
from tests.session.test_random_sessions import acts

SLOW = replace(RULES, pause_fade_s=20.0, scene_fade_s=15.0)


def alarms(room: PaperRoom) -> list[str]:
    return [alarm.code for alarm in room.state.alarms]


def burning(*before: Act) -> tuple[PaperRoom, list[object]]:
    """A slow room in a session, after some acts, and what the contact brought about."""
    room = PaperRoom()
    room.dosed()
    room.act(Opened(rules=SLOW))
    room.wait(300)
    for act in before:
        room.act(act)
        room.wait(1.0)
    return room, list(room.act(Fire(contact="panel")))


@pytest.mark.parametrize(
    "before",
    [(), (Quiet(),), (Pause(),), (Light(scene="medical"),), (Light(level=0.05),), (Pause(), Resume())],
    ids=["running", "silent", "pausing", "medical", "dark", "resuming"],
)
def test_the_music_is_out_and_the_light_is_up_in_two_seconds(before: tuple[Act, ...]) -> None:
    room, effects = burning(*before)
    fades = [effect.fade_s for effect in effects if isinstance(effect, SetTransport)]
    assert room.state.transport == "pause" and room.state.mode == "paused"
    assert fades == [LEAVING_FADE_S]
    lights = [effect for effect in effects if isinstance(effect, FadeLight)]
    assert {effect.lamp for effect in lights} == set(RULES.lamps)
    assert all(effect.swift and effect.scene == "exit" for effect in lights)
    assert all(effect.end.t <= room.now + 2.0 and effect.end.level >= RULES.exit_light for effect in lights)
    assert alarms(room) == ["fire"]
    assert room.state.alarms[0].priority == "high"


def test_the_end_of_a_session_does_not_finish_its_slow_fade() -> None:
    room, effects = burning(End())
    assert [effect.fade_s for effect in effects if isinstance(effect, SetTransport)] == [LEAVING_FADE_S]
    assert room.state.transport == "stop"
    assert room.state.scene == "exit"


def test_nothing_comes_back_when_the_contact_closes_again() -> None:
    room, _ = burning()
    place = arc_position(room.state, room.now)
    room.wait(600)
    room.act(FireOver(contact="panel"))
    room.wait(3600)
    assert (room.state.mode, room.state.transport, room.state.scene) == ("paused", "pause", "exit")
    assert arc_position(room.state, room.now) == place
    assert alarms(room) == ["fire_over"]
    room.act(Resume())
    assert (room.state.mode, room.state.transport) == ("running", "play")
    assert alarms(room) == []
    room.act(Light(scene="arc"))
    assert room.state.scene == "arc"


def test_a_person_may_go_on_although_the_contact_is_stuck() -> None:
    room, _ = burning()
    room.act(Resume())
    assert room.state.mode == "running"
    assert alarms(room) == ["fire"]
    assert room.act(Fire(contact="panel")) == []  # told again, it does nothing
    assert room.state.mode == "running"
    room.act(FireOver(contact="panel"))
    assert room.act(Fire(contact="panel"))
    assert room.state.mode == "paused"


def test_a_session_that_ends_while_the_contact_calls_leaves_the_light_up() -> None:
    room, _ = burning()
    room.act(End())
    room.wait(60)
    assert room.state.light.level(room.now) >= RULES.exit_light
    with pytest.raises(Refused, match="fire_standing"):
        room.act(Start(programme="x", participants=("A-1",), programme_text="", session="s2"))


def test_an_idle_room_answers_too_and_no_session_begins_meanwhile() -> None:
    room = PaperRoom()
    room.act(Opened(rules=RULES))
    effects = room.act(Fire(contact="panel"))
    assert any(isinstance(effect, FadeLight) and effect.swift for effect in effects)
    assert alarms(room) == ["fire"]
    room.act(FireOver(contact="panel"))
    room.start()
    assert room.state.mode == "running" and alarms(room) == []


def test_a_daemon_that_starts_again_hears_of_the_contact_anew() -> None:
    room, _ = burning()
    room.act(Opened(rules=SLOW))
    assert alarms(room) == [] and room.state.mode == "paused" and room.state.scene == "exit"
    room.act(Fire(contact="panel"))
    assert alarms(room) == ["fire"]


def test_a_low_battery_is_a_notice_until_it_is_changed() -> None:
    room = PaperRoom()
    room.act(Opened(rules=RULES))
    room.act(BatteryChanged(name="button.bed", low=True, percent=9.0))
    assert [(alarm.code, alarm.priority) for alarm in room.state.alarms] == [("battery_low", "low")]
    room.act(BatteryChanged(name="button.bed", low=False, percent=100.0))
    assert alarms(room) == []


HANDS = (Resume, Go, Land, CatchUp, Light, End)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(0, 3000), acts), max_size=12), st.lists(st.tuples(st.floats(0, 3000), acts)))
def test_only_a_person_ends_what_the_contact_began(
    before: list[tuple[float, Act]], after: list[tuple[float, Act]]
) -> None:
    room = PaperRoom()
    room.dosed()
    for pause, act in before:
        room.wait(pause)
        try:
            room.act(act)
        except Refused:
            continue
    room.act(Fire(contact="panel"))
    for pause, act in after:
        room.wait(pause)
        if isinstance(act, HANDS):
            continue
        try:
            room.act(act)
        except Refused:
            continue
        assert room.state.transport != "play", act
        assert room.state.scene == "exit", act
        assert room.state.light.level(room.now + 2.0) >= RULES.exit_light - 1e-9
