"""A session as it was lived through, for the arc's drawing."""

from __future__ import annotations

from msgspec.structs import replace

from controller.arc.curves import Curve
from controller.drawing.arc import ArcPicture, Span, Tick
from controller.report.account import Account, Event

_MARKED = frozenset(
    (
        "mark", "note", "dose", "touch", "adverse_event", "challenge", "release", "leave", "pause", "resume", "hold",
        "quiet", "skip", "next", "ground", "softer", "go", "land", "evacuate", "catch_up", "shorten",
    )
)  # fmt: skip
"""Kinds of entry that a person finds the day again by."""


def picture_of(account: Account) -> ArcPicture:
    """Phases, curves, pieces and entries on the axis of T+."""
    zero = account.zero_t

    def moved(curve: Curve) -> Curve:
        return tuple((t - zero, level) for t, level in curve)

    pieces = tuple(
        Span(start_s=piece.t - zero, end_s=piece.t - zero + piece.played_s, word=piece.title)
        for piece in account.pieces
        if piece.played_s > 0
    )
    ticks = [
        Tick(t_s=event.t - event.ago_s - zero, word=_word(event), kind="mark")
        for event in account.events
        if _is_marked(event)
    ]
    ticks += [Tick(t_s=taken.t - zero, kind="due") for taken in account.vitals if not taken.vitals.missed]
    ticks += [
        Tick(t_s=event.t - zero, word=_call(event), kind="fault") for event in account.events if event.kind == "call"
    ]
    outages = tuple(Span(start_s=start - zero, end_s=end - zero, word="outage") for start, end in account.outages)
    ticks += [Tick(t_s=outage.start_s, word=outage.word, kind="fault") for outage in outages]
    start, end = account.opened.t - zero, account.last_t - zero  # what was entered later may lie before the opening
    ticks = [tick for tick in ticks if start <= tick.t_s <= end]
    return ArcPicture(
        title=f"{account.programme.title}, as it was",
        phases=tuple(
            replace(phase, start_s=phase.start_s - zero, end_s=phase.end_s - zero) for phase in account.phases
        ),
        intensity=moved(account.intensity),
        light=moved(account.light),
        volume=moved(account.volume),
        pieces=pieces,
        silences=outages,
        ticks=tuple(ticks),
        vitals_word="vitals taken",
        note="h:mm from ingestion" if account.dosed else "h:mm from the opening",
    )


def _call(event: Event) -> str:
    return "emergency" if event.values.get("level") == "emergency" else "call"


def _is_marked(event: Event) -> bool:
    return event.kind in _MARKED and event.by_a_person and not event.taken_back


def _word(event: Event) -> str:
    """A mark by its own word, anything else by its kind: notes are for the page, not for the picture."""
    if event.kind == "mark":
        return event.text.split("  ")[0].split(",")[0][:18]
    return event.kind.replace("_", " ") + (" ends" if event.values.get("part") in ("end", "stop") else "")
