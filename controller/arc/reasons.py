"""Why a plan is as it is, as codes with values; `sentences.PLANNED` has the words.

plays         cue title                        it sounds already and is left alone
chosen        cue title phase minutes gain_db why source among
why: fits, listed, kept, cut, set, held, borrowed, again
dropped       title phase why                  it was planned and cannot be played any more
left_out      phase why pieces titles          pieces of the phase's own music that may not be played in it
filled        phase pieces minutes miss_s      where the phase's music ends
short         phase minutes                    there is no more music for it
set_short     set phase minutes                the chosen set ends early; minutes 0: it has nothing that may be played
step          title before db                  neighbours that differ by more than 3 dB after levelling
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from controller.arc.laying import Pick
from controller.arc.programme import Phase
from controller.arc.shelves import Allowed
from controller.arc.sources import SetPlan
from controller.arc.taste import STEP_DB
from controller.messages import Cue, Fact


class Reasons:
    """Collects the reasons of one plan."""

    def __init__(self) -> None:
        self._facts: list[Fact] = []

    def told(self) -> tuple[Fact, ...]:
        """All of them, in the order in which they arose."""
        return tuple(self._facts)

    def _tell(self, code: str, **values: str | int | float) -> None:
        self._facts.append(Fact(code=code, values=values))

    def plays(self, cue: Cue) -> None:
        """It sounds already."""
        self._tell("plays", cue=cue.id, title=cue.piece.title, phase=cue.phase)

    def chosen(self, cue: Cue, pick: Pick, among: int) -> None:
        """It was laid."""
        self._tell(
            "chosen",
            cue=cue.id,
            title=cue.piece.title,
            phase=cue.phase,
            minutes=round(cue.length_s / 60.0, 1),
            gain_db=round(cue.gain_db, 1),
            why=pick.why,
            source=pick.source,
            among=among,
        )

    def dropped(self, cue: Cue, why: str) -> None:
        """It was planned and cannot be played any more."""
        self._tell("dropped", title=cue.piece.title, phase=cue.phase, why=why)

    def left_out(self, phase: str, allowed: Allowed) -> None:
        """Pieces that may not be played in a phase."""
        for why, pieces, titles in allowed.left_out:
            self._tell("left_out", phase=phase, why=why, pieces=pieces, titles=", ".join(titles))

    def filled(self, phase: Phase, pieces: int, seconds: float, miss_s: float) -> None:
        """Where a phase's music ends."""
        minutes = round(seconds / 60.0, 1)
        self._tell("filled", phase=phase.code, pieces=pieces, minutes=minutes, miss_s=round(miss_s, 1))

    def short(self, phase: Phase, seconds: float) -> None:
        """There is no more music for a phase."""
        self._tell("short", phase=phase.code, minutes=round(seconds / 60.0, 1))

    def set_short(self, chosen: SetPlan, phase: Phase, seconds: float, begun: bool) -> None:
        """The chosen set ends early."""
        self._tell("set_short", set=chosen.code, phase=phase.code, minutes=round(seconds / 60.0, 1), begun=int(begun))

    def steps(self, cues: Sequence[Cue]) -> None:
        """Neighbours that differ in loudness after levelling, beside what their phases ask for."""
        for before, after in itertools.pairwise(cues):
            step = after.piece.lufs + after.gain_db - before.piece.lufs - before.gain_db
            if abs(step) > STEP_DB + 0.05:  # measures are rounded to tenths
                self._tell("step", cue=after.id, title=after.piece.title, before=before.piece.title, db=round(step, 1))
