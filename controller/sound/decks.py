"""The decks behind the voices: opened, fed and closed through libVLC, and opened anew when they or libVLC stand still.

On the loop's thread. A disk that stalls and a libVLC that hangs look alike from here: the call that waits is left alone
in its thread, and comes back, if ever it does, to close what it held.
"""

from __future__ import annotations

from collections.abc import Iterable

from controller import clock
from controller.sound.deck import Deck
from controller.sound.decoder import Decoder
from controller.sound.timeline import RATE, Laid, to_frames
from controller.sound.voice import Voice

_RING_FULL = to_frames(6.0)
_RING_STILL = to_frames(2.0)
_RING_LOW = to_frames(3.0)

_STALLED_S = 3.0
"""A voice that has had nothing for so long gets a new deck; the next one, each time, after twice as long."""

_STALLED_MOST_S = 60.0

_BEHIND_S = 1.0
"""A deck that delivers, but what should have sounded already, is opened anew where the timeline is by now."""


class Decks:
    """Every deck that is open, and the decoder that holds it."""

    def __init__(self) -> None:
        self.decoder = Decoder()
        self._holds: dict[Deck, Decoder] = {}
        self._left: list[Decoder] = []
        self._patience: dict[int, float] = {}
        """By cue: how long its deck is waited for, where the one before brought nothing."""

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

    def feed(self, voices: Iterable[Voice], here: int, still: bool) -> None:
        """Keep the rings filled; `here` is the timeline's frame, `still` whether it stands."""
        if self.decoder.hung:
            self._leave(voices, here)
        for voice in voices:
            if not voice.deck.ended:  # one that has may be nobody's any more
                self._pace(voice.deck, still)
            if voice.starved > _STALLED_S * RATE and not voice.fault():
                self._open_anew(voice, here)

    def shut(self) -> None:
        """Close everything, as far as libVLC lets us."""
        for deck in list(self._holds):
            self.close(deck)
        self.decoder.shut()

    def _pace(self, deck: Deck, still: bool) -> None:
        if deck.paused:
            if deck.ahead < (_RING_STILL if still else _RING_LOW):
                self._holds[deck].pause(deck, False)
        elif deck.ahead > _RING_FULL or (still and deck.ahead > _RING_STILL):
            self._holds[deck].pause(deck, True)

    def _open_anew(self, voice: Voice, here: int) -> None:
        cue, old = voice.laid.cue.id, voice.deck
        waited = clock.boottime() - old.opened
        patience = self._patience.get(cue, 0.0)
        if old.written and waited > _BEHIND_S:
            self._patience[cue] = _STALLED_S
        elif not old.written and waited > max(patience, _STALLED_S):
            self._patience[cue] = min(2 * max(patience, _STALLED_S), _STALLED_MOST_S)
        else:
            return
        voice.deck = self.open(voice.laid, here)
        self.close(old)

    def _leave(self, voices: Iterable[Voice], here: int) -> None:
        """Leave a decoder that hangs alone, and take a new one."""
        hung, self.decoder = self.decoder, Decoder()
        self._left = [one for one in self._left if one.hung] + [hung]
        for voice in voices:
            if self._holds.get(voice.deck) is hung and not voice.deck.ended:
                voice.deck = self.open(voice.laid, here)
        for deck in [deck for deck, decoder in self._holds.items() if decoder is hung]:
            self.close(deck)
        hung.leave()
