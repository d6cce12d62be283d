"""From what the journal recovered to the state a restarted daemon goes on with."""

from __future__ import annotations

import dataclasses
import json
import logging
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from controller.clock import RoomClock
from controller.journal.reading import book_file, log_entries, read_records
from controller.journal.recovery import Book, Recovered
from controller.messages import (
    DUTY_ACTS,
    TIMETABLE_ACTS,
    BackedUp,
    Duty,
    DutyKept,
    FadeLight,
    LogEntry,
    Point,
    Record,
    Redaction,
    Refused,
    RefusedAct,
    RoomRules,
    SeeAlarm,
    Softer,
    TakeBack,
    Volume,
    decode,
    from_plain,
)
from controller.messages.free_words import redacted
from controller.runner import LOG_KEPT
from controller.session import preflight as preflights
from controller.session.bookings import Timetable, keep
from controller.session.duty import keep as keep_duty
from controller.session.preflight import Preflight
from controller.session.state import Fade, State, opening
from controller.session.step import step

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass
class Restored:
    """What the journal gave back: the state, and how long the room was without a daemon."""

    state: State
    outage_s: float | None
    rebooted: bool
    unread: tuple[int, ...] = ()
    """Records of the session that could not be replayed."""


def restore(recovered: Recovered, rules: RoomRules, clock: RoomClock) -> Restored:
    """The state as of the last record, and the clock carried on from it.

    Timetable and preflight are the room's own book's; who is on duty, faders and light are the open session's, and the
    room's where none is open.
    """
    restored = _restore_session(recovered, rules, clock)
    room = recovered.room
    state = replace(restored.state, timetable=timetable_of(room), preflight=preflight_of(room, rules))
    if not state.session:
        state = _after(recovered.over, state)
        left = as_left(room, state)
        state = replace(state, duty=duty_of(room, rules), buses=left.buses, scene=left.scene, light=left.light)
    return dataclasses.replace(restored, state=state)


def last_entries(state_dir: Path, recovered: Recovered) -> list[LogEntry]:
    """What the log showed of the open session, or else of the room's own book: newest first, with its words.

    Reads a file: not for the loop. A log that cannot be read stays empty.
    """
    book = recovered.session or recovered.room
    file = book_file(state_dir, book.book)
    try:
        records = list(read_records(file, max(0, book.seq - LOG_KEPT))) if book.seq else []
    except (sqlite3.Error, OSError, ValueError):
        log.exception("the log of %s cannot be read", book.book)
        return []
    gone = {record.input.act.seq for record, _ in records if isinstance(record.input.act, Redaction)}
    entries: list[LogEntry] = []
    for record, text in reversed(records):
        told = log_entries(record, text)  # a crash may have come before it was blanked
        entries += reversed([redacted(entry) for entry in told] if record.seq in gone else told)
    return entries[:LOG_KEPT]


def timetable_of(room: Book) -> Timetable:
    """What the room's book says of its timetable, whatever else of it or of a session can be read."""

    def kept(timetable: Timetable, record: Record) -> Timetable:
        act = record.input.act
        if not isinstance(act, (*TIMETABLE_ACTS, SeeAlarm, BackedUp)):
            return timetable
        return keep(timetable, act, record.stamp.t, record.seq)

    return _carried_on(room, _snapped(room, "timetable", Timetable, Timetable()), kept)


def duty_of(room: Book, rules: RoomRules) -> Duty:
    """What the room's book says of who is on duty, as it stood outside sessions."""

    def kept(duty: Duty, record: Record) -> Duty:
        if not isinstance(record.input.act, DUTY_ACTS):
            return duty
        return keep_duty(duty, record.input, record.stamp.t, rules)

    return _carried_on(room, _snapped(room, "duty", Duty, Duty()), kept)


