"""The room file's [backup] and [retention]: where the record is copied to by night, and how long sessions are kept."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import Annotated

from pydantic import Field

from controller.config.times import TimeOfDay
from controller.journal.keeping import KeepingSettings, RetentionRule
from controller.validation import Table

Days = Annotated[float, Field(ge=1.0, le=36525.0)]


class BackupTable(Table):
    """The nightly backup."""

    path: Path
    """A mounted stick or share; never the record's own disk."""
    at: TimeOfDay = Field(default_factory=lambda: time(3, 0))
    """Like "03:00", which it is where nothing is said."""
    alarm_after_days: Days = 3.0
    """The room says so when the last good backup is older than this."""
    same_disk: bool = False
    """Knowingly on the disk of the record or the system."""


class RetentionTable(Table):
    """How long closed sessions are kept that are signed or in a good backup. Nothing is removed without it."""

    days: Days | None = None
    """From the session's end on."""
    at: TimeOfDay = Field(default_factory=lambda: time(4, 0))
    """Like "04:00", which it is where nothing is said."""
    programmes: dict[str, Days] = Field(default={})
    """Programmes that have a time of their own; one that is not in use any more may be among them."""


def keeping(backup: BackupTable | None, retention: RetentionTable | None) -> KeepingSettings:
    """For the nightly jobs."""
    return KeepingSettings(
        backup_to=backup.path if backup else None,
        same_disk=backup.same_disk if backup else False,
        retention=RetentionRule(retention.days, retention.programmes) if retention else None,
    )
