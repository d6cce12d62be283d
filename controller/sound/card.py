"""The mixer's thread and the output it feeds; a lost device is replaced by a clock until it is back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from controller import clock
from controller.sound.ahead import Ahead
from controller.sound.capture import Capture
from controller.sound.mixer import Mark, Mixer
from controller.sound.outputs import Output, PacedOutput, open_output

_STILL_LOOKS = 4
"""A card that has taken nothing for so many looks stands still."""

_RETRY_S = 1.0
_RETRY_LATER_S = 10.0
"""Where "auto" found no device there may never be one; and one that is long gone is looked for less often."""

_LONG_GONE_S = 60.0

_OPENING_S = 2.0
"""A device that takes longer to open is waited for beside the mixer, not before it."""


class Opening:
    """A device that is being opened, in a thread of its own: such a call can hang for ever.

    `stale` is closed first. In the end there is an `output`, or an `error`.
    """

    def __init__(self, open_it: Callable[[], Output], stale: Output | None) -> None:
        self.output: Output | None = None
        self.error = ""
        self.begun = clock.boottime()
        self._open_it = open_it
        self._stale = stale
        self._thread = threading.Thread(target=self._work, name="opening", daemon=True)
        self._thread.start()

    def done(self, within: float = 0.0) -> bool:
        """Whether it has come to an end, waiting for that at most so long."""
        self._thread.join(within)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            if self._stale is not None:
                self._stale.close()
            self.output = self._open_it()
        except Exception as error:  # whatever it is: the room has no sound, and must be told
            self.error = str(error) or type(error).__name__


class Card:
    """Renders and plays. What is handed over is called in the loop's thread.

    `on_mark(mark, frame, boottime)`: a mark came true. `on_lost(why, boottime)`: the device
    plays nothing since then; `on_back(name)`.
    """

    def __init__(
        self,
        mixer: Mixer,
        on_mark: Callable[[Mark, int, float], None],
        on_lost: Callable[[str, float], None],
        on_back: Callable[[str], None],
    ) -> None:
        self._mixer = mixer
        self._settings = mixer.settings
        self._on_lost, self._on_back = on_lost, on_back
        loop = asyncio.get_running_loop()

        def played(mark: Mark, frame: int, boottime: float) -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(on_mark, mark, frame, boottime)

        self._played = played
        self.lost = ""
        """Why the wanted device does not play; "" while it does."""
        self._stands_in = False
        """Whether a clock plays instead of a device."""
        self._late_before = 0
        self._looked_at = self._still = 0
        self._played_at = 0.0
        self._next_try = 0.0
        kind, _, path = self._settings.output.partition(":")
        # Made here and not by the output, so that it is ours to close.
        wanted = path if kind == "file" else self._settings.capture
        self._capture = Capture(Path(wanted), self._settings.channels) if wanted else None
        self._stale: Output | None = None
        self._opening: Opening | None = None
        if kind in ("file", "null"):
            self.output: Output = self._open()
        else:
            self._stands_in = True
            self.output = self._paced(0)
            self._opening = Opening(self._open, None)
        self._beat: Callable[[], None] = lambda: None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="mixer")
        mixer.wake = self._wake

    @property
    def late_blocks(self) -> int:
        """Blocks that were played as silence because they were not there, since the engine started."""
        return self._late_before + self.output.late_blocks

    @property
    def call_hangs_s(self) -> float:
        """How long a call for a device has been out; 0.0 while none is."""
        opening = self._opening
        return clock.boottime() - opening.begun if opening is not None else 0.0

    @property
    def has_device(self) -> bool:
        """Whether there is, or should be, a device."""
        return bool(self.lost) or not self._stands_in

    def start(self, beat: Callable[[], None] = lambda: None, *, had_device: bool = False) -> None:
        """Begin to mix; `beat` is called in the mixer's thread for every block that the card takes.

        `had_device`: whether "auto" had one before, so that it is missed if it is not there.
        """
        self._beat = beat
        if (opening := self._opening) is not None:
            if opening.done(_OPENING_S):
                self._opened(opening)
            if self._stands_in and (had_device or self._settings.output != "auto"):
                self.lost = opening.error or "it does not answer"
        self._thread.start()

    def look(self) -> None:
        """Replace a lost device, and try to get it back; to be called ten times a second."""
        opening, now = self._opening, clock.boottime()
        if opening is not None:
            if opening.done():
                self._opened(opening)
        elif self._stands_in and now >= self._next_try:
            self._opening, self._stale = Opening(self._open, self._stale), None
        elif not self._stands_in:
            frame = self.output.frame
            if frame == self._looked_at:
                self._still += 1
            else:
                self._looked_at, self._still, self._played_at = frame, 0, now
            if self._still >= _STILL_LOOKS:
                self.output.lost = self.output.lost or "it stands still"
            if self.output.lost:
                self.lost, self._stands_in, self._still = self.output.lost, True, 0
                self._stale = self._replace(self._paced(self.output.frame))
                self._on_lost(self.lost, self._played_at)

    def _opened(self, opening: Opening) -> None:
        """Take what an opening brought."""
        self._opening = None
        if opening.output is None:
            self.lost = opening.error if self.lost else ""
            now = clock.boottime()
            recent = self.lost and now - self._played_at < _LONG_GONE_S
            self._next_try = now + (_RETRY_S if recent else _RETRY_LATER_S)
            return
        back = self._thread.is_alive()
        if back:
            self._mixer.post(partial(self._mixer.set_master, 1.0, self._settings.recovery_fade_s, out_of_silence=True))
        opening.output.frame = self.output.frame
        self._stands_in, self.lost = False, ""
        self._replace(opening.output).close()
        if back:
            self._on_back(opening.output.name)

    def _replace(self, fresh: Output) -> Output:
        """Let the next block go to another output; returns the old one, which plays no more."""
        old, self.output = self.output, fresh
        self._late_before += old.late_blocks
        old.abandon()
        return old

    def _open(self) -> Output:
        return open_output(self._settings.output, self._settings.channels, self._played, self._capture)

    def _paced(self, frame: int) -> Output:
        return PacedOutput("null", self._settings.channels, self._played, self._capture, frame)

    def close(self) -> None:
        """Stop mixing, then playing, then writing."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        opening = self._opening
        if opening is not None and opening.done(_OPENING_S) and opening.output is not None:
            opening.output.close()
        for output in (self.output, self._stale):
            if output is not None:
                output.close()
        if self._capture is not None:
            self._capture.close()

    def _wake(self) -> None:
        self.output.wake()

    def _work(self) -> None:
        _prefer_this_thread()
        ahead = Ahead(self._mixer)
        while not self._stop.is_set():
            if ahead.step(self.output):
                self._beat()


def _prefer_this_thread() -> None:
    """Ask for real-time scheduling, or else for a better nice value; the machine may refuse both."""
    thread = threading.get_native_id()
    try:
        os.sched_setscheduler(thread, os.SCHED_RR, os.sched_param(10))
    except OSError:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, -10)
