"""The decks behind the voices: opened, fed and closed through libVLC, and opened anew when they or libVLC stand still.

On the loop's thread. A disk that stalls and a libVLC that hangs look alike from here: the call that waits is left alone
in its thread, and comes back, if ever it does, to close what it held.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from controller import clock
from controller.sound.deck import Deck
from controller.sound.decoder import Decoder
from controller.sound.splice import find_shift
from controller.sound.timeline import RATE, Laid, to_frames
from controller.sound.voice import Voice

_log = logging.getLogger(__name__)

_RING_FULL = to_frames(6.0)
_RING_STILL = to_frames(2.0)
_RING_LOW = to_frames(3.0)

_STALLED_S = 3.0
"""A voice that has had nothing for so long gets a new deck; the next one, each time, after twice as long."""

_STALLED_MOST_S = 60.0

_BEHIND_S = 1.0
"""A deck that delivers, but what should have sounded already, is opened anew where the timeline is by now."""

_OVERLAP_S = 0.6
"""A deck that goes on for another one begins so long before its end."""

_SETTLED_S = 0.4
"""After so long what a decoder gives is the same as if it had decoded all that lies before."""

_PART_S, _SEEK_ERROR_S = 0.2, 0.13
"""What is looked for in both of them, and how far a seek may be out."""


@dataclass(frozen=True, slots=True)
class _Relief:
    """A deck that is to go on for one that broke off, or hangs."""

    deck: Deck
    before: Deck

    @property
    def there(self) -> bool:
        """Whether it has enough to be laid beside the other, or will never have more."""
        deck = self.deck
        over = deck.ended or deck.failure or (deck.lenient and deck.broken_off)
        return bool(over) or deck.available(0) >= to_frames(_OVERLAP_S)

    def lay_beside(self) -> None:
        """Lay it beside the other to the very sample, by what both of them hold."""
        old, new = self.before, self.deck
        part, error = round(_PART_S * old.rate), round(_SEEK_ERROR_S * old.rate)
        apart = round((new.origin - old.origin) * old.rate / RATE)
        mine = old.written - round((_OVERLAP_S + _PART_S) / 2 * old.rate)
        its = mine - apart - error
        if new.rate == old.rate and min(mine, its) >= 0 and new.written >= its + part + 2 * error:
            shift = find_shift(old.natives(mine, part), new.natives(its, part + 2 * error))
            new.lay_beside(old, apart - shift)


class Decks:
    """Every deck that is open, and the decoder that holds it."""

    def __init__(self) -> None:
        self.decoder = Decoder()
        self._holds: dict[Deck, Decoder] = {}
        self._left: list[Decoder] = []
        self._reliefs: dict[Voice, _Relief] = {}
        self._broken: dict[Voice, tuple[Deck, int]] = {}
        """The deck of its that broke off last, and the frame of the cue at which it did."""
        self._patience: dict[Voice, float] = {}
        """How long its deck is waited for, where the one before brought nothing."""

    @property
    def hung(self) -> int:
        """Decoders that were left alone and have not come back."""
        return sum(one.hung for one in self._left)

    def open(self, laid: Laid, here: int) -> Deck:
        """A deck for a cue, from the timeline's frame `here` on, or from the cue's beginning."""
        origin = max(0, here - laid.start)
        deck = Deck(laid.cue.piece, laid.cue.offset_s + origin / RATE, origin)
        self._holds[deck] = self.decoder
        self.decoder.open(deck)
        return deck

    def close(self, deck: Deck) -> None:
        """Give a deck up; twice is fine."""
        decoder = self._holds.pop(deck, None)
        if decoder is not None:
            decoder.close(deck)

    def drop(self, voice: Voice) -> None:
        """Give up all that a voice has; twice is fine."""
        self._give_up_relief(voice)
        self._broken.pop(voice, None)
        self._patience.pop(voice, None)
        for deck in voice.decks:
            self.close(deck)

    def feed(self, voices: Iterable[Voice], here: int, still: bool) -> None:
        """Keep the rings filled; `here` is the timeline's frame, `still` whether it stands."""
        if self.decoder.hung:
            self._leave(voices, here)
        for voice in voices:
            self._pace(voice.newest, still)
            stalled = voice.starved > _STALLED_S * RATE
            if voice in self._reliefs and not stalled:
                self._relieve(voice)
            elif voice.newest.broken_off:
                self._go_on(voice, here)
            elif stalled and not voice.fault():
                self._open_anew(voice, here)

    def shut(self) -> None:
        """Close everything, as far as libVLC lets us."""
        for deck in list(self._holds):
            self.close(deck)
        self.decoder.shut()

    def _pace(self, deck: Deck, still: bool) -> None:
        decoder = self._holds.get(deck)
        if decoder is None or deck.ended:  # nothing more comes: it was given up, or has it all
            return
        wait = deck.ahead > (_RING_STILL if still else _RING_LOW if deck.paused else _RING_FULL)
        # Said again until it is done: a word that comes while libVLC still does the one before it leaves undone.
        if wait != deck.paused or wait != deck.halts:
            decoder.pause(deck, wait)

    def _open_anew(self, voice: Voice, here: int) -> None:
        old = voice.newest
        waited = clock.boottime() - old.opened
        patience = self._patience.get(voice, 0.0)
        if old.written and waited > _BEHIND_S:
            self._patience[voice] = _STALLED_S
        elif not old.written and waited > max(patience, _STALLED_S):
            self._patience[voice] = min(2 * max(patience, _STALLED_S), _STALLED_MOST_S)
        else:
            return
        self._give_up_relief(voice)
        voice.go_on_with(self.open(voice.laid, here))
        self.close(old)

    def _go_on(self, voice: Voice, here: int) -> None:
        """Have the piece decoded from where its deck breaks off, or from here where that is gone by already."""
        self._give_up_relief(voice)
        old = voice.newest
        end = old.origin + old.frames
        ahead = voice.start + end > here
        if ahead and old.lenient and old.broken_off:
            return  # it cannot be decoded across this place: what is there is played first
        if ahead:
            deck = self.open(voice.laid, voice.laid.start + end - to_frames(_OVERLAP_S))
            self._reliefs[voice] = _Relief(deck, old)
        else:
            deck = self.open(voice.laid, here)
            voice.go_on_with(deck)
        _log.warning("%s: decoding lost its place, and begins anew there", old.piece.path)
        deck.lenient = old.broken_off and self._jumps(voice, old)
        self.close(old)

    def _jumps(self, voice: Voice, deck: Deck) -> bool:
        """Keep where a deck broke off; whether the one before it did so too: then it is the file itself that jumps."""
        end = deck.origin + deck.frames
        before, place = self._broken.get(voice, (deck, end))
        self._broken[voice] = deck, end
        return before is not deck and abs(end - place) < RATE

    def _relieve(self, voice: Voice) -> None:
        """Hand a deck over that goes on for another one, laid beside it to the very frame."""
        relief = self._reliefs[voice]
        if relief.there:
            del self._reliefs[voice]
            relief.lay_beside()
            relief.deck.read_to = to_frames(_SETTLED_S) if relief.deck.jump_s else 0
            voice.go_on_with(relief.deck)
        elif relief.deck.broken_off:
            self._jumps(voice, relief.deck)
            self._give_up_relief(voice)

    def _give_up_relief(self, voice: Voice) -> None:
        relief = self._reliefs.pop(voice, None)
        if relief is not None:
            self.close(relief.deck)

    def _leave(self, voices: Iterable[Voice], here: int) -> None:
        """Leave a decoder that hangs alone, and take a new one."""
        hung, self.decoder = self.decoder, Decoder()
        self._left = [one for one in self._left if one.hung] + [hung]
        for voice in voices:
            relief = self._reliefs.get(voice)
            deck = relief.deck if relief else voice.newest
            if self._holds.get(deck) is hung and not deck.ended:
                self._go_on(voice, here)
        for deck in [deck for deck, decoder in self._holds.items() if decoder is hung]:
            self.close(deck)
        hung.leave()
