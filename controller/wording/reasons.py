"""The words for why: a code that stands behind a colon."""

from __future__ import annotations

import re

from controller.wording.templates import Values, text

_ERRNO = re.compile(r"^\[Errno -?\d+\] ?")

WHYS: dict[str, str] = {
    # What can be wrong with a file of music.
    "missing": "the file is not there",
    "directory": "it is a folder",
    "empty": "the file is empty",
    "not_audio": "there is no sound in it",
    "truncated": "the file ends too early",
    "decoder": "the player cannot read it",
    "overrun": "it is longer than it was measured",
    # Why the filler plays.
    "file": "the piece cannot be played",
    "gap": "no piece is planned for now",
    "stalled": "the piece came to a halt",
    "over": "the planned music is over",
    # Why a job of the timetable was left out.
    "session_open": "a session is open",
    "light_in_use": "somebody needs the light",
    # Why the sound engine was started anew.
    "hung": "it hung",
    "killed": "it was killed",
    "crashed": "it crashed",
    "ended": "it ended by itself",
    # Why a device does not answer.
    "late": "the disk is too slow",
}


def why_words(values: Values) -> str:
    """A reason in words, with its colon; "" where none was given. An error of the system loses its number."""
    code = text(values, "why")
    told = WHYS.get(code) or _ERRNO.sub("", code).replace("_", " ")
    return f": {told}" if told else ""
