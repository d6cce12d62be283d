"""What a DMX widget was last told, kept where a killed program leaves it and a power cut does not.

A widget goes on sending its last frame when nobody feeds it any more. Who feeds it again has to begin from there.
"""

from __future__ import annotations

import logging
import mmap
import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

from controller.clock import boot_id

_log = logging.getLogger(__name__)

_HEAD = struct.Struct("<36sI")
_PAIR = struct.Struct("<dd")


class KeptLevels:
    """(level on the fixture's own scale, kelvin) of each lamp, in a mapped file: writing costs no system call.

    `what` describes the lamps; what was kept of others, or in another boot, is not given back. A file that cannot be
    had is done without, and said so in the log.
    """

    def __init__(self, path: Path, what: str, count: int) -> None:
        self._count = count
        self._map: mmap.mmap | None = None
        self._head = _HEAD.pack(boot_id().encode("ascii"), zlib.crc32(what.encode("utf-8")))
        size = _HEAD.size + count * _PAIR.size
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("r+b" if path.exists() else "w+b") as file:
                file.truncate(size)
                os.posix_fallocate(file.fileno(), 0, size)  # a page without a place on a full disk would kill us
                self._map = mmap.mmap(file.fileno(), size)
        except (OSError, ValueError) as error:
            _log.warning("%s: what a widget was told is not kept: %s", path, error)

    def read(self) -> list[tuple[float, float]] | None:
        """What was kept of these lamps since this boot; None where that is nothing."""
        if self._map is None or self._map[: _HEAD.size] != self._head:
            return None
        kept = [_PAIR.unpack_from(self._map, _HEAD.size + place * _PAIR.size) for place in range(self._count)]
        return kept if all(0.0 <= level <= 1.0 for level, _ in kept) else None

    def write(self, values: Sequence[tuple[float, float]]) -> None:
        """Keep these."""
        if self._map is None:
            return
        for place, pair in enumerate(values):
            _PAIR.pack_into(self._map, _HEAD.size + place * _PAIR.size, *pair)
        self._map[: _HEAD.size] = self._head

    def close(self) -> None:
        """Let go of the file, which stays; twice is fine."""
        if self._map is not None:
            self._map.close()
            self._map = None
