"""A wall clock that the test sets, for a whole daemon: libfaketime, with the monotonic clocks left alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
"""The one for threads: the other, when two threads read its file at once, now and then shows the real time."""


@dataclass
class WallClock:
    """What a process with this `environment` takes for the time of day; all times are UTC."""

    file: Path

    @property
    def environment(self) -> dict[str, str]:
        """For the process: it looks into the file once a second."""
        assert _LIBRARIES, "libfaketime is missing: bash deploy/setup.sh --dev"
        return {
            "TZ": "UTC",
            "LD_PRELOAD": str(_LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",  # files keep their true times: Python would compile every module anew
        }

    def set(self, at: str) -> None:
        """It shows `at` ("2026-03-29T00:59:58") now, and goes on from there."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"@{at.replace('T', ' ')}\n", encoding="ascii")
        fresh.rename(self.file)
