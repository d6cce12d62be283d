"""The rules of the sound timeline, pure: ramps, transport, and which cue is where.

The engine and the simulated sound share them, so that a rehearsal and a room keep the same time. Everything counts
frames of 48 kHz; seconds are turned into frames here and nowhere else.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from controller.messages import Cue, Transport

RATE = 48_000
"""Frames a second, of every stream inside the engine."""

SHORTEST_RAMP = 2_400
"""50 ms: no fade that anybody asks for is shorter, nor that of a piece that begins or ends without one."""

_ROUNDING = 48
"""Frames by which two sheets may lay the same joined piece apart."""


def to_frames(seconds: float) -> int:
    """The frame nearest to `seconds`."""
    return round(seconds * RATE)


@dataclass(frozen=True, slots=True)
class Ramp:
    """A value on its way to a target in a straight line; turning round begins where it is.

    A value itself: whoever holds one can go back to it. `step` is the change per frame, always positive.
    """

    value: float
    target: float
    step: float = 0.0

    @classmethod
    def at(cls, value: float) -> Ramp:
        """A ramp that stands."""
        return cls(value, value)

    @property
    def moving(self) -> bool:
        """Whether the target has not been reached."""
        return self.value != self.target

    def arriving(self, target: float, frames: int) -> Ramp:
        """At `target` in so many frames from now. Asked again for the same target it goes on as it was."""
        if target == self.target:
            return self
        return Ramp(self.value, target, abs(target - self.value) / max(frames, SHORTEST_RAMP))

    def heading(self, target: float, step: float) -> Ramp:
        """Towards `target` by `step` a frame, from wherever it is now."""
        return Ramp(self.value, target, step)

    def frames_left(self) -> int:
        """Frames until the target is reached."""
        return ceil(round(abs(self.target - self.value) / self.step, 6)) if self.moving else 0

    def later(self, frames: int) -> Ramp:
        """The ramp after `frames`."""
        if not self.moving:
            return self
        if frames >= self.frames_left():
            return Ramp.at(self.target)
        way = self.step * frames
        return Ramp(self.value + way if self.target > self.value else self.value - way, self.target, self.step)


@dataclass
class Timeline:
    """Where the sound is: a frame, a transport, and the gate between silence (0) and sound (1).

    The frame moves while the transport is play and during the fade of a pause or stop; then it stands still.
    A fade takes `fade_s` from end to end; a fade that turns half way takes half of it.
    """

    frame: int = 0
    transport: Transport = "stop"
    gate: Ramp = Ramp(0.0, 0.0)
    turns: int = 0
    """How often it was turned or begun anew: tells an older place from a newer one."""

    @property
    def still(self) -> bool:
        """Whether the timeline stands."""
        return self.transport != "play" and not self.gate.moving

    @property
    def seconds(self) -> float:
        """The timeline's place in seconds."""
        return self.frame / RATE

    def copy(self) -> Timeline:
        """The timeline as it is now."""
        return Timeline(self.frame, self.transport, self.gate, self.turns)

    def turn(self, transport: Transport, fade_s: float) -> None:
        """Begin to play, pause or stop."""
        self.turns += 1
        self.transport = transport
        self.gate = self.gate.heading(1.0 if transport == "play" else 0.0, 1.0 / max(to_frames(fade_s), SHORTEST_RAMP))

    def advance(self, frames: int) -> int:
        """Let `frames` of output pass; returns how many of them the timeline moved."""
        moved = frames if self.transport == "play" else min(frames, self.gate.frames_left())
        self.gate = self.gate.later(frames)
        self.frame += moved
        return moved


@dataclass(frozen=True, slots=True)
class Anchor:
    """The timeline as it was heard at a CLOCK_BOOTTIME: the one tie between the two."""

    boottime: float
    timeline: Timeline

    def at(self, boottime: float) -> Timeline:
        """The timeline at another time, as the output's clock should have carried it."""
        moved = self.timeline.copy()
        moved.advance(max(0, to_frames(boottime - self.boottime)))
        return moved


@dataclass(frozen=True, slots=True)
class Laid:
    """A cue in frames: it sounds over [start, end) of the timeline."""

    cue: Cue
    start: int
    length: int
    fade_in: int
    fade_out: int

    @classmethod
    def from_cue(cls, cue: Cue, start: int | None = None) -> Laid:
        """Lay a cue, at another `start` than its own where one is given; a fade is never longer than the cue."""
        length = max(0, to_frames(cue.length_s))
        return cls(
            cue,
            to_frames(cue.start_s) if start is None else start,
            length,
            min(length, max(0, to_frames(cue.fade_in_s))),
            min(length, max(0, to_frames(cue.fade_out_s))),
        )

    @property
    def end(self) -> int:
        """The frame at which it has fallen silent."""
        return self.start + self.length

    def same_sound(self, other: Laid) -> bool:
        """Whether the other lets the same frames of the same file sound at the same place."""
        mine, its = self.cue, other.cue
        return (
            (mine.id, mine.piece.path, mine.offset_s) == (its.id, its.piece.path, its.offset_s)
            # One that follows another is laid by its seconds where the other is no longer in the sheet.
            and abs(self.start - other.start) <= (_ROUNDING if mine.after or its.after else 0)
        )


class Sheet:
    """A cue sheet: cues by start, answered by bisection. A cue "after" another is laid at the other's end."""

    def __init__(self, session: str = "", plan: int = 0, cues: Iterable[Cue] = ()) -> None:
        self.session = session
        self.plan = plan
        by_id: dict[int, Laid] = {}
        for cue in sorted(cues, key=lambda cue: (cue.start_s, cue.id)):
            before = by_id.get(cue.after) if cue.after else None
            by_id[cue.id] = Laid.from_cue(cue, before.end if before else None)
        self.laid = tuple(sorted(by_id.values(), key=lambda laid: (laid.start, laid.cue.id)))
        self._starts = [laid.start for laid in self.laid]
        self._latest_end: list[int] = []
        latest = 0
        for laid in self.laid:
            latest = max(latest, laid.end)
            self._latest_end.append(latest)

    @property
    def end(self) -> int:
        """The frame at which the last cue has fallen silent; 0 without cues."""
        return self._latest_end[-1] if self.laid else 0

    def between(self, first: int, last: int) -> list[Laid]:
        """The cues that sound anywhere in [first, last)."""
        found = []
        index = bisect_left(self._starts, last) - 1
        while index >= 0 and self._latest_end[index] > first:
            if self.laid[index].end > first and self.laid[index].length:
                found.append(self.laid[index])
            index -= 1
        return found[::-1]

    def after(self, frame: int) -> Laid | None:
        """The first cue that starts after `frame`."""
        index = bisect_right(self._starts, frame)
        return self.laid[index] if index < len(self.laid) else None
