"""The sound of a rehearsal: the engine's timeline rules on a simulated clock, without a sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.clock import SimulatedClock
from controller.messages import (
    Act,
    BusView,
    DeviceBack,
    Effect,
    EngineReported,
    FadeBus,
    FadeMusic,
    PieceEnded,
    PieceStarted,
    PlayCues,
    SetTransport,
    SoundView,
    TrackView,
    target,
)
from controller.sound.timeline import RATE, Laid, Sheet, Timeline, to_frames


class SimulatedSound:
    """The driver's twin: posts `PieceStarted` and `PieceEnded` at their exact times.

    The rehearsal asks `next_event_t`, moves its clock there, and calls `advance_to`. Every call that changes something
    first brings the timeline up to the clock.
    """

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._post: Callable[[Act], None] = lambda _act: None
        self._sheet = Sheet()
        self._timeline = Timeline()
        self._at = clock.now()
        self._sounding: dict[int, Laid] = {}
        self._played_from: dict[int, int] = {}
        self._seqs: dict[str, int] = {}
        self._faders: dict[str, float] = {}
        self._output_frame = 0
        self._stopping = False

    async def start(self, post: Callable[[Act], None], post_input: Any = None) -> None:
        """Take effects from now on; reports at once, holding nothing."""
        self._post = post
        self._post(EngineReported(output="simulated"))
        self._post(DeviceBack(name="sound"))

    async def close(self) -> None:
        """Nothing is held; twice is fine."""

    def apply(self, effect: Effect, seq: int) -> None:
        """Do an effect of the sound's own; others and older ones are ignored."""
        if not isinstance(effect, PlayCues | SetTransport | FadeMusic | FadeBus):
            return
        name = target(effect)
        if seq < self._seqs.get(name, -1):
            return
        self._seqs[name] = seq
        self.advance_to(self._clock.now())
        match effect:
            case PlayCues():
                self._lay(effect)
            case SetTransport() if effect.session == self._sheet.session:
                self._timeline.turn(effect.transport, effect.fade_s)
                self._stopping = effect.transport == "stop"
                self._pass(0)
            case FadeBus():
                self._faders[effect.bus] = min(0.0, effect.level_db)

    def next_event_t(self) -> float | None:
        """Room time at which a piece will start or end, or a stop be complete; None if nothing will by itself."""
        frames = self._frames_to_event()
        return None if frames is None else self._at + frames / RATE

    def advance_to(self, t: float) -> None:
        """Let room time pass up to `t`, posting what happens on the way at its own time."""
        while True:
            left = to_frames(t - self._at)
            event = self._frames_to_event()
            if event is None or event > left:
                break
            self._pass(event)
        if left > 0:
            self._pass(left)

    def timeline_now(self) -> float:
        """Where the sound timeline is."""
        self.advance_to(self._clock.now())
        return self._timeline.seconds

    def view(self) -> tuple[SoundView, TrackView | None]:
        """What a console would show."""
        here = self._timeline.frame
        now = list(self._sounding.values())
        coming = self._sheet.after(here)
        buses = tuple(BusView(bus=name, level_db=level) for name, level in self._faders.items())
        sound = SoundView(
            state="ok",
            transport=self._timeline.transport,
            buses=buses,
            output="simulated",
            timeline_s=self._timeline.seconds,
        )
        if not now:
            return sound, None
        cue = now[-1].cue
        track = TrackView(
            title=cue.piece.title,
            artist=cue.piece.artist,
            path=cue.piece.path,
            position_s=cue.offset_s + (here - now[-1].start) / RATE,
            duration_s=cue.piece.duration_s,
            next_title=coming.cue.piece.title if coming else "",
            next_in_s=(coming.start - here) / RATE if coming else None,
        )
        return sound, track

    def _lay(self, effect: PlayCues) -> None:
        fresh = Sheet(effect.session, effect.plan, effect.cues)
        held = fresh.session == self._sheet.session
        if held and fresh.plan < self._sheet.plan:
            return
        by_id = {laid.cue.id: laid for laid in fresh.laid}
        for number, laid in list(self._sounding.items()):
            kept = by_id.get(number)
            if held and kept is not None and kept.same_sound(laid):
                self._sounding[number] = kept
            else:
                self._end(laid, "cut")
        if not held:
            self._timeline = Timeline(frame=to_frames(effect.timeline_s))
            self._stopping = False
        self._sheet = fresh
        self._pass(0)

    def _frames_to_event(self) -> int | None:
        """Output frames until the next start or end on the timeline, or until a stop is complete."""
        timeline = self._timeline
        here = timeline.frame
        if timeline.still:
            return None
        moments = [laid.end for laid in self._sounding.values()]
        coming = self._sheet.after(here)
        if coming is not None:
            moments.append(coming.start)
        away = min((moment - here for moment in moments), default=None)
        if timeline.transport == "play":
            return away
        left = timeline.gate.frames_left()
        return left if away is None else min(away, left)

    def _pass(self, frames: int) -> None:
        """Let output pass, then see what starts and ends exactly there."""
        self._timeline.advance(frames)
        self._output_frame += frames
        self._at += frames / RATE
        here = self._timeline.frame
        for laid in list(self._sounding.values()):
            if laid.end <= here:
                self._end(laid, "end")
        if self._timeline.still:
            if self._stopping:
                self._stopping = False
                for laid in list(self._sounding.values()):
                    self._end(laid, "cut")
                self._sheet = Sheet()
            return
        for laid in self._sheet.between(here, here + 1):
            if laid.cue.id not in self._sounding:
                self._begin(laid, here)

    def _begin(self, laid: Laid, here: int) -> None:
        self._sounding[laid.cue.id] = laid
        self._played_from[laid.cue.id] = here
        # As in the engine: a cue that begins late keeps the place at which it should have begun.
        late = here - laid.start
        piece = laid.cue.piece
        self._post(
            PieceStarted(
                cue=laid.cue.id,
                title=piece.title,
                path=piece.path,
                at_t=self._at - late / RATE,
                frame=self._output_frame - late,
            )
        )

    def _end(self, laid: Laid, why: str) -> None:
        # What is posted may come back as a new sheet before the rest of a list is done.
        if self._sounding.pop(laid.cue.id, None) is None:
            return
        played = self._timeline.frame - self._played_from.pop(laid.cue.id)
        self._post(PieceEnded(cue=laid.cue.id, title=laid.cue.piece.title, why=why, played_s=played / RATE))
