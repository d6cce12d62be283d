"""What the wall clock brings: it moves the room's light when nothing runs, and never a session."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from controller.messages import (
    Book,
    BookingBegun,
    Call,
    CancelBooking,
    Check,
    Checked,
    Fact,
    FadeLight,
    Input,
    Job,
    Light,
    Opened,
    Refused,
    RunCheck,
    SeeAlarm,
    StandDown,
    Start,
    TimetableDue,
    Trouble,
)
from controller.session.codes import looks_like_a_code
from controller.session.state import State
from controller.session.step import step
from tests.session.room import PLAYLISTS, RULES, PaperRoom

HOUR = 3600.0


def idle_room() -> PaperRoom:
    room = PaperRoom()
    room.act(Opened(rules=RULES))
    return room


def booking(starts: float = 10 * HOUR, *codes: str, hours: float = 8.0) -> Book:
    return Book(
        programme="psilocybin-25mg",
        participants=codes or ("C-0412",),
        wanted="2026-12-01T09:30",
        at="2026-12-01T09:30",
        zone="Europe/Berlin",
        starts_unix=starts,
        length_s=hours * HOUR,
    )


def due(job: Job, booked: int = 0, at: float = 0.0) -> TimetableDue:
    return TimetableDue(job=job, due_unix=at, booking=booked)


def last(room: PaperRoom) -> Fact:
    return room.facts[-1]


JOBS = get_args(Job)
CHECKS = get_args(Check)


def of_booking(job: str) -> bool:
    return job in ("warm_up", "preflight", "begin", "over")


# --- a running session --------------------------------------------------------------------------------------


@pytest.mark.parametrize("job", JOBS)
def test_no_job_touches_a_running_session(job: Job) -> None:
    room = idle_room()
    room.act(booking(10 * HOUR, "C-0999"))
    booked = room.state.timetable.bookings[0].id
    room.dosed()
    room.wait(40 * 60.0)
    before = room.state
    effects = room.act(due(job, booked if of_booking(job) else 0))
    assert effects == []
    assert replace(room.state, timetable=before.timetable) == before
    if job == "over":
        assert room.state.timetable.bookings == ()
    else:
        assert (last(room).code, last(room).values["why"]) == ("timetable_skipped", "session_open")


ROOMS_ACTS = st.one_of(
    st.builds(due, st.sampled_from([job for job in JOBS if not of_booking(job)]), at=st.floats(0, 1e6)),
    st.builds(due, st.sampled_from([job for job in JOBS if of_booking(job)]), st.integers(1, 3)),
    st.builds(booking, st.floats(0, 1e6)),
    st.builds(CancelBooking, booking=st.integers(1, 3)),
    st.builds(BookingBegun, booking=st.integers(1, 3), session=st.just("s1")),
    st.builds(Checked, check=st.sampled_from(CHECKS), count=st.just(1), troubles=st.just((Trouble(code="sound"),))),
)


@settings(max_examples=40)
@given(acts=st.lists(ROOMS_ACTS, max_size=12), pauses=st.lists(st.floats(0, 7200), min_size=12, max_size=12))
def test_nothing_of_the_timetable_ever_reaches_a_session(acts: list[object], pauses: list[float]) -> None:
    room = idle_room()
    for starts in (0.0, 20 * HOUR, 40 * HOUR):
        room.act(booking(starts))
    room.dosed()
    for act, pause in zip(acts, pauses, strict=False):
        room.now += pause  # whatever else has fallen due by now
        before = room.state
        try:
            outcome = step(before, Input(act=act), room.now, room.seq + 1)  # type: ignore[arg-type]
        except Refused:
            continue
        room.state, room.seq = outcome.state, room.seq + 1
        assert outcome.effects == ()
        assert replace(outcome.state, timetable=before.timetable) == before


# --- the room's light ---------------------------------------------------------------------------------------


def light_of(room: PaperRoom) -> float:
    room.wait(120.0)
    return room.state.light.level(room.now)


def test_a_booked_session_warms_the_room_once() -> None:
    room = idle_room()
    room.act(booking())
    booked = room.state.timetable.bookings[0].id
    effects = room.act(due("warm_up", booked))
    fades = [effect for effect in effects if isinstance(effect, FadeLight)]
    assert {fade.lamp for fade in fades} == {"lamp-1", "lamp-2"}
    assert all(fade.end.t - fade.start.t == 60.0 for fade in fades)
    assert light_of(room) == pytest.approx(0.5)
    with pytest.raises(Refused):
        room.act(due("warm_up", booked))
    assert room.state.mode == "idle"


def test_in_the_evening_the_light_goes_down_to_the_floor_and_not_to_black() -> None:
    room = idle_room()
    room.act(Light(level=0.7))
    room.act(due("lights_off"))
    assert light_of(room) == pytest.approx(0.05)
    room.act(Light(scene="arc"))
    assert light_of(room) == pytest.approx(room.state.rules.rest_light)


@pytest.mark.parametrize("job", ["warm_up", "lights_off"])
def test_light_that_somebody_needs_is_left_alone(job: Job) -> None:
    room = idle_room()
    room.act(booking())
    booked = room.state.timetable.bookings[0].id if job == "warm_up" else 0
    room.act(Light(scene="medical"))
    assert room.act(due(job, booked)) == []
    assert last(room).values["why"] == "light_in_use"


def test_a_call_keeps_the_light_on_until_it_is_stood_down() -> None:
    room = idle_room()
    room.act(Call(call="c1"))
    assert room.act(due("lights_off", at=1.0)) == []
    room.act(StandDown())
    assert room.act(due("lights_off", at=2.0)) != []


def test_a_missed_job_is_said_and_moves_nothing() -> None:
    room = idle_room()
    assert room.act(TimetableDue(job="lights_off", due_unix=5.0, missed=True)) == []
    assert last(room) == Fact(code="timetable_missed", values={"job": "lights_off"})
    assert room.state.scene == "arc"


def test_the_same_evening_comes_once() -> None:
    room = idle_room()
    room.act(due("lights_off", at=5.0))
    with pytest.raises(Refused):
        room.act(due("lights_off", at=5.0))
    room.act(due("lights_off", at=5.0 + 24 * HOUR))


# --- bookings -----------------------------------------------------------------------------------------------


def refused(room: PaperRoom, act: Book | CancelBooking) -> str:
    before = room.state
    with pytest.raises(Refused) as found:
        room.act(act)
    assert room.state is before
    return found.value.code


def test_the_room_is_booked_for_one_session_at_a_time() -> None:
    room = idle_room()
    room.act(booking(10 * HOUR))
    for starts in (3 * HOUR, 10 * HOUR, 17 * HOUR):
        assert refused(room, booking(starts, "C-0999")) == "booking_overlaps"
    room.act(booking(2 * HOUR))
    room.act(booking(18 * HOUR))
    assert [it.starts_unix / HOUR for it in room.state.timetable.bookings] == [2, 10, 18]


def test_a_cancelled_booking_leaves_its_time_free() -> None:
    room = idle_room()
    room.act(booking())
    assert refused(room, CancelBooking(booking=99)) == "unknown_booking"
    room.act(CancelBooking(booking=room.state.timetable.bookings[0].id))
    room.act(booking(12 * HOUR))
    assert len(room.state.timetable.bookings) == 1


@pytest.mark.parametrize("code", ["C-0412", "P017", "D-001", "COMP-001-7b", "0412", "p.7"])
def test_a_code_is_taken(code: str) -> None:
    assert looks_like_a_code(code)


@pytest.mark.parametrize(
    "name",
    ["Anna", "anna.schmidt", "A. Smith", "Åsa", "Lee7", "Miller1", "anna-1985", "SCHMIDT3", "C 0412", "", "Иван7"],
)
def test_what_looks_like_a_name_is_refused(name: str) -> None:
    assert not looks_like_a_code(name)
    assert refused(idle_room(), booking(HOUR, name)) == "not_a_code"


def test_a_booking_needs_a_participant() -> None:
    act = replace(booking(), participants=())
    assert refused(idle_room(), act) == "no_participant"


def test_a_session_that_is_opened_keeps_what_is_booked() -> None:
    room = idle_room()
    room.act(booking())
    kept = room.state.timetable
    room.dosed()
    assert room.state.timetable == kept


def test_a_booking_whose_session_was_opened_is_not_said_to_have_lapsed() -> None:
    room = idle_room()
    room.act(booking())
    booked = room.state.timetable.bookings[0].id
    text = (PLAYLISTS / "psilocybin-25mg.toml").read_text()
    room.act(Start(programme="x", participants=("C-0412",), programme_text=text, session="s1", seed=1))
    room.act(BookingBegun(booking=booked, session="s1"))
    room.act(due("begin", booked))
    assert last(room).code == "timetable_done"
    room.act(due("over", booked))
    assert last(room).values["session"] == "s1"


# --- what the checks found ----------------------------------------------------------------------------------


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_is_made_when_nothing_runs(check: Check) -> None:
    assert idle_room().act(due(check)) == [RunCheck(check=check)]


def alarms(state: State) -> list[str]:
    return [alarm.code for alarm in state.timetable.alarms if not alarm.seen]


def test_what_a_check_finds_stands_until_the_next_one_is_well() -> None:
    room = idle_room()
    broken = Trouble(code="file", name="/music/a.flac", why="missing")
    room.act(Checked(check="library_check", looked_at=40, count=3, troubles=(broken,)))
    room.act(Checked(check="self_test", looked_at=5, count=1, troubles=(Trouble(code="broker"),)))
    assert alarms(room.state) == ["library_check", "self_test"]
    room.act(SeeAlarm(code="library_check"))
    assert alarms(room.state) == ["self_test"]
    room.act(Checked(check="self_test", looked_at=5))
    room.act(Checked(check="library_check", looked_at=40))
    assert room.state.timetable.alarms == ()