def as_left(room: Book, state: State) -> State:
    """`state` with faders and light as the room's book says they were left outside sessions.

    Light that nobody took rests as the rules of `state` say, which a room file may have changed since.
    """
    rest = state.light
    buses = _snapped(room, "buses", dict[str, float], {})
    state = replace(state, buses={name: buses.get(name, level) for name, level in state.buses.items()})
    if _snapped(room, "mode", str, "idle") in ("idle", "ended"):  # else it is a session's light, which is over
        scene, light = _snapped(room, "scene", str, "arc"), _snapped(room, "light", Fade, rest)
        state = replace(state, scene=scene, light=light)

    def kept(state: State, record: Record) -> State:
        act = record.input.act
        if isinstance(act, DutyKept):
            there = rest.end if act.level is None else Point(level=act.level, t=record.stamp.t, kelvin=act.kelvin)
            light = Fade(start=there, end=there)
            return replace(state, buses={**state.buses, **act.buses}, scene=act.scene, light=light)
        if isinstance(act, (Volume, Softer, TakeBack)):
            with suppress(Refused):  # what was taken back was no fader
                given = replace(record.input, session="")  # that one may be gone, with its book
                left = step(state, given, record.stamp.t, record.seq).state
                state = replace(state, buses=left.buses, undoable=left.undoable)
        for lit in record.effects:
            if isinstance(lit, FadeLight):
                light = Fade(start=lit.start, end=lit.end, swift=lit.swift)
                state = replace(state, scene=lit.scene, light=light)
        return state

    left = _carried_on(room, state, kept)
    if left.scene != "arc":
        return left
    there = replace(rest.end, kelvin=None if left.light.end.kelvin is None else left.rules.rest_kelvin)
    return replace(left, light=Fade(start=there, end=there))


def preflight_of(room: Book, rules: RoomRules) -> Preflight:
    """The preflight that the room's book says is under way."""
    return _carried_on(
        room,
        _snapped(room, "preflight", Preflight, Preflight()),
        lambda found, record: preflights.keep(found, record.input, rules, record.stamp.t, record.seq),
    )


def _snapped(room: Book, key: str, kind: type[T], none: T) -> T:
    """A part of the state as the room's newest snapshot has it."""
    if room.snapshot is None:
        return none
    try:
        return from_plain(kind, json.loads(room.snapshot).get(key, {}))
    except ValueError:
        log.exception("%s in the snapshot at record %d of the room cannot be read", key, room.snapshot_seq)
        return none


def _carried_on(room: Book, found: T, kept: Callable[[T, Record], T]) -> T:
    """With what the room's later records brought."""
    for record in room.records:
        try:
            found = kept(found, record)
        except Exception:  # a room without a daemon is worse than one that lacks what this record brought
            log.exception("record %d of the room cannot be replayed", record.seq)
    return found


def _restore_session(recovered: Recovered, rules: RoomRules, clock: RoomClock) -> Restored:
    last = recovered.last
    if last is None:
        return Restored(opening(rules, clock.now()), 0.0, False)
    same_boot = last.boot_id == clock.stamp().boot_id
    outage = clock.continue_from(last)
    book = recovered.session
    if book is None or book.snapshot is None:
        return Restored(opening(rules, clock.now()), outage, not same_boot)
    found = _replayed(book)
    if found is None:
        return Restored(opening(rules, clock.now()), outage, not same_boot, (book.snapshot_seq,))
    state, unread = found
    return Restored(state, outage, not same_boot, unread)


def _replayed(book: Book) -> tuple[State, tuple[int, ...]] | None:
    """A session's state as of its last record, and the records that could not be replayed; None without any state."""
    if book.snapshot is None:
        return None
    try:
        state = decode(State, book.snapshot)
    except ValueError:
        log.exception("the snapshot at record %d of %s cannot be read", book.snapshot_seq, book.book)
        return None
    unread: list[int] = []
    for record in book.records:
        if isinstance(record.input.act, RefusedAct):
            continue
        try:
            state = step(state, record.input, record.stamp.t, record.seq).state
        except Exception:  # a room without a daemon is worse than one that lacks what this record brought
            log.exception("record %d of %s cannot be replayed", record.seq, book.book)
            unread.append(record.seq)
    return state, tuple(unread)


_HANDED_OVER = (
    "mode", "session", "programme", "booked", "started_t", "participants", "phase", "arc_s", "arc_t", "limits",
    "transport_fade_s", "adverse", "told",
)  # fmt: skip
"""What still stands of a session that is over: what paramedics are told of it, and that its music is to stop."""


def _after(over: Book | None, state: State) -> State:
    """`state` after the session that is over; an empty room's where there was none, or it cannot be read."""
    found = _replayed(over) if over is not None else None
    if found is None or found[0].mode != "ended":
        return state
    return replace(state, **{name: getattr(found[0], name) for name in _HANDED_OVER})
