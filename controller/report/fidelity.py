"""Planned against delivered: each phase as the programme has it beside how it was lived through, and each vitals time.

Music is heard while a piece plays and is not faded out; silence is the time with none let out, asked for or planned.
Light deviates by the difference in perceived percent between what burned and what the programme has at that place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from msgspec.structs import replace

from controller.arc.curves import Curve, level_at, light_curve
from controller.arc.programme import SILENCE
from controller.report.account import EDGE_S, Account, Event
from controller.session.vitals import Asked, Standing, served

INTERVENTIONS = frozenset(
    (
        "pause", "resume", "hold", "quiet", "go", "catch_up", "land", "shorten", "skip", "next", "ground", "softer",
        "volume", "light", "set_limits", "evacuate", "call",
    )
)  # fmt: skip
"""What people do to the session, as against what they note of it."""

LIGHT_DEVIATES = 0.05
"""From this difference in perceived level on the light counts as another than the programme's (our judgement)."""

_STEP_S = 10.0
"""The light is compared every so often."""

VitalsStanding = Literal["in_window", "late", "missed", "not_taken", "not_reached"]


@dataclass(frozen=True, kw_only=True)
class PhaseFidelity:
    """One phase. Minutes, except `light_mean` (mean difference in perceived percent)."""

    code: str
    title: str
    start_t: float | None
    """When it was first entered; None where it never was."""
    planned: float
    delivered: float
    music_planned: float
    music_heard: float
    silence: float
    light_mean: float
    light_off: float
    """Minutes in which the light was another than the programme's."""
    interventions: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class VitalsFidelity:
    """One reading that was asked for; `taken_t` is None where there is none."""

    participant: str
    due_t: float
    what: str
    needs: tuple[str, ...]
    standing: VitalsStanding
    taken_t: float | None


def phases_of(account: Account) -> list[PhaseFidelity]:
    """Every phase of the programme as it was booked, in its order."""
    booked = account.state.booked or account.programme
    light = tuple(_programmed_light(account))
    acts = [event for event in account.events if _intervenes(event)]
    found = []
    for phase in booked.phases:
        lived = [view for view in account.phases if view.code == phase.code]
        spans = [(view.start_s, view.end_s) for view in lived]
        delivered = _length(spans)
        silent = _length(_overlaps(spans, _silences(account)))
        heard = _overlaps(spans, _without(_merged(_pieces(account)), list(_silences(account))))
        mean, off = _light(account, light, spans)
        here = Counter(event.kind for event in acts if any(start <= event.t < end for start, end in spans))
        found.append(
            PhaseFidelity(
                code=phase.code, title=phase.title, start_t=lived[0].start_s if lived else None, planned=phase.minutes,
                delivered=delivered / 60, music_planned=0.0 if phase.source == SILENCE else phase.minutes,
                music_heard=_length(heard) / 60, silence=silent / 60, light_mean=mean * 100, light_off=off / 60,
                interventions=tuple(sorted(here.items())),
            )
        )  # fmt: skip
    return found


def vitals_of(account: Account) -> Iterator[VitalsFidelity]:
    """Every reading that the programme asked for, by participant and time."""
    state = replace(account.state, mode="running")  # as if it went on: what was asked is asked of an open session
    for person in state.participants:
        until = min(t for t in (account.last_t, person.left_t, person.released_t) if t is not None)
        here = replace(person, left_t=None, released_t=None)
        for it in served(state, here, until):
            taken = next((t for t, _ in _readings(it.asked, here.vitals)), None)
            standing = _standing(it.standing, it.asked, taken, until)
            yield VitalsFidelity(
                participant=person.code, due_t=it.asked.t, what=it.asked.what, needs=it.asked.needs, standing=standing,
                taken_t=taken if standing in ("in_window", "late") else None,
            )  # fmt: skip


def _readings(asked: Asked, vitals: Iterable[tuple[float, object]]) -> Iterator[tuple[float, object]]:
    return (
        (t, entry) for t, entry in vitals if asked.opens_t <= t < asked.closes_t and not getattr(entry, "missed", "")
    )


