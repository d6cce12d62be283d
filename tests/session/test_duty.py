"""Who is on duty, who may act, and what a wrong PIN costs: the rules, without any PIN."""

from __future__ import annotations

import pytest
from msgspec.structs import fields, replace

from controller.messages import (
    PEOPLES_ACTS,
    Act,
    BreakBegun,
    BreakOver,
    Call,
    Dose,
    Duty,
    DutyKept,
    End,
    Evacuate,
    HandOver,
    Hold,
    Input,
    Light,
    Mark,
    Opened,
    Origin,
    Pause,
    Refused,
    Release,
    Resume,
    RoomRules,
    Scene,
    SeeAlarm,
    SignedOff,
    SignedOn,
    SignOnRefused,
    SittersKnown,
    StandDown,
    Start,
    TakeBack,
    needs_sign_on,
)
from controller.messages.sign_on import ALWAYS
from controller.session import duty
from controller.session.bookings import Timetable
from controller.session.deadlines import next_deadline
from controller.session.state import State
from controller.session.step import step
from controller.wording import fact as fact_words
from tests.session.room import RULES, PaperRoom

KEY = "d1"


class StaffedRoom(PaperRoom):
    """A room with sitters AB, CD and EF."""

    def staffed(self) -> StaffedRoom:
        self.start()
        self.act(SittersKnown(initials=("AB", "CD", "EF")))
        return self

    def by(self, person: str | None, act: Act, console: str = "console-a") -> None:
        """An act from a console at which this person is signed on, as the daemon says."""
        self.settle()
        self._take(Input(act=act, origin=Origin(person=person, console=console, path="socket")))

    def sign_on(self, who: str, console: str = "console-a") -> None:
        self.by(who, SignedOn(initials=who, key=KEY), console)

    def wrong(self, who: str, console: str = "console-a") -> None:
        self.by(None, SignOnRefused(initials=who), console)

    def locked_s(self, who: str, console: str = "console-a") -> float:
        return duty.lockout_s(self.state.duty, who, console, self.now)

    def alarms(self) -> list[str]:
        return [alarm.code for alarm in self.state.alarms]

    def on_duty(self) -> list[str]:
        return [sitter.initials for sitter in self.state.sitters]


def override(second: str, **more: bool) -> Release:
    return Release(override=True, reason="asks to go", second=second, **more)


def test_the_second_of_an_override_is_a_sitter_by_their_own_pin_here_or_of_the_support_desk() -> None:
    room = StaffedRoom().staffed()
    room.sign_on("AB")
    room.sign_on("CD", "console-b")
    room.by("AB", Dose(amount=25, unit="mg"))
    stood_by = SignedOn(initials="CD", once=True, seconds=True)

    def refused(second: str, console: str = "console-a") -> str:
        with pytest.raises(Refused) as raised:
            room.by("AB", override(second), console)
        return str(raised.value.values["what"])

    assert refused("CD") == "second_pin", "to be on duty is no consent"
    room.by("CD", stood_by, "console-b")
    assert refused("CD") == "second_pin", "that was at another console"
    room.by("CD", stood_by)
    assert room.state.duty.sitter("AB") is not None and room.state.duty.sitters[0].consoles == ("console-a",)
    assert (refused("EF"), refused("AB")) == ("second_pin", "second")
    room.wait(duty.SECOND_S + 1.0)
    assert refused("CD") == "second_pin", "it was for then"
    room.by("CD", stood_by)
    room.by("AB", override("CD"))
    room.by("AB", TakeBack(seq=room.seq))
    room.by("AB", override("XY", desk=True))
    how = [fact.values for fact in room.facts if fact.code == "seconded"]
    assert [(one["second"], one["how"]) for one in how] == [("CD", "pin"), ("XY", "desk")]
    told = [fact_words("seconded", one)[1] for one in how]
    assert "by their own PIN" in told[0] and "by phone: not verified here" in told[1]


def test_a_room_without_sitters_takes_acts_from_everybody() -> None:
    room = PaperRoom()
    room.start()
    room.act(Mark(code="spoke"))
    assert not room.state.sitters and not room.state.duty.signs_on


def test_what_never_waits_for_a_sign_on_is_this_and_no_more() -> None:
    scenes: dict[Scene, bool] = {"exit": False, "medical": False, "arc": True, "manual": True}
    for scene, needed in scenes.items():
        assert needs_sign_on(Light(scene=scene)) is needed
    assert set(ALWAYS) == {Call, Pause, Evacuate, SeeAlarm}
    assert not needs_sign_on(Call(call="k")) and not needs_sign_on(Pause())
    assert needs_sign_on(StandDown()) and needs_sign_on(Resume())
    assert not needs_sign_on(Resume(direct_t=5.0)), "the engine has done it already"
    assert not needs_sign_on(Opened(rules=RULES)), "the machine needs no PIN"


