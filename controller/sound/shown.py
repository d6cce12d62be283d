"""A file as libVLC is to see it: its own bytes, but for a few places at which others are shown."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from typing import Any

import vlc

from controller.sound.seams import Patch

_MODEST = (":prefetch-buffer-size=64", ":prefetch-read-size=32768")
"""KiB and bytes. libVLC would take the whole file into memory: of a movement in AAC 34 MB."""


class Shown:
    """Read by one player, in libVLC's threads. Raises OSError where the file cannot be opened.

    It must live as long as the player that reads it, and be closed after that one.
    """

    def __init__(self, path: str, patches: Sequence[Patch]) -> None:
        self._patches = patches
        self._file = os.open(path, os.O_RDONLY)
        self._size = os.fstat(self._file).st_size
        self._at = 0
        decorators = vlc.CallbackDecorators
        self._callbacks: tuple[Any, ...] = (
            decorators.MediaOpenCb(self._open),
            decorators.MediaReadCb(self._read),
            decorators.MediaSeekCb(self._seek),
            decorators.MediaCloseCb(lambda _opaque: None),
        )

    def media(self, instance: Any) -> Any:
        """The media of a libVLC."""
        media = instance.media_new_callbacks(*self._callbacks, None)
        for option in _MODEST:
            media.add_option(option)
        return media

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
        # A callback knows its object: a circle that would last until a collection.
        self._callbacks = ()

    def _open(self, _opaque: Any, _data: Any, size: Any) -> int:
        size[0] = self._size
        self._at = 0
        return 0

    def _read(self, _opaque: Any, buffer: Any, length: int) -> int:
        try:
            data = os.pread(self._file, length, self._at)
        except OSError:
            return -1
        for at, fresh in self._patches:
            first, last = max(at, self._at), min(at + len(fresh), self._at + len(data))
            if first < last:
                data = data[: first - self._at] + fresh[first - at : last - at] + data[last - self._at :]
        ctypes.memmove(buffer, data, len(data))
        self._at += len(data)
        return len(data)

    def _seek(self, _opaque: Any, at: int) -> int:
        self._at = at
        return 0
