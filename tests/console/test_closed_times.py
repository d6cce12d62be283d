"""Of a closed session: the wall-clock time that a late entry speaks of, also in the night in which clocks change."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

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
