"""How long sessions are kept: which are over by the clinic's rule, and what each removal will say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from controller.journal.chain import name_digest
from controller.journal.reading import SessionInfo, list_sessions
from controller.journal.sealing import backups, kept_by
from controller.messages import Removal


@dataclass(frozen=True)
class RetentionRule:
    """Days after a session's end for which its file is kept; `programmes` have their own."""

    days: float | None
    programmes: dict[str, float] = field(default_factory=dict)

    def days_of(self, programme: str) -> float | None:
        """For how long sessions of a programme are kept; None for ever."""
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
    """The sessions whose time is over by the rule, oldest first; an open one is never among them.

    Only a synchronised clock's word makes one go.
    """
    known = backups(state_dir)
    for info in list_sessions(state_dir):
        days = rule.days_of(info.programme)
        if days is None or not info.closed or not info.ended_utc:
            continue
        ended = datetime.fromisoformat((info.sure_utc or info.ended_utc).replace("Z", "+00:00"))
        if (now - ended).total_seconds() < days * 86400.0:
            continue
        if not info.sure_utc:  # a computer without a battery may have thought that it was years ago
            yield Over(
                info, days, None, "its clock was not synchronised when it ended; a signature with a right one tells"
            )
            continue
        stands = kept_by(info, known)
        if stands not in ("signature", "backup"):
            yield Over(info, days, None, "neither signed nor in a good backup")
            continue
        removal = Removal(
            session=name_digest(info.session),
            opened_utc=info.opened_utc,
            closed_utc=info.ended_utc,
            records=info.records,
            head=info.head,
            days=days,
            kept_by="signature" if stands == "signature" else "backup",
        )
        yield Over(info, days, removal)
