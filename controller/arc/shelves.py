"""The pieces that a room can draw on, as the planner sees them: by source, looked at once, in an order by seed."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from msgspec.structs import replace

from controller.arc.taste import Rules, Taste, forbids, is_named
from controller.messages import Limits, Piece

MOST_ORDERED = 600
"""So many pieces of a source are looked at for one phase: a sample by seed, far more music than any phase plays."""

_KEPT = 200

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Track:
    """A piece and its place in the listing of its source.

    `sound_s` is its length between its silences; `crest_db` how far its true peak lies above its loudness; `energy` its
    loudness range and brightness together, in standard deviations from the source's mean. `together`: loudness (LUFS)
    and true peak (dBFS) of the whole source as one work, for where its pieces are joined.
    """

    piece: Piece
    place: int
    sound_s: float
    crest_db: float
    energy: float
    together: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What rules leave of a source, in its listing's order.

    `left_out`: why, how many pieces, and the titles of the first of them.
    """

    tracks: tuple[Track, ...]
    left_out: tuple[tuple[str, int, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Order:
    """What a phase may draw from a source, best first.

    `near` can be levelled to within `taste.STEP_DB` of the phase's loudness, `far` cannot.
    """

    near: tuple[Track, ...]
    far: tuple[Track, ...]

    @property
    def size(self) -> int:
        """How many may play."""
        return len(self.near) + len(self.far)


class Shelf:
    """The pieces of one source, in the order of its listing."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self.pieces = tuple(pieces)
        self._allowed: dict[Rules, Allowed] = {}
        self._orders: dict[tuple[Taste, str], Order] = {}

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        """The pieces as tracks."""
        ranges = _standing([piece.loudness_range_lu for piece in self.pieces])
        bright = _standing([math.log2(max(piece.centroid_hz, 1.0)) for piece in self.pieces])
        work = _as_one(self.pieces)
        return tuple(
            track_of(piece, place, ranges[place] + bright[place], work) for place, piece in enumerate(self.pieces)
        )

    @cached_property
    def by_path(self) -> dict[str, Track]:
        """The tracks by path."""
        return {track.piece.path: track for track in self.tracks}

    def allowed(self, rules: Rules) -> Allowed:
        """What may be played, and what may not and why."""
        found = self._allowed.get(rules)
        if found is None:
            found = _kept(self._allowed, rules, _sifted(self.tracks, rules))
        return found

    def order(self, taste: Taste, seed: str) -> Order:
        """What may be played, best first; the same for the same taste and seed."""
        key = (taste, seed)
        found = self._orders.get(key)
        if found is None:
            found = _kept(self._orders, key, _ordered(self.allowed(taste.rules).tracks, taste, seed))
        return found


class Pool:
    """Shelves by the name of a source. Looked at once: build it when the library changes, not for every plan.

    `copies`: files with the content of a piece that lies on a shelf, under another path and perhaps another title.
    """

    def __init__(self, sources: Mapping[str, Iterable[Piece]], copies: Iterable[Piece] = ()) -> None:
        self.shelves = {name: Shelf(pieces) for name, pieces in sources.items()}
        self._copies = tuple(copies)

    def meant(self, limits: Limits) -> Limits:
        """The limits, with the digest of each piece of which they name a copy."""
        digests = {each.digest: None for each in self._copies if any(is_named(each, one) for one in limits.pieces)}
        return replace(limits, pieces=(*limits.pieces, *digests)) if digests else limits

    def shelf(self, source: str) -> Shelf:
        """The shelf of a source; an empty one where there is none."""
        return self.shelves.get(source, _EMPTY)

    @cached_property
    def by_path(self) -> dict[str, Track]:
        """Every track by path; its place is that in the first source that has it."""
        found: dict[str, Track] = {}
        for shelf in self.shelves.values():
            for path, track in shelf.by_path.items():
                found.setdefault(path, track)
        return found


def track_of(piece: Piece, place: int, energy: float = 0.0, together: tuple[float, float] | None = None) -> Track:
    """A piece as a track. A file that is silent nearly throughout keeps a second of itself."""
    sound_s = max(min(1.0, piece.duration_s), piece.duration_s - piece.head_s - piece.tail_s)
    work = together or (piece.lufs, piece.true_peak_dbfs)
    return Track(piece, place, sound_s, piece.true_peak_dbfs - piece.lufs, energy, work)


def _as_one(pieces: Sequence[Piece]) -> tuple[float, float] | None:
    """Loudness (the mean power over the time) and true peak of pieces that are one work; None without any."""
    seconds = sum(piece.duration_s for piece in pieces)
    if seconds <= 0.0:
        return None
    power = sum(piece.duration_s * 10 ** (piece.lufs / 10) for piece in pieces) / seconds
    return 10 * math.log10(power), max(piece.true_peak_dbfs for piece in pieces)


def _standing(values: list[float]) -> list[float]:
    """Each value in standard deviations from the mean; zeros where all are alike."""
    if not values:
        return []
    mean = sum(values) / len(values)
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
    return [(value - mean) / spread if spread > 1e-9 else 0.0 for value in values]


def _kept(among: dict[K, V], key: K, value: V) -> V:
    """The value, kept with those found before; all are forgotten when they have become many."""
    if len(among) >= _KEPT:
        among.clear()
    among[key] = value
    return value


def _sifted(tracks: Iterable[Track], rules: Rules) -> Allowed:
    allowed: list[Track] = []
    left: dict[str, list[str]] = {}
    for track in tracks:
        why = forbids(track.piece, rules) or ("too_short" if track.sound_s < rules.least_s else "")
        if why:
            left.setdefault(why, []).append(track.piece.title)
        else:
            allowed.append(track)
    return Allowed(tuple(allowed), tuple((why, len(titles), tuple(titles[:3])) for why, titles in left.items()))


def _ordered(allowed: Sequence[Track], taste: Taste, seed: str) -> Order:
    if not taste.as_listed:
        rng = random.Random(seed)
        if len(allowed) > MOST_ORDERED:
            allowed = rng.sample(allowed, MOST_ORDERED)
        # A weighted shuffle (Efraimidis and Spirakis 2006): the larger its weight, the earlier a piece comes.
        late = {
            track.place: -math.log(1.0 - rng.random()) / taste.weight(track.sound_s, track.energy) for track in allowed
        }
        allowed = sorted(allowed, key=lambda track: late[track.place])
    near = tuple(track for track in allowed if taste.is_level(track.crest_db))
    far = [track for track in allowed if not taste.is_level(track.crest_db)]
    if not taste.as_listed:
        far.sort(key=lambda track: taste.deficit_db(track.crest_db))
    return Order(near, tuple(far))


_EMPTY = Shelf(())
