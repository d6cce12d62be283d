"""M3U, M3U8, XSPF, JSPF and CSV as lists of entries."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path, PureWindowsPath
from typing import Any
from urllib.parse import unquote, urlparse
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import fromstring

from controller.exchange.listing import Entry, split_name
from controller.files import ConfigError, did_you_mean

_COLUMNS = {
    "title": ["title", "track name", "track", "name", "song", "titel", "titre", "piece"],
    "artist": ["artist", "artist name(s)", "artist name", "artists", "composer", "performer", "interpret", "artiste"],
    "album": ["album", "album name", "release"],
    "seconds": [
        "duration",
        "time",
        "length",
        "duration (ms)",
        "track duration (ms)",
        "duration_ms",
        "seconds",
        "dauer",
        "durée",
    ],
    "location": ["location", "file", "path", "filename", "uri", "url"],
}
"""Headings under which spreadsheets and streaming exports keep what we look for, lower case."""


def read_listing(path: Path) -> list[Entry]:
    """The entries of a playlist, by its suffix. Raises ConfigError."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(_READERS)
        raise ConfigError([f"{path}: not a playlist that can be read; allowed: {known}"])
    try:
        text = _text(path)
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from error
    try:
        found = reader(text)
    except (ParseError, ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise ConfigError([f"{path}: is no {path.suffix.lstrip('.').upper()} playlist: {error}"]) from error
    if not found:
        raise ConfigError([f"{path}: has no entries"])
    return found


def _text(path: Path) -> str:
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")  # what players on Windows wrote before M3U8


def _m3u(text: str) -> list[Entry]:
    entries: list[Entry] = []
    info: tuple[float | None, str] = (None, "")
    for line in (line.strip() for line in text.splitlines()):
        if line.upper().startswith("#EXTINF:"):
            length, _, name = line[8:].partition(",")
            info = (_seconds(length.split(" ")[0]), name.strip())
        elif line and not line.startswith("#"):
            location = _location(line)
            artist, title = split_name(info[1] or PureWindowsPath(location).stem)
            entries.append(
                Entry(number=len(entries) + 1, artist=artist, title=title, seconds=info[0], location=location)
            )
            info = (None, "")
    return entries


def _xspf(text: str) -> list[Entry]:
    root = fromstring(text)
    entries: list[Entry] = []
    for track in _all(root, "track"):
        milliseconds = _child(track, "duration")
        entries.append(
            Entry(
                number=len(entries) + 1,
                title=_child(track, "title"),
                artist=_child(track, "creator"),
                album=_child(track, "album"),
                seconds=float(milliseconds) / 1000 if milliseconds else None,
                location=_location(_child(track, "location")),
            )
        )
    return entries


def _all(root: Element, tag: str) -> list[Element]:
    return [element for element in root.iter() if element.tag.rpartition("}")[2] == tag]


def _child(parent: Element, tag: str) -> str:
    found = next((element for element in parent if element.tag.rpartition("}")[2] == tag), None)
    return (found.text or "").strip() if found is not None else ""


def _jspf(text: str) -> list[Entry]:
    entries: list[Entry] = []
    for track in json.loads(text)["playlist"]["track"]:
        places: Any = track.get("location") or ""
        entries.append(
            Entry(
                number=len(entries) + 1,
                title=str(track.get("title") or ""),
                artist=str(track.get("creator") or ""),
                album=str(track.get("album") or ""),
                seconds=float(track["duration"]) / 1000 if track.get("duration") else None,
                location=_location(places[0] if isinstance(places, list) and places else str(places or "")),
            )
        )
    return entries


def _table(text: str) -> list[Entry]:
    head = text.splitlines()[0] if text.strip() else ""
    mark = max(",;\t", key=head.count)
    rows = list(csv.DictReader(io.StringIO(text), delimiter=mark))
    names = {(name or "").strip().lower(): name for name in (rows[0] if rows else {})}
    columns = {
        what: next((names[heading] for heading in headings if heading in names), None)
        for what, headings in _COLUMNS.items()
    }
    if columns["title"] is None and columns["location"] is None:
        raise ValueError(f"no column for the title{did_you_mean('title', list(names))}")

    def cell(row: dict[str, str | None], what: str) -> str:
        column = columns[what]
        return (row.get(column) or "").strip() if column is not None else ""

    thousandths = "ms" in (columns["seconds"] or "").lower()
    entries: list[Entry] = []
    for row in rows:
        length = _seconds(cell(row, "seconds"))
        entry = Entry(
            number=len(entries) + 1,
            title=cell(row, "title"),
            artist=cell(row, "artist"),
            album=cell(row, "album"),
            seconds=length / 1000 if length is not None and thousandths else length,
            location=_location(cell(row, "location")),
        )
        if entry.title or entry.location:
            entries.append(entry)
    return entries


def _location(written: str) -> str:
    """A path as it is; a file address as a path; any other address as it is."""
    address = urlparse(written)
    return unquote(address.path) if address.scheme == "file" else written


def _seconds(written: str) -> float | None:
    """Seconds of "254", "4:14" or "1:04:14"; None where nothing sensible is said (players write -1)."""
    if not re.fullmatch(r"\d+(?:[.,]\d+)?|\d+(?::\d{1,2}){1,2}", written.strip()):
        return None
    total = 0.0
    for part in written.strip().replace(",", ".").split(":"):
        total = total * 60 + float(part)
    return total or None


_READERS: dict[str, Callable[[str], list[Entry]]] = {
    ".m3u8": _m3u,
    ".m3u": _m3u,
    ".xspf": _xspf,
    ".jspf": _jspf,
    ".json": _jspf,
    ".csv": _table,
    ".tsv": _table,
}
