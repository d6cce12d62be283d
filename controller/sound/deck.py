"""A deck: one file's decoded frames, written by the decoder's callback and read by the mixer by their number."""

from __future__ import annotations

import ctypes
import mmap
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from controller import clock
from controller.messages import Piece
from controller.sound.ceiling import Audio
from controller.sound.resampler import Resampler, resampler_for
from controller.sound.seams import Seam
from controller.sound.timeline import RATE

CAPACITY_S = 10
"""Seconds a deck can hold. The decoder is told to wait long before."""

_SLIP_US = 10_000
"""Frames that come so much later or earlier than those before them let expect do not follow them in the file."""

_KEPT_S = 0.5
"""Seconds behind the reader that are not written over: he may be sent back as far as the mixer renders ahead."""

_FRAME_BYTES = 4
_SCALE = 1.0 / 32768.0

_SKIPPED_S = 1.0
"""A head of so much is decoded and left out: seeking may be 0.1 s wrong, and this much libVLC delivers at once."""


class Deck:
    """A ring of 16-bit stereo frames at the file's own rate ("natives"), read as frames of 48 kHz.

    Frame 0 is the first frame of the piece after `seek_s`. One writer (libVLC's thread) and one reader (the mixer);
    each number has one owner, so neither side waits for the other.
    """

    def __init__(self, piece: Piece, seek_s: float, origin: int) -> None:
        self.piece = piece
        self.seek_s = seek_s
        self.origin = origin
        """Frame of the cue that this deck's frame 0 is."""
        self._ring = np.zeros((0, 2), dtype="<i2")
        self._address = 0
        self._resampler: Resampler | None = None
        self._up = self._down = 1
        self._half = 0
        self._kept = 0
        self._phase = 0
        self.seam = Seam()
        """Where the piece lies in what is decoded; the decoder looks it up."""
        self._skipped = 0
        """Natives that are still to be left out."""
        self._left = 0
        """Natives that may still come; what follows only fills up the file's last packet."""
        self._given_up = 0
        """Natives before this one may be written over."""
        self._lead_in: Audio | None = None
        """The last natives of the deck before, for a join."""
        self._beyond: Deck | None = None
        self.written = 0
        """Natives delivered."""
        self.read_to = 0
        self.ended = False
        """The decoder has delivered its last frame."""
        self.failure = ""
        """What is wrong with the file, as a code: missing, directory, empty, not_audio, decoder."""
        self.broken_off = False
        """What libVLC had next was not what follows in the file: nothing more is taken, and another deck goes on."""
        self.lenient = False
        """The file itself jumps here, or goes on in another format: whatever comes is taken."""
        self._due_us: int | None = None
        """When the next frame is due by libVLC's clock, where that is known."""
        self._halted_us: int | None = None
        """Since when decoding waits by that clock, where it does."""
        self.makeup = 1.0
        """Gain that undoes the head-room the decoder made for a hot piece."""
        self.paused = False
        """The decoder was told to wait."""
        self.opened = clock.boottime()
        self.player: Any = None
        """libVLC's player and the callbacks that must live as long as it; the decoder's own."""

    @property
    def rate(self) -> float:
        """Natives a second; that of the engine until it is known."""
        return RATE * self._down / self._up

    @property
    def jump_s(self) -> float:
        """Second of the file to which the decoder seeks; a short way is not jumped but skipped, to the very frame."""
        return self.seek_s if self.seek_s > _SKIPPED_S else 0.0

    def prepare(self, rate: int) -> None:
        """Make room for natives of this rate; called before the first `write`.

        Called again where the file goes on in another format; what is here stays, and only the same rate can follow it.
        """
        if self.written:
            self.broken_off = self.broken_off or not self.lenient or rate != self.rate
            return
        self._resampler = resampler_for(rate)
        if self._resampler is not None:
            self._up, self._down = self._resampler.up, self._resampler.down
            self._half = self._resampler.half
        seam, skipped_s = self.seam, 0.0 if self.jump_s else self.seek_s
        self._skipped = round((seam.delay_s + skipped_s) * rate)
        self._left = sys.maxsize if seam.length_s is None else round((seam.length_s - skipped_s) * rate)
        self._kept = int(_KEPT_S * rate)
        self._given_up = -self._kept
        # Mapped by itself, and so given back whole: it is made in a thread of libVLC's that ends with the piece.
        self._ring = np.frombuffer(mmap.mmap(-1, CAPACITY_S * rate * _FRAME_BYTES), dtype="<i2").reshape(-1, 2)
        self._address = self._ring.ctypes.data

    def write(self, samples: int, count: int, due_us: int | None = None) -> None:
        """Copy `count` natives from the address `samples`, due at `due_us`. Runs in libVLC's thread: it only copies.

        libVLC drops what it is too late for, without a word; but the next frames are then due later than they should.
        """
        if self.broken_off:
            return
        if due_us is not None and not self.lenient:
            if self._due_us is not None and abs(due_us - self._due_us) > _SLIP_US:
                self.broken_off = True
                return
            self._due_us = due_us + count * self._up * 1_000_000 // (self._down * RATE)
        if self._skipped:
            skipped = min(count, self._skipped)
            self._skipped -= skipped
            samples += skipped * _FRAME_BYTES
            count -= skipped
        count = min(count, self._left)
        self._left -= count
        first, capacity = self.written, len(self._ring)
        if first + count - self._given_up > capacity:
            self.broken_off = True
            return
        place = first % capacity
        fits = min(count, capacity - place)
        ctypes.memmove(self._address + place * _FRAME_BYTES, samples, fits * _FRAME_BYTES)
        if fits < count:
            ctypes.memmove(self._address, samples + fits * _FRAME_BYTES, (count - fits) * _FRAME_BYTES)
        self.written = first + count

    def halted(self, at_us: int) -> None:
        """Decoding waits from a time of libVLC's clock on."""
        self._halted_us = at_us

    def resumed(self, at_us: int) -> None:
        """It goes on: all that follows is due so much later as it waited."""
        if self._halted_us is not None and self._due_us is not None:
            self._due_us += at_us - self._halted_us
        self._halted_us = None

    @property
    def halts(self) -> bool:
        """Whether decoding waits, as it does a while after it was told to."""
        return self._halted_us is not None

    def flushed(self) -> None:
        """What had been read or decoded was thrown away: nothing, at the beginning; what follows is not the next."""
        if self._due_us is not None and not self.ended:
            self.broken_off = True

    @property
    def frames(self) -> int:
        """Frames that have come; when the decoder has ended, the frames there are."""
        if self.ended:
            return max(0, -((self._phase - self.written * self._up) // self._down))
        return max(0, ((self.written - self._half) * self._up - self._phase) // self._down)

    def available(self, frame: int) -> int:
        """Frames that can be read from `frame` on; 0 where it has gone or not come."""
        return max(0, self.frames - frame) if frame >= self.read_to else 0

    def read(self, frame: int, count: int) -> Audio:
        """(2, count) from `frame`, full scale 1 (a hot piece goes above).

        Everything before is given up, but for half a second.
        """
        if self._resampler is None:
            first = frame
            out = self.natives(frame, count)
        else:
            first, number = self._resampler.window(frame, count, self._phase)
            out = self._resampler.make(self.natives(first, number), frame, count, self._phase)
        self.read_to = frame + count
        self._given_up = max(self._given_up, first - self._kept)
        return out

    def follow(self, before: Deck) -> None:
        """Go on from the very end of `before`, whose decoder has ended, as if the two were one file."""
        if self._up != before._up or self._down != before._down or self.read_to or not self.written:
            return
        end = before.written * before._up - before._phase
        self._phase = before.frames * self._down - end
        self._lead_in = before.natives(before.written - 2 * self._half, 2 * self._half)
        before._beyond = self

    def lay_beside(self, before: Deck, apart: int) -> None:
        """Give the same frames as `before`, to the bit: its native number `apart` is this deck's first."""
        frames = round(apart * self._up / self._down)
        self.origin = before.origin + frames
        self._phase = before._phase + frames * self._down - apart * self._up

    def natives(self, first: int, count: int) -> Audio:
        """Natives by their number; what lies outside the file is the joined file's, or silence."""
        low, high = max(first, 0), min(first + count, self.written)
        if low == first and high == first + count:
            return self._held(first, count)
        out = np.zeros((2, count), np.float32)
        if high > low:
            out[:, low - first : high - first] = self._held(low, high - low)
        if first < 0 and self._lead_in is not None:
            held = self._lead_in.shape[1]
            lead = min(-first, held, count)
            out[:, -first - lead : -first] = self._lead_in[:, held - lead :][:, : count - (-first - lead)]
        if self.ended and self._beyond is not None and first + count > self.written:
            over = first + count - max(self.written, first)
            out[:, count - over :] = self._beyond.natives(max(0, first - self.written), over)
        return out

    def _held(self, first: int, count: int) -> Audio:
        """Natives out of the ring."""
        capacity = len(self._ring)
        place = first % capacity
        fits = min(count, capacity - place)
        raw: npt.NDArray[np.int16] = self._ring[place : place + fits]
        if fits < count:
            raw = np.concatenate([raw, self._ring[: count - fits]])
        return np.multiply(raw.T, np.float32(_SCALE * self.makeup), dtype=np.float32, order="C")

    @property
    def ahead(self) -> int:
        """Frames decoded and not yet read."""
        return max(0, self.frames - self.read_to)
