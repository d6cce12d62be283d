"""Which pieces a phase gets: those it had, as far as they still fit, and others that end it to the second."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from controller.arc.fitting import GOOD_S, OVER_S, fit, fit_runs
from controller.arc.laying import Pick
from controller.arc.programme import SILENCE, Phase, Programme
from controller.arc.shelves import Order, Pool, Track
from controller.arc.sources import SetPlan
from controller.arc.taste import STEP_DB, Taste, taste_of
from controller.messages import Limits

SHORTEST_S = 5.0
"""Nothing shorter than this is worth starting; a border that is missed by less is met."""

BORROW_S = 30.0
"""A phase that its own pieces leave emptier than this gets others'."""

MOST_NEAR, MOST_FAR = 120, 60
"""So many pieces are tried; ten or twenty hours of them."""

BETTER_S = 1.0
"""What was planned is changed only where that brings the phase's end nearer by so much."""

FEWER = 4
"""So many of a phase's last pieces are given up one by one before it is filled anew."""

APART = 5
"""Pieces between two times of the same one, where nothing is left but to repeat."""

SET_INTENSITY: Mapping[str, float] = {"calm": 0.2, "return": 0.2, "evocative": 0.8}
"""What a set's kind is like (our judgement). Grounding is missing: it is kept for when it is asked for."""

NOWHERE = -9
"""Place of a piece that is not in the listing of its phase's own source."""


