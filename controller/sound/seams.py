"""Where the audio of a file begins and ends to the frame, so that a movement can go over into the next one.

A lossy encoder delivers frames before the first of the piece (its delay) and fills up its last packet. The file says
how many they are, but libVLC drops every packet whose time lies before zero, whole, and plays what only fills up
(3.0.24: of Vorbis 128 frames are lost and up to a thousand too many, of Opus 648 are lost, of AAC 1024). So its demuxer
is shown the file without the word of a delay, and the deck leaves out what the file had said of it.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

Patch = tuple[int, bytes]
"""Bytes to be seen at a place of the file instead of its own."""


@dataclass(frozen=True, slots=True)
class Seam:
    """How a file is played from its first frame to its last. `demux`, `codec`: libVLC's modules, "" for its own choice.

    `patches`: what the demuxer is to see. Then `delay_s` of what is decoded lie before the piece, which lasts
    `length_s`; None: to the end of what is decoded.
    """

    demux: str = "avformat"
    codec: str = ""
    patches: tuple[Patch, ...] = ()
    delay_s: float = 0.0
    length_s: float | None = None


_PLAIN = Seam()

_MP3 = Seam(demux="")
"""libVLC's own demuxer hands the LAME tag on to mpg123, which goes by it to the frame."""


def find_seam(path: Path) -> Seam:
    """The seam of a file; that of FLAC and WAV, which need none, where a file does not say or cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
            if head[:4] == b"OggS":
                return _ogg(file) or _PLAIN
            if head[4:8] == b"ftyp":
                return _mp4(file)
            if head[:3] == b"ID3" or (head[:1] == b"\xff" and head[1] & 0xE6 == 0xE2):
                return _MP3
    except (OSError, ValueError, IndexError, struct.error):
        pass
    return _PLAIN


# -- Ogg: RFC 3533; Opus in it: RFC 7845 ------------------------------------------------------------------------------

_PAGE = struct.Struct("<4sBBqIIIB")
_GRANULE_AT, _CHECK_AT = 6, 22
_EOS = 4
_PAGES = 4_000
"""Pages before the first with audio: a picture among the comments may take some hundred."""

_PAGE_BYTES = 65_307

_OPUS_RATE = 48_000


@dataclass(frozen=True, slots=True)
class _Page:
    """One page: where it lies, and what it says."""

    at: int
    data: bytes
    flags: int
    granule: int
    serial: int

    @property
    def payload(self) -> bytes:
        """The packets."""
        return self.data[_PAGE.size + self.data[26] :]

    def patched(self, at: int, fresh: bytes) -> Patch:
        """The page with other bytes at a place in it, and a checksum that is right again."""
        data = bytearray(self.data)
        data[at : at + len(fresh)] = fresh
        data[_CHECK_AT : _CHECK_AT + 4] = bytes(4)
        data[_CHECK_AT : _CHECK_AT + 4] = struct.pack("<I", _checksum(bytes(data)))
        return self.at, bytes(data)


def _ogg(file: BinaryIO) -> Seam | None:
    """Of a file with one stream; None for any other."""
    first = _page(file, 0)
    head, last = first.payload, _last_granule(file, first.serial)
    if last <= 0:
        return None
    if head[:8] == b"OpusHead":
        # A delay of nothing; the granules count what lies before the piece too.
        delay = struct.unpack_from("<H", head, 10)[0]
        place = len(first.data) - len(head) + 10
        patch = first.patched(place, bytes(2))
        return Seam(patches=(patch,), delay_s=delay / _OPUS_RATE, length_s=(last - delay) / _OPUS_RATE)
    if head[:7] == b"\x01vorbis":
        rate, blocks = struct.unpack_from("<I", head, 12)[0], head[28]
        page = _first_audio(file, first)
        if page is None:
            return None
        # libavformat counts back from here, and counts the first packet, which brings no frames, as if it did: half of
        # a short block, or a quarter of either where it is a long one (the encoders' second mode).
        short, long = 1 << (blocks & 15), 1 << (blocks >> 4)
        counted = (short + (long if page.payload[0] & 2 else short)) // 4
        patch = page.patched(_GRANULE_AT, struct.pack("<q", page.granule + counted))
        return Seam(patches=(patch,), length_s=last / rate)
    return None


def _page(file: BinaryIO, at: int) -> _Page:
    """The page at a place; raises ValueError where there is none."""
    file.seek(at)
    data = file.read(_PAGE_BYTES)
    magic, _, flags, granule, serial, _, _, segments = _PAGE.unpack_from(data)
    size = _PAGE.size + segments + sum(data[_PAGE.size : _PAGE.size + segments])
    if magic != b"OggS" or size > len(data):
        raise ValueError("no page of Ogg")
    return _Page(at, data[:size], flags, granule, serial)


def _first_audio(file: BinaryIO, page: _Page) -> _Page | None:
    """The first page on which frames end; None where it is the last one too, or another stream's."""
    serial = page.serial
    for _ in range(_PAGES):
        page = _page(file, page.at + len(page.data))
        if page.serial != serial or page.flags & _EOS:
            return None
        if page.granule > 0:
            return page
    return None


