"""The engine's decisions: cue sheet, transport and levels by command, decks opened in time, events, memory.

All of it runs on the loop's thread. The mixer is asked by `post` and answers by marks when their frame is played.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import partial
from math import log10
from typing import Any
from uuid import uuid4

from controller import clock
from controller.messages import Cue, to_plain
from controller.sound.card import Card
from controller.sound.deck import Deck
from controller.sound.decoder import Decoder
from controller.sound.memory import Kept, Memory
from controller.sound.mixer import Levels, Mark, Mixer, music_level, music_place
from controller.sound.protocol import DirectAct, KeptDirectAct, LayCues, SetBus, SetMusic, TurnTransport
from controller.sound.settings import SoundSettings
from controller.sound.timeline import RATE, Anchor, Laid, Ramp, Sheet, Timeline, to_frames
from controller.sound.voice import Voice

_PREROLL = to_frames(3.0)
"""A deck is opened so long before its cue."""

_RING_FULL = to_frames(6.0)
_RING_STILL = to_frames(2.0)
_RING_LOW = to_frames(3.0)

_START_PATIENCE_S = 1.0
"""Play waits so long for the deck of the piece it begins with."""

_STALLED_S = 3.0
"""A deck that has delivered nothing for so long is opened anew."""

_EVENTS_KEPT = 256


class Player:
    """Plays the sheet. `events` collects what must be told; the engine's process sends it."""

    def __init__(self, settings: SoundSettings) -> None:
        self.settings = settings
        self.name = uuid4().hex
        self.mixer = Mixer(settings)
        self.memory = Memory(settings.runtime_dir)
        self.decoder = Decoder()
        self.decoders_hung = 0
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
        self.card = Card(self.mixer, self._on_mark, self._on_lost)
        self._number = 0
        self._seqs: dict[str, int] = {}
        self._replaced: deque[str] = deque(maxlen=8)
        self._parts: list[LayCues] = []
        self._answered: dict[str, float] = {}
        self._early: TurnTransport | None = None
        self._play_by = 0.0
        self._voices: dict[int, Voice] = {}
        self._decoders: dict[Deck, Decoder] = {}
        self._begun: set[int] = set()
        self._done: set[int] = set()
        self._music = 1.0
        self._faders = {bus.name: 0.0 for bus in settings.buses}

    # -- life ---------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Go on where the last engine of this boot was, or begin with nothing; then mix."""
        recalled = self.memory.recall()
        if recalled is not None:
            kept, self.sheet = recalled
            self.anchor = kept.anchor
            self.direct, self.direct_count = list(kept.direct), kept.direct_count
            self._answered = {one.act.id: one.boottime for one in kept.direct}
            self._seqs, self._begun, self._done = dict(kept.seqs), set(kept.begun), set(kept.done)
            self._music = kept.music
            self._faders.update({bus: db for bus, db in kept.faders.items() if bus in self._faders})
            self.mixer.music = Ramp.at(music_place(kept.music))
            for bus, level_db in self._faders.items():
                self.mixer.strips[bus].fader = Ramp.at(level_db)
            self.mixer.begin(kept.anchor.at(clock.boottime()), self.sheet)
            self._open_due(recovered=True)
        self.card.start()

    def close(self) -> None:
        """Give decks and card up."""
        self.card.close()
        for voice in list(self.mixer.voices):
            self._close_deck(voice.deck)
        self.decoder.shut()

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
                self._music = min(1.0, max(0.0, command.level))
                self.mixer.command(partial(self.mixer.set_music, self._music, command.fade_s))
            case SetBus():
                if command.bus in self._faders:
                    self._faders[command.bus] = min(0.0, command.level_db)
                    self.mixer.command(
                        partial(self.mixer.set_fader, command.bus, self._faders[command.bus], command.fade_s)
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
            self._turn_now("pause", self.settings.pause_fade_s)
        elif act.direct == "resume" and wanted != "stop":
            self._turn_now("play", self.settings.resume_fade_s)
            self._music = 1.0
            self.mixer.command(partial(self.mixer.set_music, 1.0, self.settings.resume_fade_s))
        self.keep()
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
        name = f"{command.session}/{command.do}" + (f".{command.bus}" if isinstance(command, SetBus) else "")
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
            self.mixer.command(partial(setattr, self.mixer, "sheet", fresh))
        self.sheet = fresh
        self.memory.keep_sheet(fresh)
        self._open_due(at=to_frames(command.timeline_s) if new_session else None)
        if self._early is not None and self._early.session == fresh.session:
            early, self._early = self._early, None
            self._turn(early)

    def _turn(self, command: TurnTransport) -> None:
        """Begin a transport; play waits a moment for the deck it begins with."""
        if command.transport == "play" and self.anchor.at(clock.boottime()).still:
            self.transport = command
            self._play_by = clock.boottime() + _START_PATIENCE_S
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
        here = self.anchor.timeline.frame
        waiting = [v for v in self._voices.values() if v.laid.start <= here + 1 and not v.ready]
        if not waiting or clock.boottime() > self._play_by:
            self._turn_now("play", self.transport.fade_s)
            self.keep()

    # -- decks --------------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Open, feed, hurry and close decks; called 50 times a second."""
        if self.decoder.hung:
            self._replace_decoder()
        if self.mixer.sheet is self.sheet:
            self._open_due()
        self._begin_when_ready()
        still = self.mixer.timeline.still
        for voice in self._voices.values():
            deck = voice.deck
            if deck.paused:
                if deck.ahead < (_RING_STILL if still else _RING_LOW):
                    self._decoders[deck].pause(deck, False)
            elif not deck.ended and (deck.ahead > _RING_FULL or (still and deck.ahead > _RING_STILL)):
                self._decoders[deck].pause(deck, True)
            if voice.starved > _STALLED_S * RATE and not voice.fault():
                self._reopen(voice)

    def _open_due(self, recovered: bool = False, at: int | None = None) -> None:
        here = self.mixer.timeline.frame if at is None else at
        for laid in self.sheet.between(here, here + _PREROLL):
            if laid.cue.id not in self._voices and laid.cue.id not in self._done:
                entry_s = self.settings.recovery_fade_s if recovered and laid.start <= here else 0.03
                safe = to_frames(self.settings.ramp_in_s)
                begun = laid.cue.id in self._begun
                voice = Voice(laid, self._open_deck(laid, here), safe=safe, entry_s=entry_s, started=begun)
                self._voices[laid.cue.id] = voice
                self.mixer.post(partial(self.mixer.add, voice))

    def _open_deck(self, laid: Laid, here: int) -> Deck:
        origin = max(0, here - laid.start)
        deck = Deck(laid.cue.piece, laid.cue.offset_s + origin / RATE, origin)
        self._decoders[deck] = self.decoder
        self.decoder.open(deck)
        return deck

    def _close_deck(self, deck: Deck) -> None:
        decoder = self._decoders.pop(deck, None)
        if decoder is not None:
            decoder.close(deck)

    def _reopen(self, voice: Voice) -> None:
        if clock.boottime() - voice.deck.opened > _STALLED_S:
            old = voice.deck
            voice.deck = self._open_deck(voice.laid, self.mixer.timeline.frame)
            self._close_deck(old)

    def _replace_decoder(self) -> None:
        """Leave a hung libVLC alone and take a new one; the old one's decks are lost with it."""
        hung, self.decoder = self.decoder, Decoder()
        self.decoders_hung += 1
        for voice in self._voices.values():
            if self._decoders.get(voice.deck) is hung and not voice.deck.ended:
                del self._decoders[voice.deck]
                voice.deck = self._open_deck(voice.laid, self.mixer.timeline.frame)
        self._decoders = {deck: decoder for deck, decoder in self._decoders.items() if decoder is not hung}

    # -- what was played ----------------------------------------------------------------------------------------------

    def _on_mark(self, mark: Mark, frame: int, boottime: float) -> None:
        voice = mark.voice
        if mark.timeline is not None:
            # A place that was mixed before the last turn, and played after it, is old news.
            if mark.timeline.turns >= self.anchor.timeline.turns:
                self.anchor = Anchor(boottime, mark.timeline)
        elif mark.kind == "started" and voice is not None:
            if voice.laid.cue.id not in self._begun:
                self._begun.add(voice.laid.cue.id)
                self._tell("piece_started", boottime, **_piece(voice), frame=frame)
        elif mark.kind == "ended" and voice is not None:
            self._close_deck(voice.deck)
            if self._voices.get(voice.laid.cue.id) is voice:
                del self._voices[voice.laid.cue.id]
                if mark.why != "cut":
                    self._done.add(voice.laid.cue.id)
            if voice.started or mark.why not in ("end", "cut"):
                played_s = round(voice.played / RATE, 3)
                self._tell("piece_ended", boottime, **_piece(voice), why=mark.why, played_s=played_s)
        elif mark.kind == "filler":
            self._tell("filler", boottime, on=mark.on, why=mark.why)
        elif mark.kind == "output":
            self._tell("output", boottime, back=mark.why)
        elif mark.kind == "stopped" and mark.why == self.sheet.session and self.anchor.timeline.transport == "stop":
            self.sheet = Sheet()
            self.mixer.post(partial(setattr, self.mixer, "sheet", self.sheet))
            self._begun.clear()
            self._done.clear()
            self.memory.keep_sheet(self.sheet)
        self.keep()

    def _on_lost(self, why: str) -> None:
        self._tell("output", clock.boottime(), lost=why)

    def _tell(self, event: str, boottime: float, **words: Any) -> None:
        self._number += 1
        message = {"event": event, "n": self._number, "boottime": round(boottime, 6), **words}
        self.outbox.append(message)
        self.fresh_events.append(message)

    def keep(self) -> None:
        """Write down what a restarted engine needs."""
        place = self.anchor.timeline
        self.memory.keep(
            Kept(
                boot_id=self.memory.boot_id,
                session=self.sheet.session,
                plan=self.sheet.plan,
                boottime=self.anchor.boottime,
                frame=place.frame,
                transport=place.transport,
                gate=(place.gate.value, place.gate.target, place.gate.step),
                music=self._music,
                faders=self._faders,
                seqs=self._seqs,
                direct=tuple(self.direct),
                direct_count=self.direct_count,
                begun=tuple(sorted(self._begun)),
                done=tuple(sorted(self._done)),
            )
        )

    # -- what is shown ------------------------------------------------------------------------------------------------

    def report(self) -> dict[str, Any]:
        """The whole state, for somebody who has just connected."""
        now = clock.boottime()
        return {
            "event": "report",
            "engine": self.name,
            "session": self.sheet.session,
            "plan": self.sheet.plan,
            "transport": self.wanted_transport,
            "timeline_s": self.anchor.at(now).seconds,
            "boottime": now,
            "output": self.card.output.name,
            "lost": self.card.lost,
            "filler": self.mixer.filler_on,
            "music": self._music,
            "buses": self._faders,
            "direct": [to_plain(kept) for kept in self.direct],
            "direct_count": self.direct_count,
        }

    def telemetry(self) -> dict[str, Any]:
        """What changes by itself. Asks the mixer for fresh levels, which come with the next telemetry."""
        now = clock.boottime()
        place = self.anchor.at(now)
        here = self.sheet.between(place.frame, place.frame + 1)
        coming = self.sheet.after(place.frame)
        self.mixer.post(self._read_levels)
        return {
            "event": "telemetry",
            "boottime": now,
            "session": self.sheet.session,
            "timeline_s": place.seconds,
            "moving": not place.still,
            "transport": self.wanted_transport,
            "cue": _now_view(here[-1], place.frame) if here else None,
            "next": {"title": coming.cue.piece.title, "in_s": (coming.start - place.frame) / RATE} if coming else None,
            "buses": {
                name: {"level_db": self.mixer.strips[name].fader.value, "rms_dbfs": _db(rms), "peak_dbfs": _db(peak)}
                for name, (rms, peak) in self.levels.by_bus.items()
            },
            "music": music_level(self.mixer.music.value),
            "late_blocks": self.card.late_blocks,
            "ring_s": min((voice.deck.ahead / RATE for voice in self._voices.values()), default=0.0),
            "filler": self.mixer.filler_on,
            "output": self.card.output.name,
            "trouble": self.memory.failure,
        }

    def _read_levels(self) -> None:
        self.levels = self.mixer.read_levels()


def _piece(voice: Voice) -> dict[str, Any]:
    cue = voice.laid.cue
    return {"cue": cue.id, "title": cue.piece.title, "path": cue.piece.path}


def _now_view(laid: Laid, frame: int) -> dict[str, Any]:
    piece = laid.cue.piece
    return {
        "id": laid.cue.id,
        "title": piece.title,
        "artist": piece.artist,
        "path": piece.path,
        "position_s": laid.cue.offset_s + (frame - laid.start) / RATE,
        "duration_s": piece.duration_s,
    }


def _db(amplitude: float) -> float:
    return round(20 * log10(max(amplitude, 1e-6)), 2)
