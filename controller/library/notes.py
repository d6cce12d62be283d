"""`music.csv`: what a clinic knows of its music and no measurement can tell.

A table that any spreadsheet writes, in a folder of music; it counts for its folder and everything below, and a deeper
file counts more. One row a piece, or one for many (`*` and `?` in `file`); of two that name a piece the later one wins.

    file;vocals;language;tradition;tags
    Sacred Hymns.flac;yes;la;christian;choir
    drones/*;no;;;"drone, calm"
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields, replace
from fnmatch import translate
from pathlib import Path

from controller.files import did_you_mean
from controller.library.flags import parse_flag
from controller.one_line import one_line

NAME = "music.csv"

_NO_FILE = 'row 1: needs a column "file"'

_NEAR = 60
"""Of 100: names less alike are not worth naming."""

COLUMNS = ("file", "title", "artist", "album", "track", "vocals", "language", "tradition", "tags")

_WRITTEN = ("file", "vocals", "language", "tradition", "tags")
"""What a sheet of our own asks for: nothing that the files say better."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """What the clinic says of one piece; None where it says nothing. Languages and tags are in small letters."""

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    track: int | None = None
    vocals: bool | None = None
    language: str | None = None
    tradition: str | None = None
    tags: tuple[str, ...] | None = None

    def over(self, other: Note) -> Note:
        """What this note says, and what `other` says where this one says nothing."""
        said = {each.name: value for each in fields(self) if (value := getattr(self, each.name)) is not None}
        return replace(other, **said)


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    given: str
    file: str
    pattern: re.Pattern[str] | None
    note: Note

    def names(self, below: str) -> bool:
        """Whether it names the piece at this path below the file's folder; a bare name fits in any subfolder."""
        if self.pattern is not None:
            return self.pattern.match(below) is not None
        return self.file in (below, below.rpartition("/")[2])


@dataclass(slots=True)
class Sheet:
    """One music.csv. `mistakes` are sentences about its rows."""

    path: Path
    rows: list[_Row] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)

    def note(self, path: Path) -> Note:
        """What it says of a piece below its folder."""
        below = _plain(path.relative_to(self.path.parent).as_posix())
        said = Note()
        for row in self.rows:
            if row.names(below):
                said = row.note.over(said)
        return said

    def name_strays(self, pieces: Collection[Path]) -> None:
        """Add a mistake for every row that names none of the pieces below its folder."""
        from rapidfuzz import fuzz, process  # only while music is scanned: 4 MB

        names = [path.relative_to(self.path.parent).as_posix() for path in pieces]
        below = [_plain(name) for name in names]
        for row in self.rows:
            if not any(row.names(name) for name in below):
                near = process.extractOne(row.file, names, scorer=fuzz.ratio, processor=_plain, score_cutoff=_NEAR)
                hint = f'; did you mean "{near[0]}"?' if near and row.pattern is None else ""
                self.mistakes.append(f'row {row.number}: there is no "{row.given}" here{hint}')


class Notes:
    """The sheets of all folders, each read once."""

    def __init__(self) -> None:
        self._sheets: dict[Path, Sheet | None] = {}

    def of(self, path: Path) -> Note:
        """What all sheets in the folders above a piece say of it."""
        said = Note()
        for folder in reversed(path.parents):
            if (sheet := self.sheet(folder)) is not None:
                said = sheet.note(path).over(said)
        return said

    def sheet(self, folder: Path) -> Sheet | None:
        """The folder's own sheet, if there is one."""
        if folder not in self._sheets:
            path = folder / NAME
            self._sheets[folder] = read_sheet(path) if path.is_file() else None
        return self._sheets[folder]


def read_sheet(path: Path) -> Sheet:
    """Read a sheet; what is wrong with it is in its `mistakes`, and the rest counts all the same."""
    sheet = Sheet(path)
    try:
        text = _decode(path.read_bytes())
    except OSError as error:
        sheet.mistakes.append(f"unreadable: {error.strerror}")
        return sheet
    heads, delimiter = _heads(text)
    unknown = [head for head in heads if head and head not in COLUMNS]
    sheet.mistakes += [f'row 1: unknown column "{head}"{did_you_mean(head, COLUMNS)}' for head in unknown]
    if "file" not in heads:
        sheet.mistakes.append(_NO_FILE)
        return sheet
    rows = csv.reader(_lines(text), delimiter=delimiter)
    try:
        next(rows)
        for cells in rows:
            given = {head: one_line(cell.strip()) for head, cell in zip(heads, cells, strict=False) if head in COLUMNS}
            if given.get("file"):
                sheet.rows.append(_read_row(rows.line_num, given, sheet.mistakes))
    except csv.Error as error:
        after = sheet.rows[-1].number if sheet.rows else 1
        sheet.mistakes.append(f"row {after + 1}: a quote that never ends? nothing from here on was read: {error}")
    return sheet


