"""The room file's sitters: wrong PINs, breaks, and when a console locks itself. Who they are lies in the register."""

from __future__ import annotations

from typing import Annotated

from msgspec.structs import replace
from pydantic import Field

from controller.messages import RoomRules
from controller.validation import Table


class SittersTable(Table):
    """How signing on is handled; the defaults are our judgement."""

    wrong_pins: Annotated[int, Field(ge=3, le=20)] = 5
    """So many wrong PINs in a row lock out whoever they were for, and the console they came from."""
    lockout_s: Annotated[float, Field(ge=5.0, le=600.0)] = 30.0
    """How long the first time; twice as long with each further wrong PIN."""
    lockout_most_minutes: Annotated[float, Field(ge=1.0, le=60.0)] = 10.0
    break_minutes: Annotated[float, Field(ge=1.0, le=60.0)] = 5.0
    """How long a break is where nobody says."""
    lock_after_minutes: Annotated[float, Field(ge=0.0, le=240.0)] = 0.0
    """A console locks itself after so long without a key; 0 for never: a sitter who watches touches none for hours."""

    def into(self, rules: RoomRules) -> RoomRules:
        """The room's rules with these figures."""
        return replace(
            rules,
            wrong_pins=self.wrong_pins,
            lockout_s=self.lockout_s,
            lockout_most_s=max(self.lockout_s, self.lockout_most_minutes * 60.0),
            break_minutes=self.break_minutes,
            lock_after_s=self.lock_after_minutes * 60.0,
        )
