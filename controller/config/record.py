"""The room file's word on the record: what is held free on the disk for it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from controller.validation import Table

MEGABYTE = 1024 * 1024


class RecordTable(Table):
    """Room on the disk of the state directory."""

    reserve_mb: Annotated[float, Field(ge=0.0, le=4096.0)] = 32.0
    """Held in a file that is given up when the disk is full, so that a running session's record goes on; 0 for none."""
    least_free_mb: Annotated[float, Field(ge=0.0, le=65536.0)] = 64.0
    """With less than this free no session begins."""
