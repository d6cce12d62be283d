"""The cue sheet as it grows: one piece after another on the sound timeline, overlapping by their crossfades."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from controller.arc.programme import Phase
from controller.arc.shelves import Track
from controller.messages import Cue

BEGIN_S = 3.0
"""A piece that follows nothing, or what is nearly out, comes in over this long (or its phase's shorter crossfade)."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A piece that was chosen, and why (see `reasons`).

    `length_s` is how long it sounds, `source` the phase or set whose piece it is. `cue` is its id where it is on the
    sheet already, `chosen_set` the set by which a sitter asked for it.
    """

    track: Track
    why: str
    length_s: float
    source: str = ""
    cue: int = 0
    chosen_set: str = ""

    def takes_s(self, fade_s: float) -> float:
        """How far it moves the place at which the next piece begins."""
        return self.length_s - min(fade_s, self.length_s / 2)


class Sheet:
    """Cues in order. `cursor`: the timeline second at which the next piece begins."""

    def __init__(self, *, next_id: int, target_lufs: float, peak_dbfs: float) -> None:
        self.cues: list[Cue] = []
        self.cursor = 0.0
        self._fade_s = 0.0
        self._fading = False
        self._place: int | None = None
        self._next_id = next_id
        self._target_lufs = target_lufs
        self._peak_dbfs = peak_dbfs

    def keep(self, cues: list[Cue], fade_s: float, earliest_s: float, place: int | None) -> None:
        """Begin with cues that sound already, the one that ends last at the end; it is followed over `fade_s`.

        Nothing begins before `earliest_s`; a piece that fades out by then goes on fading as it does.
        """
        self.cues = list(cues)
        last = self.cues[-1]
        fade = min(fade_s, last.length_s / 2)
        self._fading = last.end_s - fade < earliest_s
        self.cursor = max(last.end_s - fade, earliest_s)
        self._fade_s = max(0.0, last.end_s - self.cursor) if self._fading else fade
        self._place = None if self._fading else place

    def skip_to(self, timeline_s: float) -> None:
        """Leave a silence up to `timeline_s`."""
        if timeline_s > self.cursor:
            self.cursor, self._fade_s, self._place, self._fading = timeline_s, 0.0, None, False

    @property
    def last(self) -> Cue | None:
        """The newest cue."""
        return self.cues[-1] if self.cues else None

    @property
    def joined_place(self) -> int | None:
        """Place in its listing of the piece that the next one follows at once; None after a silence."""
        return self._place

    def lay(self, pick: Pick, phase: Phase) -> Cue:
        """Lay one piece; gives its cue."""
        track, length = pick.track, pick.length_s
        previous = self.last if self._fade_s > 0.0 or self._place is not None else None
        together = (
            phase.gapless
            and previous is not None
            and previous.phase == phase.code
            and self._place is not None
            and track.place == self._place + 1
        )
        if previous is None:
            start, fade_in = self.cursor, min(phase.crossfade_s, BEGIN_S, length / 2)
        elif together:
            start, fade_in = previous.end_s, 0.0
        else:
            fade_in = min(self._fade_s, length / 2)
            start = previous.end_s - fade_in
        if previous is not None and self._fading:  # what is nearly out does not carry it in
            fade_in = max(fade_in, min(phase.crossfade_s, BEGIN_S, length / 2))
        elif previous is not None:
            self.cues[-1] = replace(previous, fade_out_s=fade_in)
        self._fading = False
        cue = Cue(
            id=pick.cue or self._next_id,
            start_s=start,
            piece=track.piece,
            length_s=length,
            offset_s=0.0 if phase.gapless else track.piece.head_s,
            fade_in_s=fade_in,
            fade_out_s=min(phase.crossfade_s, length / 2),
            # A join has one level: what sounds across it must not be heard to step.
            gain_db=previous.gain_db if together and previous else self.gain_db(track, phase),
            phase=phase.code,
            after=previous.id if together and previous else 0,
            set=pick.chosen_set,
        )
        self._next_id += not pick.cue
        self.cues.append(cue)
        self._fade_s, self._place = cue.fade_out_s, track.place
        self.cursor = cue.end_s - cue.fade_out_s
        return cue

    def gain_db(self, track: Track, phase: Phase) -> float:
        """What brings a piece to the phase's loudness, as far as its true peak allows.

        Where a phase is gapless that is the work's and not the piece's: a slow movement stays as soft as it was played.
        """
        lufs, true_peak_dbfs = track.together if phase.gapless else (track.piece.lufs, track.piece.true_peak_dbfs)
        return min(self._target_lufs + phase.loudness_offset_db - lufs, self._peak_dbfs - true_peak_dbfs)
