"""The mixer: voices, transport, music level, filler, bus faders and ceilings, one block of 20 ms at a time.

`render` runs in the mixer's thread. Everything else is asked of it with `post` or `command` and done between two
blocks. All a block changes are values, so that the mixer can go back to any block and render it anew (ahead.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import asin, pi
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from controller.messages import Transport
from controller.sound.ceiling import CHUNK, DELAY, Audio, Ceiling, Curve, Frames
from controller.sound.filler import Filler
from controller.sound.settings import Bus, SoundSettings
from controller.sound.timeline import RATE, Ramp, Sheet, Timeline, to_frames
from controller.sound.tone import Tone
from controller.sound.voice import Voice, equal_power, ramp_curve, ramp_steps

BLOCK = 960
"""20 ms."""

_BEHIND = DELAY // CHUNK
"""Chunks by which sound comes out of a bus after it went in."""

Action = Callable[[], None]

_HELD = (
    "sheet",
    "voices",
    "music",
    "master",
    "_gates",
    "_gate_level",
    "_coming",
    "_filler_gain",
    "_silent",
    "_mute",
    "_stopping",
)
"""What a block changes of the mixer itself, beside timeline, strips, filler and voices."""

_PATIENCE = to_frames(0.3)
"""Unasked silence that is borne before the filler comes in."""

_REST = to_frames(10.0)
"""A rest in the music is shorter; a piece that brings nothing but zeros for so long is as good as none."""

_NOTHING = 2 * BLOCK * 1e-8
"""Energy of a block at -80 dBFS."""

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
        self._level = np.float32(10 ** (bus.level_db / 20))
        self._ceiling = Ceiling(bus.ceiling_dbfs)
        self._power = self._peak = 0.0
        self._frames = 0
        first, second = (channel - 1 for channel in bus.channels)
        self.channels: Any = slice(first, first + 2) if second == first + 1 else [first, second]

    def process(self, mix: Audio, fade: Curve | float, master: Ramp) -> Audio:
        """The mix as this bus lets it out under `fade` and its fader; `master` is done to the tone too."""
        fade = fade * 10 ** (ramp_steps(self.fader, BLOCK) / 20)
        self.fader = self.fader.later(BLOCK)
        out = self._ceiling.process(mix if self._level == 1.0 else mix * self._level, fade)
        if not self.tone.silent:
            tone = self.tone.block(BLOCK)
            tone *= ramp_curve(master, BLOCK)
            self.tone = self.tone.later(BLOCK)
            out = np.clip(out + tone, -self._ceiling.limit, self._ceiling.limit, dtype=np.float32)
        self._power += float(np.vdot(out, out))
        self._peak = max(self._peak, float(out.max()), -float(out.min()))
        self._frames += BLOCK
        return out

    def read_level(self) -> tuple[float, float]:
        """RMS and peak since the last call."""
        rms = (self._power / max(1, 2 * self._frames)) ** 0.5
        peak, self._power, self._peak, self._frames = self._peak, 0.0, 0.0, 0
        return rms, peak

    def shut(self) -> None:
        """Be silent at once."""
        self._ceiling.shut()

    def state(self) -> tuple[dict[str, Any], Any]:
        """Everything that `process` changes."""
        return dict(vars(self)), self._ceiling.state()

    def go_back(self, state: tuple[dict[str, Any], Any]) -> None:
        """Be as it was at `state`."""
        vars(self).update(state[0])
        self._ceiling.go_back(state[1])


@dataclass(frozen=True, slots=True)
class _Coming:
    """A session that waits until the one before it has fallen silent."""

    timeline: Timeline
    sheet: Sheet
    stopping: bool = False
    voices: tuple[Voice, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """A mixer between two blocks, to go back to."""

    own: dict[str, Any]
    timeline: Timeline
    strips: tuple[Any, ...]
    voices: tuple[tuple[Voice, dict[str, Any]], ...]


class Mixer:
    """Makes blocks of (BLOCK, channels) and the marks that belong to them.

    Whatever is posted is followed by a mark of the timeline's place. What fades everything (transport, music, master)
    is handed to the end of the buses, which alone changes the level of a whole bus.
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
        self._gates: Curve = np.zeros(_BEHIND)
        """The transport's gain over the last chunks."""
        self._gate_level: float | None = 0.0
        """What they all are, where they are all the same."""
        self._coming: _Coming | None = None
        self._silent = 0
        """Frames since something was heard, while something should be."""
        self._mute = 0
        """Frames for which the pieces that sound have brought nothing but silence."""
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

    def begin(self, timeline: Timeline, sheet: Sheet, *, at_once: bool = False) -> None:
        """Stand at the place of a new session, or of one that a killed engine left; `at_once` if nobody hears.

        A session that still sounds fades out first: the new one begins in silence.
        """
        coming = _Coming(timeline.copy(), sheet, timeline.transport == "stop" and timeline.gate.moving)
        if at_once:
            self._enter(coming)
        else:
            self._coming = coming
            if not self.timeline.still:
                self.timeline.turn("stop", self.settings.cut_fade_s)
        for strip in self.strips.values():
            strip.tone = strip.tone.ending(to_frames(self.settings.cut_fade_s))

    def lay(self, sheet: Sheet) -> None:
        """Hold a new sheet of the same session, or none."""
        if self._coming is not None and sheet.session == self._coming.sheet.session:
            self._coming = replace(self._coming, sheet=sheet)
        else:
            self.sheet = sheet

    def turn(self, transport: Transport, fade_s: float) -> None:
        """Ramp to play, pause or stop; a stop that is complete is marked."""
        if self._coming is not None:
            timeline = self._coming.timeline.copy()
            timeline.turn(transport, fade_s)
            self._coming = replace(self._coming, timeline=timeline, stopping=transport == "stop")
        else:
            self.timeline.turn(transport, fade_s)
            self._stopping = transport == "stop"

    def add(self, voice: Voice) -> None:
        """Let a new voice sound at its place."""
        voice.go_back(voice.fresh)
        if self._coming is not None:
            self._coming = replace(self._coming, voices=(*self._coming.voices, voice))
        else:
            self.voices = (*self.voices, voice)

    def let_go(self, voice: Voice) -> None:
        """Let a voice that no plan holds any more fade out, wherever the timeline goes next."""
        voice.leave(to_frames(self.settings.cut_fade_s))
        if self._coming is not None and voice in self._coming.voices:
            rest = tuple(one for one in self._coming.voices if one is not voice)
            self._coming, self.voices = replace(self._coming, voices=rest), (*self.voices, voice)

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

    def set_master(self, level: float, fade_s: float, *, out_of_silence: bool = False) -> None:
        """Take everything to an amplitude; `out_of_silence` where nobody has heard anything up to now."""
        if out_of_silence:
            self.master = Ramp.at(0.0)
            for strip in self.strips.values():
                strip.shut()
        self.master = self.master.arriving(level, to_frames(fade_s))

    def render(self, actions: Sequence[Action] | None = None) -> tuple[Frames, tuple[Mark, ...]]:
        """The next block, after what was posted, or after these `actions`."""
        marks: list[Mark] = []
        todo = self.posted() if actions is None else actions
        for action in todo:
            action()
        if self._coming is not None and self.timeline.still:
            for voice in self.voices:
                self._end(voice, DELAY, "cut", marks)
            self._enter(self._coming)
            todo = [*todo, lambda: None]
        if todo:
            place = self._coming.timeline if self._coming is not None else self.timeline
            marks.append(Mark("place", DELAY, timeline=place.copy()))
        gate = self._gate()
        mix = self._music(marks)
        master = self.master
        fade = gate * equal_power(ramp_steps(self.music, BLOCK)) * ramp_steps(master, BLOCK)
        self.music, self.master = self.music.later(BLOCK), master.later(BLOCK)
        out = np.zeros((BLOCK, self.settings.channels), np.float32)
        for strip in self.strips.values():
            out[:, strip.channels] = strip.process(mix, fade, master).T
        return out, tuple(marks)

    def read_levels(self) -> Levels:
        """RMS and peak by bus since the last call; called through `post`."""
        return Levels({name: strip.read_level() for name, strip in self.strips.items()})

    def _enter(self, coming: _Coming) -> None:
        self.timeline, self.sheet = coming.timeline.copy(), coming.sheet
        self.voices, self._stopping, self._coming = coming.voices, coming.stopping, None

    def _gate(self) -> Curve | float:
        """The transport's gain: down at once, but up only as its music comes out of the buses."""
        now = equal_power(ramp_steps(self.timeline.gate, BLOCK))
        if isinstance(now, float) and now == self._gate_level:
            return now
        gates = np.concatenate([self._gates, np.broadcast_to(now, BLOCK // CHUNK)])
        self._gates = gates[-_BEHIND:]
        level = float(self._gates[0])
        self._gate_level = level if (self._gates == level).all() else None
        least: Curve = sliding_window_view(gates, _BEHIND + 1).min(axis=1)
        return least

    def _music(self, marks: list[Mark]) -> Audio:
        """Voices and filler, as far as the timeline moves."""
        timeline = self.timeline
        mix = np.zeros((2, BLOCK), np.float32)
        at = timeline.frame
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
                    mix[:, :moved] += sound
                self._follow(voice, at, moved, marks)
        self._mute = self._mute + moved if heard and float(np.vdot(mix, mix)) < _NOTHING else 0
        self._fill(mix, heard and self._mute < _REST, moved, marks)
        for voice in self.voices:
            if voice.leaving:
                sound = voice.render(voice.cursor, BLOCK) if moved and not voice.gone else None
                if sound is not None:
                    mix += sound
                if voice.gone or not moved:
                    self._end(voice, DELAY, "cut", marks)
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
            gain = equal_power(ramp_curve(self._filler_gain, BLOCK))
            mix += self._filler.block(BLOCK) * np.asarray(gain, np.float32)
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
                return voice.fault() or ("silent" if voice.sounding else "stalled")
        return "file" if self.sheet.between(here, here + 1) else "gap"


def music_place(level: float) -> float:
    """The place of an equal-power fade at which the amplitude is `level`."""
    return asin(min(1.0, max(0.0, level))) * 2 / pi


def music_level(place: float) -> float:
    """The amplitude at a place of an equal-power fade."""
    return float(equal_power(float(place)))


__all__ = ["BLOCK", "RATE", "Action", "Held", "Levels", "Mark", "Mixer", "music_level", "music_place"]
