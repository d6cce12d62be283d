"""A session that bends: landing, catching up, onset, long pauses, sets, limits, evacuation, colour."""

from __future__ import annotations

from hashlib import sha256
from typing import get_args

import pytest
from msgspec.structs import replace

from controller.messages import (
    PEOPLES_ACTS,
    Act,
    CatchUp,
    Dose,
    Evacuate,
    FadeBus,
    FadeLight,
    Go,
    Ground,
    Hold,
    Land,
    Light,
    Limits,
    Mark,
    Mode,
    Next,
    Opened,
    Pause,
    Quiet,
    Refused,
    Replan,
    Resume,
    SetLimits,
    SetTransport,
    Shorten,
    Skip,
    Softer,
    TakeBack,
    Volume,
    kind_of,
)
from controller.session.course import booked_end, projected_end
from controller.session.due import due_views
from controller.session.limits import SILENT_DB, faders
from controller.session.long_pause import offered_s
from controller.session.state import arc_position, timeline_position
from controller.session.table import ALLOWED
from tests.session.room import RULES, PaperRoom


def replans(effects: list[object]) -> list[Replan]:
    return [effect for effect in effects if isinstance(effect, Replan)]


def dosed(programme: str = "psilocybin-25mg") -> PaperRoom:
    room = PaperRoom()
    room.dosed(programme)
    return room


# The table


def test_every_act_of_people_and_every_state_is_in_the_table() -> None:
    for act in PEOPLES_ACTS:
        kind = kind_of(act)
        assert kind in ALLOWED or kind in ("book", "cancel_booking"), kind
    assert set().union(*ALLOWED.values()) == set(get_args(Mode))


# Onset


def test_a_phase_that_waits_for_onset_stretches_until_it_is_marked() -> None:
    room = dosed()
    room.wait(80 * 60)
    assert (room.state.here.code, room.state.waiting_for) == ("ascent", "onset")
    assert arc_position(room.state, room.now) == 66 * 60
    room.act(Mark(code="onset"))
    assert (room.state.here.code, room.state.mode) == ("peak", "running")


def test_the_wait_for_onset_is_over_at_its_most() -> None:
    room = dosed()
    room.wait(20 * 60 + 90 * 60 - 1)
    assert room.state.waiting_for == "onset"
    assert "wait_ends" in [view.code for view in due_views(room.state, room.now)]
    room.wait(2)
    assert room.state.here.code == "peak"
    assert arc_position(room.state, room.now) == pytest.approx(66 * 60 + 1)


def test_an_onset_that_came_before_the_phases_end_is_not_waited_for() -> None:
    room = dosed()
    room.wait(30 * 60)
    room.act(Mark(code="onset"))
    room.wait(37 * 60)
    assert (room.state.here.code, room.state.mode) == ("peak", "running")


def test_a_mark_of_onset_that_was_a_slip_lets_the_phase_wait_again() -> None:
    room = dosed()
    room.wait(30 * 60)
    room.act(Mark(code="onset"))
    seq = max(item.seq for item in room.state.undoable)
    room.act(TakeBack(seq=seq))
    room.wait(40 * 60)
    assert room.state.waiting_for == "onset"


def test_a_pause_does_not_shorten_the_wait_for_onset() -> None:
    room = dosed()
    room.wait(100 * 60)
    room.act(Pause())
    room.wait(3600)
    room.act(Resume())
    room.wait(9 * 60)
    assert room.state.waiting_for == "onset"
    room.wait(2 * 60)
    assert room.state.here.code == "peak"


# Ends


def test_the_projected_end_is_known_beside_the_booked_one() -> None:
    room = dosed()
    booked = room.now + 460 * 60
    assert booked_end(room.state) == projected_end(room.state, room.now) == pytest.approx(booked)
    room.wait(600)
    room.act(Hold())
    room.wait(900)
    assert booked_end(room.state) == pytest.approx(booked)
    assert projected_end(room.state, room.now) == pytest.approx(booked + 900)
    room.act(Resume())
    assert projected_end(room.state, room.now) == pytest.approx(booked + 900)
    room.act(Land(minutes=20))
    assert projected_end(room.state, room.now) == pytest.approx(room.now + 20 * 60)