def _decode(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # a spreadsheet's "Unicode text"
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")  # what a spreadsheet writes where nobody chose


_TRACK_DIGITS = 6


def _read_row(number: int, given: dict[str, str], mistakes: list[str]) -> _Row:
    file = _plain(given["file"].replace("\\", "/").removeprefix("./"))
    if (vocals := given.get("vocals", "")) and parse_flag(vocals) is None:
        mistakes.append(f'row {number}: vocals: "{vocals}" is neither yes nor no')
    track = given.get("track", "")
    number_of = int(track) if track.isdecimal() and len(track) <= _TRACK_DIGITS else None
    if track and number_of is None:
        mistakes.append(f'row {number}: track: "{track}" is not a number')
    note = Note(
        title=given.get("title") or None,
        artist=given.get("artist") or None,
        album=given.get("album") or None,
        track=number_of,
        vocals=parse_flag(vocals),
        language=given.get("language", "").lower() or None,
        tradition=given.get("tradition") or None,
        tags=split_tags(given.get("tags", "")) or None,
    )
    wild = "*" in file or "?" in file
    # Brackets are common in the names of recordings: they are meant as they stand.
    return _Row(number, given["file"], file, re.compile(translate(file.replace("[", "[[]"))) if wild else None, note)


def split_tags(text: str) -> tuple[str, ...]:
    """Tags between commas, semicolons or bars, in small letters, each once."""
    return tuple(dict.fromkeys(tag for part in re.split(r"[,;|]", text) if (tag := part.strip().lower())))


def _plain(name: str) -> str:
    """A name as it is compared: macOS and Linux write accents differently, and spreadsheets change the case."""
    return unicodedata.normalize("NFC", name).casefold()


def write_rows(path: Path, pieces: Sequence[tuple[Path, Note]]) -> int:
    """Add a row for each piece (its path, what is known) that no row names; gives how many.

    The sheet is written so that any spreadsheet opens it as it is; rows that are there stay. Raises OSError, or
    ValueError for a sheet without a column "file".
    """
    text, heads, delimiter, named = "", list(_WRITTEN), ",", set()
    if path.is_file():
        text = _decode(path.read_bytes())
        heads, delimiter = _heads(text)
        if "file" not in heads:
            raise ValueError(_NO_FILE)
        named = {row.file for row in read_sheet(path).rows}
    added = io.StringIO()
    end = "\r\n" if "\r\n" in text else "\n"
    writer = csv.writer(added, delimiter=delimiter, lineterminator=end)
    if not text:
        writer.writerow(heads)
    fresh = [(name, note) for name, note in _below(path.parent.resolve(), pieces) if _plain(name) not in named]
    for name, note in fresh:
        said = {
            "file": name,
            "vocals": {None: "", True: "yes", False: "no"}[note.vocals],
            "language": note.language or "",
            "tradition": note.tradition or "",
            "tags": ", ".join(note.tags or ()),
        }
        writer.writerow([said.get(head, "") for head in heads])
    if fresh:
        part = path.with_name(f".{path.name}.part")
        gap = "" if not text or text.endswith(("\n", "\r")) else end
        part.write_text(text + gap + added.getvalue(), encoding="utf-8-sig")
        part.replace(path)
    return len(fresh)


def _below(folder: Path, pieces: Sequence[tuple[Path, Note]]) -> list[tuple[str, Note]]:
    return [(path.relative_to(folder).as_posix(), note) for path, note in pieces]


def _lines(text: str) -> io.StringIO:
    """The text by its lines, each with its end: within quotes that is a part of the cell."""
    return io.StringIO(text, newline="")


def _heads(text: str) -> tuple[list[str], str]:
    """The columns' names as they are compared, none where this is no table, and what separates them."""
    first = _lines(text).readline()
    delimiter = max(",;\t", key=first.count)
    try:
        return [head.strip().lower() for head in next(csv.reader([first], delimiter=delimiter), [])], delimiter
    except csv.Error:
        return [], delimiter
