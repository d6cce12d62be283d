"""How far a book has come, in a file beside it: what shows that its end is missing.

A chain that is cut short is still a chain, and SQLite takes a log whose tail is damaged or gone for one that ended
earlier. So the number and hash of the newest line on disk are kept beside the file, written after each commit. They
are not waited for: after a power cut the mark may be behind the file, but never ahead of it.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from controller.files import to_disk, write_private

ENDING = "-mark"
"""Of the mark's name, behind that of the book's file."""

_LINE = re.compile(rb"(\d{12}) ([0-9a-f]{64})\n")


class Mark:
    """The writing end."""

    def __init__(self, file: Path, line: int, head: bytes) -> None:
        """Open the mark of `file`, or make it; `line` and `head` are the book's end. Raises OSError."""
        path = file.with_name(file.name + ENDING)
        if not path.exists():  # whole when it appears, for one that is empty is damage; then overwritten in place
            write_private(path, _content(line, head))
            to_disk(file.parent)
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.pwrite(self._fd, _content(line, head), 0)
        except OSError:
            self.close()
            raise

    def move(self, line: int, head: bytes) -> None:
        """The book has come so far; a mark that cannot be moved stays behind, which is no untruth."""
        with contextlib.suppress(OSError):
            os.pwrite(self._fd, _content(line, head), 0)

    def close(self) -> None:
        """Close the mark; twice is fine."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def read_mark(file: Path) -> tuple[int, bytes] | None:
    """The newest line that was written to `file`, and its hash; None without a mark. Raises ValueError for no mark."""
    try:
        content = file.with_name(file.name + ENDING).read_bytes()
    except FileNotFoundError:
        return None
    found = _LINE.fullmatch(content)
    if found is None:
        raise ValueError(f"{file.name}{ENDING} is not what was written")
    return int(found[1]), bytes.fromhex(found[2].decode())


def remove_mark(file: Path) -> None:
    """A book that is closed has its end in the room's chain."""
    file.with_name(file.name + ENDING).unlink(missing_ok=True)


def _content(line: int, head: bytes) -> bytes:
    return b"%012d %s\n" % (line, head.hex().encode())
