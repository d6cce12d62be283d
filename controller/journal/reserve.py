"""Room on the disk that is held for the running session's record, and given up when there is no other left."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from pathlib import Path

NAME = "reserve"


class Reserve:
    """A file of so many bytes in the state directory. The journal's thread gives it up, the daemon makes it anew."""

    def __init__(self, state_dir: Path, size: int) -> None:
        """`size` in bytes; 0 for no reserve."""
        self._path = state_dir / NAME
        self.size = size

    @property
    def there(self) -> bool:
        """Whether it is held."""
        return not self.size or self._path.exists()

    def hold(self) -> bool:
        """Take the room, if as much again stays free; whether it is held now. Blocks; raises nothing."""
        try:
            if not self.size:
                self._path.unlink(missing_ok=True)
                return True
            if self._path.exists() and self._path.stat().st_size == self.size:
                return True
            if shutil.disk_usage(self._path.parent).free < 2 * self.size:
                return False
            self._path.unlink(missing_ok=True)
            self._take()
        except OSError:
            return False
        return True

    def give_up(self) -> bool:
        """Free the room; whether there was any to free."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def _take(self) -> None:
        taking = self._path.with_suffix(".new")
        try:
            with taking.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self.size)
            taking.rename(self._path)
        finally:
            taking.unlink(missing_ok=True)


def is_full(error: Exception, state_dir: Path) -> bool:
    """Whether a write failed for want of room; SQLite does not always say so."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
        return True
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    try:
        return isinstance(error, sqlite3.Error | OSError) and shutil.disk_usage(state_dir).free < 256 * 1024
    except OSError:
        return False
