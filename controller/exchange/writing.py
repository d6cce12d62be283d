"""Pieces as M3U8, XSPF and CSV, for other programs and for people."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from controller.files import inert
from controller.messages import Piece

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What stands in no XML file, and in some files' tags."""

_XSPF = "http://xspf.org/ns/0/"


def m3u8(pieces: Sequence[Piece]) -> str:
    """Extended M3U, UTF-8."""
    lines = ["#EXTM3U"]
    for piece in pieces:
        name = " - ".join(part for part in (piece.artist, piece.title) if part).replace("\n", " ")
        lines += [f"#EXTINF:{round(piece.duration_s)},{name}", piece.path]
    return "\n".join(lines) + "\n"


def xspf(pieces: Sequence[Piece]) -> str:
    """XSPF version 1; lengths in milliseconds."""
    root = Element("playlist", version="1", xmlns=_XSPF)
    tracks = SubElement(root, "trackList")
    for piece in pieces:
        track = SubElement(tracks, "track")
        values = (
            ("location", Path(piece.path).as_uri() if Path(piece.path).is_absolute() else piece.path),
            ("title", piece.title),
            ("creator", piece.artist),
            ("album", piece.album),
            ("duration", str(round(piece.duration_s * 1000))),
        )
        for tag, value in values:
            if value:
                SubElement(track, tag).text = _NO_XML.sub("", value)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def table(pieces: Sequence[Piece]) -> str:
    """CSV with a heading; seconds with one decimal."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["number", "title", "artist", "album", "seconds", "file"])
    for number, piece in enumerate(pieces, start=1):
        said = (piece.title, piece.artist, piece.album, f"{piece.duration_s:.1f}", piece.path)
        writer.writerow([number, *map(inert, said)])
    return out.getvalue()


WRITERS: dict[str, Callable[[Sequence[Piece]], str]] = {"m3u8": m3u8, "xspf": xspf, "csv": table}
"""By the name of the format, which is the file's suffix."""
