"""Hours of a programme through the real mixer, as fast as it goes, on a card and a decoder whose clocks differ."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from controller import clock
from controller.messages import Cue, Piece
from controller.sound.ceiling import DELAY
from controller.sound.deck import Deck
from controller.sound.mixer import BLOCK, Mixer
from controller.sound.settings import Bus, SoundSettings
from controller.sound.timeline import RATE, Sheet
from controller.sound.voice import Voice

FADE_S = 8.0
PREROLL_S, LEAD_S = 3.0, 1.1
"""As the player opens its decks, and as far ahead of its own clock as libVLC delivers."""

RING_FULL_S, RING_LOW_S = 6.0, 3.0


@dataclass
class Found:
    """What a run showed."""

    hours: float
    times_real_time: float
    least_ahead_s: float
    starved: int
    fillers: int
    wrong_places: int
    """Pieces that did not begin at the very frame they were laid at."""
    pieces: int
    growth_mb: float


class Source:
    """A decoder that delivers at 48 kHz by a clock of its own, which is `ppm` slower than the card's."""

    def __init__(self, deck: Deck, begun: int, ppm: float, sound: np.ndarray, length: int) -> None:
        self._deck, self._begun, self._rate = deck, begun, 1.0 / (1.0 + ppm * 1e-6)
        self._sound, self._left = sound, length

    def deliver(self, frame: int) -> None:
        """Write what is due when the card is at `frame`; waits while the ring is full, as the player lets it."""
        deck = self._deck
        if deck.paused:
            deck.paused = deck.ahead > RING_LOW_S * RATE
            if deck.paused:
                return
            self._begun = frame - round((deck.written - LEAD_S * RATE) / self._rate)
        due = int((frame - self._begun) * self._rate + LEAD_S * RATE) - deck.written
        while due > 0 and self._left > 0:
            count = min(4_096, due, self._left)
            place = deck.written % (len(self._sound) - 4_096)
            deck.write(self._sound[place:].ctypes.data, count)
            self._left, due = self._left - count, due - count
        deck.ended = self._left <= 0
        deck.paused = not deck.ended and deck.ahead > RING_FULL_S * RATE


def run_hours(directory: Path, hours: float, piece_s: float, ppm: float) -> Found:
    """Play pieces of `piece_s` that cross by 8 s for `hours`."""
    buses = (Bus(name="speakers", channels=(1, 2), ceiling_dbfs=-3.0),)
    mixer = Mixer(SoundSettings(room="test", runtime_dir=directory, buses=buses))
    rng = np.random.default_rng(1)
    sound = np.ascontiguousarray((rng.standard_normal((20 * RATE, 2)) * 3_000).clip(-32_000, 32_000).astype("<i2"))
    count = int(hours * 3600 / (piece_s - FADE_S))
    piece = Piece(path="a.flac", title="a", duration_s=piece_s)
    words = {"length_s": piece_s, "fade_in_s": FADE_S, "fade_out_s": FADE_S}
    cues = [Cue(id=n + 1, start_s=n * (piece_s - FADE_S), piece=piece, **words) for n in range(count)]
    mixer.sheet = Sheet("s", 1, cues)
    mixer.turn("play", 0.0)
    waiting = list(reversed(mixer.sheet.laid))
    sources: dict[Voice, Source] = {}
    starved = fillers = wrong = ended = 0
    least = 1e9
    frame = grown = 0
    memory = 0
    begun_at = clock.boottime()
    while frame < mixer.sheet.end:
        while waiting and waiting[-1].start <= mixer.timeline.frame + PREROLL_S * RATE:
            laid = waiting.pop()
            deck = Deck(laid.cue.piece, 0.0, 0)
            deck.prepare(RATE)
            voice = Voice(laid, deck, safe=240)
            # The first one's deck has had its time before play.
            sources[voice] = Source(deck, frame - (3 * RATE if laid.start == 0 else 0), ppm, sound, laid.length)
            mixer.post(lambda voice=voice: mixer.add(voice))  # type: ignore[misc]
        for voice, source in sources.items():
            source.deliver(frame)
            if voice.sounding and not voice.deck.ended:
                least = min(least, voice.deck.ahead / RATE)
            starved += voice.starved > 0 and voice.sounding
        mixer.hold()
        _, marks = mixer.render()
        for mark in marks:
            fillers += mark.kind == "filler" and mark.on
            if mark.voice is not None and mark.kind == "started":
                wrong += frame + mark.offset - DELAY != mark.voice.laid.start
            elif mark.voice is not None and mark.kind == "ended":
                ended += mark.why == "end"
                del sources[mark.voice]
        frame += BLOCK
        if not memory and ended >= 2:
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    took = clock.boottime() - begun_at
    return Found(frame / RATE / 3600, frame / RATE / took, least, starved, fillers, wrong, ended, grown / 1024)
