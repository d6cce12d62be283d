"""What every part of a programme file has in common: frozen, and an unknown key is an error."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class FileModel(BaseModel):
    """A table of a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