@pytest.mark.parametrize("kind", [kind for kind in PEOPLES_ACTS if kind not in (*ALWAYS, Light)])
def test_every_other_act_of_people_needs_somebody_who_signed_on(kind: type) -> None:
    room = StaffedRoom().staffed()
    act = kind(**{one.name: None for one in fields(kind) if one.required})
    given = replace(Input(act=Hold(), origin=Origin(console="console-a", path="socket")), act=act)
    if kind is Resume:
        given = replace(given, act=Resume())
    with pytest.raises(Refused, match="sign_on_needed"):
        duty.check_signed_on(room.state, given)
    signed = replace(given, origin=Origin(person="AB", console="console-a", path="socket"))
    duty.check_signed_on(room.state, signed)
    duty.check_signed_on(room.state, replace(given, origin=Origin(path="button")))


def test_pause_call_exit_light_and_evacuation_work_where_nobody_is_signed_on() -> None:
    room = StaffedRoom().staffed()
    for act in (Call(call="k1"), Pause(), Light(scene="exit"), Light(scene="medical"), SeeAlarm(), Evacuate()):
        room.by(None, act)
    assert room.state.mode == "paused" and room.state.evacuated and room.state.call.call == "k1"
    with pytest.raises(Refused, match="sign_on_needed"):
        room.by(None, StandDown())


def test_two_sitters_are_on_duty_and_a_console_has_one_person_at_a_time() -> None:
    room = StaffedRoom().staffed()
    room.sign_on("AB")
    room.wait(60)
    room.sign_on("CD")
    assert room.on_duty() == ["AB", "CD"]
    ab, cd = room.state.sitters
    assert (ab.consoles, cd.consoles) == ((), ("console-a",))
    assert cd.since_t - ab.since_t == 60
    room.sign_on("AB", "console-b")
    room.sign_on("AB")
    assert room.state.sitters[0].consoles == ("console-b", "console-a")
    assert room.state.sitters[0].since_t == ab.since_t


def test_a_handover_says_who_left_and_who_has_the_console_now() -> None:
    room = StaffedRoom().staffed()
    room.sign_on("AB")
    room.sign_on("AB", "console-b")
    room.by("AB", HandOver(to="CD", key=KEY))
    assert room.on_duty() == ["CD"]
    assert room.state.sitters[0].consoles == ("console-a",)
    assert room.state.duty.keys == {"console-a": KEY}, "the other console of the one who left is given up"
    with pytest.raises(Refused, match="bad_value"):
        room.by("CD", HandOver(to="CD"))
    with pytest.raises(Refused, match="not_on_duty"):
        room.by("CD", HandOver(to="EF", leaves="AB"))


def test_who_signs_off_last_leaves_an_alarm_until_somebody_is_on_duty() -> None:
    room = StaffedRoom().staffed()
    assert "nobody_on_duty" in room.alarms()
    room.sign_on("AB")
    assert "nobody_on_duty" not in room.alarms()
    room.by("AB", SignedOff())
    assert "nobody_on_duty" in room.alarms() and "nobody_on_duty" in room.codes()


def test_a_break_needs_somebody_in_the_room() -> None:
    room = StaffedRoom().staffed()
    room.sign_on("AB")
    with pytest.raises(Refused, match="no_cover"):
        room.by("AB", BreakBegun())
    with pytest.raises(Refused, match="bad_value"):
        room.by("AB", BreakBegun(cover="AB"))
    room.by("AB", BreakBegun(cover="GH"))
    assert duty.in_room(room.state.duty) == ("GH",)
    assert [alarm.values for alarm in room.state.alarms if alarm.code == "alone_in_room"] == [{"name": "GH"}]


def test_whoever_stays_behind_is_said_to_be_alone_and_that_is_in_the_record() -> None:
    room = StaffedRoom().staffed()
    room.sign_on("AB", "console-b")
    room.sign_on("CD")
    assert "alone_in_room" not in room.alarms(), "one console and two sitters: nobody is alone"
    room.by("CD", BreakBegun())
    assert [fact.values for fact in room.facts if fact.code == "alone_in_room"] == [{"name": "AB"}]
    assert room.state.sitters[1].consoles == (), "nothing is noted under the initials of somebody who is out"
    with pytest.raises(Refused, match="no_cover"):
        room.by("AB", BreakBegun())
    room.by("AB", BreakOver())
    assert "alone_in_room" not in room.alarms()
    assert room.facts[-1].code == "break_ended"


def test_a_break_over_its_time_is_told_once_and_ends_with_who_comes_back() -> None:
    room = StaffedRoom().staffed()
    room.sign_on("AB", "console-b")
    room.sign_on("CD")
    room.by("CD", BreakBegun())
    assert room.state.sitters[1].break_until_t == room.now + 300
    room.wait(299)
    assert "break_late" not in room.alarms()
    room.wait(2)
    late = [alarm for alarm in room.state.alarms if alarm.code == "break_late"]
    assert [(alarm.priority, alarm.values) for alarm in late] == [("low", {"name": "CD"})]
    room.wait(600)
    assert room.codes().count("break_late") == 1
    room.sign_on("CD")
    assert not room.state.sitters[1].on_break and "break_late" not in room.alarms()