# Landing


def test_landing_makes_what_is_left_the_last_phase() -> None:
    room = dosed()
    room.wait(1500)
    effects = room.act(Land(minutes=20))
    assert (room.state.here.code, room.state.landing) == ("return", True)
    assert [ask.cut for ask in replans(effects)] == [True]  # type: ignore[arg-type]
    with pytest.raises(Refused, match="wrong_state"):
        room.act(Hold())
    room.wait(20 * 60 + 1)
    assert room.state.waiting_for == "end"


def test_landing_in_the_last_phase_leaves_what_plays_alone_and_never_lasts_longer_by_itself() -> None:
    room = dosed()
    room.act(Go(phase="return"))
    room.wait(100 * 60)
    effects = room.act(Land())
    assert [ask.cut for ask in replans(effects)] == [False]  # type: ignore[arg-type]
    assert projected_end(room.state, room.now) == pytest.approx(room.now + 10 * 60)


def test_going_elsewhere_ends_a_landing_and_gives_the_last_phase_its_length_back() -> None:
    room = dosed()
    room.act(Land(minutes=5))
    room.act(Go(phase="peak"))
    assert not room.state.landing
    assert room.state.programme == room.state.booked


# Long pauses


def test_a_long_pause_offers_to_leave_out_as_much_of_the_phase() -> None:
    room = dosed()
    room.act(Go(phase="peak"))
    room.wait(600)
    room.act(Pause())
    room.wait(9 * 60)
    assert offered_s(room.state, room.now) == 0.0
    room.wait(6 * 60)
    assert offered_s(room.state, room.now) == 15 * 60
    assert "pause_is_long" in room.codes()
    room.act(Resume())
    room.wait(60)
    assert offered_s(room.state, room.now) == 15 * 60
    end = projected_end(room.state, room.now)
    room.act(Shorten())
    assert projected_end(room.state, room.now) == pytest.approx(end - 15 * 60)  # type: ignore[operator]
    assert offered_s(room.state, room.now) == 0.0


def test_no_phase_is_made_shorter_than_its_least() -> None:
    room = dosed()
    room.act(Go(phase="peak"))
    least = room.state.booked.phases[room.state.phase].least_s  # type: ignore[union-attr]
    for minutes in (60, 60, 60):
        try:
            room.act(Shorten(minutes=minutes))
        except Refused as refusal:
            assert refusal.code == "nothing_to_shorten"
    assert room.state.here.length_s == pytest.approx(least)


def test_the_offer_of_a_pause_ends_with_its_phase() -> None:
    room = dosed()
    room.wait(10 * 60)
    room.act(Pause())
    room.wait(20 * 60)
    room.act(Resume())
    assert offered_s(room.state, room.now) > 0
    room.wait(11 * 60)
    assert offered_s(room.state, room.now) == 0.0


# Silence


def test_a_timed_silence_says_two_minutes_before_that_music_returns() -> None:
    room = dosed()
    room.act(Quiet(minutes=10))
    room.wait(7 * 60)
    assert "quiet_ends" not in [view.code for view in due_views(room.state, room.now)]
    room.wait(61)
    assert "quiet_ends" in [view.code for view in due_views(room.state, room.now)]
    assert "quiet_ends_soon" in room.codes()
    room.wait(120)
    assert not room.state.quiet and room.state.music_fade_s >= 20.0


# Catching up, outages


def test_catching_up_goes_to_where_t_plus_says() -> None:
    room = dosed()
    room.wait(600)
    room.act(Pause())
    room.wait(20 * 60)
    room.act(CatchUp())
    assert (room.state.mode, room.state.here.code) == ("running", "ascent")
    assert arc_position(room.state, room.now) == pytest.approx(30 * 60)
    with pytest.raises(Refused, match="not_behind"):
        room.act(CatchUp())


