"""What a session is run with: programme, room, devices, limits, library and software, each under its SHA-256.

Gathered beside the loop before a session opens; the opening record names each by its digest, and the journal keeps the
contents, compressed, in the session's own file.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller.arc.shelves import Track
from controller.config import Room, load_programme, shipped
from controller.files import ConfigError
from controller.messages import Kept, KeptName, Start, encode, to_plain
from controller.pool import Library, RoomPool, read_library


@dataclass(frozen=True)
class AsRun:
    """The contents by name."""

    contents: dict[KeptName, bytes]

    @property
    def programme_text(self) -> str:
        """What the rules read."""
        return self.contents["programme"].decode()

    @property
    def kept(self) -> tuple[Kept, ...]:
        """For the opening record."""
        return tuple(
            Kept(name=name, sha256=_sha256(content), size=len(content)) for name, content in self.contents.items()
        )

    @property
    def by_digest(self) -> dict[str, bytes]:
        """For the journal."""
        return {_sha256(content): content for content in self.contents.values()}


def gather(start: Start, room: Room, pools: RoomPool, state_dir: Path, software: str) -> AsRun | None:
    """All of it; None where the programme is not known or not right. Blocks: files and the catalogue are read."""
    path = shipped("playlists").get(start.programme)
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8")
        programme = load_programme(path)
    except (OSError, ConfigError):
        return None
    try:
        library = read_library(state_dir, room)
        pool = pools.pool(programme, path.parent)
        index = _index(library, {name: shelf.by_path.values() for name, shelf in pool.shelves.items()})
    except (OSError, sqlite3.Error) as error:
        index = {"unreadable": str(error)}
    devices = {name: profile.model_dump(mode="json") for name, profile in sorted(room.profiles.items())}
    return AsRun(
        {
            "programme": text.encode(),
            "room": room.text.encode(),
            "devices": _json(devices),
            "limits": _json(to_plain(start.limits)),
            "library": _json(index),
            "software": software.encode(),
        }
    )


def _index(library: Library, sources: Mapping[str, Iterable[Track]]) -> dict[str, Any]:
    """The digest of the whole catalogue as measured, and of every file that the programme may draw on, by source."""
    catalogue = hashlib.sha256()
    for name, piece in sorted(library.names.items()):
        catalogue.update(name.encode() + b"\0" + encode(piece) + b"\n")
    return {
        "catalogue_sha256": catalogue.hexdigest(),
        "catalogue_pieces": len(library.names),
        "sources": {
            source: [{"path": track.piece.path, "sha256": track.piece.digest} for track in tracks]
            for source, tracks in sorted(sources.items())
        },
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