def test_breaks_and_their_alarms_end_with_the_session_but_duty_does_not() -> None:
    room = StaffedRoom().staffed()
    room.sign_on("AB", "console-b")
    room.sign_on("CD")
    room.by("CD", BreakBegun(minutes=1))
    room.wait(120)
    room.by("AB", End())
    assert room.on_duty() == ["AB", "CD"]
    assert not any(sitter.on_break for sitter in room.state.sitters)
    assert not {"break_late", "alone_in_room"} & set(room.alarms())
    assert next_deadline(room.state) is None


def test_whom_the_register_no_longer_knows_is_signed_off() -> None:
    room = StaffedRoom().staffed()
    room.sign_on("AB")
    room.act(SittersKnown(initials=("CD", "EF")))
    assert room.on_duty() == [] and not room.state.duty.keys
    assert any(fact.code == "signed_off" for fact in room.facts)
    room.act(SittersKnown(readable=False))
    assert room.state.duty.signs_on and room.state.duty.known == ("CD", "EF"), "nothing is opened by a broken register"


def test_wrong_pins_lock_out_the_person_and_the_console_longer_each_time() -> None:
    room = StaffedRoom().staffed()
    for _ in range(RULES.wrong_pins - 1):
        room.wrong("AB")
    assert room.locked_s("AB") == 0
    room.wrong("AB")
    assert room.locked_s("AB", "console-b") == room.locked_s("CD") == RULES.lockout_s
    assert [fact.values["name"] for fact in room.facts if fact.code == "locked_out"] == ["AB", "console-a"]
    assert room.locked_s("CD", "console-b") == 0, "somebody else at another console goes on"
    room.wait(31)
    room.wrong("AB", "console-b")
    assert room.locked_s("AB", "console-b") == 2 * RULES.lockout_s
    for _ in range(10):
        room.wait(RULES.lockout_most_s)
        room.wrong("AB", "console-b")
    assert room.locked_s("AB") == RULES.lockout_most_s


def test_a_right_pin_forgives_and_an_attempt_in_a_lockout_counts_for_nothing() -> None:
    room = StaffedRoom().staffed()
    for _ in range(RULES.wrong_pins):
        room.wrong("AB")
    before = room.state.duty
    room.by(None, SignOnRefused(initials="AB", waits=True))
    assert room.state.duty == before
    room.wait(31)
    room.sign_on("AB")
    assert not room.state.duty.wrong


def test_initials_that_nobody_has_and_consoles_without_number_fill_no_memory() -> None:
    room = StaffedRoom().staffed()
    for number in range(200):
        room.wrong("ZZ", f"console-{number}")
    room.wrong("AB", "console-x")
    assert "ZZ" not in room.state.duty.wrong
    assert room.locked_s("YY", "console-new") > 0, "initials that nobody has are counted together"
    assert room.locked_s("AB", "console-new") == 0
    assert len(room.state.duty.wrong) <= duty.MOST_COUNTED
    assert room.state.duty.wrong["AB"].count == 1


def test_how_things_stood_at_the_end_of_a_session_is_what_the_room_goes_on_with() -> None:
    room = StaffedRoom().staffed()
    room.sign_on("AB")
    room.wrong("CD")
    room.by("AB", End())
    told = DutyKept(duty=room.state.duty)
    assert duty.keep(Duty(), Input(act=told), room.now, RULES) == room.state.duty


def test_a_session_that_is_opened_keeps_who_is_on_duty() -> None:
    room = StaffedRoom().staffed()
    room.sign_on("AB")
    room.by("AB", End())
    before = room.state.duty
    again = PaperRoom(state=room.state, now=room.now)
    text = again.programme_text("demo")
    start = Start(programme="demo", participants=("C-1",), programme_text=text, session="s2", seed=1)
    given = Input(act=start, origin=Origin(person="AB", console="console-a", path="socket"))
    after: State = step(again.state, given, again.now, 1).state
    assert after.duty == before and after.timetable == Timetable()


@pytest.mark.parametrize("text", ["AB", "ABC", "WXYZ"])
def test_initials_are_capitals(text: str) -> None:
    assert duty.are_initials(text)


@pytest.mark.parametrize("text", ["", "A", "ABCDE", "1234", "A1", "ab", "A B", "AB\n"])
def test_a_pin_or_a_name_is_no_initials(text: str) -> None:
    assert not duty.are_initials(text)


def test_the_figures_are_the_rooms() -> None:
    strict = RoomRules(room="r", lamps=(), buses=(), wrong_pins=1, lockout_s=5.0, break_minutes=10.0)
    room = StaffedRoom().staffed()
    room.act(Opened(rules=strict))
    room.wrong("AB")
    assert room.locked_s("AB") == 5.0