class Chooser:
    """Chooses for one plan. `taken`: paths that are not free, because they played, will play, or cannot.

    `lately`: paths that come right before what is chosen, in order; none of them is repeated at once.
    """

    def __init__(
        self,
        programme: Programme,
        pool: Pool,
        limits: Limits,
        *,
        headroom_db: float,
        seed: int,
        taken: set[str],
    ) -> None:
        self.programme = programme
        self.pool = pool
        self.limits = limits
        self.taken = taken
        self.lately: tuple[str, ...] = ()
        self._headroom_db = headroom_db - programme.loudness_offset_db
        self._seed = seed
        self._cuts = programme.pieces == "may-be-cut"
        self._repeats_allowed = programme.repeats == "when-needed"
        self._tastes: dict[str, Taste] = {}

    # --- what a phase wants and has -------------------------------------------------------------------------------

    def taste(self, phase: Phase) -> Taste:
        """What may be played in a phase, and what suits it."""
        found = self._tastes.get(phase.code)
        if found is None:
            least_s = SHORTEST_S if self._cuts else max(SHORTEST_S, 2 * phase.crossfade_s)
            headroom_db = self._headroom_db - phase.loudness_offset_db
            found = self._tastes[phase.code] = taste_of(phase, self.limits, headroom_db, least_s)
        return found

    def order(self, phase: Phase, source: str) -> Order:
        """What a phase may draw from a source, best first."""
        return self.pool.shelf(source).order(self.taste(phase), f"{self._seed}/{phase.code}")

    def pick(self, phase: Phase, track: Track, why: str, *, source: str = "", cue: int = 0, chosen: str = "") -> Pick:
        """A whole piece, between its silences; where a phase is gapless, with them."""
        length_s = track.piece.duration_s if phase.gapless else track.sound_s
        return Pick(track, why, length_s, source=source or phase.code, cue=cue, chosen_set=chosen)

    def span_s(self, picks: Sequence[Pick], phase: Phase, after: int | None = None) -> float:
        """Seconds from the place at which the first of them begins to that at which the next piece may."""
        total = 0.0
        for pick in picks:
            together = phase.gapless and after is not None and pick.track.place == after + 1
            total += pick.takes_s(phase.crossfade_s) + (phase.crossfade_s if together else 0.0)
            after = pick.track.place
        return total

    # --- filling to the second ------------------------------------------------------------------------------------

    def select(self, index: int, room_s: float, old: list[Pick], after: int | None) -> list[Pick]:
        """Pieces for `room_s` seconds of phase `index`, of which it had `old`; `after` as in `fit_runs`."""
        phase = self.programme.phases[index]
        self._free(old)
        # Behind the last phase no next piece can come early: there the last one's own end must reach the border.
        ends = self._cuts and index == len(self.programme.phases) - 1
        least_s = min(SHORTEST_S, phase.crossfade_s) if ends else SHORTEST_S
        if room_s <= least_s:
            return []
        if self._cuts:
            picks = self._cut(phase, room_s, old, least_s)
        elif phase.gapless:
            picks = self._together(phase, room_s, old, after)
        else:
            picks = self._bend(phase, room_s, old)
        self._take(picks)
        missing_s = room_s - self.span_s(picks, phase, after)
        if missing_s > BORROW_S and not self._cuts:
            borrowed = self._borrow(index, missing_s)
            self._take(borrowed)
            picks = [*picks, *borrowed]
            if self._repeats_allowed:
                picks += self._again(phase, room_s - self.span_s(picks, phase, after), picks)
        return picks

    def _bend(self, phase: Phase, room_s: float, old: list[Pick]) -> list[Pick]:
        """The old pieces, less as few of the last ones as will do, and others behind them."""
        fade = phase.crossfade_s
        sums = [0.0, *itertools.accumulate(pick.takes_s(fade) for pick in old)]
        if old and abs(sums[-1] - room_s) <= SHORTEST_S:
            return old
        most = max(count for count, total in enumerate(sums) if total <= room_s + SHORTEST_S)
        best, best_miss = old, abs(sums[-1] - room_s)
        for count in dict.fromkeys([*range(most, max(-1, most - FEWER), -1), 0]):
            new = self._fill(phase, room_s - sums[count], old[count:], old[:count])
            miss = abs(room_s - sums[count] - sum(pick.takes_s(fade) for pick in new))
            if miss < best_miss - BETTER_S:
                best, best_miss = self.arranged(phase, old[:count], new), miss
            if best_miss <= GOOD_S:
                break
        return best

    def _fill(self, phase: Phase, room_s: float, dropped: list[Pick], kept: list[Pick]) -> list[Pick]:
        order = self.order(phase, phase.source)
        busy = self.taken.union(pick.track.piece.path for pick in kept)
        own = self.pool.shelf(phase.source).by_path
        first = []
        for pick in dropped:
            if pick.track.piece.path in own and pick.track.piece.path not in busy:
                first.append(pick)
                busy.add(pick.track.piece.path)
        longest = room_s + OVER_S
        near = _free_of(order.near, busy, longest, MOST_NEAR)
        far = _free_of(order.far, busy, longest, MOST_FAR)
        why = "listed" if self.taste(phase).as_listed else "fits"
        picks = [*first, *(self.pick(phase, track, why) for track in (*near, *far))]
        lengths = [pick.takes_s(phase.crossfade_s) for pick in picks]
        return [picks[place] for place in fit(lengths, room_s, {len(first) + len(near)})]

    def _together(self, phase: Phase, room_s: float, old: list[Pick], after: int | None) -> list[Pick]:
        if old and abs(self.span_s(old, phase, after) - room_s) <= SHORTEST_S:
            return old
        order = self.order(phase, phase.source)
        had = {pick.track.piece.path: pick for pick in old}
        tracks = sorted((*order.near, *order.far), key=lambda track: track.place)
        if after is not None:  # what is listed before the piece that plays comes only where nothing else is left
            tracks = [track for track in tracks if track.place > after] or tracks
        tracks = _free_of(tracks, self.taken, room_s + OVER_S, MOST_NEAR)
        lengths = [track.piece.duration_s for track in tracks]
        places = fit_runs(lengths, [track.place for track in tracks], room_s, phase.crossfade_s, after)
        chosen = [tracks[place] for place in places]
        return [had.get(track.piece.path) or self.pick(phase, track, "listed") for track in chosen]

    def _cut(self, phase: Phase, room_s: float, old: list[Pick], least_s: float) -> list[Pick]:
        """Pieces one after another, the last one faded out where the phase ends; `least_s` may stay empty."""
        picks: list[Pick] = []
        busy = set(self.taken)
        again = self._repeats(phase, picks) if self._repeats_allowed else ()
        for pick in itertools.chain(old, self._fresh(phase, phase.source, "fits"), again):
            if room_s <= least_s:
                break
            if pick.track.piece.path in busy and pick.why != "again":
                continue
            busy.add(pick.track.piece.path)
            whole = self.pick(phase, pick.track, pick.why, source=pick.source, cue=pick.cue)
            length_s = min(whole.length_s, room_s + phase.crossfade_s)
            picks.append(replace(whole, length_s=length_s, why="cut" if length_s < whole.length_s else whole.why))
            room_s -= picks[-1].takes_s(phase.crossfade_s)
        return picks

    def arranged(self, phase: Phase, kept: list[Pick], new: list[Pick]) -> list[Pick]:
        """The pieces of a phase in its order; where any order will do, one without steps of loudness."""
        match phase.arrangement:
            case "as-listed":
                return sorted((*kept, *new), key=lambda pick: pick.track.place)
            case "rising":
                return sorted((*kept, *new), key=lambda pick: pick.track.energy)
            case "falling":
                return sorted((*kept, *new), key=lambda pick: -pick.track.energy)
        taste = self.taste(phase)
        new = sorted(new, key=lambda pick: pick.track.piece.path)
        random.Random(f"{self._seed}/{phase.code}/order").shuffle(new)
        deficits = [taste.deficit_db(pick.track.crest_db) for pick in (*kept, *new)]
        if deficits and max(deficits) - min(deficits) > STEP_DB:
            before = taste.deficit_db(kept[-1].track.crest_db) if kept else min(deficits)
            new.sort(key=lambda pick: abs(taste.deficit_db(pick.track.crest_db) - before))
        return [*kept, *new]

    # --- when its own pieces are not enough -----------------------------------------------------------------------

    def prolong(self, index: int, seconds: float, had: Sequence[Pick]) -> list[Pick]:
        """Music behind what a phase has, that it lasts `seconds`, whatever there is: at last what was heard before."""
        phase = self.programme.phases[index]
        seconds -= self.span_s(had, phase)
        picks: list[Pick] = []
        before = list(had)
        sources = itertools.chain(
            self._fresh(phase, phase.source, "held"),
            (pick for source, name in self._others(index) for pick in self._fresh(phase, source, "borrowed", name)),
            self._repeats(phase, before),
        )
        for pick in sources:
            if seconds <= 0.0:
                break
            if pick.why != "again" and pick.track.piece.path in self.taken:
                continue
            picks.append(pick)
            before.append(pick)
            self._take([pick])
            seconds -= pick.takes_s(phase.crossfade_s)
        return picks

    def from_set(self, chosen: SetPlan, phase: Phase, seconds: float) -> list[Pick]:
        """Pieces of a set, up to the first that ends past `seconds`."""
        picks: list[Pick] = []
        ends_s = 0.0
        for pick in self._fresh(phase, chosen.source, "set", chosen.code):
            if ends_s >= seconds:
                break
            if pick.track.piece.path not in self.taken:
                picks.append(pick)
                ends_s += pick.length_s - (phase.crossfade_s if len(picks) > 1 else 0.0)
        self._take(picks)
        return picks

    def _borrow(self, index: int, room_s: float) -> list[Pick]:
        """Pieces of the sets, then of phases of like intensity, that these can spare."""
        phase = self.programme.phases[index]
        picks: list[Pick] = []
        for source, name in self._others(index):
            free = [
                pick
                for pick in self._fresh(phase, source, "borrowed", name)
                if pick.track.piece.path not in self.taken and pick.takes_s(phase.crossfade_s) <= room_s + OVER_S
            ]
            if sum(pick.takes_s(phase.crossfade_s) for pick in free) > self._needed_s(index, source) + room_s:
                picks += free[:MOST_NEAR]
        lengths = [pick.takes_s(phase.crossfade_s) for pick in picks]
        return self.arranged(phase, [], [picks[place] for place in fit(lengths, room_s)])

    def _needed_s(self, index: int, source: str) -> float:
        """How much of a source the phases behind this one will want (twice over, that they may choose)."""
        return 2 * sum(phase.length_s for phase in self.programme.phases[index + 1 :] if phase.source == source)

    def _others(self, index: int) -> list[tuple[str, str]]:
        """(source, name) of sets and then of other phases, the likest in intensity first."""
        phases = self.programme.phases
        mine = _intensity(phases[index])
        sets = [one for one in self.programme.sets if one.kind in SET_INTENSITY]
        sets.sort(key=lambda one: abs(SET_INTENSITY[one.kind] - mine))
        others = sorted(
            (phase for phase in phases if phase.source not in (SILENCE, phases[index].source)),
            key=lambda phase: abs(_intensity(phase) - mine),
        )
        found = {one.source: one.code for one in sets}
        for phase in others:
            found.setdefault(phase.source, phase.code)
        return list(found.items())

    def _fresh(self, phase: Phase, source: str, why: str, name: str = "") -> Iterator[Pick]:
        order = self.order(phase, source)
        chosen = name if why == "set" else ""
        for track in itertools.chain(order.near, order.far):
            mine = track if source == phase.source else replace(track, place=NOWHERE)
            yield self.pick(phase, mine, why, source=name, chosen=chosen)

    def _again(self, phase: Phase, room_s: float, before: Sequence[Pick]) -> list[Pick]:
        """What was heard before, for `room_s` that nothing else is left for."""
        picks: list[Pick] = []
        for pick in itertools.islice(self._repeats(phase, before), MOST_NEAR):
            if room_s <= BORROW_S:
                break
            if pick.length_s <= room_s + OVER_S:
                picks.append(pick)
                room_s -= pick.takes_s(phase.crossfade_s)
        return picks

    def _repeats(self, phase: Phase, before: Sequence[Pick]) -> Iterator[Pick]:
        """Its own pieces for ever, with others' where it has one or none; what came just `before` comes last."""
        sources = [phase.source, *(source for source, _ in self._others(self.programme.index_of(phase.code)))]
        found: dict[str, Pick] = {}
        for source in itertools.takewhile(lambda _: len(found) < 2, sources):
            for pick in self._fresh(phase, source, "again"):
                found.setdefault(pick.track.piece.path, pick)
        recent = [*self.lately, *(pick.track.piece.path for pick in before)]
        for pick in itertools.cycle(found.values()):
            if pick.track.piece.path in recent[-min(APART, len(found) - 1) :] and len(found) > 1:
                continue
            recent.append(pick.track.piece.path)
            yield pick

    def _take(self, picks: Iterable[Pick]) -> None:
        self.taken.update(pick.track.piece.path for pick in picks)

    def _free(self, picks: Iterable[Pick]) -> None:
        self.taken.difference_update(pick.track.piece.path for pick in picks)


def _free_of(tracks: Iterable[Track], busy: set[str], longest_s: float, most: int) -> list[Track]:
    free = (track for track in tracks if track.sound_s <= longest_s and track.piece.path not in busy)
    return list(itertools.islice(free, most))


def _intensity(phase: Phase) -> float:
    return sum(phase.intensity) / len(phase.intensity)
