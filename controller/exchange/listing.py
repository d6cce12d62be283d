"""What a playlist says of its pieces, whatever its format; nothing of it is believed without the audio."""

from __future__ import annotations

from dataclasses import dataclass

from controller.one_line import one_line


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One line of a list. `seconds` is the list's own claim, None where it makes none; `location` as it is written."""

    number: int
    title: str = ""
    artist: str = ""
    album: str = ""
    seconds: float | None = None
    location: str = ""

    @property
    def said(self) -> str:
        """The entry in a person's words."""
        name = " - ".join(part for part in (self.artist, self.title) if part)
        return one_line(name or self.location) or "(empty)"


def split_name(name: str) -> tuple[str, str]:
    """Artist and title of an "Artist - Title"; the artist is "" where there is no such mark."""
    artist, mark, title = name.partition(" - ")
    return (artist.strip(), title.strip()) if mark else ("", name.strip())
