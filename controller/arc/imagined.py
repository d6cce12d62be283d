"""A library that exists on paper only: what a rehearsal plans with where a clinic has no music yet."""

from __future__ import annotations

import random
from collections.abc import Iterable

from msgspec.structs import replace

from controller.arc.programme import SILENCE, Programme
from controller.arc.shelves import Pool
from controller.arc.sources import Music
from controller.messages import Piece

PIECES = 400
"""About fifty hours: the library of a clinic that has collected for some years (our judgement)."""

SHORTEST_S, MEDIAN_S, LONGEST_S = 48.0, 360.0, 3600.0
"""Lengths in eight published therapy playlists: 48 s to 60 min each, 317 to 426 min over 31 to 68 pieces."""

VOCALS = 25 / 139
"""Share of pieces with a voice among those published for the peak."""

LEAST_OF_A_SOURCE = 12

LANGUAGES = ("en", "es", "pt", "de", "sa", "yo")
TRADITIONS = ("classical", "ambient", "hindustani", "carnatic", "sufi", "sacred", "andean", "west-african")


def imagined_pool(programme: Programme, pieces: int = PIECES, seed: int = 0) -> Pool:
    """Pieces for every source of a programme, in all about `pieces`; a longer phase has more of them."""
    shares: dict[str, float] = {}
    longest: dict[str, float] = {}
    musics: dict[str, Music] = {}
    wants = [(phase.source, phase.music, phase.length_s) for phase in programme.phases]
    wants += [(one.source, one.music, one.minutes * 60.0) for one in programme.sets]
    for source, music, seconds in wants:
        if source != SILENCE:
            shares[source] = shares.get(source, 0.0) + seconds
            longest[source] = max(longest.get(source, 0.0), seconds)
            musics[source] = music
    whole = sum(shares.values())
    return Pool(
        {
            source: _named(musics[source], source)
            if musics[source].pieces
            else imagined_pieces(
                max(LEAST_OF_A_SOURCE, round(pieces * share / whole)),
                folder=musics[source].folder or musics[source].playlist or source,
                longest_s=longest[source] * 0.8,
                tags=musics[source].tags[:1],
                seed=f"{seed}/{source}",
            )
            for source, share in shares.items()
        }
    )


def _named(music: Music, seed: str) -> list[Piece]:
    """Pieces under the very names that a programme lists."""
    made = imagined_pieces(len(music.pieces), folder="", seed=seed)
    return [_renamed(piece, path) for piece, path in zip(made, music.pieces, strict=True)]


def _renamed(piece: Piece, path: str) -> Piece:
    return replace(piece, path=path, title=f"(imagined) {path}")


def imagined_pieces(
    count: int, *, folder: str, longest_s: float = LONGEST_S, tags: Iterable[str] = (), seed: str = ""
) -> list[Piece]:
    """So many pieces with the measures that real ones have; none much longer than `longest_s`."""
    rng = random.Random(f"imagined/{seed}")
    longest_s = min(LONGEST_S, max(longest_s, SHORTEST_S * 2))
    return [_imagine(rng, number, folder, longest_s, tuple(tags)) for number in range(1, count + 1)]


def _imagine(rng: random.Random, number: int, folder: str, longest_s: float, tags: tuple[str, ...]) -> Piece:
    median_s = min(MEDIAN_S, (SHORTEST_S * longest_s) ** 0.5)
    duration_s = min(longest_s, max(SHORTEST_S, rng.lognormvariate(0.0, 0.7) * median_s))
    vocals = rng.random() < VOCALS
    lufs = min(-12.0, max(-38.0, rng.gauss(-21.0, 4.5)))
    return Piece(
        path=f"(imagined)/{folder}/{number:04d}.flac",
        title=f"(imagined) {folder} {number}",
        artist=f"ensemble {rng.randrange(40) + 1}",
        album=f"{folder} album {(number - 1) // 9 + 1}",
        track_number=(number - 1) % 9 + 1,
        duration_s=round(duration_s, 3),
        head_s=round(rng.uniform(0.0, 1.5), 2),
        tail_s=round(rng.uniform(0.0, 4.0), 2),
        lufs=round(lufs, 1),
        true_peak_dbfs=round(min(0.5, lufs + rng.triangular(9.0, 22.0, 14.0)), 1),
        digest=f"{rng.getrandbits(256):064x}",
        loudness_range_lu=round(rng.triangular(2.0, 22.0, 7.0), 1),
        centroid_hz=round(rng.lognormvariate(7.0, 0.5)),
        onset_rate_hz=round(rng.triangular(0.1, 6.0, 1.2), 2),
        onset_regularity=round(rng.random(), 2),
        rise_db=round(rng.gauss(0.0, 3.0), 1),
        vocals=vocals,
        language=rng.choice(LANGUAGES) if vocals else "",
        tradition=rng.choice(TRADITIONS),
        tags=tags,
    )
