"""The planner: which piece when. Pure and deterministic by seed.

Pieces are laid on the sound timeline so that each phase's music gives way to the next one's where the phases meet. What
plays is left alone unless the request says `cut`; what was planned stays as far as it still fits; no piece comes twice
in a session, unless the programme allows it or a phase that is held has nothing else left.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from msgspec.structs import replace

from controller.arc.choosing import NOWHERE, SHORTEST_S, Chooser
from controller.arc.laying import Pick, Sheet
from controller.arc.programme import SILENCE, Phase, Programme
from controller.arc.reasons import Reasons
from controller.arc.shelves import Pool, Track, track_of
from controller.arc.taste import forbids
from controller.messages import Cue, Fact, Limits

LEAD_S = 4.0
"""A cue that begins within this time is already being opened by the engine and stays."""

CUT_LEAD_S = 2.0
"""From the request to the first sound of a piece that is crossed over to."""

HELD_S = 2 * 3600.0
"""How far ahead a phase that is held, or waits for ingestion, is filled; the later phases lie behind that."""

EARLY_S = 300.0
"""Where music is missing before a border, the next phase's may come so much early; else the filler stands in."""


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """Where the session stands. `pool`: pieces by the name of a phase's music; `cues`: the sheet as it was.

    `timeline_s` is where the sound timeline stands at `arc_s`. `played` are paths that may not come again, `broken`
    those that turned out not to play. `held`: this phase goes on until somebody says otherwise; `waits`: the codes of
    phases that will wait at their end. `set_code`: the set that a sitter chose, drawn from until the first piece that
    ends past timeline second `set_until_s`. Gains bring pieces to `target_lufs`, their true peak at most to
    `peak_dbfs`.
    """

    programme: Programme
    pool: Pool
    arc_s: float
    phase: int
    timeline_s: float
    cues: tuple[Cue, ...] = ()
    played: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    held: bool = False
    waits: frozenset[str] = frozenset()
    cut: bool = False
    limits: Limits = Limits()
    set_code: str = ""
    set_until_s: float = 0.0
    seed: int = 0
    target_lufs: float = -23.0
    peak_dbfs: float = -7.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All cues from what plays now to the end.

    `short_s`: seconds that no music could be found for. `misses`: seconds by which each phase's music outlasts its end
    (negative: falls short of it). `reasons`: why each piece is there, what was left out, and what could not be done.
    """

    cues: tuple[Cue, ...]
    short_s: float
    misses: tuple[tuple[str, float], ...]
    reasons: tuple[Fact, ...] = ()


def plan(request: PlanRequest) -> Plan:
    """Lay the rest of the session. Never raises for a poor pool: what cannot be filled is counted in `short_s`."""
    return _Planner(request).run()


@dataclass
class _Part:
    """A phase's share of the sheet. `border_s`: where it ends on the timeline if nothing is held.

    `longer_s`: how long its music must last where it may outlast that border; 0 where it does not.
    """

    phase: Phase
    border_s: float
    picks: list[Pick] = field(default_factory=list)
    longer: list[Pick] = field(default_factory=list)
    longer_s: float = 0.0

    @property
    def paths(self) -> tuple[str, ...]:
        """What comes in it, in order."""
        return tuple(pick.track.piece.path for pick in self.picks + self.longer)


class _Planner:
    def __init__(self, request: PlanRequest) -> None:
        self.request = request
        self.programme = request.programme
        self.reasons = Reasons()
        self.sheet = Sheet(
            next_id=max((cue.id for cue in request.cues), default=0) + 1,
            target_lufs=request.target_lufs + self.programme.loudness_offset_db,
            peak_dbfs=request.peak_dbfs,
        )
        self.chooser = Chooser(
            self.programme,
            request.pool,
            request.limits,
            headroom_db=request.peak_dbfs - request.target_lufs,
            seed=request.seed,
            taken={*request.played, *request.broken},
        )
        self.short_s = 0.0
        self.misses: list[tuple[str, float]] = []

    def run(self) -> Plan:
        sounding = self._keep_sounding()
        old = self._old_picks(sounding)
        self._lay_set(old.pop("", []))
        laid = self.chooser.lately = tuple(cue.piece.path for cue in self.sheet.cues)
        parts = self._choose(old)
        self.chooser.lately = laid
        for part in parts:
            if part.longer_s and part.phase.source != SILENCE:
                index = self.programme.index_of(part.phase.code)
                part.longer = self.chooser.prolong(index, part.longer_s, part.picks)
            self.chooser.lately += part.paths
        self._lay(parts)
        self.reasons.steps(self.sheet.cues)
        return Plan(
            cues=tuple(self.sheet.cues), short_s=self.short_s, misses=tuple(self.misses), reasons=self.reasons.told()
        )

    # --- what is there already ------------------------------------------------------------------------------------

    def _keep_sounding(self) -> set[int]:
        """Keep what plays; gives the ids."""
        request = self.request
        here = self.programme.phases[request.phase]
        now = request.timeline_s
        lead = 0.0 if request.cut else LEAD_S
        sounding = [
            cue
            for cue in request.cues
            if cue.end_s > now and cue.start_s <= now + lead and cue.piece.path not in request.broken
        ]
        self.chooser.taken.update(cue.piece.path for cue in sounding)
        if not sounding:
            self.sheet.skip_to(now + (CUT_LEAD_S if request.cues else 0.0))
            return set()
        start = now + CUT_LEAD_S
        fade = here.crossfade_s
        if request.cut:
            sounding = [_cut_at(cue, now, start, fade) for cue in sounding]
        sounding.sort(key=lambda cue: cue.end_s)
        last = sounding[-1]
        known = request.pool.shelf(here.source).by_path.get(last.piece.path)
        together = here.gapless and not request.cut and last.phase == here.code and known
        self.sheet.keep(sounding, last.fade_out_s or fade, start, known.place if together and known else None)
        for cue in sounding:
            self.reasons.plays(cue)
        return {cue.id for cue in sounding}

    def _old_picks(self, sounding: set[int]) -> dict[str, list[Pick]]:
        """What was planned and may still be played, by phase; under "" what a chosen set had. None of it is free."""
        request = self.request
        old: dict[str, list[Pick]] = {}
        phases = {phase.code: phase for phase in self.programme.phases[request.phase :]}
        again = self.programme.repeats == "when-needed"
        for cue in request.cues:
            phase = phases.get(cue.phase)
            if cue.id in sounding or cue.start_s <= request.timeline_s or phase is None:
                continue
            if cue.set and cue.set != request.set_code:
                continue
            why = "broken" if cue.piece.path in request.broken else forbids(cue.piece, self.chooser.taste(phase).rules)
            if why:
                self.reasons.dropped(cue, why)
                continue
            repeated = cue.piece.path in self.chooser.taken
            if repeated and not again and not self._goes_on(phase):
                continue
            pick = self.chooser.pick(phase, self._track(cue, phase), "kept", cue=cue.id, chosen=cue.set)
            old.setdefault("" if cue.set else phase.code, []).append(pick)
            self.chooser.taken.add(cue.piece.path)
        return old

    def _track(self, cue: Cue, phase: Phase) -> Track:
        own = self.request.pool.shelf(phase.source).by_path.get(cue.piece.path)
        if own is not None:
            return own
        other = self.request.pool.by_path.get(cue.piece.path)
        return dataclasses.replace(other, place=NOWHERE) if other else track_of(cue.piece, NOWHERE)

    # --- choosing -------------------------------------------------------------------------------------------------

    def _goes_on(self, phase: Phase) -> bool:
        """Whether a phase does not end by itself when its minutes are over."""
        here = self.programme.phases[self.request.phase].code == phase.code
        return (here and self.request.held) or phase.code in self.request.waits

    def _longer_s(self, phase: Phase) -> float:
        """How much longer than its minutes a phase may last."""
        if not self._goes_on(phase):
            return 0.0
        if self.request.held or phase.most_s is None:
            return HELD_S
        return max(0.0, phase.most_s - phase.length_s)

    def _lay_set(self, old: list[Pick]) -> None:
        """Lay what is still wanted of the set that a sitter chose."""
        request = self.request
        chosen = next((one for one in self.programme.sets if one.code == request.set_code), None)
        if chosen is None or request.set_until_s <= request.timeline_s:
            return
        phase = self.programme.phases[request.phase]
        last = self.sheet.last
        ends_s = last.end_s if last is not None and last.set == chosen.code and not request.cut else 0.0
        for pick in old:
            if ends_s < request.set_until_s:
                ends_s = self._lay_pick(pick, phase).end_s
        if ends_s >= request.set_until_s:
            return
        seconds = max(1.0, request.set_until_s - self.sheet.cursor)
        picks = self.chooser.from_set(chosen, phase, seconds)
        for pick in picks:
            ends_s = self._lay_pick(pick, phase).end_s
        if ends_s < request.set_until_s:
            self.reasons.set_short(chosen, phase, max(0.0, request.set_until_s - self.sheet.cursor), bool(picks or old))
            self._left_out(phase, chosen.source)

    def _choose(self, old: dict[str, list[Pick]]) -> list[_Part]:
        """Pieces for every phase to come, on a timeline on which nothing is held."""
        request = self.request
        parts = []
        place, after = self.sheet.cursor, self.sheet.joined_place
        for index in range(request.phase, len(self.programme.phases)):
            phase = self.programme.phases[index]
            border = request.timeline_s + self.programme.end_s(index) - request.arc_s
            part = _Part(phase, border, longer_s=self._longer_s(phase))
            parts.append(part)
            if phase.source == SILENCE:
                place = max(place, border)
                continue
            had = old.get(phase.code, [])
            if part.longer_s:
                part.longer_s += max(0.0, border - place)
            if had and part.longer_s:
                part.picks = had
            else:
                part.picks = self.chooser.select(index, border - place, had, after)
            self.chooser.lately += part.paths
            place += self.chooser.span_s(part.picks, phase, after)
            after = None
            if border - place > EARLY_S or part.longer_s:
                place = border
        return parts

    # --- laying ---------------------------------------------------------------------------------------------------

    def _lay(self, parts: list[_Part]) -> None:
        shift = 0.0
        for number, part in enumerate(parts):
            phase, start = part.phase, self.sheet.cursor
            for pick in part.picks + part.longer:
                self._lay_pick(pick, phase)
            if part.longer_s:
                if phase.source == SILENCE:
                    self.sheet.skip_to(part.border_s + shift + part.longer_s)
                elif not part.picks and not part.longer:
                    self.short_s += part.longer_s
                    self.reasons.short(phase, part.longer_s)
                shift = max(shift, self.sheet.cursor - part.border_s)
                if phase.source != SILENCE:
                    self._left_out(phase, phase.source)
                continue
            border = part.border_s + shift
            if phase.source == SILENCE:
                self.sheet.skip_to(border)
                continue
            missing_s = border - self.sheet.cursor
            last = self.sheet.last
            if missing_s > (SHORTEST_S if number == len(parts) - 1 else EARLY_S):
                self.short_s += missing_s
                self.sheet.skip_to(border)
                self.reasons.short(phase, missing_s)
            if missing_s > 0.0 or (last is not None and last.phase == phase.code and not last.set):
                self.misses.append((phase.code, -missing_s))
            if part.picks:
                self.reasons.filled(phase, len(part.picks), self.sheet.cursor - start, -missing_s)
            self._left_out(phase, phase.source)

    def _left_out(self, phase: Phase, source: str) -> None:
        allowed = self.request.pool.shelf(source).allowed(self.chooser.taste(phase).rules)
        self.reasons.left_out(phase.code, allowed)

    def _lay_pick(self, pick: Pick, phase: Phase) -> Cue:
        cue = self.sheet.lay(pick, phase)
        among = self.chooser.order(phase, phase.source).size
        self.reasons.chosen(cue, pick, among)
        return cue


def _cut_at(cue: Cue, now: float, start: float, fade: float) -> Cue:
    """A cue that gives way at `start`, over `fade` seconds; one that would be over before goes on until then.

    What fades out already goes on fading, sooner if it must: a piece does not rise again.
    """
    if now >= cue.end_s - cue.fade_out_s:
        end = min(cue.end_s, start + fade)
        out = cue.fade_out_s * (end - now) / (cue.end_s - now)  # as loud at `now` as it was
        return replace(cue, length_s=end - cue.start_s, fade_out_s=out)
    audio_end = cue.start_s + cue.piece.duration_s - cue.piece.tail_s - cue.offset_s
    end = min(max(cue.end_s, audio_end), start + fade)
    return replace(cue, length_s=end - cue.start_s, fade_out_s=max(min(fade, end - start), 0.5))