@pytest.mark.parametrize("way", [Resume(), CatchUp(), Go(phase="return"), Land(minutes=10)])
def test_after_a_long_outage_the_room_waits_softly_for_any_choice(way: Act) -> None:
    room = dosed()
    room.act(Go(phase="peak"))
    room.wait(600)
    place = arc_position(room.state, room.now)
    room.now += 3600
    room.act(Opened(rules=RULES, outage_s=3600, rebooted=True))
    assert (room.state.mode, room.state.waiting_for) == ("waiting", "choice")
    room.wait(60)
    assert room.state.light.level(room.now) == RULES.soft_light
    assert (room.state.transport, room.state.cues) == ("play", ())  # the engine's filler stands in
    assert arc_position(room.state, room.now) == place
    room.act(way)
    assert room.state.mode == "running" and room.state.cues
    if isinstance(way, Resume):
        assert arc_position(room.state, room.now) == place


def test_after_an_outage_of_unknown_length_t_plus_is_at_least_what_it_says_until_it_is_corrected() -> None:
    from controller.messages import CorrectDose

    room = dosed()
    seq = room.state.participants[0].doses[0].seq
    room.wait(600)
    room.act(Opened(rules=RULES, outage_s=None, rebooted=True))
    assert room.state.participants[0].at_least
    room.act(Resume())
    assert room.state.participants[0].at_least
    room.act(CorrectDose(dose=seq, minutes_ago=45))
    assert not room.state.participants[0].at_least
    assert room.state.participants[0].t_plus(room.now) == 45 * 60


def test_a_short_outage_is_not_asked_about_and_known() -> None:
    room = dosed()
    room.wait(600)
    room.now += 599
    room.act(Opened(rules=RULES, outage_s=599, rebooted=True))
    assert room.state.mode == "running" and not room.state.participants[0].at_least
    assert arc_position(room.state, room.now) == 600


# Music


def test_skipping_crosses_over_to_another_piece() -> None:
    room = dosed()
    room.wait(60)
    playing = _playing(room)
    effects = room.act(Skip())
    assert [ask.cut for ask in replans(effects)] == [True]  # type: ignore[arg-type]
    room.wait(20)
    assert _playing(room) != playing


def test_a_set_comes_next_and_a_grounding_piece_now_and_then_the_plan() -> None:
    room = dosed()
    room.wait(60)
    effects = room.act(Next(set="calm"))
    assert [ask.cut for ask in replans(effects)] == [False]  # type: ignore[arg-type]
    following = [cue for cue in room.state.cues if cue.start_s > timeline_position(room.state, room.now)]
    assert following[0].set == "calm"
    effects = room.act(Ground())
    assert [ask.cut for ask in replans(effects)] == [True]  # type: ignore[arg-type]
    after = [cue for cue in room.state.cues if cue.start_s > timeline_position(room.state, room.now)]
    assert after[0].set == "grounding" and after[1].set == ""
    with pytest.raises(Refused, match="unknown_set") as refused:
        room.act(Next(set="clam"))
    assert refused.value.values["nearest"] == "calm"


def test_softer_is_a_slow_ramp_that_can_be_taken_back() -> None:
    room = dosed()
    effects = room.act(Softer())
    fades = [effect for effect in effects if isinstance(effect, FadeBus)]
    assert {(fade.level_db, fade.fade_s) for fade in fades} == {(-6.0, RULES.softer_fade_s)}
    room.act(TakeBack(seq=room.seq))
    assert set(room.state.buses.values()) == {0.0}


