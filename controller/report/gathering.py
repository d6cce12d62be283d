"""One session, gathered from its record: the rules are run over it again, and what they say is written down."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from msgspec.structs import replace

from controller import wording
from controller.arc.curves import intensity_curve, level_at
from controller.arc.programme import Programme
from controller.journal.chain import ROOM
from controller.journal.reading import Verified, log_entries, parts_of, read_records, verify
from controller.journal.store import is_passing
from controller.messages import (
    AboutABook,
    Addendum,
    ClockSynced,
    End,
    LogEntry,
    Opened,
    PhaseView,
    PieceEnded,
    PieceStarted,
    Record,
    RefusedAct,
    SignOff,
    Sitter,
    Start,
    TakeBack,
)
from controller.report.account import EDGE_S, Account, Event, PiecePlayed, Signature
from controller.report.clinical import adverse_events, utc_before, vitals_taken
from controller.report.opening import opened_state
from controller.report.people import present
from controller.report.roles import Role, copy_for, default_role, state_seen_by
from controller.session.state import State
from controller.session.step import step
from controller.wording.archive import MEANINGS
from controller.wording.quantities import percent_of_db

log = logging.getLogger(__name__)

AMENDING = wording.CORRECTING
"""Those of the session itself, and what was added to its closed record."""


@dataclass
class _Gathering:
    """What grows while the records are read."""

    state: State
    duties: list[tuple[str, tuple[Sitter, ...]]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    pieces: list[PiecePlayed] = field(default_factory=list)
    entered: list[tuple[float, str]] = field(default_factory=list)
    light: list[tuple[float, float]] = field(default_factory=list)
    volume: list[tuple[float, float]] = field(default_factory=list)
    outages: list[tuple[float, float]] = field(default_factory=list)


Records = Sequence[tuple[Record, str]]
"""Records with their free text."""


def account_of(file: Path, role: Role | None = None) -> Account:
    """The session in a journal file. Raises FileNotFoundError; `sqlite3.Error` or ValueError for what is no session.

    Without a role: everything, and in a blinded session what those who sat may see. Of a damaged record as much as can
    be told; `damage` says what is not in it.
    """
    records, missing = _readable(file)
    _check_opening(records)
    first, lost = opened_state(file, records[0][0])
    chain = verify(file)
    missing += lost
    try:
        account = account_from(file.stem, records, first, chain, role)
    except Exception:  # what is not as it was written may say anything
        sound = [(record, text) for record, text in records if record.seq < (chain.first_bad or 0)]
        if chain.ok or not sound:
            raise
        log.exception("%s is told up to where it is damaged", file.name)
        account = account_from(file.stem, sound, first, chain, role)
        missing += (f"what came after record {sound[-1][0].seq} cannot be told",)
    return dataclasses.replace(account, as_run=parts_of(file), missing=(*missing, *account.missing))


def _readable(file: Path) -> tuple[list[tuple[Record, str]], tuple[str, ...]]:
    """The records up to the first that cannot be read, and what is missing for it."""
    records: list[tuple[Record, str]] = []
    try:
        for entry in read_records(file):
            records.append(entry)  # what was read before an error stays
    except (sqlite3.DatabaseError, ValueError) as error:
        if not records or is_passing(error):
            raise
        return records, (f"nothing after record {records[-1][0].seq} can be read",)
    return records, ()


def account_from(session: str, records: Records, first: State, chain: Verified, role: Role | None = None) -> Account:
    """The session that these records tell; `first` is the state as the first of them left it. Raises ValueError."""
    opening, start = records[0][0], _check_opening(records)
    offsets = _offsets([record for record, _ in records])
    taken_back = {record.input.act.seq for record, _ in records if isinstance(record.input.act, TakeBack)}
    found = _Gathering(first)
    if found.state.programme is None:
        raise ValueError("the session has no programme")
    role = role or default_role(blinded=found.state.programme.blinded is not None)
    shown: list[tuple[Record, str]] = []
    for record, text in records:
        found.state, before = _replayed(found.state, record), found.state
        shown.append((copy_for(role, record), text if role.texts else ""))
        _gather(found, before, *shown[-1], offsets, taken_back)
    programme = found.state.programme
    assert programme is not None
    state = state_seen_by(role, found.state)
    doses = [dose.t for person in found.state.participants for dose in person.doses]
    course = _course(records)
    stamps = {record.seq: (record.stamp.t, _corrected(record, offsets)) for record, _ in records}
    last_t = records[course - 1][0].stamp.t
    events = _annotated(found.events, records[:course])
    phases = tuple(_phases(found, programme, last_t))
    return Account(
        session=session,
        records=tuple(shown),
        stamps=stamps,
        role=role,
        room=found.state.rules.room,
        programme=programme,
        programme_digest=hashlib.sha256(start.programme_text.encode()).hexdigest(),
        software=start.software,
        opened=events[0],
        closed=next((event for event in reversed(events) if event.kind in ("end", "session_ended")), None),
        zero_t=min(doses, default=opening.stamp.t),
        dosed=bool(doses),
        state=state,
        events=events,
        vitals=tuple(vitals_taken(state, stamps, {event.seq: event.amended_by for event in reversed(events)})),
        adverse=adverse_events(state, stamps),
        pieces=tuple(
            piece if piece.why else dataclasses.replace(piece, played_s=max(0.0, last_t - piece.t))
            for piece in found.pieces
        ),
        people=present(
            found.duties,
            [(event.who, event.utc) for event in events if not event.afterwards],
            _corrected(records[course - 1][0], offsets),
        ),
        phases=phases,
        intensity=tuple(_stretched(programme, phases)),
        light=(*(point for point in found.light if point[0] < last_t), (last_t, found.state.light.level(last_t))),
        volume=(*found.volume, (last_t, found.volume[-1][1])),
        outages=tuple(found.outages),
        chain=chain,
        last_t=last_t,
        kept=start.kept,
        signatures=tuple(_signatures(records)),
        missing=tuple(event.text for event in events if _is_loss(event)),
    )


def _is_loss(event: Event) -> bool:
    """Whether it says what an earlier damage took of this very book."""
    return event.kind == "journal_damaged" and event.values.get("book") != ROOM


def _course(records: Records) -> int:
    """How many of the records are the session's own; what follows was added to the closed record."""
    count = len(records)
    while isinstance(records[count - 1][0].input.act, AboutABook):
        count -= 1
    return count


