"""Text from elsewhere as it may stand in a line: file names, tags, notes, what a device says of itself."""

from __future__ import annotations

import re

_BREAKS = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
"""Control characters, which steer a terminal; separators that end a line; what turns a line's direction round."""

_BROKEN = re.compile(f"[{_BREAKS}]+")


def one_line(text: str) -> str:
    """The text with one space for whatever would break a line or steer a terminal, and none at its ends for it."""
    if not breaks_lines(text):
        return text
    return " ".join(part for each in _BROKEN.split(text) if (part := each.strip(" "))).strip()


def breaks_lines(text: str) -> bool:
    """Whether there is anything in it that would."""
    return _BROKEN.search(text) is not None
