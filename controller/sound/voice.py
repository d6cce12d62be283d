"""A voice: a cue as the mixer sounds it, frame by frame, without a click whatever the deck or a new plan does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from controller.sound.ceiling import CHUNK, Audio, Curve
from controller.sound.deck import Deck
from controller.sound.timeline import SHORTEST_RAMP, Laid, Ramp, to_frames

_BEND = 2_400
"""50 ms over which a playing cue takes on the envelope of a new plan."""

_SOONEST_END = 24_000
"""0.5 s in which a playing cue fades out that by a new plan should have ended already."""

_SPARE = SHORTEST_RAMP
"""Frames that must be there beyond the block at hand; less is the beginning of a starving deck."""

_READY = 3_840
"""Frames with which a deck may begin."""

_CROSSING = 480
"""In no fewer frames, 10 ms, one deck goes over into another."""

_ONCE_MORE = 24_000
"""Frames behind the next one that may be rendered once more; a card's queue holds less than these 0.5 s."""

_TOLERANCE_S = 0.5
"""A file may be so much shorter than its cue thinks (encoders pad); more is a truncated file."""


def ramp_curve(ramp: Ramp, frames: int, every: int = 1) -> Curve | float:
    """The ramp's values over the next `frames`, or one `every` so many; a plain number while it stands."""
    if not ramp.moving:
        return ramp.value
    step = ramp.step if ramp.target > ramp.value else -ramp.step
    line = ramp.value + step * np.arange(0, frames, every)
    low, high = sorted((ramp.value, ramp.target))
    bounded: Curve = np.clip(line, low, high)
    return bounded


def ramp_steps(ramp: Ramp, frames: int) -> Curve | float:
    """The ramp's values at the ends of the next chunks, a plain number while it stands."""
    return ramp_curve(ramp.later(CHUNK), frames, CHUNK) if ramp.moving else ramp.value


def equal_power(place: Curve | float) -> Curve | float:
    """Gain at a place 0..1 of an equal-power fade: a quarter of a sine."""
    if isinstance(place, float):
        return 0.0 if place <= 0.0 else 1.0 if place >= 1.0 else float(np.sin(np.pi / 2 * place))
    return np.asarray(np.sin(np.pi / 2 * place), dtype=np.float64)


def _falling(frames: int) -> Audio:
    """From 1 to 0."""
    return np.linspace(1.0, 0.0, frames, dtype=np.float32)


def _has(deck: Deck, first: int, count: int) -> bool:
    """Whether a deck has frames of its cue, and some to spare."""
    return deck.available(first - deck.origin) >= count + (0 if deck.ended else _SPARE)


