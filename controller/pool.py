"""The pieces that a room can draw on, as the library measured them."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from controller.config import Room
from controller.library.catalogue import Catalogue
from controller.messages import Piece


def read_pool(state_dir: Path, room: Room) -> dict[str, list[Piece]]:
    """The measured pieces of the room's folders, by the name of the subfolder they lie in."""
    folders = [folder.resolve() for folder in room.table.music.folders]
    catalogue = Catalogue(state_dir)
    try:
        pool: dict[str, list[Piece]] = defaultdict(list)
        for piece in catalogue.pieces(folders):
            for folder in folders:
                if Path(piece.path).is_relative_to(folder):
                    pool[Path(piece.path).relative_to(folder).parts[0]].append(piece)
                    break
        return pool
    finally:
        catalogue.close()
