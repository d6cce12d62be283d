"""What arrives over MQTT: JSON or a bare word, looked into by dotted paths."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

TOKEN = re.compile(r"\{([a-z_]+)\}")
"""A placeholder in a topic or a payload."""


def document_of(payload: bytes) -> Any:
    """The JSON in a payload, or its bare text."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return payload.decode("utf-8", "replace").strip()


def dig(found: Any, path: str) -> Any:
    """What lies under a dotted path, the whole under ""; None where nothing does."""
    for key in path.split(".") if path else ():
        if not isinstance(found, dict):
            return None
        found = found.get(key)
    return found


def word_of(value: Any) -> str | None:
    """A value as profiles write it: JSON's true is "true", its 1 is "1"; None for what is no single value."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def read_word(payload: bytes, key: str = "") -> str:
    """The word under `key` in JSON, or the bare text where there is no such thing."""
    word = word_of(dig(document_of(payload), key)) if key else None
    return payload.decode("utf-8", "replace").strip() if word is None else word


def read_number(value: Any) -> float | None:
    """The number that a value is, also where it stands between quotation marks; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders filled."""
    return TOKEN.sub(lambda match: values.get(match[1], match[0]), text)
