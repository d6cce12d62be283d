"""The words for why: a code that stands behind a colon."""

from __future__ import annotations

import re

from controller.wording.templates import Values, text

_ERRNO = re.compile(r"^(?:\w+Error: )?(?:\[Errno -?\d+\] ?)?")

WHYS: dict[str, str] = {
    # What can be wrong with a file of music.
    "missing": "the file is not there",
    "directory": "it is a folder",
    "empty": "the file is empty",
    "not_audio": "there is no sound in it",
    "truncated": "the file ends too early",
    "decoder": "the player cannot read it",
    "overrun": "it is longer than it was measured",
    "outage": "the power went",
    # Why the filler plays.
    "file": "the piece cannot be played",
    "gap": "no piece is planned for now",
    "stalled": "the piece came to a halt",
    "silent": "the piece brings nothing but silence",
    "over": "the planned music is over",
    # Why a sound broke off.
    "ran_dry": "the sound card had nothing to play",
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
    "hangs_up": "it hangs up at once; is TLS set on both sides, and our certificate?",
    "tls_another_host": "its certificate is for another host",
    "tls_not_spoken": "it does not speak TLS",
    "tls_out_of_date": "its certificate is out of date, or this machine's clock is",
    "tls_untrusted": "its certificate is not signed by whom we trust",
}


BROKER: dict[str, str] = {
    "hangs_up": "hangs up at once",
    "tls_another_host": "has another's certificate",
    "tls_not_spoken": "does not speak TLS",
    "tls_out_of_date": "certificate out of date",
    "tls_untrusted": "is not to be trusted",
}
"""What the broker does instead of answering, short enough for its alarm's line."""


def why(code: str) -> str:
    """A reason in words. An error of the system loses its kind and number."""
    return WHYS.get(code) or _ERRNO.sub("", code).replace("_", " ")


def why_words(values: Values) -> str:
    """A reason in words, with its colon; "" where none was given."""
    told = why(text(values, "why"))
    return f": {told}" if told else ""
