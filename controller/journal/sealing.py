"""What may be done with a written record, looked up in its files before the rules see the act."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass, field, replace
from pathlib import Path

from controller.journal.chain import ROOM, name_digest
from controller.journal.erasing import has_text
from controller.journal.reading import SessionInfo, find_records, list_sessions, session_info
from controller.journal.store import book_file, room_file
from controller.messages import Addendum, BackedUp, Input, Redaction, Refused, Retention, SignOff


@dataclass
class Backup:
    """A backup as the room's book tells of it. `sessions`: how many records of each it holds."""

    place: str
    at_unix: float = 0.0
    sessions: dict[str, int] = field(default_factory=dict)


def backups(state_dir: Path) -> dict[str, Backup]:
    """Every backup that was made and went well, by its id."""
    found: dict[str, Backup] = {}
    if not room_file(state_dir).is_file():
        return found
    for record, _ in find_records(room_file(state_dir), "backed_up"):
        act = record.input.act
        if isinstance(act, BackedUp) and act.ok:
            kept = found.setdefault(act.backup, Backup(place=act.place))
            kept.place, kept.at_unix = act.place, act.at_unix
            kept.sessions |= act.added
    return found


def holding(state_dir: Path, session: str, seq: int = 1) -> list[Backup]:
    """The backups that hold record `seq` of a session."""
    return [backup for backup in backups(state_dir).values() if backup.sessions.get(session, 0) >= seq]


def kept_by(info: SessionInfo, known: dict[str, Backup]) -> str:
    """What stands for a closed session: "signature", "backup" (of the whole of it), or "" for nothing."""
    if info.signed_by:
        return "signature"
    whole = any(backup.sessions.get(info.session, 0) >= info.records for backup in known.values())
    return "backup" if whole else ""


def fill(state_dir: Path, given: Input, open_session: str = "") -> Input:
    """The Input with what its act leaves to the files. `open_session`: the one that the daemon has open.

    Reads files: not for the loop. Raises Refused.
    """
    act = given.act
    try:
        match act:
            case SignOff():
                info = _closed(state_dir, act.session)
                if not given.origin.person:
                    raise Refused("no_signer")
                if (act.after, act.head) != (info.records, info.head):
                    raise Refused("record_changed", session=act.session)
            case Addendum():
                info = _closed(state_dir, act.session)
                if not given.why.strip():
                    raise Refused("no_reason")
                if not 0 <= act.amends <= info.records:
                    raise Refused("no_such_seq", session=act.session, seq=act.amends)
                return replace(given, act=replace(act, after=info.records))
            case Redaction():
                act = replace(act, session=act.session or open_session)
                return replace(given, act=_redaction(state_dir, given, act, open_session))
            case Retention():
                _check_removals(state_dir, act)
            case _:
                pass
    except (sqlite3.Error, OSError) as error:
        raise Refused("bad_value", what="record", why=str(error)) from None
    return given


def _closed(state_dir: Path, session: str) -> SessionInfo:
    info = None
    with contextlib.suppress(ValueError, FileNotFoundError):
        info = session_info(book_file(state_dir, session))
    if info is None:
        raise Refused("unknown_record", session=session)
    if not info.closed:
        raise Refused("record_open", session=session)
    return info


def _redaction(state_dir: Path, given: Input, act: Redaction, open_session: str) -> Redaction:
    if not given.why.strip():
        raise Refused("no_reason")
    after = 0
    if act.session not in (ROOM, open_session):
        after = _closed(state_dir, act.session).records
    file = book_file(state_dir, act.session)
    if not has_text(file, act.seq):
        raise Refused("no_text", session=act.session, seq=act.seq)
    return replace(act, after=after)


def _check_removals(state_dir: Path, act: Retention) -> None:
    sessions = {name_digest(info.session): info for info in list_sessions(state_dir)}
    known = backups(state_dir)
    for removal in act.removed:
        info = sessions.get(removal.session)
        if info is None:
            raise Refused("unknown_record", session=removal.session[:12])
        if not info.closed:
            raise Refused("record_open", session=info.session)
        if info.head != removal.head:
            raise Refused("record_changed", session=info.session)
        if not kept_by(info, known):
            raise Refused("not_kept", session=info.session)
