"""The preflight of a session in a few lines: what was green, when, by whom, and what was overridden."""

from __future__ import annotations

from datetime import datetime, timedelta

from controller import wording
from controller.messages import PreflightLine, Start
from controller.report.account import Account


def preflight_words(account: Account) -> str:
    """One paragraph; the reasons of what was overridden lie in the room's own book, with the records named here."""
    opening = account.records[0][0]
    lines = opening.input.act.preflight if isinstance(opening.input.act, Start) else ()
    if not lines:
        return "none is on record"
    told = [_told(line, account) for line in lines if line.stage == "green"]
    over = [
        f"{wording.preflight.check(line.check)} OVERRIDDEN {_at(line, account)} by {line.by}"
        f" (why: record {line.seq} of the room's book)"
        for line in lines
        if line.stage == "overridden"
    ]
    return "; ".join([*over, *told])


def _told(line: PreflightLine, account: Account) -> str:
    by = f" {line.by}" if line.by else ""
    return f"{wording.preflight.check(line.check)} {_at(line, account)}{by}"


def _at(line: PreflightLine, account: Account) -> str:
    """UTC of a line, by how long it was before the opening."""
    opened_t, utc = account.stamps[account.records[0][0].seq]
    return f"{datetime.fromisoformat(utc) - timedelta(seconds=opened_t - line.t):%H:%M}"
