"""T+ at 100 columns and 30 rows, read from two metres: the visual angle that `widgets.digits` asks for, and keeps."""

from __future__ import annotations

import math

import pytest

from controller.console.looks import LINUX, VGA, Look
from controller.console.widgets.digits import DIGIT_ROWS, big
from tests.console.fake_daemon import FakeRoom
from tests.console.pressing import console, rows

LEAST_ARC_MINUTES = 22.0
"""What ISO 9241-303 prefers, on the smallest display that a room would mount."""
WANTED_ARC_MINUTES = 33.0
"""For tired eyes and a dimmed screen, on every larger one."""
ROW_MM = {"7 inch, filled": 2.86, "15.6 inch, a window": 4.0, "10.1 inch, filled": 4.5, "24 inch, a window": 5.0}
CELL_WIDTH = 0.5
"""Of its height."""


@pytest.mark.parametrize("look", [Look(), Look(palette=VGA, signs=LINUX)], ids=["blocks", "linux"])
async def test_t_plus_is_read_from_two_metres_on_every_screen_of_a_hundred_columns(room: FakeRoom, look: Look) -> None:
    async with console(room, (100, 30), look) as (app, _):
        header = rows(app)[:DIGIT_ROWS]
    lit = [row for row in header if "█" in row]
    assert "".join(lit).count("██") >= 20
    first = min(row.index("█") for row in lit)
    digits = [row[first:].rpartition("█")[0] + "█" if "█" in row else "" for row in header]
    assert digits == [row.rstrip() for row in big("2:28")]
    assert header[-1].rstrip().endswith(":06"), "the seconds stand small beside them"
    for screen, row_mm in ROW_MM.items():
        angle = math.degrees(math.atan(len(lit) * row_mm / 2000.0)) * 60.0
        assert angle >= (LEAST_ARC_MINUTES if row_mm < 4.0 else WANTED_ARC_MINUTES), screen
    assert 0.5 <= len("████████") * CELL_WIDTH / len(lit) <= 1.0, "neither too narrow nor too wide for its height"


def test_what_tells_two_digits_apart_is_large_enough_for_a_third_of_normal_sight() -> None:
    drawn = {digit: "".join(row[::2] for row in big(digit)) for digit in "0123456789"}
    assert {len(pixels) for pixels in drawn.values()} == {DIGIT_ROWS * 4}
    assert len(set(drawn.values())) == 10, "at least one pixel tells any two apart"
    pixel = math.degrees(math.atan(min(ROW_MM.values()) / 2000.0)) * 60.0
    assert pixel >= 3.0, "normal sight, 1.0, sees a gap of one minute of arc"
