"""What every part of a programme file has in common: frozen, and an unknown key is an error; and a pattern of codes."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class FileModel(BaseModel):
    """A table of a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _compiled(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f'"{text}" is no regular expression: {error}') from None
    except (OverflowError, RecursionError):
        raise ValueError("is no regular expression that could be used: it repeats, or nests, too much") from None
    return text


Pattern = Annotated[str, AfterValidator(_compiled)]
"""A regular expression that the whole of a code has to match."""
