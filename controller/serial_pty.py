"""A serial device that is not there, behind a real pty; its name is a link that goes when it is unplugged."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import threading
import tty
from pathlib import Path

from controller.clock import boottime

_POLL_MS = 50


class PtyDevice:
    """The far end of a serial line that appears under `link`. What is said to it goes unheard unless a kind listens."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self._master = -1
        self._slave = -1
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    @property
    def device(self) -> str:
        """Its name among the machine's devices."""
        return str(self.link)

    def plug(self) -> None:
        """Appear."""
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self._slave))
        self._stop.clear()
        self._thread = threading.Thread(target=self._listen, name=f"pty {self.link.name}", daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Vanish, the link first; whoever has it open gets errors from now on. Twice is fine."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self.link.unlink(missing_ok=True)
        self._stop.set()
        thread.join()
        os.close(self._slave)
        os.close(self._master)

    def send(self, data: bytes) -> None:
        """Say something down the line."""
        os.write(self._master, data)

    def _heard(self, data: bytes, at: float) -> None:
        """Take what was said, `at` in CLOCK_BOOTTIME seconds; on a thread of its own."""

    def _listen(self) -> None:
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        while not self._stop.is_set():
            if poll.poll(_POLL_MS):
                with contextlib.suppress(OSError):
                    self._heard(os.read(self._master, 4096), boottime())
