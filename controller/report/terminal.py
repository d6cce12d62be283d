"""A session's record in the terminal: what it was in a few lines, then everything in order."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from controller import wording
from controller.report import clinical
from controller.report.account import Account, Event, chain_words
from controller.report.people import told
from controller.report.preflight import preflight_words
from controller.report.tables import clock_of
from controller.wording.quantities import counted


def head_lines(account: Account) -> Iterator[str]:
    """What a reader wants to know first, a line each."""
    rows = list(_head(account))
    width = max(len(heading) for heading, _ in rows)
    for heading, text in rows:
        yield f"{heading:<{width}} {text}"


def _head(account: Account) -> Iterator[tuple[str, str]]:
    opened, closed = account.opened, account.closed
    length = wording.duration(account.last_t - opened.t)
    yield account.called("session", "Session"), f"{account.session} in room {account.room}: {account.programme.title}"
    yield "Opened", f"{opened.utc[:19].replace('T', ' ')} UTC, {'closed' if closed else 'open'} after {length}"
    yield account.called("participant", "Participants"), ", ".join(account.participants)
    doses = [f"{code} at {clock_of(account.t_plus(t))} {words}" for t, code, words in clinical.doses(account.state)]
    yield "Doses", "; ".join(doses) or "none was logged"
    for words in clinical.touch(account.state):
        yield "Touch", words
    yield "Preflight", preflight_words(account)
    yield account.called("sitter", "Present"), told(account.people) or "nobody signed on"
    kinds = [event.kind for event in account.events if not event.taken_back]
    missed = sum(bool(taken.vitals.missed) for taken in account.vitals)
    later = sum(event.afterwards and event.kind != "sign_off" for event in account.events)
    contents = (
        counted(len(account.vitals) - missed, "line of vitals", "lines of vitals"), f"{missed} missed",
        *(counted(kinds.count(kind), kind.replace("_", " ")) for kind in ("mark", "note", "call", "adverse_event")),
        counted(len(account.incidents), "incident"), counted(later, "later entry", "later entries"),
    )  # fmt: skip
    yield "In it", ", ".join(contents)
    yield "Record", chain_words(account.chain)
    if account.missing:
        yield "Missing", "; ".join(account.missing)
    for signature in account.signatures:
        at = signature.utc[:16].replace("T", " ")
        yield "Signed off", f"{signature.who}, {at} UTC, up to record {signature.after}: {signature.meaning}"
    if not account.signatures:
        yield "Signed off", "not yet"


def event_lines(
    account: Account, span: tuple[float, float] | None = None, kinds: Collection[str] = ()
) -> Iterator[str]:
    """The entries in order; `span` in seconds of T+, `kinds` by the act's kind or its word."""
    for event in account.events:
        if kinds and event.kind not in kinds and event.word not in kinds:
            continue
        t_plus = account.t_plus(event.t)
        if span is not None and not (event.timed and span[0] <= t_plus <= span[1]):
            continue
        yield _line(account, event, t_plus)


def _line(account: Account, event: Event, t_plus: float) -> str:
    at = clock_of(t_plus) if event.timed else ""
    taken_back = " (taken back)" if event.taken_back and "(taken back)" not in event.text else ""
    text = f"{event.text}{taken_back}{event.remarks}"
    return f"{event.seq:>6}  {at:>9}  {event.utc[11:19]}Z  {event.by:<10.10} {event.word:<8} {text}".rstrip()
