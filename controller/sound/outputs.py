"""Outputs: all behave like a card. A short queue, emptied by a clock that does not wait for the mixer.

A block that is not there when its time comes is played as silence and counted as late. So that music neither breaks
off there nor breaks in, the last 5 ms of all that has come are held back: they go out softly where nothing follows.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from controller import clock
from controller.sound.capture import Capture, silence
from controller.sound.ceiling import Frames
from controller.sound.mixer import BLOCK, Mark
from controller.sound.timeline import RATE

QUEUE_BLOCKS = 10
"""200 ms between mixer and card, at the most."""

REFILL_BLOCKS = 7
"""With so few left the queue is filled up again, in one go: a mixer that wakes for every block finds the caches cold,
and takes twice the time. None of seven was late beside four busy processes on two cores."""

HELD = 240
"""Frames that are held back, and of the ramps around what is missing: in 5 ms a fall is no click."""

_RISE = np.square(np.sin(np.pi / 2 * np.arange(HELD) / HELD)).astype(np.float32)[:, None]
_FALL = _RISE[::-1]

Played = Callable[[Mark, int, float], None]
"""Called with a mark, its frame in the output and its CLOCK_BOOTTIME as its block goes out; in the card's thread."""


class Output(Protocol):
    """What the mixer's thread needs of a card."""

    name: str
    late_blocks: int
    lost: str
    """Why it no longer plays; "" while it does."""
    frame: int
    """Frames played."""

    def put(self, block: Frames, marks: tuple[Mark, ...], timeout: float) -> bool:
        """Queue a block; False if there was no room in time."""
        ...

    def has_room(self, timeout: float, unless: Callable[[], bool]) -> bool:
        """Wait until the queue is to be filled; False if it is not in time, or if `unless` says so after a `wake`."""
        ...

    def wake(self) -> None:
        """Let a waiter look again."""
        ...

    def queued(self) -> Frames | None:
        """The block that is played next; None if there is none."""
        ...

    def replace(self, block: Frames, fresh: Sequence[tuple[Frames, tuple[Mark, ...]]]) -> bool:
        """Play `fresh` in the place of `block` and all behind it; False if it is too late for that."""
        ...

    def abandon(self) -> None:
        """Take nothing more and give up what is queued, but let its marks be known: they will never be played."""
        ...

    def close(self) -> None:
        """Stop playing; twice is fine."""
        ...


class BlockQueue:
    """The queue between the mixer and one card, and what both outputs share: counting, marks, capture."""

    def __init__(self, channels: int, played: Played, capture: Capture | None) -> None:
        self.late_blocks = 0
        self.lost = ""
        self.frame = 0
        self._abandoned = False
        self._channels = channels
        self._played = played
        self._capture = capture
        self._blocks: deque[tuple[Frames, tuple[Mark, ...]]] = deque()
        self._held = silence(HELD, channels)
        self._dry = True
        """Whether nothing came before."""
        self._filling = True
        self._room = threading.Condition()
        self._filled = threading.Event()

    def put(self, block: Frames, marks: tuple[Mark, ...], timeout: float) -> bool:
        """Queue a block; False if there was no room in time, or never will be: then its marks are known already."""
        with self._room:
            self._room.wait_for(lambda: self._gone or len(self._blocks) < QUEUE_BLOCKS, timeout)
            if not self._gone:
                if len(self._blocks) >= QUEUE_BLOCKS:
                    return False
                self._blocks.append((block, marks))
                if len(self._blocks) == QUEUE_BLOCKS:
                    self._filling = False
                    self._filled.set()
                return True
        for mark in marks:
            self._played(mark, self.frame + mark.offset, clock.boottime())
        return False

    def has_room(self, timeout: float, unless: Callable[[], bool]) -> bool:
        """Wait until the queue is to be filled; False if it is not in time, or if `unless` says so after a `wake`."""
        with self._room:
            self._room.wait_for(lambda: self._abandoned or unless() or (not self.lost and self._filling), timeout)
            return self._filling and not self._gone and not unless()

    @property
    def _gone(self) -> bool:
        return self._abandoned or bool(self.lost)

    def wake(self) -> None:
        """Let a waiter look again."""
        with self._room:
            self._room.notify_all()

    def queued(self) -> Frames | None:
        """The block that is played next; None if there is none."""
        with self._room:
            return self._blocks[0][0] if self._blocks else None

    def replace(self, block: Frames, fresh: Sequence[tuple[Frames, tuple[Mark, ...]]]) -> bool:
        """Play `fresh` in the place of `block` and all behind it; False if it is too late for that."""
        with self._room:
            if not self._blocks or self._blocks[0][0] is not block:
                return False
            self._blocks = deque(fresh)
            self._filling = True
        return True

    def take(self, boottime: float, ran_dry: bool = False) -> Frames:
        """The frames that are played at `boottime`: what was held back and a block, but for its last frames.

        They come in softly where the card itself `ran_dry` before them, which it does not foresee.
        """
        with self._room:
            block, marks = self._blocks.popleft() if self._blocks else (None, ())
            if len(self._blocks) <= REFILL_BLOCKS:
                self._filling = True
                self._room.notify()
        held, before, self._dry = self._held, self._dry, block is None
        if ran_dry:
            self.late_blocks += 1
            held = held * _RISE
        if block is None:
            self.late_blocks += 1
            held, block = held * _FALL, silence(BLOCK, self._channels)
        elif before:
            block = np.concatenate([block[:HELD] * _RISE, block[HELD:]])
        self._held = block[-HELD:]
        heard: Frames = np.concatenate([held, block[:-HELD]])
        if self._capture is not None:
            self._capture.append(heard)
        for mark in marks:
            offset = HELD + mark.offset
            self._played(mark, self.frame + offset, boottime + offset / RATE)
        self.frame += BLOCK
        return heard

    def abandon(self) -> None:
        """Take nothing more and give up what is queued, but let its marks be known: they will never be played."""
        with self._room:
            self._abandoned, self._capture = True, None
            self._room.notify_all()
        while self._blocks:
            self.take(clock.boottime())


