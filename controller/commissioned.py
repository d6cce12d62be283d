"""A room's signed commissioning: what was seen of each lamp, by whom, and whether the room is still the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from controller.clock import utc_text
from controller.config import Room
from controller.files import to_disk
from controller.validation import Table

Verdict = Literal["ok", "look", "failed", "skipped"]
"""Right; usable, but a person has to know; not usable; not looked at."""

Value = bool | float | str


class Finding(Table):
    """What one step showed. `code` says which sentence it is; `values` are seconds, shares 0..1, numbers and words."""

    step: str
    verdict: Verdict
    code: str
    values: dict[str, Value] = Field(default={})


class DeviceFindings(Table):
    """One device of the room."""

    name: str
    profile: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of its findings, where skipping one is no harm."""
        found = {finding.verdict for finding in self.findings}
        return "failed" if "failed" in found else "look" if "look" in found else "ok"


class Report(Table):
    """A whole commissioning. `signed_utc` by this machine's clock; `digests`: SHA-256 of what it holds for, by name."""

    report: Literal[1] = 1
    room: str
    signed_by: str
    signed_utc: str
    devices: tuple[DeviceFindings, ...]
    digests: dict[str, str]

    @property
    def troubled(self) -> tuple[str, ...]:
        """Devices in which something failed."""
        return tuple(each.name for each in self.devices if each.verdict == "failed")


class Standing(Table):
    """How a room's commissioning stands. `stale`: signed, and then `changed` (lamps, or a profile's name).

    `unread`: the file of the report that is missing because nothing can be made of what is in it.
    """

    state: Literal["missing", "stale", "signed"]
    report: Report | None = None
    changed: tuple[str, ...] = ()
    unread: str = ""


def commissioning_report(state_dir: Path, room: Room) -> Standing:
    """How the room's commissioning stands, by the last report that was signed. One that cannot be read is missing."""
    path = _path(state_dir, room.name)
    try:
        report = Report.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Standing(state="missing")
    except (OSError, ValidationError):
        return Standing(state="missing", unread=str(path))
    now = room_digests(room)
    changed = tuple(sorted(name for name in now | report.digests if now.get(name) != report.digests.get(name)))
    return Standing(state="stale" if changed else "signed", report=report, changed=changed)


def room_digests(room: Room) -> dict[str, str]:
    """What a commissioning holds for: where each lamp hangs and between which levels it moves, and its profile.

    The room's music, its call and its comments are not part of it.
    """
    light = room.table.light
    lamps = {
        "lamps": [lamp.model_dump(mode="json") for lamp in light.lamps],
        "ports": {name: port.model_dump(mode="json") for name, port in room.table.ports.items()},
        "limits": [light.floor, light.ceiling, light.slew_per_s],
    }
    digests = {"lamps": _digest(json.dumps(lamps, sort_keys=True))}
    for name in sorted({lamp.profile for lamp in light.lamps}):
        digests[name] = _digest(json.dumps(room.profiles[name].model_dump(mode="json"), sort_keys=True))
    return digests


def sign_report(state_dir: Path, room: Room, devices: Sequence[DeviceFindings], initials: str, at: datetime) -> Path:
    """Keep a signed report; gives its file. Earlier ones stay beside it. Raises OSError."""
    report = Report(
        room=room.name,
        signed_by=initials,
        signed_utc=utc_text(at),
        devices=tuple(devices),
        digests=room_digests(room),
    )
    latest = _path(state_dir, room.name)
    latest.parent.mkdir(parents=True, exist_ok=True)
    dated = latest.with_name(f"{room.name}-{at:%Y%m%dT%H%M%SZ}.json")
    for path in (dated, latest):
        fresh = path.with_suffix(".new")
        fresh.write_text(report.model_dump_json(indent=1), encoding="utf-8")
        to_disk(fresh)
        fresh.replace(path)
    to_disk(latest.parent)
    return dated


def _path(state_dir: Path, room: str) -> Path:
    return state_dir / "commissioning" / f"{room}.json"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
