"""The words of the record about itself: damage, and the disk's reserve."""

from __future__ import annotations

from controller.wording.quantities import counted, number
from controller.wording.templates import Template, Values, text


def _damaged(values: Values) -> str:
    name = text(values, "name") or text(values, "book")
    if values.get("why"):
        return f"RECORD {name.removeprefix('journal.')} DAMAGED: {text(values, 'why')}"
    whose = "of the room" if name == "room" else "of this session"
    if not values.get("kept"):
        return f"RECORD {name} DAMAGED and set aside; a new one was begun"
    lost = values.get("lost")
    if lost == 0:
        notes = values.get("texts")
        texts = counted(notes, "free text is", "free texts are") if isinstance(notes, int) and notes else "no entry is"
        return f"RECORD {whose} was DAMAGED and put right: {texts} lost"
    some = counted(lost, "entry", "entries") if isinstance(lost, int) else "entries"
    return f"RECORD {whose} DAMAGED: {some} after no. {text(values, 'kept')} lost; check dose and pause"


def _reserve(values: Values) -> str:
    size = f"{number(float(values.get('megabytes', 0.0)))} MB"
    if values.get("there"):
        return f"there is room on the disk again: {size} are kept in reserve"
    return f"the disk is full: the reserve of {size} was given up for the record"


def gone(*, redacted: int, unnamed: int, lost: int) -> str:
    """What a record lacks, behind the number of what it holds: `unnamed` of the blank texts nobody redacted."""
    told = (
        (redacted - unnamed, "text", "redacted"),
        (unnamed, "text", "blank that no redaction on record names"),
        (lost, "part", "lost to damage"),
    )
    return "".join(f", {counted(count, what)} {how}" for count, what, how in told if count)


FACTS: dict[str, tuple[str, Template]] = {
    "journal_damaged": ("alarm", _damaged),
    "reserve_changed": ("record", _reserve),
}

ALARMS: dict[str, Template] = {
    "journal_damaged": _damaged,
    "disk_full": "DISK FULL: the reserve was given up so that the record goes on; make room",
}

REFUSALS: dict[str, Template] = {
    "not_recorded": "no session begins while the record cannot be written",
}
