"""What a rehearsal found, in words and as JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from controller import wording
from controller.messages import PieceStarted
from controller.rehearsal.room import Rehearsal
from controller.report.account import Account, Event
from controller.report.tables import clock_of
from controller.wording.quantities import counted

WARNINGS = frozenset({"short", "step", "set_short", "dropped"})
"""Reasons of a plan that somebody should look at before the day."""

_FAULTS = frozenset({"filler_changed", "piece_broken", "piece_ended", "music_short", "refused"})
_MACHINERY = frozenset({"opened", "engine_reported", "device_back"})


def timeline(account: Account) -> Iterator[str]:
    """The session, a line for each thing that happens, by T+."""
    lengths = {piece.t: piece.played_s for piece in account.pieces}
    for event in account.events:
        if event.kind in _MACHINERY:
            continue
        at = clock_of(account.t_plus(event.t))
        mark = "WARNING " if event.kind in _FAULTS else ""
        extra = ""
        if event.kind == "piece_started":
            seconds = lengths.get(event.t, 0.0)
            extra = f", {seconds / 60:.1f} min" if seconds else ""
        yield f"{at:>9}  {mark}{_told(event)}{extra}"


def _told(event: Event) -> str:
    indent = "" if event.kind == "phase_entered" or event.by_a_person else "  "
    who = ">> " if event.by_a_person else ""
    return f"{indent}{who}{event.word:<8}{event.text}".rstrip()


def warnings(found: Rehearsal, account: Account) -> list[str]:
    """Everything that should be looked at before a person lies in the room; each once."""
    told: dict[str, None] = {}
    heard = {record.input.act.cue for record, _ in found.records if isinstance(record.input.act, PieceStarted)}
    for _, _, facts in found.reasons:
        for fact in facts:
            if fact.code in WARNINGS and fact.values.get("cue", 0) in {0, *heard}:
                told[wording.planned(fact.code, fact.values)] = None
    for event in account.events:
        if event.kind in _FAULTS:
            told[f"{clock_of(account.t_plus(event.t))} {event.word} {event.text}"] = None
    return list(told)


def explanation(found: Rehearsal, account: Account) -> Iterator[str]:
    """Why each piece is where it is, plan by plan."""
    for t, number, facts in found.reasons:
        yield f"Plan {number}, made at {clock_of(account.t_plus(t))}"
        kept = sum(fact.values.get("why") == "kept" for fact in facts)
        if kept:
            yield f"    {counted(kept, 'piece stays as it was', 'pieces stay as they were')} planned"
        for fact in facts:
            if fact.values.get("why") != "kept":
                yield f"    {wording.planned(fact.code, fact.values)}"


def json_lines(found: Rehearsal, account: Account, troubles: Iterable[str], *, explained: bool) -> Iterator[str]:
    """One object a line: what happened, then warnings; the reasons of every plan where they are asked for."""
    for event in account.events:
        at = round(account.t_plus(event.t), 1)
        yield _json({"t_plus_s": at, "what": event.kind, **event.values, "words": f"{event.word} {event.text}".strip()})
    if explained:
        for t, number, facts in found.reasons:
            at = round(account.t_plus(t), 1)
            for fact in facts:
                yield _json({"t_plus_s": at, "plan": number, "reason": fact.code, **fact.values})
    for trouble in troubles:
        yield _json({"warning": trouble})


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def misses(found: Rehearsal) -> list[float]:
    """Seconds by which each phase's music misses its end, as the last plan left it."""
    last: dict[str, float] = {}
    for _, _, facts in found.reasons:
        for fact in facts:
            if fact.code == "filled":
                last[str(fact.values["phase"])] = float(fact.values["miss_s"])
    return list(last.values())
