"""How a room stood when a session was opened: as its record keeps it, or rebuilt where damage took that."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from controller.journal.reading import find_records, kept_states
from controller.journal.store import is_passing, room_file
from controller.messages import Opened, Record, Redaction, Refused, RoomRules, decode
from controller.session.state import State, opening
from controller.session.step import step

log = logging.getLogger(__name__)

UNKNOWN = RoomRules(room="unknown", lamps=(), buses=())

OF_THE_ROOM = "how the room stood at the opening (light, faders, who was on duty) is lost and was rebuilt"
GONE_WITH_WORDS = (
    "how the room stood at the opening (light, faders, who was on duty) went with words that were redacted"
)
OF_THE_RULES = "so are the room's own name, lamps and loudspeakers"


def opened_state(file: Path, first: Record) -> tuple[State, tuple[str, ...]]:
    """The state as the first record of a session left it, and what is missing of it, each in words.

    Where it is lost it is what the rules make of the opening in a room of the same rules: those that a later snapshot
    has, or else the room's own book. Raises ValueError where they make nothing of it, `sqlite3.Error` where the file
    cannot be read just now.
    """
    states = dict(_readable(file))
    if first.seq in states:
        return states[first.seq], ()
    rules = next((state.rules for state in states.values()), None) or _rules_of_the_room(file, first)
    lenient = replace(rules or UNKNOWN, preflight=False, code_pattern=".*")  # it was ruled on when it was opened
    try:
        rebuilt = step(opening(lenient, first.stamp.t), first.input, first.stamp.t, first.seq).state
    except Refused as refusal:
        raise ValueError(f"its opening is lost and cannot be rebuilt: {refusal.code}") from None
    missing = GONE_WITH_WORDS if _is_redacted(file, first.seq) else OF_THE_ROOM
    return replace(rebuilt, rules=rules or UNKNOWN), (missing,) if rules else (missing, OF_THE_RULES)


def _readable(file: Path) -> Iterator[tuple[int, State]]:
    """The first snapshot that can be read, and no more: mostly that of the opening."""
    try:
        for seq, data in kept_states(file):
            try:
                state = decode(State, data)
            except ValueError:
                log.warning("the snapshot at record %d of %s cannot be read", seq, file.name)
                continue
            yield seq, state
            return
    except sqlite3.DatabaseError as error:
        if is_passing(error):
            raise
        log.warning("the snapshots of %s cannot be read: %s", file.name, error)


def _is_redacted(file: Path, seq: int) -> bool:
    acts = (record.input.act for record, _ in find_records(file, "redaction"))
    return any(isinstance(act, Redaction) and act.seq == seq for act in acts)


def _rules_of_the_room(file: Path, first: Record) -> RoomRules | None:
    """As the room's own book had them when the session was opened."""
    room = room_file(file.parent.parent)
    if not room.is_file():
        return None
    rules = None
    try:
        for record, _ in find_records(room, "opened"):
            if isinstance(record.input.act, Opened) and record.stamp.t <= first.stamp.t:
                rules = record.input.act.rules
    except (sqlite3.Error, ValueError):
        log.warning("the room's own book cannot be read")
    return rules
