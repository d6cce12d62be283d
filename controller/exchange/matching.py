"""Which of the clinic's own pieces an entry means: by place, else by artist and title; length only decides a tie."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath, PureWindowsPath

from rapidfuzz import fuzz

from controller.exchange.listing import Entry, split_name
from controller.messages import Piece

ALIKE = 88.0
"""Likeness (0..100) from which on two names are the same (our judgement, tried on accents and typing errors)."""

AS_LIKE = 3.0
"""Pieces this little behind the most alike are as likely meant."""

OTHER_NUMBER = 0.8
"""What another number in the title leaves of a likeness: the second nocturne is not the first."""

WORTH_NAMING = 50.0
"""Likeness from which on a piece is named as a candidate."""

CANDIDATES = 3

LENGTH_S = 5.0
"""A list's length within this of the audio's counts as the same."""

_ASIDE = re.compile(r"\s*[\(\[][^)\]]*[\)\]]|\s+-\s+(?:\d{4}\s+)?remaster.*$|\s+feat\.?\s.*$")
_ROMAN = frozenset(["ii", "iii", "iv", "vi", "vii", "viii", "ix", "xi", "xii"])
_MARKS = re.compile(r"[^\w]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """An entry and the piece it means; `candidates` (nearest first) where none is like enough or several are."""

    entry: Entry
    piece: Piece | None = None
    candidates: tuple[Piece, ...] = ()

    @property
    def length_differs(self) -> bool:
        """Whether the list claims another length than the audio has."""
        return (
            self.piece is not None
            and self.entry.seconds is not None
            and abs(self.entry.seconds - self.piece.duration_s) > LENGTH_S
        )


@dataclass(frozen=True, slots=True)
class _Known:
    piece: Piece
    artist: str
    title: str
    full_title: str
    stem: str


def match_entries(entries: Sequence[Entry], pieces: Sequence[Piece]) -> list[Match]:
    """Each entry with the piece it means, in the list's order."""
    known = [_known(piece) for piece in pieces]
    by_path = {piece.path: piece for piece in pieces}
    return [_match(entry, known, by_path) for entry in entries]


def _match(entry: Entry, known: list[_Known], by_path: dict[str, Piece]) -> Match:
    if entry.location in by_path:
        return Match(entry=entry, piece=by_path[entry.location])
    ranked = sorted(((_likeness(entry, one), one.piece) for one in known), key=lambda pair: -pair[0])
    alike = [piece for score, piece in ranked if score >= max(ALIKE, ranked[0][0] - AS_LIKE)]
    if len(alike) > 1 and entry.seconds is not None:
        seconds = entry.seconds
        same_length = [piece for piece in alike if abs(piece.duration_s - seconds) <= LENGTH_S]
        alike = same_length if len(same_length) == 1 else alike
    if len(alike) > 1 and len({piece.digest or piece.path for piece in alike}) == 1:
        alike = alike[:1]  # copies of one file
    if len(alike) == 1:
        return Match(entry=entry, piece=alike[0])
    near = tuple(piece for score, piece in ranked[:CANDIDATES] if score >= WORTH_NAMING)
    return Match(entry=entry, candidates=tuple(alike[:CANDIDATES]) or near)


def _likeness(entry: Entry, one: _Known) -> float:
    title = max(
        _title_likeness(plain(entry.title), one.full_title),
        _title_likeness(plain(_ASIDE.sub("", entry.title.lower())), one.title),
    )
    artist = plain(entry.artist)
    if not artist or not one.artist:
        stem = plain(PureWindowsPath(entry.location).stem)
        by_file = _title_likeness(stem, one.stem) if stem else 0.0
        return max(title, by_file)
    return min(title, 0.5 * title + 0.5 * fuzz.token_set_ratio(artist, one.artist))


def _title_likeness(said: str, known: str) -> float:
    likeness = fuzz.token_sort_ratio(said, known)
    return likeness if _numbers(said) == _numbers(known) else likeness * OTHER_NUMBER


def _numbers(text: str) -> set[str]:
    return {word.lstrip("0") for word in text.split() if word.isdigit() or word in _ROMAN}


def _known(piece: Piece) -> _Known:
    artist, title = piece.artist, piece.title
    if not artist:
        artist, title = split_name(title)
    return _Known(
        piece=piece,
        artist=plain(artist),
        title=plain(_ASIDE.sub("", title.lower())),
        full_title=plain(title),
        stem=plain(PurePath(piece.path).stem),
    )


def plain(text: str) -> str:
    """Lower case without accents and marks: what two spellings of a name have in common."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return _MARKS.sub(" ", bare).strip()
