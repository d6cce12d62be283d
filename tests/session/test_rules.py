"""The rules of a session, driven by hand."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from controller.messages import (
    Call,
    CallChanged,
    DeviceBack,
    DeviceLost,
    Dose,
    End,
    EngineReported,
    FadeBus,
    FadeLight,
    FillerChanged,
    Go,
    Hold,
    Light,
    Mark,
    Opened,
    Pause,
    PieceEnded,
    PieceStarted,
    PlaceCall,
    PlayCues,
    Quiet,
    Refused,
    Resume,
    SetTransport,
    TakeBack,
    Volume,
)
from controller.session.state import State, arc_position, timeline_position
from tests.session.room import RULES, PaperRoom


def test_music_begins_when_the_first_plan_is_there() -> None:
    room = PaperRoom()
    room.start()
    assert room.state.mode == "running"
    assert any(isinstance(effect, PlayCues) for effect in room.effects)
    assert any(isinstance(effect, SetTransport) and effect.transport == "play" for effect in room.effects)


def test_the_arrival_lasts_until_somebody_takes_the_dose() -> None:
    room = PaperRoom()
    room.start()
    room.wait(3 * 3600)
    assert (room.state.mode, room.state.waiting_for, room.state.here.code) == ("waiting", "ingestion", "arrival")
    room.act(Dose(amount=25, unit="mg"))
    assert (room.state.mode, room.state.here.code) == ("running", "settle")
    assert arc_position(room.state, room.now) == 0.0


def test_a_dose_that_is_logged_late_counts_from_its_true_minute() -> None:
    room = PaperRoom()
    room.start()
    room.wait(1800)
    room.act(Dose(minutes_ago=25))
    assert room.state.participants[0].t_plus(room.now) == pytest.approx(25 * 60)
    assert room.state.here.code == "ascent"


def test_t_plus_runs_on_through_a_pause_and_the_arc_does_not() -> None:
    room = PaperRoom()
    room.dosed()
    room.wait(100)
    room.act(Pause())
    room.wait(1000)
    assert arc_position(room.state, room.now) == pytest.approx(100)
    assert room.state.participants[0].t_plus(room.now) == pytest.approx(1100)
    room.act(Resume())
    room.wait(10)
    assert arc_position(room.state, room.now) == pytest.approx(110)


def test_pausing_twice_is_safe() -> None:
    room = PaperRoom()
    room.dosed()
    room.act(Pause())
    assert room.act(Pause()) == []


def test_the_sound_timeline_stands_still_after_the_fade_of_a_pause() -> None:
    room = PaperRoom()
    room.dosed()
    place = timeline_position(room.state, room.now)
    room.act(Pause())
    room.wait(500)
    assert timeline_position(room.state, room.now) == pytest.approx(place + RULES.pause_fade_s)


def test_resume_in_the_middle_of_the_fade_never_stops_the_timeline() -> None:
    room = PaperRoom()
    room.dosed()
    place = timeline_position(room.state, room.now)
    room.act(Pause())
    room.wait(1.0)
    room.act(Resume())
    room.wait(9.0)
    assert timeline_position(room.state, room.now) == pytest.approx(place + 10.0)


def test_a_held_phase_goes_on_until_it_is_released() -> None:
    room = PaperRoom()
    room.dosed()
    room.wait(600)
    room.act(Hold())
    room.wait(4 * 3600)
    assert room.state.here.code == "settle"
    assert arc_position(room.state, room.now) == pytest.approx(600)
    room.act(Resume())
    room.wait(601)
    assert room.state.here.code == "ascent"


def test_light_holds_still_while_the_phase_is_held() -> None:
    room = PaperRoom()
    room.dosed()
    room.wait(1250)
    room.act(Hold())
    level = room.state.light.level(room.now)
    room.wait(3600)
    assert room.state.light.level(room.now) == pytest.approx(level)


def test_go_on_ends_silence_and_hold_with_one_key() -> None:
    room = PaperRoom()
    room.dosed()
    room.act(Hold())
    room.act(Quiet())
    room.act(Resume())
    assert not room.state.hold
    assert not room.state.quiet
    assert room.state.music == 1.0
    assert room.state.music_fade_s >= 20.0


def test_the_arc_goes_on_beneath_a_silence_that_was_asked_for() -> None:
    room = PaperRoom()
    room.dosed()
    room.act(Quiet(minutes=5))
    room.wait(299)
    assert room.state.quiet
    assert room.state.music == 0.0
    room.wait(2)
    assert not room.state.quiet
    assert arc_position(room.state, room.now) == pytest.approx(301)


def test_going_to_a_phase_crosses_over_and_joins_the_light_smoothly() -> None:
    room = PaperRoom()
    room.dosed()
    room.wait(300)
    before = room.state.light.level(room.now)
    effects = room.act(Go(phase="peak"))
    assert room.state.here.code == "peak"
    fade = next(effect for effect in effects if isinstance(effect, FadeLight))
    assert fade.start.level == pytest.approx(before)
    assert fade.end.t - fade.start.t >= 5.0


def test_an_unknown_phase_is_refused_with_the_nearest_name() -> None:
    room = PaperRoom()
    room.dosed()
    with pytest.raises(Refused) as refused:
        room.act(Go(phase="peek"))
    assert refused.value.values["nearest"] == "peak"


def test_a_refusal_changes_nothing() -> None:
    room = PaperRoom()
    room.dosed()
    before = room.state
    for act in (Go(phase="x"), Mark(code="x"), Volume(bus="x", step_db=1.0), TakeBack(seq=999), Volume()):
        with pytest.raises(Refused):
            room.act(act)
    assert room.state is before


def test_volume_never_goes_above_the_calibrated_level() -> None:
    room = PaperRoom()
    room.dosed()
    room.act(Volume(step_db=-6.0))
    room.act(Volume(bus="speakers", step_db=30.0))
    assert room.state.buses == {"speakers": 0.0, "headphones": -6.0}


def test_a_volume_step_is_taken_back_by_the_console_that_made_it_only() -> None:
    room = PaperRoom()
    room.dosed()
    room.act(Volume(step_db=-6.0))
    seq = room.seq
    with pytest.raises(Refused, match="not_yours"):
        room.act(TakeBack(seq=seq), console="console-b")
    room.act(TakeBack(seq=seq))
    assert room.state.buses["speakers"] == 0.0


def test_a_step_that_something_later_changed_is_not_taken_back() -> None:
    room = PaperRoom()
    room.dosed()
    room.act(Volume(step_db=-6.0))
    first = room.seq
    room.act(Volume(bus="speakers", step_db=-2.0), console="console-b")
    with pytest.raises(Refused, match="changed_since"):
        room.act(TakeBack(seq=first))


def test_a_scene_lies_above_the_arc_and_is_released_smoothly() -> None:
    room = PaperRoom()
    room.dosed()
    room.wait(2 * 3600)
    effects = room.act(Light(scene="exit"))
    assert all(effect.swift for effect in effects if isinstance(effect, FadeLight))
    room.wait(1800)
    assert room.state.light.level(room.now) == pytest.approx(RULES.exit_light)
    effects = room.act(Light(scene="arc"))
    fade = next(effect for effect in effects if isinstance(effect, FadeLight))
    assert fade.start.level == pytest.approx(RULES.exit_light)
    assert fade.end.t - fade.start.t >= 5.0


def test_exit_light_never_makes_the_room_darker() -> None:
    room = PaperRoom()
    room.dosed()
    room.act(Light(scene="medical"))
    room.wait(10)
    room.act(Light(scene="exit"))
    room.wait(10)
    assert room.state.light.level(room.now) == pytest.approx(RULES.medical_light)


def test_a_call_stands_until_it_is_stood_down_and_escalates_once() -> None:
    room = PaperRoom()
    room.act(Opened(rules=RULES))
    effects = room.act(Call(call="k1"))
    assert PlaceCall(call="k1", level="assist") in effects
    assert room.act(Call(call="k2")) == []
    effects = room.act(Call(call="k1", level="emergency"))
    assert PlaceCall(call="k1", level="emergency") in effects


def test_a_call_that_was_not_delivered_raises_an_alarm_until_it_is() -> None:
    room = PaperRoom()
    room.act(Call(call="k1"))
    room.act(CallChanged(call="k1", level="assist", stage="not_delivered"))
    assert [alarm.code for alarm in room.state.alarms] == ["call_not_delivered"]
    room.act(CallChanged(call="k1", level="assist", stage="acknowledged", by="desk"))
    assert room.state.alarms == ()
    assert room.state.call.by == "desk"


def test_a_call_placed_past_a_dead_daemon_is_taken_up() -> None:
    room = PaperRoom()
    room.act(CallChanged(call="k9", level="emergency", stage="sent"))
    assert (room.state.call.call, room.state.call.level, room.state.call.stage) == ("k9", "emergency", "sent")


def test_a_device_that_returns_is_sent_everything_again() -> None:
    room = PaperRoom()
    room.dosed()
    room.act(DeviceLost(name="sound", why="gone"))
    assert [alarm.code for alarm in room.state.alarms] == ["sound_lost"]
    effects = room.act(DeviceBack(name="sound"))
    assert {type(effect) for effect in effects} >= {PlayCues, SetTransport, FadeBus}
    assert room.state.alarms == ()


def test_only_the_lamp_that_returns_is_sent_its_light() -> None:
    room = PaperRoom()
    room.dosed()
    effects = room.act(DeviceBack(name="light.lamp-2"))
    assert [effect.lamp for effect in effects if isinstance(effect, FadeLight)] == ["lamp-2"]


def test_an_engine_that_lost_the_session_is_told_where_the_timeline_stands() -> None:
    room = PaperRoom()
    room.dosed()
    room.wait(1000)
    effects = room.act(EngineReported())
    sheet = next(effect for effect in effects if isinstance(effect, PlayCues))
    assert sheet.timeline_s == pytest.approx(1060, abs=1.0)


def test_a_piece_that_cannot_be_played_is_left_out_of_the_rest() -> None:
    room = PaperRoom()
    room.dosed()
    coming = room.state.cues[3]
    room.act(PieceEnded(cue=coming.id, title=coming.piece.title, why="truncated"))
    assert coming.piece.path not in {cue.piece.path for cue in room.state.cues}
    assert "piece_broken" in room.codes()


def test_a_piece_of_the_last_session_that_still_fades_out_moves_nothing_of_this_one() -> None:
    room = PaperRoom()
    room.dosed()
    room.wait(300)
    before, cue = room.state, room.state.cues[3]
    room.act(PieceStarted(cue=cue.id, title="old", path="old.flac", at_t=room.now, frame=0, session="of yesterday"))
    room.act(PieceEnded(cue=cue.id, title="old", why="truncated", session="of yesterday"))
    assert (room.state.timeline_s, room.state.timeline_t) == (before.timeline_s, before.timeline_t)
    assert room.state.played == before.played
    assert cue.piece.path in {cue.piece.path for cue in room.state.cues}


def standing(room: PaperRoom) -> set[str]:
    return {alarm.code for alarm in room.state.alarms}


def test_the_filler_of_an_engine_that_is_gone_is_no_alarm_any_more() -> None:
    room = PaperRoom()
    room.dosed()
    room.act(FillerChanged(on=True, why="stalled", title="Moss"))
    assert "filler" in standing(room)
    room.act(EngineReported(session=room.state.session, transport="play", filler=True))
    assert "filler" in standing(room)
    room.act(EngineReported(session=room.state.session, transport="play", filler=False))
    assert "filler" not in standing(room)


def test_a_restarted_daemon_goes_on_as_if_nothing_had_been() -> None:
    room = PaperRoom()
    room.dosed()
    room.wait(500)
    room.act(Opened(rules=RULES, outage_s=30.0))
    assert arc_position(room.state, room.now) == pytest.approx(500)


def test_after_a_short_power_cut_the_arc_goes_on_where_it_was() -> None:
    room = PaperRoom()
    room.dosed()
    room.wait(500)
    room.now += 60
    room.act(Opened(rules=RULES, outage_s=60.0, rebooted=True))
    assert arc_position(room.state, room.now) == pytest.approx(500)
    assert room.state.mode == "running"


@pytest.mark.parametrize("outage", [None, 3600.0])
def test_after_a_long_or_unknown_power_cut_the_sitter_is_asked(outage: float | None) -> None:
    room = PaperRoom()
    room.dosed()
    room.wait(500)
    room.now += outage or 0.0
    room.act(Opened(rules=RULES, outage_s=outage, rebooted=True))
    assert (room.state.mode, room.state.waiting_for) == ("waiting", "choice")
    room.act(Resume())
    assert room.state.mode == "running"
    assert arc_position(room.state, room.now) == pytest.approx(500)


def test_the_end_of_the_arc_is_not_the_end_of_the_session() -> None:
    room = PaperRoom()
    room.dosed()
    room.wait(10 * 3600)
    assert (room.state.mode, room.state.waiting_for) == ("waiting", "end")
    room.act(End())
    assert room.state.mode == "ended"
    with pytest.raises(Refused, match="no_session"):
        room.act(Hold())


def test_two_participants_have_a_t_plus_each() -> None:
    room = PaperRoom()
    room.start("mdma-couple", "A-1", "B-2")
    with pytest.raises(Refused, match="no_participant"):
        room.act(Dose())
    room.act(Dose(), "A-1")
    room.wait(300)
    room.act(Dose(), "B-2")
    assert [person.t_plus(room.now) for person in room.state.participants] == [300, 0]
    assert arc_position(room.state, room.now) == pytest.approx(300)


def test_the_state_survives_its_own_encoding() -> None:
    from controller.messages import decode, encode

    room = PaperRoom()
    room.dosed()
    room.wait(3900)
    room.act(Hold())
    assert decode(State, encode(room.state)) == room.state
    assert replace(room.state) == room.state
