"""What is looked at before a session, what turns it red again, and that a test call is nobody's call."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from controller.ctl import acts_of
from controller.messages import (
    Act,
    AnswerPreflight,
    BeginPreflight,
    Book,
    Call,
    CallChanged,
    DeviceLost,
    DropPreflight,
    End,
    FadeLight,
    LampChanged,
    Light,
    Limits,
    Opened,
    OverridePreflight,
    PlaceCall,
    PreflightUsed,
    Probe,
    Probed,
    Redaction,
    Refused,
    RunPreflight,
    SignedOn,
    SittersKnown,
    StandDown,
    Start,
    Timer,
    Touch,
)
from controller.messages.free_words import REDACTED
from controller.session.deadlines import next_deadline
from controller.session.preflight import KEYS, MACHINES, Preflight, checks_of, is_entry, keep
from controller.session.probing import BREATH, BREATH_S
from controller.session.state import opening
from controller.wording import preflight
from tests.session.checking import ROOM, Before
from tests.session.room import PLAYLISTS, RULES, PaperRoom


def test_a_room_looks_at_what_it_has() -> None:
    checks = checks_of(ROOM)
    assert [check for check in checks if check.startswith("sound.")] == ["sound.speakers", "sound.headphones"]
    assert "card" in checks and "lights" in checks
    assert "card" not in checks_of(replace(ROOM, card_measured=False))
    assert "lights" not in checks_of(replace(ROOM, lamps=()))


def test_a_session_begins_only_when_all_is_well() -> None:
    room = Before()
    assert room.refusal(room.start()) == "preflight_missing"
    room.all_well()
    assert all(line.stage == "green" for line in room.state.preflight.lines)
    assert [fact.code for fact in room.facts][-1] == "preflight_ready"
    assert room.refusal(room.start("C-0413")) == "preflight_other"
    room.act(DeviceLost(name="light.lamp-1"), None)
    with pytest.raises(Refused) as refused:
        room.act(room.start())
    assert (refused.value.code, refused.value.values) == ("preflight_open", {"checks": "lights"})
    room.act(OverridePreflight(check="lights"))
    effects = room.act(room.start())
    assert room.state.mode == "ready" and effects
    told = next(fact for fact in room.facts if fact.code == "preflight_carried")
    assert told.values == {"checks": 16, "green": 15, "overridden": "lights"}


def test_the_opening_carries_what_was_found_and_entered_and_only_for_its_own_session() -> None:
    room = Before()
    room.all_well()
    room.act(AnswerPreflight(check="touch.C-0412", value="hand, shoulder"))
    room.act(AnswerPreflight(check="limits", limits=Limits(no_vocals=True)))
    act = room.start()
    assert (act.touch_scopes, act.limits, act.preflight) == (
        {"C-0412": "hand, shoulder"}, Limits(no_vocals=True), room.state.preflight.lines,
    )  # fmt: skip
    assert room.start("C-0999").preflight == ()


def test_a_room_that_asks_for_none_begins_without() -> None:
    room = Before(state=opening(RULES, 1000.0))
    room.act(room.start())
    assert room.state.in_session


def test_one_preflight_is_for_one_session() -> None:
    room = Before()
    room.all_well()
    room.act(room.start())
    room.act(PreflightUsed(session="s1"), None)
    assert room.state.in_session and room.state.preflight == Preflight()
    room.act(End())
    assert room.refusal(replace(room.start(), session="s2")) == "preflight_missing"


def test_the_machine_makes_its_own_checks_at_once_and_begins_none_that_is_heard() -> None:
    room = Before()
    room.begin()
    asked = {effect.check for effect in room.effects if isinstance(effect, Probe)}
    assert asked == set(MACHINES)
    assert room.stage("sound.speakers") == "open"


def test_an_older_answer_is_worth_nothing() -> None:
    room = Before()
    room.begin()
    older = room.line("clock").seq
    room.act(RunPreflight(check="clock"))
    room.act(Probed(check="clock", number=older, well=True), None)
    assert room.stage("clock") == "running"
    room.found("clock", "clock_unsynchronised")
    assert (room.stage("clock"), room.line("clock").code) == ("red", "clock_unsynchronised")
    room.act(RunPreflight())
    assert room.stage("clock") == "running"


def test_a_bus_is_heard_only_after_it_was_played() -> None:
    room = Before()
    room.begin()
    heard = AnswerPreflight(check="sound.speakers", value="heard")
    assert room.refusal(heard) == "not_played"
    room.act(RunPreflight(check="sound.speakers"))
    assert room.refusal(heard) == "not_played"
    room.found("sound.speakers")
    room.act(AnswerPreflight(check="sound.speakers", value="not_heard"))
    assert room.line("sound.speakers").code == "not_heard"
    room.act(RunPreflight(check="sound.speakers"))
    room.found("sound.speakers")
    room.found("sound.speakers", "not_played", why="the engine went away half way")
    assert room.stage("sound.speakers") == "red"


def test_the_lights_move_gently_and_go_back() -> None:
    room = Before()
    room.begin()
    rest = ROOM.rest_light
    up = [effect for effect in room.effects if isinstance(effect, FadeLight)][-1]
    assert (up.start.level, up.end.level) == (rest, pytest.approx(rest + BREATH))
    assert up.end.t - up.start.t == BREATH_S
    room.now += 4.0
    room.found("lights")
    back = [effect for effect in room.effects if isinstance(effect, FadeLight)][-1]
    assert (back.end.level, room.stage("lights")) == (rest, "green")


def test_a_hand_on_the_light_is_left_alone() -> None:
    room = Before()
    room.begin()
    room.act(Light(level=0.6))
    room.effects.clear()
    room.found("lights")
    assert not [effect for effect in room.effects if isinstance(effect, FadeLight)]
    room.act(Light(scene="exit"))
    room.act(RunPreflight(check="lights"))
    assert room.line("lights").code == "light_in_use"


def test_what_was_found_is_too_old_after_an_hour_and_what_was_entered_is_not() -> None:
    room = Before()
    room.all_well()
    deadline = next_deadline(room.state)
    assert deadline == 1000.0 + 3600.0
    room.now = deadline
    room.act(Timer(), None)
    old = [line.check for line in room.state.preflight.lines if line.code == "old"]
    assert set(old) == {line.check for line in room.state.preflight.lines if not is_entry(line.check)}
    assert next_deadline(room.state) is None


@pytest.mark.parametrize(
    ("act", "red"),
    [
        (DeviceLost(name="sound"), {"engine", "sound.speakers", "sound.headphones"}),
        (DeviceLost(name="sound.output"), {"engine", "sound.speakers", "sound.headphones"}),
        (DeviceLost(name="broker"), {"broker", "lights"}),
        (DeviceLost(name="light.lamp-2"), {"lights"}),
        (DeviceLost(name="port.dmx"), {"lights"}),
        (DeviceLost(name="caller"), {"call"}),
        (DeviceLost(name="journal"), {"disk"}),
        (DeviceLost(name="button.bed"), set()),
        (LampChanged(lamp="lamp-1", confirmed=False, level=0.4), {"lights"}),
        (Opened(rules=ROOM), set()),
        (Opened(rules=replace(ROOM, digest="b")),
         {*MACHINES, "sound.speakers", "sound.headphones"}),
    ],
)  # fmt: skip
def test_what_changes_turns_its_checks_red_again(act: Act, red: set[str]) -> None:
    room = Before()
    room.all_well()
    room.act(act, None)
    assert {line.check for line in room.state.preflight.lines if line.stage == "red"} == red


def test_music_that_changed_since_is_red() -> None:
    room = Before()
    room.all_well()
    room.act(Probed(check="library", number=room.line("library").seq, well=False, code="changed"), None)
    assert room.line("library").code == "changed"


def test_the_test_call_is_answered_by_somebody_with_a_name_and_is_over_then() -> None:
    room = Before()
    room.begin()
    effects = room.act(RunPreflight(check="call"))
    placed = next(effect for effect in effects if isinstance(effect, PlaceCall))
    assert placed.test and not placed.stood_down and placed.call == room.state.preflight.call
    room.answered("")
    assert room.line("call").code == "nobody"
    room.act(RunPreflight(check="call"))
    room.effects.clear()
    room.answered("Kim")
    assert (room.stage("call"), room.line("call").by) == ("green", "Kim")
    over = [effect for effect in room.effects if isinstance(effect, PlaceCall)]
    assert [(effect.stood_down, effect.test) for effect in over] == [(True, True)]


@pytest.mark.parametrize(("stages", "code"), [(["placed"], "not_delivered"), (["placed", "sent"], "not_answered")])
def test_a_test_call_that_fails_says_how_far_it_came(stages: list[str], code: str) -> None:
    room = Before()
    room.begin()
    room.act(RunPreflight(check="call"))
    for stage in (*stages, "not_delivered"):
        changed = CallChanged(call=room.state.preflight.call, level="assist", stage=stage, test=True)  # type: ignore[arg-type]
        room.act(changed, None)
    assert room.line("call").code == code
    assert not room.state.alarms
    room.answered("Kim")
    assert room.stage("call") == "green", "late is better than never"


def test_a_test_call_never_is_nor_hides_the_rooms_call() -> None:
    room = Before()
    room.begin()
    room.act(RunPreflight(check="call"))
    test = room.state.preflight.call
    assert not room.state.call.call
    room.act(Call(call="k1"))
    assert (room.state.call.call, room.state.call.stage) == ("k1", "placed")
    room.answered("Kim")
    assert (room.state.call.call, room.state.call.stage) == ("k1", "placed"), "an answer to the test answers nothing"
    room.act(Call(call=test))
    assert room.state.call.call == "k1", "one call stands for both"
    real = [effect for effect in room.effects if isinstance(effect, PlaceCall) and not effect.test]
    assert [effect.call for effect in real] == ["k1"]


def test_a_test_call_that_is_open_ends_with_the_session_that_begins() -> None:
    room = Before()
    room.all_well()
    room.act(RunPreflight(check="call"))
    room.act(OverridePreflight(check="call"))
    over = [effect for effect in room.effects if isinstance(effect, PlaceCall)][-1]
    assert over.test and over.stood_down
    room.act(RunPreflight(check="call"))
    room.act(DropPreflight())
    over = [effect for effect in room.effects if isinstance(effect, PlaceCall)][-1]
    assert over.test and over.stood_down


def test_the_key_of_the_call_is_always_a_test_call_even_where_that_was_tried_before() -> None:
    room = Before()
    room.all_well()
    room.act(AnswerPreflight(check="keys", value="c"), console="b")
    assert room.stage("call") == "running"
    assert any(isinstance(effect, PlaceCall) and effect.test for effect in room.effects[-2:])
    assert room.line("keys").values == {"pressed": "c"}, "keys count for the console that they came from"


def test_an_override_has_somebody_and_nothing_green_needs_one() -> None:
    room = Before()
    room.begin("C-0412")
    assert room.refusal(OverridePreflight(check="card"), person=None) == "no_person"
    assert room.refusal(OverridePreflight(check="participants")) == "bad_value"
    room.found("card")
    assert room.refusal(OverridePreflight(check="card")) == "already"
    assert room.refusal(OverridePreflight(check="crad")) == "unknown_check"


@pytest.mark.parametrize(
    ("pattern", "codes", "code"),
    [("", "Robert", "not_a_code"), ("", "C-0412 C-0412", "bad_value"), ("", "C-0412 C-0413", "bad_value"),
     ("C-[0-9]{4}", "D-0412", "not_a_code"), ("C-[0-9]{4}", "C-04123", "not_a_code")],
)  # fmt: skip
def test_participants_are_codes(pattern: str, codes: str, code: str) -> None:
    room = Before(state=opening(replace(ROOM, code_pattern=pattern), 1000.0))
    room.begin()
    assert room.refusal(AnswerPreflight(check="participants", value=codes)) == code
    room.act(AnswerPreflight(check="participants", value="C-0412"))
    assert room.state.preflight.participants == ("C-0412",)


@pytest.mark.parametrize(("pattern", "code"), [("", "Robert"), ("C-[0-9]{4}", "D-0412")])
def test_a_session_is_opened_and_booked_for_codes_alone_without_a_preflight_too(pattern: str, code: str) -> None:
    room = PaperRoom(state=opening(replace(RULES, code_pattern=pattern), 1000.0))
    text = (PLAYLISTS / "psilocybin-25mg.toml").read_text()
    start = Start(programme="x", participants=(code,), programme_text=text, session="s1", seed=1)
    with pytest.raises(Refused) as refused:
        room.act(start)
    assert (refused.value.code, refused.value.values) == ("not_a_code", {})
    booking = Book(programme="x", participants=(code,), wanted="", starts_unix=2e9, length_s=60.0)
    with pytest.raises(Refused) as refused:
        room.act(booking)
    assert (refused.value.code, refused.value.values) == ("not_a_code", {})
    room.act(replace(start, participants=("C-0412",)))
    assert room.state.participants[0].code == "C-0412"


def test_nothing_is_an_answer_only_where_it_is_said() -> None:
    room = Before()
    room.begin()
    assert room.refusal(AnswerPreflight(check="touch", value="none")) == "bad_value", "nobody is there to consent"
    room.act(AnswerPreflight(check="participants", value="C-0412"))
    assert room.refusal(AnswerPreflight(check="touch")) == "bad_value"
    assert room.refusal(AnswerPreflight(check="limits")) == "bad_value"
    assert room.refusal(AnswerPreflight(check="clock", value="ok")) == "check_is_made"
    assert room.refusal(RunPreflight(check="touch")) == "check_is_answered"
    room.act(AnswerPreflight(check="touch", value="none"))
    assert room.state.preflight.touch_scopes == {"C-0412": "none"}


def test_each_participant_consents_alone() -> None:
    room = Before()
    room.act(BeginPreflight(programme="psilocybin-25mg", participants=("P-017", "P-018"), most=2))
    assert [line.check for line in room.state.preflight.lines][-3:] == ["touch.P-017", "touch.P-018", "limits"]
    assert room.refusal(AnswerPreflight(check="touch", value="hands")) == "unknown_check", "whose is not said"
    room.act(AnswerPreflight(check="touch.P-017", value="hands"))
    assert (room.stage("touch.P-017"), room.stage("touch.P-018")) == ("green", "open")
    room.act(AnswerPreflight(check="touch.P-018", value="none"))
    assert room.start("P-018", "P-017").touch_scopes == {"P-017": "hands", "P-018": "none"}
    room.act(AnswerPreflight(check="participants", value="P-017 P-019"))
    assert (room.stage("touch.P-017"), room.stage("touch.P-019")) == ("green", "open"), "consent is nobody else's"
    assert room.state.preflight.touch_scopes == {"P-017": "hands"}


def test_a_redacted_reason_for_asking_nobody_is_no_consent() -> None:
    room = Before()
    room.begin("C-0412")
    room.act(OverridePreflight(check="touch"))
    room.act(Redaction(session="room", seq=room.seq))
    assert room.state.preflight.touch_scopes == {}
    room.act(AnswerPreflight(check="touch", value="hands"))
    room.act(Redaction(session="room", seq=room.seq))
    assert room.state.preflight.touch_scopes == {"C-0412": REDACTED}


def test_the_line_of_the_codes_shows_the_codes_and_not_only_who_entered_them() -> None:
    room = Before()
    room.act(BeginPreflight(programme="psilocybin-25mg", participants=("P-017", "P-018"), most=2), person="AB")
    [line] = [line for line in room.state.preflight.lines if line.check == "participants"]
    assert preflight.how(line) == "P-017, P-018, by AB"


def test_touch_is_held_against_the_scope_of_whom_it_is_about() -> None:
    room = Before(state=opening(RULES, 1000.0))
    opened = Start(
        programme="mdma-couple", participants=("P-017", "P-018"), session="s1",
        programme_text=PaperRoom.programme_text("mdma-couple"),
        touch_scope="none", touch_scopes={"P-017": "hands, shoulder"},
    )  # fmt: skip
    assert room.refusal(replace(opened, touch_scopes={"P-077": "hands"})) == "unknown_participant"
    room.act(opened)
    assert [person.touch_scope for person in room.state.participants] == ["hands, shoulder", "none"]
    for code in ("P-017", "P-018"):
        room.act(Touch(where="shoulder"), "AB", "a", code)
    outside = [fact.values for fact in room.facts if fact.code == "touch_outside"]
    assert outside == [{"participant": "P-018", "where": "shoulder"}]


def test_the_sitter_is_who_began_it_or_who_signed_on() -> None:
    room = Before()
    room.act(BeginPreflight(programme="psilocybin-25mg"), person=None)
    assert room.stage("sitter") == "open"
    room.act(AnswerPreflight(check="sitter", value="AB"))
    assert room.line("sitter").by == "AB"
    room.act(SittersKnown(initials=("CD",)), None)
    assert room.stage("sitter") == "open", "initials are not enough where sitters sign on"
    assert room.refusal(AnswerPreflight(check="sitter", value="CD")) == "sign_on_needed"
    room.act(SignedOn(initials="CD", key="k"), None)
    assert (room.stage("sitter"), room.line("sitter").by) == ("green", "CD")


def test_the_record_alone_gives_the_preflight_back_and_what_was_playing_is_played_again() -> None:
    room = Before()
    room.begin("C-0412")
    room.found("engine")
    room.found("clock", "clock_unsynchronised")
    room.act(RunPreflight(check="sound.speakers"))
    room.found("sound.speakers")
    room.act(RunPreflight(check="call"))
    again = Preflight()
    for recorded, t, seq in room.told:
        again = keep(again, recorded, ROOM, t, seq)
    assert replace(again, lines=()) == replace(room.state.preflight, lines=())
    assert [(line.check, line.stage) for line in again.lines] == [
        (line.check, line.stage) for line in room.state.preflight.lines
    ]
    room.state = replace(opening(ROOM, room.now), preflight=again)
    effects = room.act(Opened(rules=ROOM), None)
    assert room.stage("sound.speakers") == "open"
    asked = {effect.check for effect in effects if isinstance(effect, Probe)}
    assert asked == set(MACHINES) - {"engine", "clock"}
    assert any(isinstance(effect, PlaceCall) and effect.test and not effect.stood_down for effect in effects)
    assert any(isinstance(effect, FadeLight) and effect.end.level > ROOM.rest_light for effect in effects)


def test_a_test_call_that_a_daemon_left_behind_is_ended() -> None:
    room = Before()
    effects = room.act(CallChanged(call="old", level="assist", stage="acknowledged", by="Kim", test=True), None)
    assert [effect for effect in effects if isinstance(effect, PlaceCall)] == [
        PlaceCall(call="old", level="assist", stood_down=True, test=True)
    ]
    assert not room.state.call.call


acts: st.SearchStrategy[Act] = st.one_of(
    st.builds(BeginPreflight, programme=st.just("demo"), participants=st.sampled_from([(), ("C-1",)])),
    st.builds(RunPreflight, check=st.sampled_from(["", "call", "lights", "sound.speakers"])),
    st.builds(AnswerPreflight, check=st.just("keys"), value=st.sampled_from(KEYS)),
    st.builds(AnswerPreflight, check=st.just("sound.speakers"), value=st.just("heard")),
    st.builds(OverridePreflight, check=st.sampled_from(["call", "lights", "keys"])),
    st.builds(DropPreflight),
    st.builds(
        Probed, check=st.sampled_from(["lights", "sound.speakers"]), number=st.integers(1, 30), well=st.booleans()
    ),
    st.builds(Call, call=st.sampled_from(["k1", "k2"]), level=st.sampled_from(["assist", "emergency"])),
    st.builds(StandDown),
    st.builds(Opened, rules=st.just(ROOM)),
    st.builds(Light, scene=st.sampled_from(["exit", "arc"])),
)
stages = st.sampled_from(["placed", "sent", "acknowledged", "not_delivered", "stood_down"])


@settings(max_examples=60)
@given(st.lists(acts | stages, max_size=25))
def test_whatever_is_pressed_a_call_in_earnest_stands_until_it_is_stood_down(pressed: list[Act | str]) -> None:
    room = Before()
    for it in pressed:
        act = it
        if isinstance(it, str):  # how far the test call that stands open has come
            act = CallChanged(call=room.state.preflight.call or "gone", level="assist", stage=it, by="Kim", test=True)  # type: ignore[arg-type]
        with contextlib.suppress(Refused):
            stood = room.state.call
            effects = room.act(act)  # type: ignore[arg-type]
            if isinstance(act, Call) and act.call not in room.state.calls_over:  # a call is stood down once
                assert room.state.call.call and room.state.call.stage != "stood_down"
            elif not isinstance(act, StandDown):
                assert room.state.call == stood
            calls = [effect for effect in effects if isinstance(effect, PlaceCall)]
            assert all(effect.test != (effect.call in ("k1", "k2")) for effect in calls)
    again = Preflight()
    for recorded, t, seq in room.told:
        again = keep(again, recorded, ROOM, t, seq)
    assert replace(again, lines=()) == replace(room.state.preflight, lines=())
    assert [(line.check, line.stage) for line in again.lines if line.check != "lights"] == [
        (line.check, line.stage) for line in room.state.preflight.lines if line.check != "lights"
    ]


def test_a_script_says_whose_touch_is_consented_to() -> None:
    two = "start mdma-couple --participant C-1 --participant C-2"
    act, _ = acts_of([*two.split(), "--touch", "C-1=hands, feet", "--touch", "C-2=none"])
    assert isinstance(act, Start) and act.touch_scopes == {"C-1": "hands, feet", "C-2": "none"}
    act, _ = acts_of(["start", "psilocybin-25mg", "--participant", "C-1", "--touch", "hands"])
    assert isinstance(act, Start) and act.touch_scopes == {"C-1": "hands"}
    with pytest.raises(ValueError, match="whose"):
        acts_of([*two.split(), "--touch", "hands"])