def _standing(standing: Standing, asked: Asked, taken: float | None, until: float) -> VitalsStanding:
    if standing == "done" and taken is not None:
        return "late" if taken > asked.late_t else "in_window"
    if standing == "missed":
        return "missed"
    return "not_reached" if asked.t > until else "not_taken"


def _intervenes(event: Event) -> bool:
    return event.kind in INTERVENTIONS and event.by_a_person and not event.taken_back


def _programmed_light(account: Account) -> Iterator[tuple[float, float]]:
    """The programme's light, laid over the phases as they were lived through."""
    programme, rules = account.programme, account.state.rules
    curve = light_curve(programme, rules.light_floor, rules.light_ceiling)
    for lived in account.phases:
        index = programme.index_of(lived.code)
        start, length = programme.start_s(index), programme.phases[index].length_s
        inside = [at for at, _ in curve if start < at < start + length - EDGE_S]
        for at in (start + EDGE_S, *inside, start + length - EDGE_S):
            yield lived.start_s + (at - start) / length * (lived.end_s - lived.start_s), level_at(curve, at)


def _light(account: Account, programmed: Curve, spans: list[tuple[float, float]]) -> tuple[float, float]:
    """Mean difference in level, and seconds in which it was too large."""
    total = off = seconds = 0.0
    for start, end in spans:
        t = start
        while t < end and programmed:
            step = min(_STEP_S, end - t)
            difference = abs(level_at(account.light, t + step / 2) - level_at(programmed, t + step / 2))
            total += difference * step
            off += step if difference >= LIGHT_DEVIATES else 0.0
            seconds += step
            t += step
    return (total / seconds if seconds else 0.0), off


Spans = list[tuple[float, float]]


def _pieces(account: Account) -> Spans:
    return sorted((piece.t, piece.t + piece.played_s) for piece in account.pieces)


def _silences(account: Account) -> Spans:
    """When no music was let out."""
    steps = pairwise(account.volume)
    return [(t, until) for (t, level), (until, _) in steps if level == 0.0 and until > t]


def _merged(spans: Iterable[tuple[float, float]]) -> Spans:
    merged: Spans = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _without(spans: Spans, holes: Spans) -> Spans:
    left = spans
    for begin, stop in holes:
        left = [
            piece for start, end in left for piece in ((start, min(end, begin)), (max(start, stop), end))
            if piece[1] > piece[0]
        ]  # fmt: skip
    return left


def _overlaps(spans: Spans, others: Spans) -> Spans:
    found = [(max(a, c), min(b, d)) for a, b in spans for c, d in others]
    return [(start, end) for start, end in found if end > start]


def _length(spans: Spans) -> float:
    return sum(end - start for start, end in spans)


def lines(account: Account) -> Iterator[str]:
    """The whole of it for a terminal."""
    headings = ("planned", "lived", "music", "silence", "light ±", "off")
    yield f"{'phase':<18} {' '.join(f'{heading:>8}' for heading in headings)}  what people did"
    for it in phases_of(account):
        did = ", ".join(f"{kind} {count}" if count > 1 else kind for kind, count in it.interventions)
        if it.start_t is None:
            yield f"{it.title:<18.18} {it.planned:>4.0f} min  never reached"
            continue
        minutes = (f"{length:>4.0f} min" for length in (it.planned, it.delivered, it.music_heard, it.silence))
        yield f"{it.title:<18.18} {' '.join(minutes)} {it.light_mean:>6.0f} % {it.light_off:>4.0f} min  {did}".rstrip()
    readings = [it for it in vitals_of(account) if it.standing != "not_reached"]
    counts = Counter(it.standing for it in readings)
    told = (f"{counts[one]} {one.replace('_', ' ')}" for one in ("in_window", "late", "missed", "not_taken"))
    yield ""
    yield f"vitals asked for: {len(readings)}, {', '.join(told)}"
    for reading in readings:
        if reading.standing != "in_window":
            yield _reading_line(account, reading)


def _reading_line(account: Account, it: VitalsFidelity) -> str:
    due = account.t_plus(it.due_t) / 60
    taken = f", taken {(it.taken_t - it.due_t) / 60:.0f} min after" if it.taken_t is not None else ""
    standing = it.standing.replace("_", " ")
    return f"  {it.participant:<12} due at T+ {due:.0f} min ({' '.join(it.needs)}): {standing}{taken}"
