"""How long sessions are kept: which are over by the clinic's rule, and what each removal will say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from controller.journal.chain import name_digest
from controller.journal.reading import SessionInfo, list_sessions
from controller.journal.remains import remains
from controller.journal.standing import Backup, backups, kept_by
from controller.journal.store import damaged_copies, sheets_of
from controller.messages import Removal

_NO_CLOCK = {
    False: "its clock was not synchronised when it ended; a signature with a right one tells",
    True: "no synchronised clock has told when its damaged copy was set aside",
}


@dataclass(frozen=True)
class RetentionRule:
    """Days after a session's end for which its file is kept; `programmes` have their own."""

    days: float | None
    programmes: dict[str, float] = field(default_factory=dict)

    def days_of(self, programme: str) -> float | None:
        """For how long sessions of a programme are kept; None for ever. Where it is not known (""): the longest."""
        if not programme and self.days is not None:
            return max([self.days, *self.programmes.values()])
        return self.programmes.get(programme, self.days)


@dataclass(frozen=True)
class KeepingSettings:
    """What a room file says of backup and retention."""

    backup_to: Path | None = None
    same_disk: bool = False
    retention: RetentionRule | None = None


@dataclass(frozen=True)
class Over:
    """A session whose time is over. `removal` is None where it stays, and `why`."""

    info: SessionInfo
    days: float
    removal: Removal | None
    why: str = ""


def sessions_over(state_dir: Path, rule: RetentionRule, now: datetime) -> Iterator[Over]:
    """The sessions whose time is over by the rule; an open one is never among them.

    Only a synchronised clock's word makes one go.
    """
    known = backups(state_dir)
    for info in kept_sessions(state_dir):
        days = rule.days_of(info.programme)
        if days is None or not info.closed or not info.ended_utc:
            continue
        if not _has_passed(info.sure_utc or info.ended_utc, days, now):
            continue
        if not info.sure_utc:  # a computer without a battery may have thought that it was years ago
            yield Over(info, days, None, _NO_CLOCK[info.damaged])
            continue
        removal = removal_of(state_dir, info, days, known)
        why = "" if removal else "neither signed nor in a backup that is there and holds it as it is"
        yield Over(info, days, removal, why)


def kept_sessions(state_dir: Path) -> list[SessionInfo]:
    """Every session that is there, oldest first, and behind them those of which only damaged copies are left."""
    return [*list_sessions(state_dir), *remains(state_dir)]


def is_over(info: SessionInfo, days: float, now: datetime) -> bool:
    """Whether a closed session ended so many days ago, by the word of a synchronised clock."""
    return info.closed and bool(info.sure_utc) and _has_passed(info.sure_utc, days, now)


def _has_passed(utc: str, days: float, now: datetime) -> bool:
    ended = datetime.fromisoformat(utc.replace("Z", "+00:00"))
    return (now - ended).total_seconds() >= days * 86400.0


def removal_of(state_dir: Path, info: SessionInfo, days: float, known: dict[str, Backup]) -> Removal | None:
    """What the record will say of a session's removal; None where nothing stands for it."""
    stands = kept_by(info, known)
    if stands not in ("signature", "backup"):
        return None
    return Removal(
        session=name_digest(info.session),
        opened_utc=info.opened_utc,
        closed_utc=info.ended_utc,
        records=info.records,
        head=info.head,
        days=days,
        kept_by="signature" if stands == "signature" else "backup",
        sheets=len(sheets_of(state_dir, info.session)),
        copies=len(damaged_copies(state_dir, info.session)),
    )
