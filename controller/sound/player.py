"""The engine's decisions: cue sheet, transport and levels by command, decks opened in time, events, memory.

All of it runs on the loop's thread. The mixer is asked by `post` and answers by marks when their frame is played.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from uuid import uuid4

from controller import clock
from controller.messages import Cue
from controller.sound.card import Card
from controller.sound.decks import Decks
from controller.sound.memory import SAME_PLACE_S, Kept, Memory
from controller.sound.mixer import BLOCK, Levels, Mark, Mixer, music_place
from controller.sound.protocol import DirectAct, KeptDirectAct, LayCues, SetBus, SetMusic, TurnTransport
from controller.sound.settings import SoundSettings
from controller.sound.timeline import RATE, Anchor, Laid, Ramp, Sheet, Timeline, to_frames
from controller.sound.voice import Voice
from controller.warden import NO_PAST, Past

_PREROLL = to_frames(3.0)
"""A deck is opened so long before its cue."""

_START_PATIENCE_S = 1.0
"""Play waits so long for the deck of the piece it begins with."""

_RESUME_PATIENCE_S = 0.5
"""And so long where it was playing before: the room is silent meanwhile."""

_EVENTS_KEPT = 256

_AT_HAND = _PREROLL + to_frames(2.0)
_FALLS = 2
"""After so many short lives in a row the pieces at hand are taken for their cause, and left out."""

_DROPOUT_OVER_S = 1.0
_DISK_PATIENCE_S = 0.05
_LOOP_STANDS_S = 0.5
_CALL_HANGS_S = 30.0


class Player:
    """Plays the sheet. `events` collects what must be told; the engine's process sends it."""

    def __init__(self, settings: SoundSettings, past: Past = NO_PAST) -> None:
        self.settings = settings
        self._past = past
        self._restarted = past.why
        """Why the engine before ended, until it has been told."""
        self._silent_since = clock.boottime()
        self._ticked = clock.boottime()
        self.name = uuid4().hex
        self.mixer = Mixer(settings)
        self.memory = Memory(settings.runtime_dir)
        self.decks = Decks()
        self.sheet = Sheet()
        self.transport: TurnTransport | None = None
        """The newest transport asked for, while it waits for a deck."""
        self.direct: list[KeptDirectAct] = []
        self.direct_count = 0
        self.outbox: deque[dict[str, Any]] = deque(maxlen=_EVENTS_KEPT)
        """Numbered events that the daemon has not acknowledged."""
        self.fresh_events: list[dict[str, Any]] = []
        self.levels = Levels({bus.name: (0.0, 0.0) for bus in settings.buses})
        self.anchor = Anchor(clock.boottime(), Timeline())
        self.card = Card(self.mixer, self._on_mark, self._on_lost, self._on_back)
        self._number = 0
        self._seqs: dict[str, int] = {}
        self._replaced: deque[str] = deque(maxlen=8)
        self._parts: list[LayCues] = []
        self._answered: dict[str, float] = {}
        self._early: TurnTransport | None = None
        self._play_by = self._hold_until = 0.0
        self._back = ""
        """A device that is back and has not been told of."""
        self._voices: dict[int, Voice] = {}
        self._begun: set[int] = set()
        self._done: set[int] = set()
        self._late_blocks = 0
        self._dropped_s = self._dropped_at = 0.0
        self.music = 1.0
        self.faders = {bus.name: 0.0 for bus in settings.buses}

    # -- life ---------------------------------------------------------------------------------------------------------

    def start(self, beat: Callable[[bool], None] = lambda _well: None) -> None:
        """Go on where the last engine of this boot was heard, or begin with nothing; then mix.

        `beat` is called by the mixer's thread as blocks leave it, and told whether all is well.
        """
        recalled = self.memory.recall()
        had_device = False
        if recalled is not None:
            kept, self.sheet = recalled
            had_device = kept.device
            now = clock.boottime()
            place = kept.resumed(self._past.alive_at, now)
            self._silent_since = self._past.alive_at or kept.kept_at
            self._number, self.outbox = kept.number, deque(kept.events, maxlen=_EVENTS_KEPT)
            self.direct, self.direct_count = list(kept.direct), kept.direct_count
            self._answered = {one.act.id: one.boottime for one in kept.direct}
            self._seqs, self._begun, self._done = dict(kept.seqs), set(kept.begun), set(kept.done)
            self.music = kept.music
            self.faders.update({bus: db for bus, db in kept.faders.items() if bus in self.faders})
            self.mixer.music = Ramp.at(music_place(kept.music))
            for bus, level_db in self.faders.items():
                self.mixer.strips[bus].fader = Ramp.at(level_db)
            if self._past.falls >= _FALLS and self._past.why != "killed":
                self._leave_out(place.frame)
            self._resume(place, now)
        self.card.start(lambda: beat(self._well()), had_device=had_device)

    def close(self) -> None:
        """Give decks and card up."""
        self.card.close()
        self.decks.shut()
        self.memory.close()

    def _resume(self, place: Timeline, now: float) -> None:
        """Stand at a place, and play on from there as soon as the decks have its frames and somebody can hear them."""
        place.turns = self.anchor.timeline.turns + 1
        if place.transport == "play":
            place = Timeline(place.frame, "pause", turns=place.turns)
            fade_s = self.settings.recovery_fade_s
            self.transport = TurnTransport(session=self.sheet.session, seq=0, transport="play", fade_s=fade_s)
            self._play_by, self._hold_until = now + _RESUME_PATIENCE_S, now + SAME_PLACE_S
        elif place.transport == "pause":
            place.gate = Ramp.at(0.0)
        self.anchor = Anchor(now, place.copy())
        self.mixer.post(partial(self.mixer.begin, place, self.sheet, at_once=True))
        self._open_due(recovered=self.transport is None, at=place.frame)

    def _leave_out(self, here: int) -> None:
        """Do not open again what every engine fell over: the first that was to be opened, or else one that played."""
        near = [one for one in self.sheet.between(here, here + _AT_HAND) if one.cue.id not in self._done]
        for laid in ([one for one in near if one.cue.id not in self._begun] or near)[:1]:
            self._done.add(laid.cue.id)
            words = _piece(laid, self.sheet.session)
            self._tell("piece_ended", clock.boottime(), **words, why="decoder", played_s=0.0)

    def _well(self) -> bool:
        """Whether loop and card do their part; asked by the mixer's thread."""
        return clock.boottime() - self._ticked < _LOOP_STANDS_S and self.card.call_hangs_s < _CALL_HANGS_S

    def fade_out(self, seconds: float) -> None:
        """Let everything fade before the process ends; what is remembered stays."""
        self.mixer.command(partial(self.mixer.set_master, 0.0, seconds))

    # -- commands -----------------------------------------------------------------------------------------------------

    def command(self, command: LayCues | TurnTransport | SetMusic | SetBus) -> None:
        """Do what the daemon asks, if nothing newer was asked."""
        if command.session in self._replaced or not self._newer(command):
            return
        match command:
            case LayCues():
                self._collect(command)
            case TurnTransport():
                if command.session != self.sheet.session:
                    self._early = command
                elif command.seen_direct >= self.direct_count:
                    self._turn(command)
            case SetMusic():
                self.music = min(1.0, max(0.0, command.level))
                self.mixer.command(partial(self.mixer.set_music, self.music, command.fade_s))
            case SetBus():
                if command.bus in self.faders:
                    self.faders[command.bus] = min(0.0, command.level_db)
                    self.mixer.command(
                        partial(self.mixer.set_fader, command.bus, self.faders[command.bus], command.fade_s)
                    )
        self.keep()

    def direct_act(self, act: DirectAct) -> float:
        """Pause or resume at once, and keep it; returns when it was done. A repeated id does nothing more."""
        if act.id in self._answered:
            return self._answered[act.id]
        now = self._answered[act.id] = clock.boottime()
        self.direct_count += 1
        self.direct.append(KeptDirectAct(act=act, boottime=now, number=self.direct_count))
        wanted = self.wanted_transport
        if act.direct == "pause" and wanted == "play":
            own = self.settings.pause_fade_s
            self._turn_now("pause", own if act.fade_s is None else min(own, act.fade_s))
        elif act.direct == "resume" and wanted != "stop":
            self._turn_now("play", self.settings.resume_fade_s)
            self.music = 1.0
            self.mixer.command(partial(self.mixer.set_music, 1.0, self.settings.resume_fade_s))
        self.keep()
        # Said only when it would outlive this process, unless the disk stalls.
        self.memory.settle(_DISK_PATIENCE_S)
        return now

    def acknowledge(self, direct: Iterable[str] = (), events: int = 0) -> None:
        """The daemon has these direct acts on record, and the events up to a number."""
        known = set(direct)
        if known:
            self.direct = [kept for kept in self.direct if kept.act.id not in known]
            self.keep()
        while self.outbox and self.outbox[0]["n"] <= events:
            self.outbox.popleft()

    @property
    def wanted_transport(self) -> str:
        """The transport asked for last."""
        return "play" if self.transport is not None else self.anchor.timeline.transport

    def _newer(self, command: LayCues | TurnTransport | SetMusic | SetBus) -> bool:
        """Whether no later command for the same target was seen."""
        name = f"{command.session}/{type(command).__struct_config__.tag}" + (
            f".{command.bus}" if isinstance(command, SetBus) else ""
        )
        last = self._seqs.get(name, -1)
        held = isinstance(command, LayCues) and command.session == self.sheet.session
        if command.seq < last or (held and isinstance(command, LayCues) and command.plan < self.sheet.plan):
            return False
        self._seqs[name] = command.seq
        return True

    def _collect(self, part: LayCues) -> None:
        """Put the parts of a sheet together."""
        if part.part == 0:
            self._parts = []
        if part.part == len(self._parts):
            self._parts.append(part)
            if len(self._parts) == part.parts:
                cues = [cue for one in self._parts for cue in one.cues]
                self._parts = []
                self._lay(part, cues)

    def _lay(self, command: LayCues, cues: list[Cue]) -> None:
        """Take a whole sheet; what plays on in it goes on, the rest fades out."""
        fresh = Sheet(command.session, command.plan, cues)
        by_id = {laid.cue.id: laid for laid in fresh.laid}
        new_session = fresh.session != self.sheet.session
        for number, voice in list(self._voices.items()):
            laid = by_id.get(number)
            if laid is not None and laid.same_sound(voice.laid) and not new_session:
                if laid != voice.laid:
                    self.mixer.command(partial(voice.relay, laid))
            else:
                del self._voices[number]
                self.mixer.command(partial(self.mixer.let_go, voice))
        if new_session:
            if self.sheet.session:
                self._replaced.append(self.sheet.session)
            self._seqs = {name: seq for name, seq in self._seqs.items() if name.startswith(f"{fresh.session}/")}
            self._begun.clear()
            self._done.clear()
            self.transport = None
            place = Timeline(frame=to_frames(command.timeline_s), turns=self.anchor.timeline.turns + 1)
            self.anchor = Anchor(clock.boottime(), place.copy())
            self.mixer.command(partial(self.mixer.begin, place, fresh))
        else:
            self.mixer.command(partial(self.mixer.lay, fresh))
        self.sheet = fresh
        self.memory.keep_sheet(fresh)
        self._open_due(at=to_frames(command.timeline_s) if new_session else None)
        if self._early is not None and self._early.session == fresh.session:
            early, self._early = self._early, None
            self._turn(early)

    def _turn(self, command: TurnTransport) -> None:
        """Begin a transport; play waits a moment for the deck it begins with. To play what plays changes nothing."""
        if command.transport == "play" == self.wanted_transport:
            return
        if command.transport == "play" and self.anchor.at(clock.boottime()).still:
            self.transport = command
            self._play_by = clock.boottime() + _START_PATIENCE_S
            self._hold_until = clock.boottime() + SAME_PLACE_S
            self._begin_when_ready()
        else:
            self._turn_now(command.transport, command.fade_s)

    def _turn_now(self, transport: Any, fade_s: float) -> None:
        self.transport = None
        now = clock.boottime()
        place = self.anchor.at(now)
        place.turn(transport, fade_s)
        self.anchor = Anchor(now, place)
        self.mixer.command(partial(self.mixer.turn, transport, fade_s))

    def _begin_when_ready(self) -> None:
        if self.transport is None:
            return
        now, here = clock.boottime(), self.anchor.timeline.frame
        if self.card.lost and now < self._hold_until:
            return
        waiting = [v for v in self._voices.values() if v.laid.start <= here + 1 and not v.ready]
        if not waiting or now > self._play_by:
            self._turn_now("play", self.transport.fade_s)
            self.keep()

    def _tell_back(self) -> None:
        """Tell of an engine or a device that is back when what it plays is settled."""
        if self.transport is not None:
            return
        now = clock.boottime()
        if self._restarted:
            self._tell("restarted", now, why=self._restarted, silent_s=round(now - self._silent_since, 2))
            self._restarted = ""
        if self._back:
            self._tell("output", now, back=self._back)
            self._back = ""

    def _tell_dropout(self) -> None:
        """Tell of what a device played as silence because nothing was there, once it is over."""
        now, late = clock.boottime(), self.card.late_blocks
        fresh, self._late_blocks = late - self._late_blocks, late
        heard = self.card.output.name.startswith("device:") and not self.anchor.timeline.still
        if fresh and heard:
            self._dropped_s += fresh * BLOCK / RATE
            self._dropped_at = now
        elif self._dropped_s and now - self._dropped_at > _DROPOUT_OVER_S:
            title = self._title_at(now)
            self._tell("dropout", now, why="ran_dry", title=title, lost_s=round(self._dropped_s, 2))
            self._dropped_s = 0.0

    # -- decks --------------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Open, feed, hurry and close decks; called 20 times a second."""
        self._ticked = clock.boottime()
        if self.mixer.sheet is self.sheet:
            self._open_due()
        self._begin_when_ready()
        self._tell_back()
        self._tell_dropout()
        timeline = self.mixer.timeline
        self.decks.feed(self._voices.values(), timeline.frame, timeline.still)

    def _open_due(self, recovered: bool = False, at: int | None = None) -> None:
        here = self.mixer.timeline.frame if at is None else at
        for laid in self.sheet.between(here, here + _PREROLL):
            if laid.cue.id not in self._voices and laid.cue.id not in self._done:
                entry_s = self.settings.recovery_fade_s if recovered and laid.start <= here else 0.03
                safe = to_frames(self.settings.ramp_in_s)
                begun = laid.cue.id in self._begun
                voice = Voice(
                    laid,
                    self.decks.open(laid, here),
                    safe=safe,
                    entry_s=entry_s,
                    started=begun,
                    session=self.sheet.session,
                )
                self._voices[laid.cue.id] = voice
                self.mixer.post(partial(self.mixer.add, voice))

    # -- what was played ----------------------------------------------------------------------------------------------

    def _on_mark(self, mark: Mark, frame: int, boottime: float) -> None:
        voice = mark.voice
        if mark.timeline is not None:
            # A place that was mixed before the last turn, and played after it, is old news.
            if mark.timeline.turns >= self.anchor.timeline.turns:
                self.anchor = Anchor(boottime, mark.timeline)
        elif mark.kind == "started" and voice is not None:
            mine = voice.session == self.sheet.session
            if not mine or voice.laid.cue.id not in self._begun:
                if mine:
                    self._begun.add(voice.laid.cue.id)
                self._tell("piece_started", boottime, **_piece_of(voice), frame=frame)
        elif mark.kind == "ended" and voice is not None:
            self.decks.drop(voice)
            if self._voices.get(voice.laid.cue.id) is voice:
                del self._voices[voice.laid.cue.id]
                if mark.why != "cut":
                    self._done.add(voice.laid.cue.id)
            if voice.started or mark.why not in ("end", "cut"):
                played_s = round(voice.played / RATE, 3)
                self._tell("piece_ended", boottime, **_piece_of(voice), why=mark.why, played_s=played_s)
        elif mark.kind == "filler":
            title = self._title_at(boottime) if mark.on else ""
            self._tell("filler", boottime, on=mark.on, why=mark.why, title=title)
        elif mark.kind == "stopped" and mark.why == self.sheet.session and self.anchor.timeline.transport == "stop":
            self.sheet = Sheet()
            self.mixer.post(partial(self.mixer.lay, self.sheet))
            self._begun.clear()
            self._done.clear()
            self.memory.keep_sheet(self.sheet)
        self.keep()

    def _title_at(self, boottime: float) -> str:
        """The piece that should sound at a time; "" for none."""
        here = self.anchor.at(boottime).frame
        meant = self.sheet.between(here, here + 1)
        return meant[-1].cue.piece.title if meant else ""

    def _on_lost(self, why: str, heard: float) -> None:
        """The device is gone: the timeline goes back to what was heard last, and stands there for a while."""
        now = clock.boottime()
        self._tell("output", now, lost=why)
        if self.wanted_transport == "play":
            place = self.anchor.at(heard)
            for voice in self._voices.values():
                self.decks.drop(voice)
            self._voices.clear()
            self.mixer.post(partial(setattr, self.mixer, "voices", ()))
            self._resume(place, now)
            self.keep()

    def _on_back(self, name: str) -> None:
        self._back = name

    def _tell(self, event: str, boottime: float, **words: Any) -> None:
        self._number += 1
        message = {
            "event": event,
            "n": self._number,
            "id": f"{self.name}.{self._number}",
            "boottime": round(boottime, 6),
            **words,
        }
        self.outbox.append(message)
        self.fresh_events.append(message)

    def keep(self) -> None:
        """Write down what a restarted engine needs."""
        place = self.anchor.timeline
        waiting = self.transport is not None
        self.memory.keep(
            Kept(
                boot_id=self.memory.boot_id,
                session=self.sheet.session,
                plan=self.sheet.plan,
                boottime=self.anchor.boottime,
                frame=place.frame,
                transport="play" if waiting else place.transport,
                gate=(place.gate.value, place.gate.target, place.gate.step),
                music=self.music,
                faders=self.faders,
                seqs=self._seqs,
                direct=tuple(self.direct),
                direct_count=self.direct_count,
                begun=tuple(sorted(self._begun)),
                done=tuple(sorted(self._done)),
                kept_at=clock.boottime(),
                waiting=waiting,
                device=self.card.has_device,
                number=self._number,
                events=tuple(self.outbox),
            )
        )

    @property
    def ring_s(self) -> float:
        """Seconds that the emptiest deck holds."""
        return min((voice.newest.ahead / RATE for voice in self._voices.values()), default=0.0)

    def read_levels(self) -> None:
        """Ask the mixer for fresh levels; they come a block later."""
        self.mixer.post(self._read_levels)

    def _read_levels(self) -> None:
        self.levels = self.mixer.read_levels()


def _piece_of(voice: Voice) -> dict[str, Any]:
    return _piece(voice.laid, voice.session)


def _piece(laid: Laid, session: str) -> dict[str, Any]:
    cue = laid.cue
    return {"session": session, "cue": cue.id, "title": cue.piece.title, "path": cue.piece.path}
