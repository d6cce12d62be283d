"""What may be done with a written record, looked up in its files before the rules see the act."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from msgspec.structs import replace

from controller.clock import sure_utc
from controller.journal.chain import ROOM, name_digest
from controller.journal.erasing import has_text, unblanked
from controller.journal.keeping import RetentionRule, is_over, kept_sessions, removal_of
from controller.journal.reading import SessionInfo, session_info
from controller.journal.standing import backups, is_there
from controller.journal.store import book_file
from controller.messages import Addendum, BackedUp, Input, Redaction, Refused, Removal, Retention, SignOff


def fill(state_dir: Path, given: Input, open_session: str = "", rule: RetentionRule | None = None) -> Input:
    """The Input with what its act leaves to the files, which have the last word on what it says of them.

    `open_session`: the one that the daemon has open. `rule`: the room file's, below which nothing is removed; without
    one whoever asks says it. Reads files: not for the loop. Raises Refused.
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
                if not given.origin.person:
                    raise Refused("no_signer")
                if not given.why.strip():
                    raise Refused("no_reason")
                if not 0 <= act.amends <= info.records:
                    raise Refused("no_such_seq", session=act.session, seq=act.amends)
                return replace(given, act=replace(act, after=info.records))
            case Redaction():
                act = replace(act, session=act.session or open_session)
                return replace(given, act=_redaction(state_dir, given, act, open_session))
            case Retention():
                return replace(given, act=replace(act, removed=_removed(state_dir, act, rule)))
            case BackedUp(ok=True):
                if not is_there(act):
                    raise Refused("no_such_backup", place=act.place)
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
        if not given.origin.person:
            raise Refused("no_signer")
        after = _closed(state_dir, act.session).records
    file = book_file(state_dir, act.session)
    if not has_text(file, act.seq) and act.seq not in unblanked(file):  # one that was cut short is finished so
        raise Refused("no_text", session=act.session, seq=act.seq)
    return replace(act, after=after)


def _removed(state_dir: Path, act: Retention, rule: RetentionRule | None) -> tuple[Removal, ...]:
    """The removals as the files say, whatever was sent; Refused where one of them may not go."""
    sessions = {name_digest(info.session): info for info in kept_sessions(state_dir)}
    known, now = backups(state_dir), sure_utc()
    if now is None:
        raise Refused("clock_unsure")
    fresh = []
    for asked in act.removed:
        info = sessions.get(asked.session)
        if info is None:
            raise Refused("unknown_record", session=asked.session[:12])
        if not info.closed:
            raise Refused("record_open", session=info.session)
        if info.head != asked.head:
            raise Refused("record_changed", session=info.session)
        days: float | None = asked.days
        if rule is not None:
            least = rule.days_of(info.programme)
            days = None if least is None else max(least, asked.days)
        if days is None or not is_over(info, days, now):
            raise Refused("not_over", session=info.session)
        removal = removal_of(state_dir, info, days, known)
        if removal is None:
            raise Refused("not_kept", session=info.session)
        fresh.append(removal)
    return tuple(fresh)
