"""Which of a clinic's own pieces suit a phase: a ranking by what was measured, with the figures behind it. Pure.

The direction is Barrett and others' (2017, doi 10.3389/fpsyg.2017.01238): ten experts' music for the peak was regular
and predictable, slowly building, and of lower perceptual brightness than the music before the peak. They say nothing of
loudness, and it has no part here: every piece is brought to the same. The weights, and the wishes for all other phases,
are our judgement. A ranking helps to find what to listen to; it does not know what a piece means to anybody.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from controller.messages import Piece

Character = Literal["calm", "ascent", "peak", "descent"]

PEAK_INTENSITY = 0.65
SLOPE = 0.25
"""A phase that rises or falls by more than this is an ascent or a descent."""
SLOW_RISE_DB = 6.0
"""More than this over a whole piece is not a slow rise: it counts no further."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How much a figure counts: above 0 more is better, below 0 less. `words` says so."""

    figure: str
    weight: float
    words: str


WISHES: dict[Character, tuple[Wish, ...]] = {
    "peak": (
        Wish("onset_regularity", 2.0, "regular"),
        Wish("centroid_hz", -2.0, "dark"),
        Wish("loudness_range_lu", -1.5, "steady"),
        Wish("rise_db", 1.0, "slowly building"),
        Wish("onset_rate_hz", -0.5, "few events"),
    ),
    "ascent": (
        Wish("rise_db", 2.0, "slowly building"),
        Wish("onset_regularity", 1.5, "regular"),
        Wish("centroid_hz", 1.0, "brighter than the peak"),
        Wish("loudness_range_lu", -0.5, "steady"),
        Wish("onset_rate_hz", 0.5, "moving"),
    ),
    "descent": (
        Wish("loudness_range_lu", -1.5, "steady"),
        Wish("onset_rate_hz", -1.5, "few events"),
        Wish("rise_db", -1.0, "not building"),
        Wish("centroid_hz", -0.5, "dark"),
        Wish("onset_regularity", 0.5, "regular"),
    ),
    "calm": (
        Wish("onset_rate_hz", -2.0, "few events"),
        Wish("loudness_range_lu", -2.0, "steady"),
        Wish("centroid_hz", -1.0, "dark"),
        Wish("rise_db", -0.5, "not building"),
        Wish("onset_regularity", 0.5, "regular"),
    ),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One figure of a piece: its value, and the share of the other pieces that it suits at least as well as, 0..1."""

    wish: Wish
    value: float
    share: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A piece, how well it suits (0..100), and why."""

    piece: Piece
    score: float
    standings: tuple[Standing, ...]


def character_of(intensity: Sequence[float]) -> Character:
    """What kind of phase an intensity curve (0..1) makes."""
    slope = intensity[-1] - intensity[0]
    if abs(slope) > SLOPE:
        return "ascent" if slope > 0 else "descent"
    return "peak" if sum(intensity) / len(intensity) >= PEAK_INTENSITY else "calm"


def rank(pieces: Sequence[Piece], character: Character) -> list[Suggestion]:
    """The pieces, best first. Each figure counts by its place among the pieces given, not by its size."""
    wishes = WISHES[character]
    total = sum(abs(wish.weight) for wish in wishes)
    shares = {wish.figure: _shares([_figure(piece, wish) for piece in pieces], wish.weight < 0) for wish in wishes}
    ranked = []
    for place, piece in enumerate(pieces):
        standings = tuple(Standing(wish, getattr(piece, wish.figure), shares[wish.figure][place]) for wish in wishes)
        score = 100 * sum(abs(each.wish.weight) * each.share for each in standings) / total
        ranked.append(Suggestion(piece, score, standings))
    return sorted(ranked, key=lambda each: (-round(each.score, 6), each.piece.path))


def _figure(piece: Piece, wish: Wish) -> float:
    value: float = getattr(piece, wish.figure)
    return min(value, SLOW_RISE_DB) if wish.figure == "rise_db" else value


def _shares(values: Sequence[float], less_is_better: bool) -> list[float]:
    """For each value the share of the others that are worse, equals counted half; a half where there are no others."""
    if len(values) < 2:
        return [0.5] * len(values)
    signed = [-value if less_is_better else value for value in values]
    ordered = sorted(signed)
    others = len(values) - 1
    return [(bisect_left(ordered, v) + bisect_right(ordered, v) - 1) / 2 / others for v in signed]
