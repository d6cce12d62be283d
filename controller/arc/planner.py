"""The planner: which piece when. Pure and deterministic by seed.

Pieces are laid on the sound timeline so that each phase's music ends where the phase ends. What plays is left alone
unless the request says `cut`; no piece comes twice in a session unless the programme allows it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from controller.arc.programme import SILENCE, Phase, Programme
from controller.messages import Cue, Limits, Piece

LEAD_S = 4.0
"""A cue that begins within this time is already being opened by the engine and stays."""

CUT_LEAD_S = 2.0
"""From the request to the first sound of a piece that is crossed over to."""

HELD_S = 3 * 3600.0
"""How far a phase that is held, or waits, is filled; a new plan follows when it is released."""

SHORTEST_S = 5.0
"""Nothing shorter than this is worth starting."""

TRIES = 120
"""Shuffles per phase in search of an ending that fits."""


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """Where the session stands. `pool`: pieces by the name of a phase's music; `cues`: the sheet as it was.

    `timeline_s` is where the sound timeline stands at `arc_s`. `played` are paths that may not come again, `broken`
    those that turned out not to play. `set_code`: the set that a sitter chose, drawn from until the first piece that
    ends past timeline second `set_until_s`. Gains bring pieces to `target_lufs`, their true peak at most to
    `peak_dbfs`.
    """

    programme: Programme
    pool: Mapping[str, Sequence[Piece]]
    arc_s: float
    phase: int
    timeline_s: float
    cues: tuple[Cue, ...] = ()
    played: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    held: bool = False
    cut: bool = False
    limits: Limits = Limits()
    set_code: str = ""
    set_until_s: float = 0.0
    seed: int = 0
    target_lufs: float = -23.0
    peak_dbfs: float = -7.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All cues from what plays now to the end; `misses`: seconds by which each phase's music misses its end."""

    cues: tuple[Cue, ...]
    short_s: float
    misses: tuple[tuple[str, float], ...]


def plan(request: PlanRequest) -> Plan:
    """Lay the rest of the session. Never raises for a poor pool: what cannot be filled is counted in `short_s`."""
    return _Planner(request).run()


