"""The room file's preflight: whether a session needs one, how long it counts, and what a participant's code is."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from controller.validation import Table


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f'"{text}" is no regular expression: {error}') from None
    except (OverflowError, RecursionError):
        raise ValueError("is no regular expression that could be used: it repeats, or nests, too much") from None
    return text


class PreflightTable(Table):
    """What is looked at before a session."""

    required: bool = True
    """No session begins before every check is green, or overridden with a reason."""
    minutes: Annotated[float, Field(ge=1.0, le=24 * 60.0)] = 60.0
    """What was found counts for so long."""
    code: Annotated[str, AfterValidator(_pattern)] = ""
    """What a participant's code looks like, as a regular expression; "" for any code that is no name."""
