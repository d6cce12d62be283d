"""The room file's preflight: whether a session needs one, how long it counts, and what a participant's code is."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from controller.arc.model import Pattern
from controller.validation import Table


class PreflightTable(Table):
    """What is looked at before a session."""

    required: bool = True
    """No session begins before every check is green, or overridden with a reason."""
    minutes: Annotated[float, Field(ge=1.0, le=24 * 60.0)] = 60.0
    """What was found counts for so long."""
    code: Pattern = ""
    """What a participant's code looks like, as a regular expression; "" for any code that is no name."""