def _annotated(events: Sequence[Event], course: Records) -> tuple[Event, ...]:
    """What was added afterwards marked so, and each amendment with what it amends."""
    end = course[-1][0].seq if isinstance(course[-1][0].input.act, End) else sys.maxsize
    signed = min((event.seq for event in events if event.kind == "sign_off"), default=sys.maxsize)
    words: dict[int, str] = {}
    amended: dict[int, list[int]] = {}
    redacted = {int(event.values["seq"]): event.seq for event in events if event.kind == "redaction"}
    for event in events:
        words.setdefault(event.seq, f"{event.word} {event.text}".strip())
        if amends := _amends(event):
            amended.setdefault(amends, []).append(event.seq)
    told = []
    seen: set[int] = set()
    for event in events:
        own = event.seq not in seen  # the act itself stands before what followed from it
        seen.add(event.seq)
        stood = _amends(event) if event.kind == "addendum" or event.values.get("what") == "note" else 0
        told.append(
            dataclasses.replace(
                event,
                text=f"{event.text} (it stood: {words[stood]})" if stood in words else event.text,
                afterwards=event.seq > end,
                timed=event.timed and (event.seq <= end or event.kind == "addendum"),
                after_sign_off=event.seq > signed and event.kind != "sign_off",
                redacted_by=redacted.get(event.seq, 0) if own else 0,
                amended_by=tuple(amended.get(event.seq, ())) if own else (),
            )
        )
    return tuple(told)


def _amends(event: Event) -> int:
    """The record that an entry corrects or brings up to date; 0 for none."""
    name = AMENDING.get(event.kind)
    return int(event.values.get(name, 0)) if name else 0


def _signatures(records: Records) -> Iterator[Signature]:
    for record, _ in records:
        act = record.input.act
        if isinstance(act, SignOff):
            who = record.input.origin.person or ""
            meaning = MEANINGS[act.meaning]
            yield Signature(
                who=who, utc=record.stamp.utc, seq=record.seq, meaning=meaning, after=act.after, head=act.head
            )


def _check_opening(records: Records) -> Start:
    if not records or not isinstance(records[0][0].input.act, Start):
        raise ValueError("the file does not begin with the opening of a session")
    return records[0][0].input.act


def _replayed(state: State, record: Record) -> State:
    """The state as the rules leave it after a record."""
    if record.seq <= 1 or isinstance(record.input.act, RefusedAct):
        return state
    try:
        return step(state, record.input, record.stamp.t, record.seq).state
    except Exception:  # rules of another time: the record is told all the same, only its curves stay as they were
        log.exception("record %d cannot be replayed", record.seq)
        return state


def _gather(
    found: _Gathering, before: State, record: Record, text: str, offsets: dict[int, float], taken_back: set[int]
) -> None:
    """Add what a record tells; `found.state` is what it left, `before` what it found."""
    t, after = record.stamp.t, found.state
    events = [_event(entry, record, offsets, taken_back) for entry in log_entries(record, text)]
    found.events += events
    if not found.duties or after.sitters != found.duties[-1][1]:
        found.duties.append((_corrected(record, offsets), after.sitters))
    _gather_music(found, record, offsets)
    found.entered += [(t, str(fact.values["phase"])) for fact in record.facts if fact.code == "phase_entered"]
    if after.light is not before.light or not found.light:
        if found.light:
            while found.light and found.light[-1][0] > t:  # a fade that this one came across
                found.light.pop()
            found.light.append((t, before.light.level(t)))
        found.light += [(point.t, point.level) for point in (after.light.start, after.light.end) if point.t >= t]
    if isinstance(record.input.act, Opened) and record.input.act.rebooted:
        _gather_outage(found, t - (record.input.act.outage_s or 0.0), t)
    level = _heard(after)
    if not found.volume or level != found.volume[-1][1]:
        found.volume += [(t, found.volume[-1][1] if found.volume else 0.0), (t, level)]


