"""Reading journals while they are being written: nothing here ever changes a file."""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from controller.journal.chain import free_text, state_digest, with_text
from controller.journal.lines import part_is_whole
from controller.journal.schema import read_body
from controller.journal.store import book_file, lone_copies, read_meta, reading, room_file, session_file, sessions_dir
from controller.journal.verify import Verified, verify
from controller.messages import (
    AboutABook,
    Act,
    Addendum,
    Amend,
    BackedUp,
    BeginPreflight,
    Book,
    Dose,
    HandOver,
    KeptName,
    LampChanged,
    LogEntry,
    MaskingGuess,
    Note,
    Opened,
    PieceEnded,
    PieceStarted,
    Record,
    Redaction,
    RefusedAct,
    SignedOn,
    SignOff,
    SittersKnown,
    Start,
    plain_fields,
)
from controller.messages.free_words import reference

__all__ = [
    "SessionInfo",
    "Verified",
    "book_file",
    "find_records",
    "happened_t",
    "kept_states",
    "list_sessions",
    "log_entries",
    "parts_of",
    "read_records",
    "room_file",
    "session_file",
    "session_info",
    "unreadable_sessions",
    "verify",
]

_PAGE = 500
_MACHINERY = (
    "timer", "planned", "engine_reported", "call_changed", "timetable_due", "booking_begun", "checked", "duty_kept",
    "probed", "preflight_used",
)  # fmt: skip

LATE_S = 60.0
"""What is entered sooner than this after it happened was entered at once."""