class PacedOutput(BlockQueue):
    """A card made of a clock alone: "null", and "file" where it has a capture."""

    def __init__(self, name: str, channels: int, played: Played, capture: Capture | None, frame: int = 0) -> None:
        super().__init__(channels, played, capture)
        self.name = name
        self.frame = frame
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="card")
        self._thread.start()

    def close(self) -> None:
        """Stop playing."""
        self._stop.set()
        self._filled.set()
        self._thread.join()
        self.abandon()

    def _work(self) -> None:
        self._filled.wait()
        started, first = clock.boottime(), self.frame
        if self._capture is not None:
            self.frame = first = self._capture.begin(started)
        while not self._stop.is_set():
            due = started + (self.frame - first) / RATE
            wait = due - clock.boottime()
            if wait > 0:
                self._stop.wait(wait)
            else:
                self.take(due)


class DeviceOutput(BlockQueue):
    """A sound card through PortAudio. Raises OSError where there is none of that name."""

    def __init__(self, device: str, channels: int, played: Played, capture: Capture | None) -> None:
        super().__init__(channels, played, capture)
        self._begun = self._closing = False
        try:
            import sounddevice
        except OSError as error:
            raise OSError("PortAudio is not installed") from error
        # PortAudio looks for cards only when it is initialised: without this one that came back is not seen.
        sounddevice._terminate()  # noqa: SLF001
        sounddevice._initialize()  # noqa: SLF001
        try:
            self._stream: Any = sounddevice.OutputStream(
                samplerate=RATE,
                blocksize=BLOCK,
                device=device or None,
                channels=channels,
                dtype="float32",
                latency=0.1,
                callback=self._fill,
                finished_callback=self._finished,
            )
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            raise OSError(str(error)) from error
        self.name = f"device:{sounddevice.query_devices(self._stream.device)['name']}"

    def close(self) -> None:
        """Stop playing."""
        self._closing = True
        with contextlib.suppress(Exception):
            self._stream.close()
        self.abandon()

    def _fill(self, outdata: Any, _frames: int, time: Any, status: Any) -> None:
        if not self._filled.is_set():
            outdata.fill(0)
            return
        at = clock.boottime() + max(0.0, time.outputBufferDacTime - time.currentTime)
        if not self._begun:
            self._begun = True
            if self._capture is not None:
                self.frame = self._capture.begin(at)
        # It can run dry though the queue is full: this call itself came late.
        outdata[:] = self.take(at, ran_dry=bool(status.output_underflow))

    def _finished(self) -> None:
        if not self._closing:
            self.lost = "the device stopped"
            with self._room:
                self._room.notify_all()


def open_output(wanted: str, channels: int, played: Played, capture: Capture | None) -> Output:
    """The output that a room's `output` names; a "file:" is the `capture` that comes with it.

    "auto" is the default device. Raises OSError where a device cannot be opened.
    """
    kind, _, name = wanted.partition(":")
    if kind in ("file", "null"):
        return PacedOutput(wanted, channels, played, capture)
    return DeviceOutput(name, channels, played, capture)