def _gather_outage(found: _Gathering, gone_t: float, back_t: float) -> None:
    """The sound engine went with the machine: what played then is heard no longer, and its end was never told."""
    found.outages.append((gone_t, back_t))
    found.volume += [(gone_t, found.volume[-1][1] if found.volume else 0.0), (gone_t, 0.0)]
    found.pieces[:] = [
        piece if piece.why else dataclasses.replace(piece, played_s=max(0.0, gone_t - piece.t), why="outage")
        for piece in found.pieces
    ]


def _heard(state: State) -> float:
    """How loud the loudest bus is wanted, as a share of the calibrated loudness."""
    if state.transport != "play" or not state.buses:
        return 0.0
    return state.music * percent_of_db(max(state.buses.values())) / 100.0


def _gather_music(found: _Gathering, record: Record, offsets: dict[int, float]) -> None:
    act = record.input.act
    if isinstance(act, PieceStarted):
        cue = next((cue for cue in found.state.cues if cue.id == act.cue), None)
        found.pieces.append(
            PiecePlayed(
                cue=act.cue,
                t=act.at_t,
                utc=_corrected(record, offsets),
                title=act.title,
                artist=cue.piece.artist if cue else "",
                path=act.path,
                phase=cue.phase if cue else "",
                played_s=0.0,
                why="",
            )
        )
    elif isinstance(act, PieceEnded):
        for index in range(len(found.pieces) - 1, -1, -1):
            piece = found.pieces[index]
            if (piece.cue, piece.title) == (act.cue, act.title) and not piece.why:
                found.pieces[index] = dataclasses.replace(piece, played_s=act.played_s, why=act.why)
                break


def _event(entry: LogEntry, record: Record, offsets: dict[int, float], taken_back: set[int]) -> Event:
    entry = replace(entry, taken_back=entry.seq in taken_back and entry.kind in wording.ACTS)
    word, text = wording.entry(entry)
    participants = entry.values.get("participants") or entry.values.get("participant") or ""
    act = record.input.act
    about = act.about_t if isinstance(act, Addendum) else record.stamp.t
    return Event(
        seq=entry.seq,
        t=record.stamp.t if about is None else about,
        timed=about is not None,
        utc=_corrected(record, offsets),
        utc_read=record.stamp.utc,
        synced=record.stamp.synced,
        ago_s=entry.ago_s,
        happened_utc=utc_before(_corrected(record, offsets), entry.ago_s),
        who=entry.who,
        console=entry.console,
        kind=entry.kind,
        word=word,
        text=text,
        values=dict(entry.values),
        participants=tuple(code for code in str(participants).split(",") if code),
        taken_back=entry.taken_back,
    )


def _offsets(records: list[Record]) -> dict[int, float]:
    """Seconds to add to the clock reading of a record: the clock was set right later in the same boot."""
    offsets: dict[int, float] = {}
    ahead: dict[str, float] = {}
    for record in reversed(records):
        offsets[record.seq] = ahead.get(record.stamp.boot_id, 0.0)
        if isinstance(record.input.act, ClockSynced):
            ahead[record.stamp.boot_id] = ahead.get(record.stamp.boot_id, 0.0) + record.input.act.offset_s
    return offsets


def _corrected(record: Record, offsets: dict[int, float]) -> str:
    offset = offsets.get(record.seq, 0.0)
    if not offset:
        return record.stamp.utc
    read = datetime.fromisoformat(record.stamp.utc.replace("Z", "+00:00"))
    return (read + timedelta(seconds=offset)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _phases(found: _Gathering, programme: Programme, last_t: float) -> Iterator[PhaseView]:
    """The phases in the order in which they were entered, each until the next."""
    titles = {phase.code: phase.title for phase in programme.phases}
    entered = found.entered or [(found.light[0][0], programme.phases[0].code)]  # ended before there was a plan
    for (t, code), (until, _) in pairwise((*entered, (last_t, ""))):
        yield PhaseView(code=code, title=titles.get(code, code), start_s=t, end_s=max(until, t))


def _stretched(programme: Programme, phases: tuple[PhaseView, ...]) -> Iterator[tuple[float, float]]:
    """The programme's intensity, laid over the phases as they were lived through."""
    curve = intensity_curve(programme)
    for lived in phases:
        index = programme.index_of(lived.code)
        start, length = programme.start_s(index), programme.phases[index].length_s
        inside = [at for at, _ in curve if start < at < start + length - EDGE_S]
        for at in (start + EDGE_S, *inside, start + length - EDGE_S):
            yield lived.start_s + (at - start) / length * (lived.end_s - lived.start_s), level_at(curve, at)
