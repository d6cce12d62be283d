"""The preflight of a session in a few lines: what was green, when, by whom, and what was overridden."""

from __future__ import annotations

from datetime import datetime, timedelta

from controller import wording
from controller.messages import PreflightLine, Record, Start
from controller.report.account import Account


def preflight_words(account: Account) -> str:
    """One paragraph; the reasons of what was overridden lie in the room's own book, with the records named here."""
    opening = account.records[0][0]
    lines = opening.input.act.preflight if isinstance(opening.input.act, Start) else ()
    if not lines:
        return "none is on record"
    told = [_told(line, opening) for line in lines if line.stage == "green"]
    over = [
        f"{wording.preflight.check(line.check)} OVERRIDDEN {_at(line, opening)} by {line.by}"
        f" (why: record {line.seq} of the room's book)"
        for line in lines
        if line.stage == "overridden"
    ]
    return "; ".join([*over, *told])


def _told(line: PreflightLine, opening: Record) -> str:
    by = f" {line.by}" if line.by else ""
    return f"{wording.preflight.check(line.check)} {_at(line, opening)}{by}"


def _at(line: PreflightLine, opening: Record) -> str:
    """UTC of a line, by how long it was before the opening."""
    before = timedelta(seconds=opening.stamp.t - line.t)
    return f"{datetime.fromisoformat(opening.stamp.utc) - before:%H:%M}"
