"""What is redacted in a book goes from the damaged copies of it too: overwritten with zeros where it lies.

SQLite need not be able to read such a file, and the rest of it stays as it was found, but that a log that had the text
does not fit its own checksums any more. A text is found by its salt, a
word that a kept state has by itself; both also where they go on in another page of the file or of its log.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from controller.files import to_disk

_LOG = "-wal"
_LOG_HEAD, _FRAME_HEAD = 32, 24
_LINK = 4
"""Bytes of the number of the page on which a content goes on; a page of that kind begins with that of the next."""

Place = tuple[int, int]
"""Offset and length."""


def scrub(file: Path, salt: bytes, text: bytes, words: Iterable[bytes]) -> bool:
    """Overwrite a text with its salt, and every word, in a damaged file and its log; whether there were any.

    On the disk when it returns. Raises OSError.
    """
    found = False
    for part in (file, file.with_name(file.name + _LOG)):
        if not part.is_file():
            continue
        pages = _Pages(part.read_bytes(), is_log=part is not file)
        places = list(pages.salted(salt, text))
        places += [place for word in words for place in pages.all(word)]
        with part.open("r+b") as handle:
            for offset, length in places:
                os.pwrite(handle.fileno(), b"\0" * length, offset)
        to_disk(part)
        found = found or bool(places)
    return found


class _Pages:
    """A database file or its log as pages, of which a content may go on in the next by a link."""

    def __init__(self, content: bytes, *, is_log: bool) -> None:
        self._content = content
        size = int.from_bytes(content[8:12] if is_log else content[16:18])
        self._size = 65536 if size == 1 else size if size >= 512 else 4096
        self._at: dict[int, list[int]] = {}
        """The offsets of each page by its number: a log has many of one."""
        self._first, self._step = (_LOG_HEAD, _FRAME_HEAD + self._size) if is_log else (0, self._size)
        for count, offset in enumerate(range(self._first, len(content), self._step)):
            number = int.from_bytes(content[offset : offset + 4]) if is_log else count + 1
            self._at.setdefault(number, []).append(offset + _FRAME_HEAD if is_log else offset)

    def salted(self, salt: bytes, text: bytes) -> Iterator[Place]:
        """Wherever this salt stands, and the text behind it, however much of that is damaged."""
        for at in _found(self._content, salt):
            yield at, len(salt)
            begun = at + len(salt)
            here = self._content[begun : begun + len(text)]
            same = next((count for count, pair in enumerate(zip(here, text, strict=False)) if pair[0] != pair[1]), None)
            link = 0 if same is None else int.from_bytes(self._content[begun + same : begun + same + _LINK])
            rest = None if same is None else self._rest(link, text[same:])
            if rest is None:  # all of it is here, or damage is
                yield begun, min(len(text), self._end_of(begun) - begun)
            else:
                assert same is not None
                yield from [(begun, same), *rest]

    def all(self, word: bytes) -> Iterator[Place]:
        """Wherever this word stands, also across the end of a page."""
        for at in _found(self._content, word):
            yield at, len(word)
        for number, offsets in self._at.items():
            for cut in range(1, len(word)):
                if not any(self._content.startswith(word[cut:], offset + _LINK) for offset in offsets):
                    continue
                rest = self._rest(number, word[cut:]) or []
                linked = word[:cut] + number.to_bytes(_LINK)
                begun = list(_found(self._content, linked))
                ends = self._ends_before(number)
                begun += [end - cut for end in ends if self._content[end - cut : end] == word[:cut]]
                for at in begun:
                    yield from [(at, cut), *rest]

    def _end_of(self, at: int) -> int:
        """The end of the page in which this place lies."""
        end = self._first + ((at - self._first) // self._step + 1) * self._step
        return min(end, len(self._content))

    def _ends_before(self, number: int) -> Iterator[int]:
        """The ends of the pages whose link is to this one."""
        link = number.to_bytes(_LINK)
        for offsets in self._at.values():
            yield from (offset + self._size for offset in offsets if self._content.startswith(link, offset))

    def _rest(self, number: int, rest: bytes) -> list[Place] | None:
        """Where the rest of a content lies that goes on in this page; None where it does not go on there."""
        for offset in self._at.get(number, ()):
            length = min(len(rest), self._size - _LINK)
            begun = offset + _LINK
            if self._content[begun : begun + length] != rest[:length]:
                continue
            if length == len(rest):
                return [(begun, length)]
            link = int.from_bytes(self._content[offset:begun])
            further = self._rest(link, rest[length:]) if link != number else None
            if further is not None:
                return [(begun, length), *further]
        return None


def _found(content: bytes, what: bytes) -> Iterator[int]:
    at = content.find(what) if what else -1
    while at >= 0:
        yield at
        at = content.find(what, at + 1)