def test_limits_cap_the_faders_and_can_be_lifted_again() -> None:
    room = dosed()
    room.act(SetLimits(limits=Limits(volume_cap_db=-9.0, headphones_only=True, no_vocals=True)))
    assert faders(room.state) == {"speakers": SILENT_DB, "headphones": -9.0}
    room.act(Volume(bus="headphones", step_db=20.0))
    assert faders(room.state)["headphones"] == -9.0
    effects = room.act(SetLimits(limits=Limits()))
    assert {e.bus for e in effects if isinstance(e, FadeBus)} == {"speakers", "headphones"}
    assert faders(room.state)["speakers"] == 0.0
    deaf = replace(room.state, rules=replace(RULES, buses=("speakers",)))
    room.state = deaf
    with pytest.raises(Refused, match="bad_value"):
        room.act(SetLimits(limits=Limits(headphones_only=True)))


def test_a_piece_that_is_excluded_by_the_path_of_its_copy_is_not_played() -> None:
    room = PaperRoom()
    room.pool = {
        name: [replace(piece, digest=sha256(piece.path.encode()).hexdigest()) for piece in pieces]
        for name, pieces in room.pool.items()
    }
    room.start()
    unwanted = room.state.cues[-1].piece
    room.copies = [replace(unwanted, path="/music/elsewhere/copy.flac", title="copy")]
    room.act(SetLimits(limits=Limits(pieces=("elsewhere/copy.flac",))))
    assert room.state.cues
    assert unwanted not in [cue.piece for cue in room.state.cues]


# Leaving the room, light


def test_evacuating_takes_the_music_out_in_two_seconds_and_going_on_brings_all_back_by_ramps() -> None:
    room = dosed()
    room.wait(600)
    effects = room.act(Evacuate())
    assert [(e.transport, e.fade_s <= 2.0) for e in effects if isinstance(e, SetTransport)] == [("pause", True)]
    lights = [effect for effect in effects if isinstance(effect, FadeLight)]
    assert all(e.swift and e.end.level >= RULES.exit_light and e.end.t - room.now <= 2.0 for e in lights)
    room.wait(900)
    assert room.state.participants[0].t_plus(room.now) == 1500
    assert arc_position(room.state, room.now) == 600
    effects = room.act(Resume())
    assert (room.state.mode, room.state.scene, room.state.evacuated) == ("running", "arc", False)
    assert all(e.end.t - e.start.t >= RULES.release_fade_s for e in effects if isinstance(e, FadeLight))


def test_light_carries_its_colour_and_medical_light_is_daylight() -> None:
    room = dosed()
    room.wait(30)
    assert room.state.light.end.kelvin == 2700
    room.act(Light(scene="medical"))
    assert room.state.light.end.kelvin == RULES.medical_kelvin
    room.wait(60)
    room.act(Light(scene="arc"))
    assert (room.state.light.start.kelvin, room.state.light.end.kelvin) == (RULES.medical_kelvin, 2700)


def test_lamps_keep_their_colour_where_a_programme_says_nothing_until_medical_light_changes_it() -> None:
    room = PaperRoom()
    text = "\n".join(line for line in room.programme_text("demo").splitlines() if not line.startswith("kelvin"))
    room.start("demo", text=text)
    room.act(Dose())
    assert room.state.light.end.kelvin is None
    room.act(Light(scene="medical"))
    room.wait(10)
    room.act(Light(scene="arc"))
    assert room.state.light.end.kelvin == RULES.rest_kelvin


def _playing(room: PaperRoom) -> str:
    here = timeline_position(room.state, room.now)
    return max((cue for cue in room.state.cues if cue.start_s <= here < cue.end_s), key=lambda c: c.start_s).piece.path


def test_a_phase_that_the_programme_has_silent_is_not_filled_and_a_chosen_set_sounds_in_it_all_the_same() -> None:
    room = PaperRoom()
    room.start("preparation-hour")
    room.act(Go(phase=room.state.programme.phases[-1].code))  # type: ignore[union-attr]
    assert room.state.here.source == "silence"
    assert (room.state.music, room.state.music_fade_s >= 20.0) == (0.0, True)
    room.act(Ground())
    assert room.state.music == 1.0
