"""What a room's timetable is set to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, tzinfo


@dataclass(frozen=True)
class TimetableSettings:
    """Daily jobs at local times of `zone`; before a session seconds. None: not in this room."""

    zone: tzinfo
    warm_up_s: float | None = None
    preflight_s: float | None = None
    lights_off: time | None = None
    library_check: time | None = None
    self_test: time | None = None
    backup: time | None = None
    backup_oldest_s: float = 0.0
    """How old the last good backup may be before the room says so."""
    retention: time | None = None