_SAID_BY_THE_ACT = {
    "start": {"session_started"},
    "end": {"session_ended"},
    "pause": {"paused"},
    "resume": {"resumed", "hold_ended", "quiet_ended"},
    "hold": {"hold_began"},
    "quiet": {"quiet_began"},
    "light": {"light_scene"},
    "take_back": {"taken_back"},
    "land": {"landing_began"},
    "evacuate": {"evacuated"},
    "leave": {"participant_left"},
    "stable": {"vitals_stable"},
    "next": {"set_chosen", "set_over"},
    "catch_up": {"caught_up"},
    "break_over": {"break_ended"},
    "release": {"released"},
}
"""Facts that a log need not repeat beside the act that brought them about."""
_JOINED = {"amend": "amended", "update_event": "event_updated", "correct_dose": "dose_corrected"}
"""The fact that says what stood before an act: one line with it."""
_NOT_SHOWN = {
    Start: {"programme_text", "participants", "preflight"},
    BeginPreflight: {"least", "most"},
    Opened: {"rules", "unrecorded_s"},
    Amend: {"only"},
    MaskingGuess: {"guess", "certainty"},  # one's guess would sway another's
    RefusedAct: {"values"},
    PieceStarted: {"session"},
    PieceEnded: {"session"},
    SignedOn: {"key"},
    HandOver: {"key"},
    SignOff: {"session", "head"},
    Addendum: {"session", "after", "about_t"},
    Redaction: {"session", "after"},
    BackedUp: {"backup", "at_unix", "manifest"},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionInfo:
    """One session's file at a glance. `closed`: its end was recorded; `records`: the seq of its last."""

    session: str
    file: Path
    records: int
    opened_utc: str
    last_utc: str
    closed: bool
    programme: str = ""
    participants: tuple[str, ...] = ()
    length_s: float = 0.0
    """From its opening to its end, or to its newest record."""
    head: str = ""
    """The hash of its last record."""
    ended_utc: str = ""
    sure_utc: str = ""
    """By a synchronised clock: its end, or else the first record after it; "" where no such clock has told."""
    signed_by: str = ""
    signed_utc: str = ""
    later: int = 0
    """Records that were added after its end, signatures included."""

    @property
    def damaged(self) -> bool:
        """Whether only damaged copies are left of it; `file` is the newest of them."""
        return self.file.suffix != ".db"

    @property
    def state(self) -> str:
        """One word: "open", "closed", "signed" or "damaged"."""
        if self.damaged:
            return "damaged"
        return "signed" if self.signed_by else "closed" if self.closed else "open"


def list_sessions(state_dir: Path) -> list[SessionInfo]:
    """All sessions that were begun, oldest first, without those that cannot be read."""
    found = []
    for file in sorted(sessions_dir(state_dir).glob("*.db")):
        with contextlib.suppress(sqlite3.Error, ValueError):
            info = session_info(file)
            if info is not None:
                found.append(info)
    return sorted(found, key=lambda info: (info.opened_utc, info.session))


def unreadable_sessions(state_dir: Path) -> list[tuple[str, str]]:
    """(session, why) of those that stand in no list: the file cannot be read, or was set aside and nothing goes on."""
    found = []
    for file in sorted(sessions_dir(state_dir).glob("*.db")):
        try:
            session_info(file)
        except (sqlite3.Error, ValueError) as error:
            found.append((file.stem, f"unreadable: {error}"))
    for session, copies in lone_copies(state_dir).items():
        found += [(session, f"DAMAGED, nothing of it could go on; kept as {file.name}") for file in copies]
    return found


def session_info(file: Path) -> SessionInfo | None:
    """A session's file at a glance, None for one that was never begun. Raises as `read_records`."""
    with reading(file) as connection:
        meta = read_meta(connection)
        first = connection.execute("SELECT body FROM records ORDER BY line LIMIT 1").fetchone()
        if not meta or first is None:
            return None
        later: list[Record] = []
        newest: tuple[int, bytes] | None = None
        last = None
        for seq, body, head in connection.execute("SELECT seq, body, hash FROM records ORDER BY line DESC"):
            newest = newest or (seq, head)
            last = read_body(body)
            if not isinstance(last.input.act, AboutABook):
                break
            later.append(last)
    assert newest is not None and last is not None
    begun = read_body(first[0])
    start = begun.input.act
    signed = next((record for record in later if isinstance(record.input.act, SignOff)), None)
    sure = next((record for record in (last, *reversed(later)) if record.stamp.synced), None)
    return SessionInfo(
        session=file.stem,
        file=file,
        records=newest[0],
        opened_utc=begun.stamp.utc,
        last_utc=(later[0] if later else last).stamp.utc,
        closed=bool(meta["closed_utc"]),
        programme=start.programme if isinstance(start, Start) else "",
        participants=start.participants if isinstance(start, Start) else (),
        length_s=last.stamp.t - begun.stamp.t,
        head=newest[1].hex(),
        ended_utc=last.stamp.utc if meta["closed_utc"] else "",
        sure_utc=sure.stamp.utc if sure and meta["closed_utc"] else "",
        signed_by=signed.input.origin.person or "" if signed else "",
        signed_utc=signed.stamp.utc if signed else "",
        later=len(later) if meta["closed_utc"] else 0,
    )


def read_records(file: Path, after_seq: int = 0) -> Iterator[tuple[Record, str]]:
    """Every record of a file with its free text ("" where it has none or it was redacted), old schemas upcast.

    Words inside its act stand where they were said, or REDACTED in their place.

    Raises FileNotFoundError; `sqlite3.Error` or ValueError at a place that cannot be read.
    """
    with reading(file) as connection:
        if not read_meta(connection):
            return
        at = after_seq  # a record's line is never below its seq
        while True:
            page = connection.execute(
                "SELECT r.line, r.body, t.text FROM records r LEFT JOIN texts t USING (line) "
                "WHERE r.line > ? AND r.seq > ? ORDER BY r.line LIMIT ?",
                (at, after_seq, _PAGE),
            ).fetchall()
            if not page:
                return
            for _, body, text in page:
                yield with_text(read_body(body), text)
            at = page[-1][0]


def find_records(file: Path, *kinds: str) -> Iterator[tuple[Record, str]]:
    """The records whose act is of one of these kinds, with their free text; raises as `read_records`."""
    marks = [f'"kind":"{kind}"'.encode() for kind in kinds]
    wanted = " OR ".join("instr(r.body, ?)" for _ in marks)
    with reading(file) as connection:
        if not read_meta(connection):
            return
        rows = connection.execute(
            "SELECT r.body, t.text FROM records r LEFT JOIN texts t USING (line) "
            f"WHERE r.seq IS NOT NULL AND ({wanted}) ORDER BY r.line",
            marks,
        ).fetchall()
    for body, text in rows:
        record = read_body(body)
        if record.input.act.kind in kinds:
            yield with_text(record, text)


def kept_states(file: Path) -> Iterator[tuple[int, bytes]]:
    """The kept states with their records' numbers, oldest first, without those that damage took or changed.

    Raises as `read_records`.
    """
    with reading(file) as connection:
        for seq, state, digest in connection.execute(
            "SELECT r.seq, s.state, r.state_digest FROM snapshots s JOIN records r USING (line) "
            "WHERE s.state IS NOT NULL ORDER BY s.line"
        ):
            if type(state) is bytes and state_digest(state) == digest:
                yield seq, state


def parts_of(file: Path) -> dict[KeptName, bytes]:
    """What a session was run with, by name; nothing for sessions of the first versions, or where damage took it.

    Raises as `read_records`.
    """
    with reading(file) as connection:
        first = connection.execute("SELECT body FROM records ORDER BY line LIMIT 1").fetchone()
        start = read_body(first[0]).input.act if first else None
        if not isinstance(start, Start) or not start.kept:
            return {}
        there = dict(connection.execute("SELECT digest, content FROM parts WHERE content IS NOT NULL").fetchall())
    contents = {digest.hex(): zlib.decompress(it) for digest, it in there.items() if part_is_whole(digest, it)}
    return {kept.name: contents[kept.sha256] for kept in start.kept if kept.sha256 in contents}


def log_entries(record: Record, text: str = "") -> list[LogEntry]:
    """How a record shows in a log: one entry for what happened (unless it is mere machinery), one for each fact.

    An entry's values are the act's plain fields, and `participants` (codes with commas) where it concerns any.
    """
    act, origin = record.input.act, record.input.origin
    entries = []
    if not _is_machinery(act):
        values = plain_fields(act, _NOT_SHOWN.get(type(act), ()))
        participants = act.participants if isinstance(act, Start | Book | BeginPreflight) else record.input.participants
        if participants:
            values["participants"] = ",".join(participants)
        joined = next((fact for fact in record.facts if fact.code == _JOINED.get(act.kind)), None)
        if isinstance(act, Start) and act.touch_scopes:
            values["touch_scope"] = ", ".join(act.touch_scopes.values())
        if isinstance(act, Amend):
            values = {**plain_fields(act.act), **values}
        if joined is not None:
            mine = reference(record.seq)
            said_here = {name: values[name] for name, it in joined.values.items() if it == mine and name in values}
            values = {**values, **joined.values, **said_here}
        if isinstance(act, RefusedAct):
            values = {**act.values, **values}
        entry = LogEntry(
            seq=record.seq,
            utc=record.stamp.utc,
            kind=act.kind,
            values=values,
            who=origin.person or "",
            console=origin.console,
            text=text or free_text(record.input),
            ago_s=ago_s if (ago_s := record.stamp.t - happened_t(record)) >= LATE_S else 0.0,
        )
        entries.append(entry)
    said = _SAID_BY_THE_ACT.get(act.kind, set()) | {_JOINED.get(act.kind, "")}
    for fact in (fact for fact in record.facts if fact.code not in said):
        entries.append(LogEntry(seq=record.seq, utc=record.stamp.utc, kind=fact.code, values=dict(fact.values)))
    return entries


def happened_t(record: Record) -> float:
    """Room time at which it happened what the record says, as far as whoever entered it knew."""
    act, t = record.input.act, record.stamp.t
    if isinstance(act, Note) and act.pressed_t is not None:
        return min(t, act.pressed_t) - record.input.ago_s
    return t - record.input.ago_s - (act.minutes_ago * 60.0 if isinstance(act, Dose) else 0.0)


def _is_machinery(act: Act) -> bool:
    """Whether a person has nothing from reading it: it went as it should, or its facts say it better."""
    match act:
        case PieceEnded():
            return act.why in ("end", "cut")
        case LampChanged():
            return act.confirmed
        case SignedOn():
            return act.once and not act.seconds  # its command follows, with who it was
        case SittersKnown():
            return act.readable
        case _:
            return act.kind in _MACHINERY
