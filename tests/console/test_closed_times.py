"""The wall-clock time that a late entry speaks of, also in the night in which clocks change."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from controller.bedside import seconds_ago
from controller.console.closed_forms import about
from controller.messages import LookedUp


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("opened_utc", "hours"),
    [("2026-10-24T20:00:00.000Z", 7.0), ("2026-03-28T21:00:00.000Z", 5.0), ("2026-06-01T20:00:00.000Z", 6.0)],
)
def test_four_in_the_morning_is_so_long_after_ten_as_the_clocks_let_it_be(opened_utc: str, hours: float) -> None:
    found = LookedUp(id="1", opened_utc=opened_utc, opened_t=100.0)
    assert about(found, 4, 0) == 100.0 + hours * 3600.0
    assert about(found, 22, 30) == 100.0 + 1800.0


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("now", "said", "minutes"),
    [
        (datetime(2026, 10, 25, 3, 10, tzinfo=UTC), "23:50", 320),  # 04:10, and an hour was there twice
        (datetime(2026, 3, 29, 2, 10, tzinfo=UTC), "23:50", 200),  # 04:10, and an hour was left out
        (datetime(2026, 10, 25, 1, 10, tzinfo=UTC), "02:50", 20),  # 02:10 for the second time
        (datetime(2026, 10, 25, 1, 10, tzinfo=UTC), "2:05", 5),
        (datetime(2026, 6, 1, 22, 10, tzinfo=UTC), "23:50", 20),
        (datetime(2026, 6, 1, 12, 10, 30, tzinfo=UTC), "14:10", 0.5),
        (datetime(2026, 6, 1, 12, 10, tzinfo=UTC), "14:11", 1439),
    ],
)
def test_ten_to_midnight_is_so_long_ago_as_the_clocks_let_it_be(now: datetime, said: str, minutes: float) -> None:
    assert seconds_ago(said, now) == minutes * 60.0
