"""What the engine would forget: its cue sheet and where it is, in the runtime directory.

`cues.json` holds the sheet, `anchor.json` everything that changes. Both are replaced whole, so a kill leaves the old or
the new one; nothing is synced to disk, because after another boot neither has a meaning.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from controller import clock
from controller.messages import Cue, Transport
from controller.sound.protocol import KeptDirectAct
from controller.sound.timeline import Anchor, Ramp, Sheet, Timeline

_SCHEMA = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
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

    @property
    def anchor(self) -> Anchor:
        """The tie between timeline and CLOCK_BOOTTIME."""
        return Anchor(self.boottime, Timeline(self.frame, self.transport, Ramp(*self.gate)))


@dataclass(frozen=True, kw_only=True, slots=True)
class _KeptSheet:
    boot_id: str
    session: str
    plan: int
    cues: tuple[Cue, ...]


_kept: TypeAdapter[Kept] = TypeAdapter(Kept)
_sheet: TypeAdapter[_KeptSheet] = TypeAdapter(_KeptSheet)
_cue: TypeAdapter[Cue] = TypeAdapter(Cue)


class Memory:
    """Keeps and recalls. A file that cannot be written is named in `failure`; the music goes on."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.boot_id = clock.boot_id()
        self.failure = ""
        directory.mkdir(parents=True, exist_ok=True)

    def keep_sheet(self, sheet: Sheet) -> None:
        """Keep the cues."""
        head = json.dumps({"boot_id": self.boot_id, "session": sheet.session, "plan": sheet.plan})
        # One cue at a time: no single call holds the interpreter for long beside the mixer.
        cues = b",\n".join(_cue.dump_json(laid.cue) for laid in sheet.laid)
        self._replace("cues.json", head[:-1].encode() + b', "cues": [\n' + cues + b"\n]}\n")

    def keep(self, kept: Kept) -> None:
        """Keep the state."""
        self._replace("anchor.json", _kept.dump_json(kept) + b"\n")

    def recall(self) -> tuple[Kept, Sheet] | None:
        """What was kept in this boot; None where there is nothing, or nothing that can be understood."""
        try:
            kept = _kept.validate_json((self._directory / "anchor.json").read_bytes())
            if kept.boot_id != self.boot_id or kept.schema != _SCHEMA:
                return None
            if not kept.session:
                return kept, Sheet()
            sheet = _sheet.validate_json((self._directory / "cues.json").read_bytes())
        except (OSError, ValidationError):
            return None
        if sheet.boot_id != self.boot_id or sheet.session != kept.session:
            return None
        return kept, Sheet(sheet.session, sheet.plan, sheet.cues)

    def _replace(self, name: str, data: bytes) -> None:
        path: Any = self._directory / name
        try:
            fresh = path.with_suffix(".new")
            fresh.write_bytes(data)
            fresh.replace(path)
            self.failure = ""
        except OSError as error:
            self.failure = f"{name}: {error.strerror}"
