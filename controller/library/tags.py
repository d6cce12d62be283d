"""What a file says of itself, whatever its format calls it. None of it is trusted with a length."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen
from mutagen.aac import AAC
from mutagen.easyid3 import EasyID3
from mutagen.easymp4 import EasyMP4Tags
from mutagen.id3 import ID3
from mutagen.mp3 import BitrateMode

from controller.library.flags import parse_flag

_id3: Any = EasyID3
_mp4: Any = EasyMP4Tags
for _name in ("vocals", "tradition"):
    _id3.RegisterTXXXKey(_name, _name.upper())
    _mp4.RegisterFreeformKey(_name, _name.upper())
_mp4.RegisterFreeformKey("language", "LANGUAGE")

_FRAMES = {
    "title": "TIT2",
    "artist": "TPE1",
    "album": "TALB",
    "tracknumber": "TRCK",
    "discnumber": "TPOS",
    "genre": "TCON",
    "date": "TDRC",
    "language": "TLAN",
    "vocals": "TXXX:VOCALS",
    "tradition": "TXXX:TRADITION",
}
"""The same names in ID3 where mutagen has no easy form of it: WAV and AIFF."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tags:
    """Empty, 0 or None where the file does not say. `promised_s`: the length its header promises."""

    title: str = ""
    artist: str = ""
    album: str = ""
    track: int = 0
    disc: int = 0
    year: int = 0
    genres: tuple[str, ...] = ()
    language: str = ""
    tradition: str = ""
    vocals: bool | None = None
    promised_s: float = 0.0


def read_tags(path: Path) -> Tags:
    """The tags of a file; a file without any, or with spoilt ones, gives empty ones."""
    try:
        tagged = mutagen.File(path, easy=True)
    except (mutagen.MutagenError, ValueError, KeyError, IndexError):
        return Tags()
    if tagged is None:
        return Tags()
    given = tagged.tags if tagged.tags is not None else {}
    return Tags(
        title=_first(given, "title"),
        artist=", ".join(_all(given, "artist")),
        album=_first(given, "album"),
        track=_number(_first(given, "tracknumber")),
        disc=_number(_first(given, "discnumber")),
        year=_number(_first(given, "date")),
        genres=tuple(_all(given, "genre")),
        language=_first(given, "language").lower(),
        tradition=_first(given, "tradition"),
        vocals=parse_flag(_first(given, "vocals")),
        promised_s=_promised_s(tagged),
    )


def _promised_s(tagged: Any) -> float:
    """0 where the header only guesses: an MP3 without a table of contents, a bare AAC stream."""
    guessed = isinstance(tagged, AAC) or getattr(tagged.info, "bitrate_mode", None) == BitrateMode.UNKNOWN
    return 0.0 if guessed else float(getattr(tagged.info, "length", 0.0) or 0.0)


def _all(given: Any, name: str) -> list[str]:
    try:
        values = given.get(_FRAMES[name] if isinstance(given, ID3) else name)
    except (KeyError, ValueError):
        return []
    if values is None:
        return []
    values = getattr(values, "genres", None) or getattr(values, "text", None) or values
    return [text for value in values if (text := str(value).strip(" \0"))]


def _first(given: Any, name: str) -> str:
    return next(iter(_all(given, name)), "")


def _number(text: str) -> int:
    """3 of "3/12", 1998 of "1998-05-01"."""
    match = re.match(r"\s*(\d{1,4})", text)
    return int(match[1]) if match else 0
