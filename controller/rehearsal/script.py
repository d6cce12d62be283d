"""A difficult day, written down beforehand: one line for each thing that a sitter does.

# minutes from ingestion, then what `stillroom ctl` would be given
+71m     hold
+1h35m   resume
+95m30s  quiet 10        # words behind a hash are for the reader
-5m      mark bathroom
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from controller.ctl import acts_of
from controller.files import ConfigError
from controller.messages import Act, Start

_TIME = re.compile(r"([+-])(?:(\d+)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")


@dataclass(frozen=True, kw_only=True)
class Line:
    """What is done `at_s` seconds from ingestion, and for whom (nobody: everybody it can concern)."""

    number: int
    at_s: float
    words: str
    act: Act
    participants: tuple[str, ...] = ()


def read_script(path: Path) -> list[Line]:
    """The lines of a script in the order of their times. Raises ConfigError with every mistake."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: {getattr(error, 'strerror', None) or error}"]) from error
    lines: list[Line] = []
    wrong: list[str] = []
    for number, written in enumerate(text.splitlines(), start=1):
        try:
            line = _read(number, written)
        except ValueError as error:
            wrong.append(f"{path}: line {number}: {error}")
        else:
            if line is not None:
                lines.append(line)
    if wrong:
        raise ConfigError(wrong)
    return sorted(lines, key=lambda line: line.at_s)


def _read(number: int, written: str) -> Line | None:
    """One line; None for an empty one. Raises ValueError."""
    words = shlex.split(written, comments=True)
    if not words:
        return None
    at = _TIME.fullmatch(words[0])
    if at is None or not any(at.groups()[1:]):
        raise ValueError(f'"{words[0]}" is no time from ingestion; write it like +71m, +1h11m, +90s or -5m')
    if len(words) == 1:
        raise ValueError("what is to be done is missing, such as: hold")
    act, participants = acts_of(words[1:])
    if isinstance(act, Start):
        raise ValueError("a rehearsal starts by itself")
    sign = -1.0 if at[1] == "-" else 1.0
    seconds = 3600.0 * float(at[2] or 0) + 60.0 * float(at[3] or 0) + float(at[4] or 0)
    return Line(number=number, at_s=sign * seconds, words=shlex.join(words[1:]), act=act, participants=participants)
