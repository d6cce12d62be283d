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

_RETRY_S = 2.0


class Card:
    """Renders and plays. Marks and changes are handed over in the loop's thread.

    `on_mark(mark, frame, boottime)`: a mark came true, also "output", the one that is back. `on_lost(why)`.
    """

    def __init__(
        self,
        mixer: Mixer,
        on_mark: Callable[[Mark, int, float], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self._mixer = mixer
        self._settings = mixer.settings
        self._on_lost = on_lost
        loop = asyncio.get_running_loop()

        def played(mark: Mark, frame: int, boottime: float) -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(on_mark, mark, frame, boottime)

        self._played = played
        kind, _, path = self._settings.output.partition(":")
        self._wanted = self._settings.output
        self._lost = ""
        self._late_before = 0
        # Made here and not by the output, so that it is ours to close.
        wanted = path if kind == "file" else self._settings.capture
        self._capture = Capture(Path(wanted), self._settings.channels) if wanted else None
        self.output = self._first_output()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="mixer")
        mixer.wake = self._wake

    @property
    def late_blocks(self) -> int:
        """Blocks that were played as silence because they were not there, since the engine started."""
        return self._late_before + self.output.late_blocks

    def start(self) -> None:
        """Begin to mix."""
        self._thread.start()

    async def watch(self) -> None:
        """Replace a lost device, and try to get it back, for ever."""
        while True:
            await asyncio.sleep(0.2)
            if self.output.lost:
                self._lost = self.output.lost
                self._replace(self._paced(self.output.frame))
                # "auto" falls back to "null", which would look like a device that is back.
                self._wanted = "device:" if self._wanted == "auto" else self._wanted
                self._on_lost(self._lost)
            elif self._lost:
                await asyncio.sleep(_RETRY_S)
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(self._reopen)

    def _reopen(self) -> None:
        frame = self.output.frame
        fresh = open_output(self._wanted, self._settings.channels, self._played, self._capture, frame)
        self._mixer.post(partial(self._mixer.set_master, 1.0, self._settings.recovery_fade_s, begin=0.0))
        self._replace(fresh)
        self._lost = ""
        self._played(Mark("output", why=fresh.name), fresh.frame, clock.boottime())

    def _replace(self, fresh: Output) -> None:
        old, self.output = self.output, fresh
        self._late_before += old.late_blocks
        old.close()

    def _first_output(self) -> Output:
        try:
            return open_output(self._wanted, self._settings.channels, self._played, self._capture)
        except OSError as error:
            self._lost = str(error)
            return self._paced(0)

    def _paced(self, frame: int) -> Output:
        return PacedOutput("null", self._settings.channels, self._played, self._capture, frame)

    @property
    def lost(self) -> str:
        """Why the wanted device does not play; "" while it does."""
        return self._lost

    def close(self) -> None:
        """Stop mixing, then playing, then writing."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.output.close()
        if self._capture is not None:
            self._capture.close()

    def _wake(self) -> None:
        self.output.wake()

    def _work(self) -> None:
        _prefer_this_thread()
        ahead = Ahead(self._mixer)
        while not self._stop.is_set():
            ahead.step(self.output)


def _prefer_this_thread() -> None:
    """Ask for real-time scheduling, or else for a better nice value; the machine may refuse both."""
    thread = threading.get_native_id()
    try:
        os.sched_setscheduler(thread, os.SCHED_RR, os.sched_param(10))
    except OSError:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, -10)
