"""Times of day as people write them in a room file."""

from __future__ import annotations

from datetime import time
from typing import Annotated

from pydantic import BeforeValidator


def _time_of_day(text: object) -> time:
    try:
        if isinstance(text, str) and len(text) == len("22:30"):
            return time.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError(f'{text} is no time of day; write it like "22:30", with the quotation marks')


TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]
