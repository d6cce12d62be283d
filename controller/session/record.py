"""Rules of what the record says of itself: damage that was found at the opening, and the disk's reserve."""

from __future__ import annotations

from controller.messages import JournalDamaged, ReserveChanged
from controller.session.alarms import cleared, raised
from controller.session.calls import Ruled
from controller.session.state import State


def journal_damaged(state: State, act: JournalDamaged, now: float) -> Ruled:
    """An alarm until the daemon opens anew; what of the record is whole goes on."""
    values: dict[str, str | int | float] = {"name": act.book, "kept": act.kept, "texts": act.texts}
    if act.lost is not None:
        values["lost"] = act.lost
    return raised(state, "journal_damaged", "high", now, values), ()


def reserve_changed(state: State, act: ReserveChanged, now: float) -> Ruled:
    """The disk is full as long as the reserve is gone, even where the record could go on for it."""
    if act.there:
        return cleared(state, "disk_full"), ()
    return raised(state, "disk_full", "high", now, {}), ()
