"""What the engine would forget: its cue sheet and where it is, in the runtime directory.

`cues.json` holds the sheet, `anchor.json` everything that changes. Both are replaced whole, so a kill leaves the old or
the new one; nothing is synced to disk, because after another boot neither has a meaning. A thread of their own writes
them: the directory may lie on a disk that stalls.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from controller import clock
from controller.messages import Cue, NotAMessage, Transport, decode, encode
from controller.sound.protocol import KeptDirectAct
from controller.sound.timeline import Anchor, Ramp, Sheet, Timeline

_SCHEMA = 1

SAME_PLACE_S = 30.0
"""After a silence that was shorter the music goes on where it was last heard; after a longer one the timeline has gone
on with the session's arc."""

_CLOSING_S = 1.0


class Kept(Struct, frozen=True, kw_only=True):
    """`anchor.json`: the timeline as heard at `boottime`, levels, direct acts, and what has been done already."""

    schema: int = _SCHEMA
    boot_id: str
    session: str
    plan: int
    boottime: float
    frame: int
    transport: Transport
    gate: tuple[float, float, float]
    music: float
    faders: dict[str, float]
    seqs: dict[str, int] = field(default_factory=dict)
    direct: tuple[KeptDirectAct, ...] = ()
    direct_count: int = 0
    begun: tuple[int, ...] = ()
    """Cues whose start has been told."""
    done: tuple[int, ...] = ()
    """Cues that ended before their time; they are not opened again."""
    kept_at: float = 0.0
    """CLOCK_BOOTTIME of this writing: its engine lived until then at least."""
    waiting: bool = False
    """Whether the timeline stood, about to play."""
    device: bool = False
    """Whether there was, or should have been, a sound device."""
    number: int = 0
    """Number of the newest event."""
    events: tuple[dict[str, Any], ...] = ()
    """Those that the daemon has not acknowledged."""

    def resumed(self, alive_at: float | None, now: float) -> Timeline:
        """Where an engine goes on whose forerunner gave its last sign of life at `alive_at` (None: unknown)."""
        place = Timeline(self.frame, self.transport, Ramp(*self.gate))
        if self.waiting:
            return place
        last = self.kept_at if alive_at is None else max(alive_at, self.kept_at)
        return Anchor(self.boottime, place).at(last if now - last < SAME_PLACE_S else now)


class _KeptSheet(Struct, frozen=True, kw_only=True):
    boot_id: str
    session: str
    plan: int
    cues: tuple[Cue, ...]


class Memory:
    """Keeps and recalls. A file that cannot be written is named in `failure`; the music goes on."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.boot_id = clock.boot_id()
        self.failure = ""
        directory.mkdir(parents=True, exist_ok=True)
        self._due: dict[str, bytes] = {}
        """The newest content of each file, in the order in which they are to be written."""
        self._changed = threading.Condition()
        self._writing = self._closing = False
        self._thread = threading.Thread(target=self._work, name="memory", daemon=True)
        self._thread.start()

    def keep_sheet(self, sheet: Sheet) -> None:
        """Keep the cues."""
        head = json.dumps({"boot_id": self.boot_id, "session": sheet.session, "plan": sheet.plan})
        # One cue at a time: no single call holds the interpreter for long beside the mixer.
        cues = b",\n".join(encode(laid.cue) for laid in sheet.laid)
        self._hand_over("cues.json", head[:-1].encode() + b', "cues": [\n' + cues + b"\n]}\n")

    def keep(self, kept: Kept) -> None:
        """Keep the state."""
        self._hand_over("anchor.json", encode(kept) + b"\n")

    def recall(self) -> tuple[Kept, Sheet] | None:
        """What was kept in this boot; None where there is nothing, or nothing that can be understood."""
        try:
            kept = decode(Kept, (self._directory / "anchor.json").read_bytes())
            if kept.boot_id != self.boot_id or kept.schema != _SCHEMA:
                return None
            if not kept.session:
                return kept, Sheet()
            sheet = decode(_KeptSheet, (self._directory / "cues.json").read_bytes())
        except (OSError, NotAMessage):
            return None
        if sheet.boot_id != self.boot_id or sheet.session != kept.session:
            return None
        return kept, Sheet(sheet.session, sheet.plan, sheet.cues)

    def settle(self, seconds: float) -> bool:
        """Wait until everything is written, but no longer than this; False if it is not."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._due and not self._writing, seconds)

    def close(self) -> None:
        """Write what is left, if the disk takes it."""
        self.settle(_CLOSING_S)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(_CLOSING_S)

    def _hand_over(self, name: str, data: bytes) -> None:
        with self._changed:
            self._due.pop(name, None)
            self._due[name] = data
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._writing = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._due or self._closing)
                if not self._due:
                    return
                name = next(iter(self._due))
                data = self._due.pop(name)
                self._writing = True
            self._replace(self._directory / name, data)

    def _replace(self, path: Path, data: bytes) -> None:
        try:
            fresh = path.with_suffix(".new")
            fresh.write_bytes(data)
            fresh.replace(path)
            self.failure = ""
        except OSError as error:
            self.failure = f"{path.name}: {error.strerror}"
