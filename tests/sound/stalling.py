"""A file on a disk that stalls: the kernel lets every read wait until the test allows it (fanotify; root only)."""

from __future__ import annotations

import ctypes
import os
import select
import struct
import threading
from pathlib import Path

_INIT_CONTENT, _CLOEXEC, _MARK_ADD, _ACCESS_PERM, _AT_FDCWD, _ALLOW = 0x04, 0x01, 0x01, 0x20000, -100, 1
_EVENT = struct.Struct("=IBBHQii")


class StallingFile:
    """Reads of `path` stand still from `stall` to `flow`. Raises PermissionError where that is not allowed."""

    def __init__(self, path: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._watch = libc.fanotify_init(_INIT_CONTENT | _CLOEXEC, os.O_RDONLY)
        if self._watch < 0:
            raise PermissionError(ctypes.get_errno(), "fanotify")
        marked = libc.fanotify_mark(self._watch, _MARK_ADD, ctypes.c_uint64(_ACCESS_PERM), _AT_FDCWD, os.fsencode(path))
        if marked != 0:
            os.close(self._watch)
            raise PermissionError(ctypes.get_errno(), "fanotify")
        self._flows, self._ends = threading.Event(), threading.Event()
        self._flows.set()
        self.stalled = False
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def stall(self) -> None:
        """Let the next read wait."""
        self._flows.clear()

    def flow(self) -> None:
        """Let all of them go on."""
        self._flows.set()

    def close(self) -> None:
        """Let the file be."""
        self._ends.set()
        self._flows.set()
        self._thread.join()
        os.close(self._watch)

    def _work(self) -> None:
        while not self._ends.is_set():
            if not select.select([self._watch], [], [], 0.05)[0]:
                continue
            events = os.read(self._watch, 4096)
            for at in range(0, len(events), _EVENT.size):
                file = _EVENT.unpack_from(events, at)[5]
                self.stalled = self.stalled or not self._flows.is_set()
                self._flows.wait()
                os.write(self._watch, struct.pack("=iI", file, _ALLOW))
                os.close(file)