def _last_granule(file: BinaryIO, serial: int) -> int:
    """Of the last page, if it is of the same stream; 0 where it is not."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _PAGE_BYTES))
    tail = file.read()
    _, _, _, granule, found, *_ = _PAGE.unpack_from(tail, tail.rindex(b"OggS"))
    return int(granule) if found == serial else 0


_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _checksum(page: bytes) -> int:
    """Ogg's CRC-32 is zlib's with every byte, and the sum, read from the other end."""
    raw = zlib.crc32(page.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(raw.to_bytes(4, "little").translate(_MIRRORED), "big")


# -- MP4: ISO/IEC 14496-12; the delay is in an edit list, or in iTunes' own words -------------------------------------

_Box = tuple[bytes, int, int]
"""Kind, and where its content begins and ends."""

_ITUNES = b"iTunSMPB"


def _mp4(file: BinaryIO) -> Seam:
    """Of a file with one track of sound."""
    # libVLC's own AAC decoder, faad, drops a frame of its own, and mixes six channels down by other rules.
    plain = Seam(codec="avcodec")
    end = file.seek(0, os.SEEK_END)
    movie = _inside(file, (b"", 0, end), b"moov")
    if movie is None or _inside(file, movie, b"mvex"):
        return plain
    tracks = [box for box in _boxes(file, movie[1], movie[2]) if box[0] == b"trak"]
    sounding = [track for track in tracks if _handler(file, track) == b"soun"]
    if len(sounding) != 1:
        return plain
    header = _inside(file, sounding[0], b"mdia", b"mdhd")
    movie_header = _inside(file, movie, b"mvhd")
    if header is None or movie_header is None:
        return plain
    scale, frames = _duration(file, header)
    patches: list[Patch] = []
    delay, length = 0, frames
    if edits := _inside(file, sounding[0], b"edts", b"elst"):
        data = _content(file, edits)
        count, shown, delay = struct.unpack_from(">IQq" if data[0] == 1 else ">IIi", data, 4)
        if count != 1 or delay < 0:
            return plain
        patches.append((edits[1] - 4, b"free"))
        movie_scale, _ = _duration(file, movie_header)
        # Often told in milliseconds, and then the track's own length is the better one.
        told, length = round(shown * scale / movie_scale), frames - delay
        if length - told > scale / movie_scale:
            length = told
    if found := _itunes(file, movie):
        at, delay, length = found
        patches.append((at, _ITUNES.lower()))
    return Seam(codec="avcodec", patches=tuple(patches), delay_s=delay / scale, length_s=length / scale)


def _itunes(file: BinaryIO, movie: _Box) -> tuple[int, int, int] | None:
    """Where iTunes' own words are named, and the delay and the length they tell, in frames."""
    meta = _inside(file, movie, b"udta", b"meta")
    tags = _inside(file, (meta[0], meta[1] + 4, meta[2]), b"ilst") if meta else None
    for box in _boxes(file, tags[1], tags[2]) if tags else ():
        name = _inside(file, box, b"name") if box[0] == b"----" else None
        data = _inside(file, box, b"data")
        if name and data and _content(file, name)[4:] == _ITUNES:
            words = _content(file, data)[8:].split()
            return name[1] + 4, int(words[1], 16), int(words[3], 16)
    return None


def _boxes(file: BinaryIO, at: int, end: int) -> Iterator[_Box]:
    while at + 8 <= end:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == 1:
            size, head = struct.unpack(">Q", file.read(8))[0], 16
        size = size or end - at
        if size < head:
            raise ValueError("a box of MP4 that is shorter than its head")
        yield kind, at + head, min(at + size, end)
        at += size


def _inside(file: BinaryIO, box: _Box, *kinds: bytes) -> _Box | None:
    """The first box of a kind in a box, and in that of the next kind, and so on."""
    for kind in kinds:
        found = next((one for one in _boxes(file, box[1], box[2]) if one[0] == kind), None)
        if found is None:
            return None
        box = found
    return box


def _content(file: BinaryIO, box: _Box) -> bytes:
    file.seek(box[1])
    return file.read(min(box[2] - box[1], 4_096))


def _handler(file: BinaryIO, track: _Box) -> bytes:
    box = _inside(file, track, b"mdia", b"hdlr")
    return _content(file, box)[8:12] if box else b""


def _duration(file: BinaryIO, header: _Box) -> tuple[int, int]:
    """Ticks a second and ticks, of a track or of the whole."""
    data = _content(file, header)
    scale, ticks = struct.unpack_from(">IQ", data, 20) if data[0] == 1 else struct.unpack_from(">II", data, 12)
    if not scale:
        raise ValueError("a clock that stands")
    return scale, ticks
