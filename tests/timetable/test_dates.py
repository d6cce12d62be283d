"""The wall clock's own rules, on the nights on which clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.messages import Booking
from controller.timetable.dates import TRUST_S, begun_by, last_until, next_after, next_due, resolve

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [ZoneInfo(name) for name in ("Europe/Berlin", "UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")]
DAY = 24 * 3600.0


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_a_time_that_spring_leaves_out_is_moved_on_by_the_gap() -> None:
    moment = resolve(datetime.fromisoformat("2026-03-29T02:30"), BERLIN)
    assert moment.timestamp() == utc("2026-03-29T01:30")
    assert f"{moment:%H:%M}" == "03:30"


def test_of_a_time_that_autumn_brings_twice_the_first_is_meant() -> None:
    assert resolve(datetime.fromisoformat("2026-10-25T02:30"), BERLIN).timestamp() == utc("2026-10-25T00:30")


@settings(max_examples=25)
@given(
    zone=st.sampled_from(ZONES),
    at=st.times(min_value=time(0, 0), max_value=time(23, 59)).map(lambda it: it.replace(second=0, microsecond=0)),
    start=st.floats(utc("2024-01-01"), utc("2030-01-01")),
)
def test_a_daily_time_comes_once_on_each_day(zone: ZoneInfo, at: time, start: float) -> None:
    moment = next_after(at, zone, start)
    days = [moment.date()]
    for _ in range(370):
        moment = next_after(at, zone, moment.timestamp())
        days.append(moment.date())
        assert last_until(at, zone, moment.timestamp()) == moment
        assert last_until(at, zone, moment.timestamp() + 1.0) == moment
    assert len(set(days)) == len(days) == (days[-1] - days[0]).days + 1


def test_what_fell_due_while_the_room_was_off_is_due_in_the_past() -> None:
    at, done, now = time(2, 30), utc("2026-11-20T01:30"), utc("2026-11-22T07:00")
    assert next_due(at, BERLIN, done, now, 3600.0).timestamp() == utc("2026-11-21T01:30")
    assert next_due(at, BERLIN, None, now, 3600.0).timestamp() == utc("2026-11-23T01:30")
    assert next_due(at, BERLIN, None, now, 12 * 3600.0).timestamp() == utc("2026-11-22T01:30")


@pytest.mark.parametrize(("ahead_s", "expected"), [(3600.0, "2026-11-24T01:30"), (90 * DAY, "2026-11-23T01:30")])
def test_a_clock_that_was_put_back_does_not_repeat_a_night_nor_leave_one_out(ahead_s: float, expected: str) -> None:
    """The check was done at 02:30; then the clock turns out to be an hour, or three months, ahead."""
    done = utc("2026-11-23T01:30") if ahead_s <= TRUST_S else utc("2027-02-20T01:30")
    now = utc("2026-11-23T00:45") if ahead_s <= TRUST_S else utc("2026-11-22T07:00")
    assert next_due(time(2, 30), BERLIN, done, now, 12 * 3600.0).timestamp() == utc(expected)


def test_a_session_is_known_as_the_one_that_was_booked() -> None:
    def booked(day: int, programme: str = "p", *codes: str, session: str = "") -> Booking:
        return Booking(
            id=day,
            programme=programme,
            participants=codes or ("C-1",),
            at="",
            zone="UTC",
            starts_unix=day * DAY,
            length_s=8 * 3600.0,
            session=session,
        )

    rows = (booked(1, session="s0"), booked(2, "q"), booked(3), booked(4, "p", "C-2", "C-1"), booked(5))
    assert begun_by(rows, "p", ["C-1"], 3 * DAY - 600.0) == rows[2]
    assert begun_by(rows, "p", ["C-1"], 3 * DAY + 7 * 3600.0) == rows[2]
    assert begun_by(rows, "p", ["C-1", "C-2"], 4 * DAY) == rows[3]
    assert begun_by(rows, "p", ["C-1"], 1 * DAY) is None
    assert begun_by(rows, "p", ["C-1"], 2 * DAY + 3600.0) is None
