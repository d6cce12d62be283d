"""Corners of the rules: things that come together, come late, or come before the plan."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from controller.arc.shelves import Pool
from controller.messages import (
    Act,
    Call,
    DeviceLost,
    Dose,
    Effect,
    End,
    EngineReported,
    Evacuate,
    FadeMusic,
    FillerChanged,
    Go,
    Hold,
    Input,
    Light,
    Note,
    Opened,
    Origin,
    Pause,
    PieceEnded,
    PlayCues,
    Quiet,
    Refused,
    Replan,
    Resume,
    SetTransport,
    StandDown,
    Start,
    TakeBack,
)
from controller.planning import make_plan
from controller.session.state import arc_position, timeline_position
from controller.session.step import step
from tests.session.room import PLAYLISTS, RULES, PaperRoom


class SlowPlanner(PaperRoom):
    """A room whose planner answers only when it is told to."""

    def _take(self, given: Input) -> list[Effect]:
        outcome = step(self.state, given, self.now, self.seq + 1)
        self.seq += 1
        self.state = outcome.state
        self.effects += outcome.effects
        self.facts += outcome.facts
        return list(outcome.effects)

    def answer(self) -> None:
        """The newest request is answered."""
        from controller.messages import Planned

        ask = [effect for effect in self.effects if isinstance(effect, Replan)][-1]
        made = make_plan(self.state, ask, Pool(self.pool), self.now)
        self._take(Input(act=Planned(plan=ask.plan, cues=made.cues, short_s=made.short_s)))


def transports(effects: list[Effect]) -> list[str]:
    return [effect.transport for effect in effects if isinstance(effect, SetTransport)]


def replans(effects: list[Effect]) -> list[Replan]:
    return [effect for effect in effects if isinstance(effect, Replan)]


def test_a_daemon_that_died_before_the_first_plan_asks_for_it_again() -> None:
    room = SlowPlanner()
    room.start()
    assert room.state.mode == "ready"
    assert replans(room.act(Opened(rules=RULES)))
    room.answer()
    assert room.state.mode == "running"


def test_a_daemon_that_died_while_crossing_over_still_crosses_over() -> None:
    room = SlowPlanner()
    room.start()
    room.answer()
    room.act(Dose())
    room.answer()
    room.wait(60)
    room.act(Go(phase="peak"))
    asked = replans(room.act(Opened(rules=RULES)))
    assert [ask.cut for ask in asked] == [True]


def test_a_hold_right_behind_a_jump_does_not_swallow_the_crossing() -> None:
    room = SlowPlanner()
    room.start()
    room.answer()
    room.act(Dose())
    room.answer()
    room.act(Go(phase="peak"))
    asked = replans(room.act(Hold()))
    assert [ask.cut for ask in asked] == [True]
    room.answer()
    assert [ask.cut for ask in replans(room.act(Resume()))] == [False]


def test_a_session_that_never_came_to_a_dose_does_not_keep_the_next_from_its_plan() -> None:
    room = PaperRoom()
    room.start()
    room.act(End())
    room.wait(60)
    text = (PLAYLISTS / "psilocybin-25mg.toml").read_text()
    room.act(Start(programme="x", participants=("B-2",), programme_text=text, session="s2", seed=2))
    assert room.state.mode == "running"


def test_a_dose_before_the_first_plan_still_brings_the_music() -> None:
    room = SlowPlanner()
    room.start()
    room.act(Dose())
    assert "play" not in transports(room.effects)
    room.answer()
    assert room.state.here.code == "settle"
    assert transports(room.effects)[-1] == "play"


def test_the_dose_ends_a_hold_of_the_arrival() -> None:
    room = PaperRoom()
    room.start()
    room.act(Hold())
    room.act(Dose())
    assert not room.state.hold
    room.wait(30)
    assert arc_position(room.state, room.now) == pytest.approx(30)


@pytest.mark.parametrize("first", [(), ("plan",)])
def test_a_pause_before_the_first_plan_keeps_the_room_silent_until_resume(first: tuple[str, ...]) -> None:
    room = SlowPlanner()
    room.start()
    room.act(Pause())
    if first:
        room.answer()
    assert "play" not in transports(room.effects)
    room.act(Resume())
    if not first:
        room.answer()
    assert room.state.mode == "running"
    assert transports(room.effects)[-1] == "play"
    assert room.codes().count("phase_entered") == 1


def test_pause_is_never_refused_and_hastens_the_end_of_the_music() -> None:
    room = PaperRoom()
    room.act(Pause())
    assert room.state.mode == "idle"
    room.start()
    room.act(End())
    effects = room.act(Pause())
    assert [(e.transport, e.fade_s) for e in effects if isinstance(e, SetTransport)] == [("stop", RULES.pause_fade_s)]
    assert room.state.mode == "ended"


def test_music_of_a_session_whose_record_is_lost_can_be_stopped() -> None:
    room = PaperRoom()
    room.act(Opened(rules=RULES))
    room.act(EngineReported(session="lost", plan=3, transport="play", timeline_s=500.0))
    effects = room.act(Pause())
    assert [(e.session, e.transport) for e in effects if isinstance(e, SetTransport)] == [("lost", "stop")]


def test_pausing_at_the_end_of_the_arc_brings_no_sound_back() -> None:
    room = PaperRoom()
    room.dosed()
    room.wait(10 * 3600)
    room.effects.clear()
    room.act(Pause())
    assert room.state.mode == "paused"
    room.act(Resume())
    assert (room.state.mode, room.state.waiting_for) == ("waiting", "end")
    assert transports(room.effects) == []


def test_going_back_after_the_end_begins_the_timeline_where_the_cues_lie() -> None:
    room = PaperRoom()
    room.dosed()
    room.wait(10 * 3600)
    room.effects.clear()
    room.act(Go(phase="return"))
    sheet = [effect for effect in room.effects if isinstance(effect, PlayCues)][-1]
    assert sheet.timeline_s == pytest.approx(timeline_position(room.state, room.now))
    assert sheet.cues[0].start_s <= sheet.timeline_s + 5 < sheet.cues[-1].end_s


def test_go_on_after_a_pause_in_silence_brings_the_music_back_as_the_engine_does() -> None:
    room = PaperRoom()
    room.dosed()
    room.act(Quiet())
    room.act(Pause())
    effects = room.act(Resume())
    assert not room.state.quiet
    assert [effect.level for effect in effects if isinstance(effect, FadeMusic)] == [1.0]


def test_a_silence_that_ends_during_a_pause_stays_silent() -> None:
    room = PaperRoom()
    room.dosed()
    room.act(Quiet(minutes=5))
    room.act(Pause())
    room.effects.clear()
    room.wait(600)
    assert not room.state.quiet and room.state.mode == "paused"
    assert transports(room.effects) == []


def test_a_pause_older_than_the_phases_border_leads_back_into_its_phase() -> None:
    room = PaperRoom()
    room.dosed()
    room.wait(1190)
    pressed = room.now
    room.wait(100)
    assert room.state.here.code == "ascent"
    room.act(Pause(direct_t=pressed))
    assert room.state.here.code == "settle"
    assert arc_position(room.state, room.now) == pytest.approx(1190)


def test_a_pause_said_to_be_older_than_the_session_never_turns_the_arc_back_beyond_its_anchor() -> None:
    room = PaperRoom()
    room.dosed()
    room.wait(50)
    room.act(Pause(direct_t=-1e9))
    assert arc_position(room.state, room.now) == 0.0


@pytest.mark.parametrize("way", [Resume(), Go(phase="peak")])
def test_the_question_after_an_outage_goes_when_it_is_answered(way: Act) -> None:
    room = PaperRoom()
    room.dosed()
    room.act(Opened(rules=RULES, outage_s=None, rebooted=True))
    assert [alarm.code for alarm in room.state.alarms] == ["choose_after_outage"]
    room.act(way)
    assert room.state.alarms == ()
    assert room.state.mode == "running"


def test_what_was_wrong_with_one_sessions_music_is_not_the_next_ones_alarm() -> None:
    room = PaperRoom()
    room.dosed()
    room.act(PieceEnded(cue=room.state.cues[0].id, title="x", why="truncated"))
    room.act(FillerChanged(on=True, why="starved"))
    assert len(room.state.alarms) == 2
    room.act(End())
    assert room.state.alarms == ()


def test_a_link_that_came_back_while_the_daemon_was_away_is_no_alarm() -> None:
    room = PaperRoom()
    room.dosed()
    for name in ("caller", "broker", "light.lamp-1", "sound.output"):
        room.act(DeviceLost(name=name))
    room.act(Opened(rules=RULES))
    assert room.state.alarms == ()


def test_a_damaged_record_is_an_alarm_of_its_own() -> None:
    from controller import wording

    room = PaperRoom()
    room.act(DeviceLost(name="journal.s1", why="damaged at 7"))
    assert [alarm.code for alarm in room.state.alarms] == ["journal_damaged"]
    assert wording.alarm(room.state.alarms[0]) == "RECORD s1 DAMAGED: damaged at 7"


def test_calls_in_an_empty_room_do_not_pile_up() -> None:
    room = PaperRoom()
    for number in range(100):
        room.act(Call(call=f"k{number}"))
        room.act(StandDown())
    assert len(room.state.undoable) <= 20


def test_after_a_power_cut_the_light_is_led_back_and_not_set() -> None:
    room = PaperRoom()
    room.dosed()
    room.wait(1200 + 2000)
    before = room.state.light.level(room.now)
    room.now += 300
    outcome = step(room.state, Input(act=Opened(rules=RULES, outage_s=300, rebooted=True)), room.now, 99)
    assert outcome.state.light.end.t - room.now == pytest.approx(RULES.release_fade_s)
    assert abs(outcome.state.light.level(room.now) - before) < 0.1


def test_origin_is_no_part_of_the_rules_but_of_taking_back() -> None:
    room = PaperRoom()
    room.start()
    given = Input(act=Hold(), origin=Origin(console="a"))
    other = replace(given, origin=Origin(console="b", person="X"))
    assert step(room.state, given, room.now, 5) == step(room.state, other, room.now, 5)


def test_a_light_of_before_an_evacuation_is_not_taken_back_in_it() -> None:
    room = PaperRoom()
    room.dosed()
    room.act(Light(level=0.2))
    moved = room.seq
    room.act(Evacuate())
    with pytest.raises(Refused, match="nothing_to_take_back"):
        room.act(TakeBack(seq=moved))
    room.wait(60)
    assert room.state.scene == "exit"
    assert room.state.light.level(room.now) >= RULES.exit_light


def test_a_session_behind_one_that_ended_in_silence_does_not_let_its_music_jump() -> None:
    room = PaperRoom()
    room.dosed()
    room.wait(600)
    room.act(Quiet())
    room.wait(60)
    room.act(End())
    text = room.programme_text("demo")
    effects = room.act(Start(programme="demo", participants=("C-1",), programme_text=text, session="s2"))
    fades = [effect.fade_s for effect in effects if isinstance(effect, FadeMusic)]
    assert fades and all(fade_s >= RULES.resume_fade_s for fade_s in fades)


def test_a_resume_at_the_engine_itself_does_not_end_the_programmes_own_silence() -> None:
    room = PaperRoom()
    room.start("preparation-hour")
    room.wait(60)
    room.act(Go(phase="talk"))
    room.wait(60)
    assert room.state.music == 0.0
    room.act(Pause(direct_t=room.now))
    room.wait(60)
    effects = room.act(Resume(direct_t=room.now))  # by which the engine has brought the music back as a whole
    assert [effect.level for effect in effects if isinstance(effect, FadeMusic)] == [0.0]


def test_a_power_cut_in_the_fade_of_a_pause_leaves_the_timeline_where_the_engine_begins() -> None:
    room = PaperRoom()
    room.dosed()
    room.wait(300)
    room.act(Pause())
    room.act(Opened(rules=RULES, rebooted=True, outage_s=None))
    room.wait(60)
    assert timeline_position(room.state, room.now) == room.state.timeline_base


@pytest.mark.parametrize(
    "act", [Note(text="sat up"), Dose(amount=25, unit="mg"), TakeBack(seq=2), Go(phase="peak"), End()]
)
def test_what_was_asked_in_the_session_before_is_nothing_of_this_one(act: Act) -> None:
    room = PaperRoom()
    room.dosed()
    with pytest.raises(Refused, match="other_session"):
        step(room.state, Input(act=act, session="the-one-before"), room.now, room.seq + 1)
    step(room.state, Input(act=Note(text="sat up"), session=room.state.session), room.now, room.seq + 1)


@pytest.mark.parametrize("act", [Pause(), Call(call="k"), Evacuate(), Light(scene="exit"), StandDown(call="k")])
def test_no_hand_that_stops_or_calls_is_asked_which_session_it_means(act: Act) -> None:
    room = PaperRoom()
    room.dosed()
    room.act(Call(call="k"))
    step(room.state, Input(act=act, session="the-one-before"), room.now, room.seq + 1)