class _Planner:
    def __init__(self, request: PlanRequest) -> None:
        self.request = request
        self.cues, self.cursor = _kept(request)
        self.used = set(request.played) | {cue.piece.path for cue in self.cues}
        self.next_id = max((cue.id for cue in request.cues), default=0) + 1
        self.short_s = 0.0
        self.misses: list[tuple[str, float]] = []

    def run(self) -> Plan:
        request = self.request
        programme = request.programme
        for index in range(request.phase, len(programme.phases)):
            phase = programme.phases[index]
            here = index == request.phase
            held = here and (request.held or bool(phase.wait_for))
            boundary = request.timeline_s + programme.end_s(index) - request.arc_s
            end = self.cursor + HELD_S if held else boundary
            self._fill(index, phase, end, held)
            if held:
                break
        return Plan(cues=tuple(self.cues), short_s=self.short_s, misses=tuple(self.misses))

    def _fill(self, index: int, phase: Phase, end: float, held: bool) -> None:
        if phase.source == SILENCE:
            self.cursor = max(self.cursor, end)
            return
        rng = random.Random(f"{self.request.seed}/{phase.code}/{len(self.cues)}")
        fade = phase.crossfade_s
        chosen = self._choose(rng, self._candidates(index), end - self.cursor, fade, held)
        for piece, length in chosen:
            self._lay(piece, length, phase)
        while not held and self.request.programme.repeats == "when-needed" and end - self.cursor > SHORTEST_S:
            pool = [piece for piece in self._pool(phase) if not self.cues or piece.path != self.cues[-1].piece.path]
            if not pool:
                break
            piece = rng.choice(pool)
            self._lay(piece, min(piece.duration_s, end - self.cursor + fade), phase)
        if held:
            return
        miss = self.cursor - end
        self.misses.append((phase.code, miss))
        if miss < -SHORTEST_S:
            self.short_s -= miss
            self.cursor = end

    def _choose(
        self, rng: random.Random, candidates: list[Piece], room_s: float, fade: float, held: bool
    ) -> list[tuple[Piece, float]]:
        """Pieces and how long each sounds, such that the last one's end (less its crossfade) comes at `room_s`."""
        if room_s < SHORTEST_S:
            return []
        if held or self.request.programme.pieces == "may-be-cut":
            rng.shuffle(candidates)
            chosen: list[tuple[Piece, float]] = []
            for piece in candidates:
                if room_s < SHORTEST_S:
                    break
                length = piece.duration_s if held else min(piece.duration_s, room_s + fade)
                chosen.append((piece, length))
                room_s -= length - fade
            return chosen
        best: list[Piece] = []
        best_miss = room_s
        for _ in range(TRIES):
            rng.shuffle(candidates)
            taken, left = _take(candidates, room_s, fade)
            if abs(left) < best_miss:
                best, best_miss = taken, abs(left)
            if best_miss <= 2.0:
                break
        return [(piece, piece.duration_s) for piece in best]

    def _candidates(self, index: int) -> list[Piece]:
        """The phase's own unused pieces; where they are too few, those of phases of like intensity behind them."""
        phase = self.request.programme.phases[index]
        own = [piece for piece in self._pool(phase) if piece.path not in self.used]
        held = index == self.request.phase and self.request.held
        if sum(piece.duration_s - phase.crossfade_s for piece in own) >= phase.length_s and not held:
            return own
        spare = self._spare(index)
        return own + [piece for piece in spare if piece.path not in {mine.path for mine in own}]

    def _spare(self, index: int) -> list[Piece]:
        """Unused pieces of earlier or held phases' pools; later phases keep theirs unless this one is held."""
        programme = self.request.programme
        mine = sum(programme.phases[index].intensity) / len(programme.phases[index].intensity)
        own_names = {phase.source for phase in programme.phases[index + 1 :]}
        neighbours = sorted(
            (phase for phase in programme.phases if phase.source not in own_names),
            key=lambda phase: abs(sum(phase.intensity) / len(phase.intensity) - mine),
        )
        return [piece for phase in neighbours for piece in self._pool(phase) if piece.path not in self.used]

    def _pool(self, phase: Phase) -> list[Piece]:
        broken = self.request.broken
        return [piece for piece in self.request.pool.get(phase.source, ()) if piece.path not in broken]

    def _lay(self, piece: Piece, length: float, phase: Phase) -> None:
        fade = min(phase.crossfade_s, length / 2)
        previous = self.cues[-1] if self.cues else None
        joined = previous is not None and previous.end_s > self.cursor
        fade_in = min(length / 2, previous.end_s - self.cursor) if joined and previous else min(fade, 3.0)
        self.cues.append(
            Cue(
                id=self.next_id,
                start_s=self.cursor,
                piece=piece,
                length_s=length,
                fade_in_s=fade_in,
                fade_out_s=fade,
                gain_db=self._gain(piece),
                phase=phase.code,
            )
        )
        if joined and previous:
            self.cues[-2] = replace(previous, fade_out_s=fade_in)
        self.next_id += 1
        self.used.add(piece.path)
        self.cursor += length - fade

    def _gain(self, piece: Piece) -> float:
        target = self.request.target_lufs + self.request.programme.loudness_offset_db
        return min(target - piece.lufs, self.request.peak_dbfs - piece.true_peak_dbfs)


def _take(candidates: Sequence[Piece], room_s: float, fade: float) -> tuple[list[Piece], float]:
    """Pieces in this order while they fit, then the one whose end comes nearest; and the seconds left (or over)."""
    taken: list[Piece] = []
    left = room_s
    for place, piece in enumerate(candidates):
        span = piece.duration_s - fade
        if span > left:
            rest = min(candidates[place:], key=lambda other: abs(left - (other.duration_s - fade)))
            over = left - (rest.duration_s - fade)
            if abs(over) < left:
                return [*taken, rest], over
            break
        taken.append(piece)
        left -= span
    return taken, left


def _kept(request: PlanRequest) -> tuple[list[Cue], float]:
    """The cues that stay, and the timeline second at which the next one may begin."""
    now = request.timeline_s
    fade = request.programme.phases[request.phase].crossfade_s
    sounding = [
        cue
        for cue in request.cues
        if cue.end_s > now and cue.piece.path not in request.broken
        and cue.start_s <= now + (0.0 if request.cut else LEAD_S)
    ]  # fmt: skip
    if not sounding:
        return [], now + (CUT_LEAD_S if request.cues else 0.0)
    if not request.cut:
        last = max(sounding, key=lambda cue: cue.end_s)
        return sounding, last.end_s - min(last.fade_out_s or fade, last.length_s / 2)
    start = now + CUT_LEAD_S
    kept = []
    for cue in sounding:
        end = min(cue.end_s, start + fade)
        out = min(fade, max(0.0, end - start)) if end < cue.end_s else cue.fade_out_s
        kept.append(replace(cue, length_s=end - cue.start_s, fade_out_s=max(out, 0.5)))
    return kept, start
