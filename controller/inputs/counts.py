"""The buttons' own numbers of their last events, kept over a restart of our process.

Some tell their last event again every few seconds: to a process that was just started it would be a press.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_log = logging.getLogger(__name__)


class Counts:
    """By the device, in a file that a thread of its own writes: no press waits for a disk. No `path`: kept nowhere."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._counts: dict[str, object] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="counts")
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(path.read_bytes()) if path else {}
            self._counts = found if isinstance(found, dict) else {}

    def of(self, device: str) -> object:
        """The number that was heard last; None for none."""
        return self._counts.get(device)

    def keep(self, device: str, count: object) -> None:
        """Keep it, unless it is known."""
        if count is None or self._counts.get(device) == count:
            return
        self._counts[device] = count
        if self._path is not None:
            self._thread.submit(self._write, self._path, json.dumps(self._counts))

    async def close(self) -> None:
        """Finish what is being written; twice is fine."""
        await asyncio.to_thread(self._thread.shutdown)

    def _write(self, path: Path, text: str) -> None:
        fresh = path.with_suffix(".new")
        try:  # whole or not at all; where a power cut takes it, one press may be told twice
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(path)
        except OSError as error:
            _log.warning("%s cannot be written: %s", path.name, error.strerror)
