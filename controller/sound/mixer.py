"""The mixer: voices, transport, music level, filler, bus faders and ceilings, one block of 20 ms at a time.

`render` runs in the mixer's thread. Everything else is asked of it with `post` and done between two blocks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import asin, pi

import numpy as np

from controller.messages import Transport
from controller.sound.ceiling import DELAY, Audio, Ceiling
from controller.sound.filler import Filler
from controller.sound.settings import SoundSettings
from controller.sound.timeline import RATE, Ramp, Sheet, Timeline, to_frames
from controller.sound.voice import Voice, equal_power, ramp_curve

BLOCK = 960
"""20 ms."""

_PATIENCE = to_frames(0.3)
"""Unasked silence that is borne before the filler comes in."""

_IMMINENT = to_frames(0.4)

_FILLER_IN = to_frames(0.6)
_FILLER_OUT = to_frames(2.0)
_FILLER_END = to_frames(60.0)

_FILLER_MAX = to_frames(30 * 60.0)
"""After the last cue the filler goes on for half an hour."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that becomes true when frame `offset` of a block is played.

    `kind`: place (`timeline` is heard), started, ended (of `voice`, `why`), filler (`on`, `why`), stopped (of the
    session `why`), output (`why` is back).
    """

    kind: str
    offset: int = 0
    voice: Voice | None = None
    why: str = ""
    on: bool = False
    timeline: Timeline | None = None


@dataclass(frozen=True, slots=True)
class Levels:
    """What left the buses since the last reading: (rms, peak), linear, by bus name."""

    by_bus: dict[str, tuple[float, float]]


class Mixer:
    """Makes blocks of (BLOCK, channels) float64 and the marks that belong to them.

    Whatever is posted is followed by a mark of the timeline's place.
    """

    def __init__(self, settings: SoundSettings) -> None:
        self.settings = settings
        self.timeline = Timeline()
        self.sheet = Sheet()
        self.voices: list[Voice] = []
        self.music = Ramp(1.0, 1.0)
        """Place 0..1 of an equal-power fade; `music_place` turns an amplitude into it."""
        self.faders = {bus.name: Ramp(0.0, 0.0) for bus in settings.buses}
        """dB below the calibrated level."""
        self.master = Ramp(1.0, 1.0)
        self._ceilings = {bus.name: Ceiling(bus.ceiling_dbfs) for bus in settings.buses}
        self._filler = Filler(settings.filler_dbfs)
        self._filler_gain = Ramp(0.0, 0.0)
        self._silent = 0
        self._stopping = False
        self._inbox: deque[Callable[[], None]] = deque()
        self._power = {bus.name: 0.0 for bus in settings.buses}
        self._peak = {bus.name: 0.0 for bus in settings.buses}
        self._metered = 0

    @property
    def filler_on(self) -> bool:
        """Whether the filler is in, or coming in."""
        return self._filler_gain.target > 0.0

    def post(self, action: Callable[[], None]) -> None:
        """Do `action` in the mixer's thread before the next block."""
        self._inbox.append(action)

    def begin(self, timeline: Timeline, sheet: Sheet) -> None:
        """Stand at the place of a new session, or of one that a killed engine left."""
        self.timeline, self.sheet = timeline, sheet
        self._stopping = timeline.transport == "stop" and timeline.gate.moving

    def turn(self, transport: Transport, fade_s: float) -> None:
        """Ramp to play, pause or stop; a stop that is complete is marked."""
        self.timeline.turn(transport, fade_s)
        self._stopping = transport == "stop"

    def let_go(self, voice: Voice) -> None:
        """Let a voice that no plan holds any more fade out on its own, whatever the timeline does next."""
        voice.leave(float(equal_power(self.timeline.gate.value)), to_frames(self.settings.cut_fade_s))

    def set_music(self, level: float, fade_s: float) -> None:
        """Take the music as a whole to an amplitude 0..1."""
        self.music.arrive(music_place(level), to_frames(fade_s))

    def set_fader(self, bus: str, level_db: float, fade_s: float) -> None:
        """Take one bus to a level in dB, never above the calibrated one."""
        if bus in self.faders:
            self.faders[bus].arrive(min(0.0, level_db), to_frames(fade_s))

    def render(self) -> tuple[Audio, tuple[Mark, ...]]:
        """The next block."""
        marks: list[Mark] = []
        if self._inbox:
            while self._inbox:
                self._inbox.popleft()()
            marks.append(Mark("place", DELAY, timeline=self.timeline.copy()))
        mix = self._music(marks)
        mix *= _column(equal_power(ramp_curve(self.music, BLOCK)))
        self.music.advance(BLOCK)
        if self.master.moving or self.master.value != 1.0:
            mix *= _column(ramp_curve(self.master, BLOCK))
            self.master.advance(BLOCK)
        return self._buses(mix), tuple(marks)

    def _music(self, marks: list[Mark]) -> Audio:
        """Voices and filler under the transport's gate, leaving voices beside it."""
        timeline = self.timeline
        mix = np.zeros((BLOCK, 2))
        at = timeline.frame
        gate = equal_power(ramp_curve(timeline.gate, BLOCK))
        moved = timeline.advance(BLOCK)
        heard = False
        for voice in [voice for voice in self.voices if not voice.leaving]:
            if moved:
                sound = voice.render(at - voice.laid.start, moved)
                if sound is not None:
                    heard = True
                    mix[:moved] += sound
                self._follow(voice, at, moved, marks)
        mix *= _column(gate)
        self._fill(mix, heard, moved, marks)
        for voice in [voice for voice in self.voices if voice.leaving]:
            sound = None if voice.gone else voice.render(voice.cursor, BLOCK)
            if sound is not None:
                mix += sound
            if voice.gone:
                self._end(voice, 0, "cut", marks)
        if self._stopping and timeline.still:
            self._stopping = False
            for voice in [voice for voice in self.voices if not voice.leaving]:
                self._end(voice, moved + DELAY, "cut", marks)
            marks.append(Mark("stopped", moved + DELAY, why=self.sheet.session))
        return mix

    def _follow(self, voice: Voice, at: int, moved: int, marks: list[Mark]) -> None:
        """Mark the cue's first and last frame."""
        if voice.sounding and not voice.started:
            voice.started = True
            marks.append(Mark("started", voice.laid.start - at + DELAY, voice))
        fault = voice.fault() if voice.starved or voice.cursor >= voice.laid.length else ""
        if voice.cursor >= voice.laid.length or (fault and voice.cursor > 0 and not voice.sounding):
            offset = min(voice.laid.end - at, moved)
            self._end(voice, max(0, offset) + DELAY, fault or "end", marks)

    def _end(self, voice: Voice, offset: int, why: str, marks: list[Mark]) -> None:
        self.voices.remove(voice)
        marks.append(Mark("ended", offset, voice, why))

    def _fill(self, mix: Audio, heard: bool, moved: int, marks: list[Mark]) -> None:
        """Bring the filler in where sound is expected and none comes, and out under the next piece."""
        timeline, gain = self.timeline, self._filler_gain
        over = timeline.frame - self.sheet.end
        expected = timeline.transport == "play" and self.music.target > 0.0 and bool(self.sheet.laid)
        self._silent = 0 if heard or not expected else self._silent + moved
        wanted = expected and self._silent > _PATIENCE and over < _FILLER_MAX
        if wanted and not self.filler_on and not self._imminent():
            gain.arrive(1.0, _FILLER_IN)
            marks.append(Mark("filler", DELAY, why=self._reason(), on=True))
        elif self.filler_on and (heard or not expected or over >= _FILLER_MAX):
            gain.arrive(0.0, _FILLER_OUT if over < _FILLER_MAX else _FILLER_END)
            marks.append(Mark("filler", DELAY))
        if gain.moving or gain.value:
            curve = equal_power(ramp_curve(gain, BLOCK))
            mix += self._filler.block(BLOCK) * _column(curve)
            gain.advance(BLOCK)

    def _imminent(self) -> bool:
        """Whether a healthy piece is about to start; the filler would only blur it."""
        here = self.timeline.frame
        return any(here <= voice.laid.start < here + _IMMINENT and voice.ready for voice in self.voices)

    def _reason(self) -> str:
        """Why there is silence, as a code."""
        here = self.timeline.frame
        if here >= self.sheet.end:
            return "over"
        for voice in self.voices:
            if voice.laid.start <= here and not voice.leaving:
                return voice.fault() or "stalled"
        return "file" if self.sheet.between(here, here + 1) else "gap"

    def _buses(self, mix: Audio) -> Audio:
        """Each bus by its own fader, under its own ceiling, on its own channels."""
        out = np.zeros((BLOCK, self.settings.channels))
        for bus in self.settings.buses:
            fader = self.faders[bus.name]
            level = np.asarray(ramp_curve(fader, BLOCK)) + bus.level_db
            fader.advance(BLOCK)
            limited = self._ceilings[bus.name].process(mix * _column(10 ** (level / 20)))
            out[:, [channel - 1 for channel in bus.channels]] = limited
            self._power[bus.name] += float(np.einsum("ij,ij->", limited, limited))
            self._peak[bus.name] = max(self._peak[bus.name], float(np.abs(limited).max()))
        self._metered += BLOCK * 2
        return out

    def read_levels(self) -> Levels:
        """RMS and peak by bus since the last call; called through `post`."""
        count = max(1, self._metered)
        levels = {name: ((self._power[name] / count) ** 0.5, self._peak[name]) for name in self._power}
        self._metered = 0
        for name in self._power:
            self._power[name] = self._peak[name] = 0.0
        return Levels(levels)


def music_place(level: float) -> float:
    """The place of an equal-power fade at which the amplitude is `level`."""
    return asin(min(1.0, max(0.0, level))) * 2 / pi


def music_level(place: float) -> float:
    """The amplitude at a place of an equal-power fade."""
    return float(equal_power(float(place)))


def _column(curve: object) -> Audio | float:
    array = np.asarray(curve, dtype=np.float64)
    return array[:, None] if array.ndim == 1 else float(array)


__all__ = ["BLOCK", "RATE", "Levels", "Mark", "Mixer", "music_level", "music_place"]
