"""Where a phase's or a set's music comes from, and what may not be among it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from controller.arc.model import FileModel

Arrangement = Literal["any", "as-listed", "rising", "falling", "level"]
"""Order within a phase: by the listing, or by loudness range and brightness rising, falling or level."""


class Music(FileModel):
    """One source of pieces; what is said adds up (a folder and a tag: pieces of the folder with that tag).

    `folder`: below the room's music folders. `playlist`: an M3U8 beside the programme or in a music folder. `tags`: any
    of these. `pieces`: these, by path below a music folder, in this order.
    """

    folder: str = ""
    playlist: str = ""
    tags: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name under which its pieces are found in a pool: the folder's where nothing else is said."""
        return self.folder if self == Music(folder=self.folder) else self.model_dump_json(exclude_defaults=True)


def _folder(given: object) -> object:
    return {"folder": given} if isinstance(given, str) else given


FromFolder = Annotated[Music, BeforeValidator(_folder, json_schema_input_type=Music | str)]
"""A source; a file may say the name of a folder alone."""


class SetPlan(FileModel):
    """A group of pieces that a sitter can choose as what comes next."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    title: Annotated[str, Field(max_length=24)]
    kind: Literal["calm", "evocative", "grounding", "return"]
    minutes: Annotated[float, Field(gt=0, le=120)] = 30.0
    music: FromFolder
    """A source, or the name of a folder."""

    @property
    def source(self) -> str:
        """The name under which its pieces are found in a pool."""
        return self.music.key