class Voice:
    """One cue that sounds or is about to. Belongs to the mixer's thread, but for `decks`, which are the loop's."""

    def __init__(
        self, laid: Laid, deck: Deck, *, safe: int, entry_s: float = 0.03, started: bool = False, session: str = ""
    ) -> None:
        self.laid = laid
        self.session = session
        self.deck = deck
        """The deck that it reads."""
        self.decks: tuple[Deck, ...] = (deck,)
        """Those opened for it, the newest last: it goes over to the newest that has what is next, unheard where both
        sound."""
        self.safe = safe
        self.start = laid.start
        """Frame of the timeline at which it begins: the plan's, or the one at which a joined piece before it ends."""
        self.length = laid.length
        """Its frames; the plan's, but where another piece follows at the last frame of its audio."""
        self.tied = False
        """It follows a piece whose last frame is known."""
        self.follows = self.followed = False
        self._entry = to_frames(entry_s)
        """Frames of the ramp with which it comes in late, or comes back."""
        self._presence = Ramp.at(0.0)
        """Whether the deck has the frames: ramped out before it runs dry, in again when it has some."""
        self._bend = 0.0
        self._bend_left = 0
        self._away: Ramp | None = None
        self.cursor = 0
        """The next frame of the cue to sound."""
        self.played = 0
        """Frames that really sounded."""
        self.starved = 0
        """Frames since the deck last had what was needed."""
        self.started = started
        """Its start has been told."""
        self.sounding = False
        self.fresh = self.state()
        """Its state before it was first rendered."""

    @property
    def newest(self) -> Deck:
        """The deck that was opened for it last."""
        return self.decks[-1]

    @property
    def end(self) -> int:
        """Frame of the timeline at which it has fallen silent."""
        return self.start + self.length

    @property
    def leaving(self) -> bool:
        """Whether it fades out on its own, outside the timeline."""
        return self._away is not None

    @property
    def gone(self) -> bool:
        """Whether it has left."""
        return self._away is not None and not self._away.moving

    @property
    def ready(self) -> bool:
        """Whether it can sound at its place, or never will."""
        newest = self.newest
        there = (deck.available(max(self.cursor - deck.origin, 0)) for deck in self.decks)
        return bool(newest.failure) or newest.ended or max(there) > _READY

    def state(self) -> dict[str, Any]:
        """Everything that rendering changes."""
        kept = {**vars(self), "_read_to": [(deck, deck.read_to) for deck in self.decks]}
        for name in ("fresh", "decks"):
            kept.pop(name, None)
        return kept

    def go_back(self, state: dict[str, Any]) -> None:
        """Be as it was at `state`, but for the decks there are."""
        own = dict(state)
        for deck, read_to in own.pop("_read_to"):
            deck.read_to = read_to
        vars(self).update(own)

    def go_on_with(self, deck: Deck) -> None:
        """Have a newer deck; those from which nothing more is to come, not even once more, are forgotten."""
        gone = self.cursor - _ONCE_MORE
        self.decks = (*(one for one in self.decks if one is self.deck or one.origin + one.frames > gone), deck)

    def fault(self) -> str:
        """What is wrong with the file, if that is known: a code, or ""."""
        deck = self.newest
        if deck.failure:
            return deck.failure
        if deck.ended and deck.origin + deck.frames < self.length - to_frames(_TOLERANCE_S):
            return "truncated"
        return ""

    def tie(self, before: Voice | None, here: int) -> None:
        """Follow `before` at the very frame at which its audio ends; None: it is not there (any more)."""
        if before is None:
            if here < self.start and not self.started:
                self.follows = False
            return
        self.follows = before.followed = True
        deck = self.newest
        if before.deck.ended and not before.fault() and deck.written:
            real = before.deck.origin + before.deck.frames
            if abs(real - before.laid.length) <= to_frames(_TOLERANCE_S):
                before.length = real
                if deck.origin == 0:
                    deck.follow(before.deck)
            # In a row of joins a start is known only when all before it are.
            self.tied = before.tied or before.started or not before.laid.cue.after
        self.start = before.end

    def relay(self, laid: Laid) -> None:
        """Take on a new plan's length, fades and gain for the same sound, without a step."""
        if self.followed and self.cursor > self.length - _SOONEST_END:
            # A join that is so near is kept.
            return
        before = self._gain_at(self.cursor)
        length = laid.length + (self.length - self.laid.length if self.followed else 0)
        soonest = self.cursor + _SOONEST_END
        if self.sounding and length < soonest:
            length = soonest
            laid = replace(laid, length=soonest, fade_out=_SOONEST_END)
        self.laid, self.length = laid, length
        self._bend_left = 0
        self._bend = before - self._gain_at(self.cursor)
        self._bend_left = _BEND

    def leave(self, frames: int) -> None:
        """Fade out from here."""
        if self._away is None:
            self._away = Ramp(1.0 if self.sounding else 0.0, 0.0, 1.0 / max(frames, SHORTEST_RAMP))

    def render(self, at: int, count: int) -> Audio | None:
        """The voice over `count` frames of which the first is frame `at` of the cue; None when it is silent.

        `at` may lie before the cue or reach beyond it.
        """
        self.cursor = at + count
        first, last = max(at, 0), min(at + count, self.length)
        before = self._go_over(first, last - first)
        source = first - self.deck.origin
        have = self._usable(source, last - first, at) if first < last else 0
        self.sounding = have > 0
        if not have:
            if self._away is not None:
                self._away = Ramp.at(0.0)
            return None
        gain = self._envelope(first, have)
        if self._bend_left:
            left = np.clip(self._bend_left - np.arange(have), 0, None) / _BEND
            gain = gain + self._bend * left
            self._bend_left = max(0, self._bend_left - have)
        gain = gain * ramp_curve(self._presence, have)
        self._presence = self._presence.later(have)
        if self._away is not None:
            gain = gain * equal_power(ramp_curve(self._away, have))
            self._away = self._away.later(have)
        deck = self.deck
        if deck.ended and source + have > deck.frames - SHORTEST_RAMP and deck.origin + deck.frames < self.length:
            gain = gain * np.clip((deck.frames - (source + np.arange(have))) / SHORTEST_RAMP, 0.0, 1.0)
        sound = deck.read(source, have)
        if before is not None and have == last - first:
            sound += (before.read(first - before.origin, have) - sound) * _falling(have)
        sound *= gain.astype(np.float32) if isinstance(gain, np.ndarray) else np.float32(gain)
        self.played += have
        if have == count:
            return sound
        out = np.zeros((2, count), np.float32)
        out[:, first - at : first - at + have] = sound
        return out

    def _go_over(self, first: int, count: int) -> Deck | None:
        """Go over to the newest deck that has the next frames; gives the one before if it has them too."""
        before, newest = self.deck, next((deck for deck in reversed(self.decks) if _has(deck, first, count)), self.deck)
        if newest is before or count < _CROSSING:
            return None
        both = before.available(first - before.origin) >= count
        if self._presence.value > 0.0 and not both:
            return None  # it is on its way out
        self.deck = newest
        return before if both and self._presence.value > 0.0 else None

    def _envelope(self, first: int, count: int) -> Curve | float:
        """Gain over the cue's frames [first, first + count): its fades and `gain_db`.

        An end without a fade gets the short safe ramp, but where another piece joins there.
        """
        gain = float(10 ** (self.laid.cue.gain_db / 20))
        fade_in = max(self.laid.fade_in, 0 if self.follows else min(self.safe, self.length))
        fade_out = max(self.laid.fade_out, 0 if self.followed else min(self.safe, self.length))
        rising = first < fade_in
        falling = first + count > self.length - fade_out and fade_out > 0
        if not rising and not falling:
            return gain
        frame = np.arange(first, first + count)
        curve = np.full(count, gain)
        if rising:
            curve *= equal_power(np.clip(frame / fade_in, 0.0, 1.0))
        if falling:
            curve *= equal_power(np.clip((self.length - frame) / fade_out, 0.0, 1.0))
        return curve

    def _usable(self, source: int, wanted: int, at: int) -> int:
        """Frames to sound of those wanted; aims the presence so that it is out before the deck is empty."""
        deck = self.deck
        if source < 0:
            available = 0
        else:
            deck.read_to = max(deck.read_to, source)
            available = deck.available(source)
        plenty = available >= wanted + _SPARE or (deck.ended and available > 0)
        if plenty:
            self.starved = 0
            if not self._presence.moving and self._presence.value == 0.0:
                if at <= 0 and not self.played:
                    self._presence = Ramp.at(1.0)
                else:
                    self._presence = self._presence.arriving(1.0, self._entry)
            elif self._presence.target == 0.0:
                self._presence = self._presence.arriving(1.0, self._entry)
            return min(wanted, available)
        self.starved += wanted
        have = min(wanted, available)
        if have and self._presence.value > 0.0:
            # What is left is the way out: silent at its last frame.
            self._presence = self._presence.heading(0.0, self._presence.value / available)
            return have
        self._presence = Ramp.at(0.0)
        return 0

    def _gain_at(self, frame: int) -> float:
        place = min(max(frame, 0), max(self.length - 1, 0))
        gain = self._envelope(place, 1)
        value = gain if isinstance(gain, float) else float(gain[0])
        return value + self._bend * self._bend_left / _BEND
