"""Where the time goes between a message that the daemon reads and the command that it sends: stamps on the way.

The stamps stand at the borders that the architecture has, so that a figure names what would have to change: paho's
reading, the rules, writing the record out, the journal's thread, the disk, and the way back to the lamp.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from controller import runner
from controller.broker import BrokerLink
from controller.clock import boottime
from controller.journal.store import BookFile
from controller.journal.writer import Journal
from controller.lights.mqtt import MqttLights

SPANS = {
    "read": "read the message off the socket",
    "posted": "rule it",
    "ruled": "stamp and write out the record",
    "queued": "wake the journal's thread",
    "woken": "insert and hash",
    "committing": "commit: the disk",
    "committed": "wake the loop",
    "applied": "plan the lamp's command and publish it",
    "sent": "",
}
"""Each span begins at its stamp and ends at the next one that was made."""


class Budget:
    """Stamps of one message at a time; `begin` at the first, `keep` writes a line."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("w", encoding="utf-8")
        self._at: dict[str, float] = {}
        self._read_at = 0.0
        original_step = runner.step

        def step(*given: Any) -> Any:
            outcome = original_step(*given)
            self._stamp("ruled")
            return outcome

        runner.step = step  # type: ignore[attr-defined]
        self._around(BrokerLink, "_read", before=self._reads)
        self._around(BrokerLink, "_flush", after=self._flushed)
        self._around(Journal, "append", after=lambda: self._stamp("queued"))
        self._around(Journal, "_write", before=lambda: self._stamp("woken"))
        self._around(BookFile, "_commit", lambda: self._stamp("committing"), lambda: self._stamp("committed"))
        self._around(MqttLights, "apply", before=lambda: self._stamp("applied"))

    def begin(self) -> None:
        """A message has been read that is to be followed."""
        self._at = {"read": self._read_at, "posted": boottime()}

    def keep(self, way: str) -> None:
        """Write down what was stamped since."""
        self._file.write(json.dumps([way, self._at]) + "\n")
        self._file.flush()

    def _reads(self) -> None:
        self._read_at = boottime()

    def _flushed(self) -> None:
        if "applied" in self._at:
            self._stamp("sent")

    def _stamp(self, place: str) -> None:
        self._at.setdefault(place, boottime())

    def _around(self, kind: type, name: str, before: Callable[[], None] = int, after: Callable[[], None] = int) -> None:
        original = getattr(kind, name)

        def stamped(*given: Any, **named: Any) -> Any:
            before()
            try:
                return original(*given, **named)
            finally:
                after()

        setattr(kind, name, stamped)


def spans(file: Path, way: str) -> list[tuple[str, float, float]]:
    """What was done, the median of its seconds and its 90th percentile, up to the command's sending."""
    found: dict[str, list[float]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        kept, at = json.loads(line)
        if kept != way or "sent" not in at:
            continue
        on_the_way = sorted((t, place) for place, t in at.items() if t <= at["sent"])
        for (begin, place), (end, _) in pairwise(on_the_way):
            found.setdefault(place, []).append(end - begin)
    return [
        (SPANS[place], statistics.median(found[place]), sorted(found[place])[len(found[place]) * 9 // 10])
        for place in SPANS
        if place in found
    ]
