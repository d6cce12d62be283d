"""Numbers as a tired person reads them once."""

from __future__ import annotations

import math

from controller.one_line import one_line


def duration(seconds: float) -> str:
    """A length of time as a tired person reads it once: "40 s", "4 min", "5 h 10"."""
    whole = round(abs(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d}" if rest else f"{hours} h"


def counted(count: float, one: str, many: str = "") -> str:
    """A number with what is counted: "1 text", "3 texts", "1.5 days"; `many` where the plural is another."""
    return f"{number(count)} {one if count == 1 else many or f'{one}s'}"


def clock(seconds: float | None) -> str:
    """T+ as "2:28:06"; "-:--:--" before ingestion."""
    if seconds is None:
        return "-:--:--"
    whole = int(max(0.0, seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def countdown(seconds: float) -> str:
    """What is left of a piece: "5:41", "1:02:03"."""
    whole = int(max(0.0, seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def percent_of_db(level_db: float) -> int:
    """Perceived loudness in percent of the calibrated level: ten decibels down is half as loud (Stevens)."""
    return round(100.0 * math.pow(2.0, level_db / 10.0))


def percent(level: float) -> str:
    """A perceived light level 0..1."""
    return f"{round(100.0 * level)} %"


def number(value: str | float) -> str:
    """A number without a needless fraction; words in one line."""
    if isinstance(value, int):  # a long one to its last digit: it may be a record's number
        return f"{value:d}"
    return f"{value:g}" if isinstance(value, float) else one_line(value)
