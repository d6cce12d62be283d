"""What a backup says of itself: each file with its size, its SHA-256, and how far its chain has come."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from controller.files import private, to_disk
from controller.journal.chain import ROOM

NAME = "manifest.json"
FORMAT = 1
_CHUNK = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file. `head`: the hash of its last line; "" for a damaged journal, which is kept as it lies."""

    bytes: int
    sha256: str
    records: int = 0
    lines: int = 0
    head: str = ""
    redacted: int = 0

    def has_the_content_of(self, other: Entry) -> bool:
        """Whether two copies, however their pages lie, hold the same."""
        mine, theirs = ((it.lines, it.head, it.redacted) for it in (self, other))
        return mine == theirs and bool(self.head)


@dataclass(kw_only=True)
class Manifest:
    """A backup. `backup`: its own random id; `origin`: the hash of the first line of the room's book."""

    backup: str
    origin: str
    utc: str
    software: str = ""
    files: dict[str, Entry] = field(default_factory=dict)
    """By path below the backup."""

    @property
    def sessions(self) -> list[str]:
        """The sessions that it holds."""
        return [Path(name).stem for name in self.files if name.startswith("sessions/") and name.endswith(".db")]


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a backup, None where there is none. Raises OSError, or ValueError where it is none of ours."""
    try:
        plain: Any = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    try:
        if plain.pop("format") != FORMAT:
            raise ValueError("its format is not one that this version reads")
        files = {str(name): Entry(**entry) for name, entry in plain.pop("files").items()}
        if outside := next((name for name in files if Path(name).is_absolute() or ".." in Path(name).parts), None):
            raise ValueError(f"{folder / NAME}: {outside} lies outside the backup")
        return Manifest(**plain, files=files)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{folder / NAME}: {error}") from None


def write_manifest(folder: Path, manifest: Manifest) -> str:
    """Write it whole or not at all; gives its SHA-256. Raises OSError."""
    data = (json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1) + "\n").encode()
    part = folder / f"{NAME}.part"
    private(part)
    part.write_bytes(data)
    to_disk(part)
    part.replace(folder / NAME)
    to_disk(folder)
    return hashlib.sha256(data).hexdigest()


def backups_at(place: Path) -> Iterator[Path]:
    """The folders of backups at a place, or the place itself where it is one."""
    if (place / NAME).is_file():
        yield place
    else:
        yield from sorted(found.parent for found in place.glob(f"stillroom-*/{NAME}"))


def folder_name(room: str, origin: str) -> str:
    """The folder that holds the backups of one record: two rooms on one stick never meet."""
    return f"stillroom-{room or ROOM}-{origin[:6]}"


def read_back(file: Path) -> tuple[int, str]:
    """Size and SHA-256 of what the device holds: the kernel is asked to forget what it still had of it."""
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as handle:
        os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while chunk := handle.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()
