"""The room file's support desk: how people outside reach it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from controller.validation import Table


class DeskTable(Table):
    """The support desk, as it stands on the sheet that paramedics are handed."""

    phone: Annotated[str, Field(pattern=r"^[0-9+() /.x-]{0,40}$")] = ""
    """Telephone number of the desk."""
