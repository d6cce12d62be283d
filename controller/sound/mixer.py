"""The mixer: voices, transport, music level, filler, bus faders and ceilings, one block of 20 ms at a time.

`render` runs in the mixer's thread. Everything else is asked of it with `post` or `command` and done between two
blocks. All a block changes are values, so that the mixer can go back to any block and render it anew (ahead.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import asin, pi
from typing import Any

import numpy as np

from controller.messages import Transport
from controller.sound.ceiling import DELAY, Audio, Ceiling
from controller.sound.filler import Filler
from controller.sound.settings import Bus, SoundSettings
from controller.sound.timeline import RATE, Ramp, Sheet, Timeline, to_frames
from controller.sound.tone import Tone
from controller.sound.voice import Curve, Voice, equal_power, ramp_curve

BLOCK = 960
"""20 ms."""

Action = Callable[[], None]

_HELD = ("sheet", "voices", "music", "master", "_filler_gain", "_silent", "_stopping")
"""What a block changes of the mixer itself, beside timeline, strips, filler and voices."""

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
    session `why`).
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


class Strip:
    """One bus: its fader, its ceiling, its meter, and the tone of a sound check."""

    def __init__(self, bus: Bus) -> None:
        self.fader = Ramp.at(0.0)
        """dB below the calibrated level."""
        self.tone = Tone()
        """Beside the fader, so that what leaves the bus is what was asked for; under the ceiling like all else."""
        self._level_db = bus.level_db
        self._ceiling = Ceiling(bus.ceiling_dbfs)
        self._power = self._peak = 0.0
        self._frames = 0
        first, second = (channel - 1 for channel in bus.channels)
        self.channels: Any = slice(first, first + 2) if second == first + 1 else [first, second]

    def process(self, mix: Audio, master: Curve | float) -> Audio:
        """The mix as this bus lets it out; `master` is what was done to it, and is done to the tone."""
        level = _gain(ramp_curve(self.fader, BLOCK), self._level_db)
        self.fader = self.fader.later(BLOCK)
        sound = mix * level
        if not self.tone.silent:
            tone = self.tone.block(BLOCK)
            _scale(tone, master)
            sound += tone
            self.tone = self.tone.later(BLOCK)
        out = self._ceiling.process(sound)
        self._power += float(np.vdot(out, out))
        self._peak = max(self._peak, float(out.max()), -float(out.min()))
        self._frames += BLOCK
        return out

    def read_level(self) -> tuple[float, float]:
        """RMS and peak since the last call."""
        rms = (self._power / max(1, 2 * self._frames)) ** 0.5
        peak, self._power, self._peak, self._frames = self._peak, 0.0, 0.0, 0
        return rms, peak

    def state(self) -> tuple[dict[str, Any], Any]:
        """Everything that `process` changes."""
        return dict(vars(self)), self._ceiling.state()

    def go_back(self, state: tuple[dict[str, Any], Any]) -> None:
        """Be as it was at `state`."""
        vars(self).update(state[0])
        self._ceiling.go_back(state[1])


@dataclass(frozen=True, slots=True)
class Held:
    """A mixer between two blocks, to go back to."""

    own: dict[str, Any]
    timeline: Timeline
    strips: tuple[Any, ...]
    voices: tuple[tuple[Voice, dict[str, Any]], ...]


class Mixer:
    """Makes blocks of (BLOCK, channels) float64 and the marks that belong to them.

    Whatever is posted is followed by a mark of the timeline's place.
    """

    def __init__(self, settings: SoundSettings) -> None:
        self.settings = settings
        self.timeline = Timeline()
        self.sheet = Sheet()
        self.voices: tuple[Voice, ...] = ()
        self.music = Ramp.at(1.0)
        """Place 0..1 of an equal-power fade; `music_place` turns an amplitude into it."""
        self.strips = {bus.name: Strip(bus) for bus in settings.buses}
        self.master = Ramp.at(1.0)
        self.urgent = False
        """Something was posted that shall be heard before what is rendered already."""
        self.wake: Callable[[], None] = lambda: None
        """Called after something urgent was posted."""
        self._filler = Filler(settings.filler_dbfs)
        self._filler_gain = Ramp.at(0.0)
        self._silent = 0
        self._stopping = False
        self._inbox: deque[Action] = deque()

    @property
    def filler_on(self) -> bool:
        """Whether the filler is in, or coming in."""
        return self._filler_gain.target > 0.0

    def post(self, action: Action) -> None:
        """Do `action` in the mixer's thread before the next block it renders.

        It may be done again from an earlier state, so it names what it wants and not a difference.
        """
        self._inbox.append(action)

    def command(self, action: Action) -> None:
        """Do `action` before the next block that is heard."""
        self._inbox.append(action)
        self.urgent = True
        self.wake()

    def posted(self) -> list[Action]:
        """What was posted since the last call."""
        self.urgent = False
        actions = []
        while self._inbox:
            actions.append(self._inbox.popleft())
        return actions

    def hold(self) -> Held:
        """The mixer as it is now."""
        own = {name: getattr(self, name) for name in _HELD}
        strips = tuple(strip.state() for strip in self.strips.values())
        own["_filler"] = self._filler.frame
        return Held(own, self.timeline.copy(), strips, tuple((voice, voice.state()) for voice in self.voices))

    def go_back(self, held: Held) -> None:
        """Be as it was at `held`, but for what has been posted."""
        own = dict(held.own)
        self._filler.frame = own.pop("_filler")
        vars(self).update(own)
        self.timeline = held.timeline.copy()
        for strip, state in zip(self.strips.values(), held.strips, strict=True):
            strip.go_back(state)
        for voice, kept in held.voices:
            voice.go_back(kept)

    def begin(self, timeline: Timeline, sheet: Sheet) -> None:
        """Stand at the place of a new session, or of one that a killed engine left."""
        self.timeline, self.sheet = timeline.copy(), sheet
        self._stopping = timeline.transport == "stop" and timeline.gate.moving
        for strip in self.strips.values():
            strip.tone = strip.tone.ending(to_frames(self.settings.cut_fade_s))

    def turn(self, transport: Transport, fade_s: float) -> None:
        """Ramp to play, pause or stop; a stop that is complete is marked."""
        self.timeline.turn(transport, fade_s)
        self._stopping = transport == "stop"

    def add(self, voice: Voice) -> None:
        """Let a new voice sound at its place."""
        voice.go_back(voice.fresh)
        self.voices = (*self.voices, voice)

    def let_go(self, voice: Voice) -> None:
        """Let a voice that no plan holds any more fade out on its own, whatever the timeline does next."""
        voice.leave(float(equal_power(self.timeline.gate.value)), to_frames(self.settings.cut_fade_s))

    def set_music(self, level: float, fade_s: float) -> None:
        """Take the music as a whole to an amplitude 0..1."""
        self.music = self.music.arriving(music_place(level), to_frames(fade_s))

    def set_fader(self, bus: str, level_db: float, fade_s: float) -> None:
        """Take one bus to a level in dB, never above the calibrated one."""
        if bus in self.strips:
            strip = self.strips[bus]
            strip.fader = strip.fader.arriving(min(0.0, level_db), to_frames(fade_s))

    def set_tone(self, bus: str, left: float, right: float, fade_s: float, for_s: float) -> None:
        """Let the tone sound on one bus, at RMS amplitudes, for so long; on the others it ends."""
        for name, strip in self.strips.items():
            sides = (left, right) if name == bus else (0.0, 0.0)
            strip.tone = strip.tone.towards(*sides, to_frames(fade_s), to_frames(for_s))

    def set_master(self, level: float, fade_s: float, begin: float | None = None) -> None:
        """Take everything to an amplitude, from another one at once where `begin` says so."""
        master = self.master if begin is None else Ramp.at(begin)
        self.master = master.arriving(level, to_frames(fade_s))

    def render(self, actions: Sequence[Action] | None = None) -> tuple[Audio, tuple[Mark, ...]]:
        """The next block, after what was posted, or after these `actions`."""
        marks: list[Mark] = []
        todo = self.posted() if actions is None else actions
        for action in todo:
            action()
        if todo:
            marks.append(Mark("place", DELAY, timeline=self.timeline.copy()))
        mix = self._music(marks)
        _scale(mix, equal_power(ramp_curve(self.music, BLOCK)))
        self.music = self.music.later(BLOCK)
        master = ramp_curve(self.master, BLOCK)
        _scale(mix, master)
        self.master = self.master.later(BLOCK)
        out = np.zeros((BLOCK, self.settings.channels))
        for strip in self.strips.values():
            out[:, strip.channels] = strip.process(mix, master)
        return out, tuple(marks)

    def read_levels(self) -> Levels:
        """RMS and peak by bus since the last call; called through `post`."""
        return Levels({name: strip.read_level() for name, strip in self.strips.items()})

    def _music(self, marks: list[Mark]) -> Audio:
        """Voices and filler under the transport's gate, leaving voices beside it."""
        timeline = self.timeline
        mix = np.zeros((BLOCK, 2))
        at = timeline.frame
        gate = equal_power(ramp_curve(timeline.gate, BLOCK))
        moved = timeline.advance(BLOCK)
        heard = False
        for voice in self.voices:
            if voice.leaving:
                continue
            if moved:
                if voice.laid.cue.after and not voice.tied:
                    voice.tie(self._sounding(voice.laid.cue.after), at)
                sound = voice.render(at - voice.start, moved)
                if sound is not None:
                    heard = True
                    mix[:moved] += sound
                self._follow(voice, at, moved, marks)
        _scale(mix, gate)
        self._fill(mix, heard, moved, marks)
        for voice in self.voices:
            if voice.leaving:
                sound = None if voice.gone else voice.render(voice.cursor, BLOCK)
                if sound is not None:
                    mix += sound
                if voice.gone:
                    self._end(voice, 0, "cut", marks)
        if self._stopping and timeline.still:
            self._stopping = False
            for voice in self.voices:
                if not voice.leaving:
                    self._end(voice, moved + DELAY, "cut", marks)
            marks.append(Mark("stopped", moved + DELAY, why=self.sheet.session))
        return mix

    def _sounding(self, number: int) -> Voice | None:
        """The voice of a cue that is in the plan."""
        return next((one for one in self.voices if one.laid.cue.id == number and not one.leaving), None)

    def _follow(self, voice: Voice, at: int, moved: int, marks: list[Mark]) -> None:
        """Mark the cue's first and last frame."""
        if voice.sounding and not voice.started:
            voice.started = True
            marks.append(Mark("started", voice.start - at + DELAY, voice))
        over = voice.cursor >= voice.length
        fault = voice.fault() if voice.starved or over else ""
        if over or (fault and voice.cursor > 0 and not voice.sounding):
            self._end(voice, max(0, min(voice.end - at, moved)) + DELAY, fault or "end", marks)

    def _end(self, voice: Voice, offset: int, why: str, marks: list[Mark]) -> None:
        self.voices = tuple(one for one in self.voices if one is not voice)
        marks.append(Mark("ended", offset, voice, why))

    def _fill(self, mix: Audio, heard: bool, moved: int, marks: list[Mark]) -> None:
        """Bring the filler in where sound is expected and none comes, and out under the next piece."""
        timeline = self.timeline
        over = timeline.frame - self.sheet.end if self.sheet.laid else self._silent
        expected = timeline.transport == "play" and self.music.target > 0.0 and bool(self.sheet.session)
        self._silent = 0 if heard or not expected else self._silent + moved
        wanted = expected and self._silent > _PATIENCE and over < _FILLER_MAX
        if wanted and not self.filler_on and not self._imminent():
            self._filler_gain = self._filler_gain.arriving(1.0, _FILLER_IN)
            marks.append(Mark("filler", DELAY, why=self._reason(), on=True))
        elif self.filler_on and (heard or not expected or over >= _FILLER_MAX):
            self._filler_gain = self._filler_gain.arriving(0.0, _FILLER_OUT if over < _FILLER_MAX else _FILLER_END)
            marks.append(Mark("filler", DELAY))
        if self._filler_gain.moving or self._filler_gain.value:
            bed = self._filler.block(BLOCK)
            _scale(bed, equal_power(ramp_curve(self._filler_gain, BLOCK)))
            mix += bed
            self._filler_gain = self._filler_gain.later(BLOCK)

    def _imminent(self) -> bool:
        """Whether a healthy piece is about to start; the filler would only blur it."""
        here = self.timeline.frame
        return any(here <= voice.start < here + _IMMINENT and voice.ready for voice in self.voices)

    def _reason(self) -> str:
        """Why there is silence, as a code."""
        here = self.timeline.frame
        if self.sheet.laid and here >= self.sheet.end:
            return "over"
        for voice in self.voices:
            if voice.start <= here and not voice.leaving:
                return voice.fault() or "stalled"
        return "file" if self.sheet.between(here, here + 1) else "gap"


def music_place(level: float) -> float:
    """The place of an equal-power fade at which the amplitude is `level`."""
    return asin(min(1.0, max(0.0, level))) * 2 / pi


def music_level(place: float) -> float:
    """The amplitude at a place of an equal-power fade."""
    return float(equal_power(float(place)))


def _gain(level_db: Curve | float, calibrated_db: float) -> Curve | float:
    """Amplitude of a level in dB, as a factor for a block."""
    if isinstance(level_db, float):
        return float(10 ** ((level_db + calibrated_db) / 20))
    return np.asarray(10 ** ((level_db + calibrated_db) / 20))[:, None]


def _scale(mix: Audio, gain: Curve | float) -> None:
    """Multiply a block where that changes anything."""
    if not isinstance(gain, float):
        mix *= gain[:, None]
    elif gain != 1.0:
        mix *= gain


__all__ = ["BLOCK", "RATE", "Action", "Held", "Levels", "Mark", "Mixer", "music_level", "music_place"]
