"""The room file's support desk: how people outside reach it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class DeskTable(BaseModel):
    """The support desk, as it stands on the sheet that paramedics are handed."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    phone: Annotated[str, Field(pattern=r"^[0-9+() /.x-]{0,40}$")] = ""
    """Telephone number of the desk."""
