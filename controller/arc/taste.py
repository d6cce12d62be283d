"""What may be played in a phase, and what suits it better: the programme's rules and the participants' limits."""

from __future__ import annotations

from dataclasses import dataclass

from controller.arc.programme import Phase
from controller.messages import Limits, Piece

STEP_DB = 3.0
"""Neighbours may differ by so much after levelling; a larger step is reported."""

LEAST_DIGEST = 6
"""An exclusion of at least so many hexadecimal digits can be the beginning of a digest."""


@dataclass(frozen=True)
class Rules:
    """What may not be played: by the participants' limits, the phase's own, and for want of length.

    `least_s`: shorter pieces cannot carry the phase's crossfades.
    """

    limits: Limits
    vocals: bool
    languages: tuple[str, ...]
    least_s: float


@dataclass(frozen=True)
class Taste:
    """What a phase asks of a piece. Hashable, as the rules are: a shelf keeps what it found for them.

    `headroom_db`: how far a piece's true peak may lie above its loudness and still be levelled in full. `long`: the
    exponent by which long pieces are preferred.
    """

    rules: Rules
    headroom_db: float
    long: float
    as_listed: bool
    level: bool

    def weight(self, sound_s: float, energy: float) -> float:
        """How much sooner a piece is taken than another: by its length, and where all is to be level by its energy."""
        weight: float = (max(sound_s, 1.0) / 360.0) ** self.long
        return weight / (1.0 + energy * energy * 4.0) if self.level else weight

    def is_level(self, crest_db: float) -> bool:
        """Whether a piece's peaks let it come within `STEP_DB` of the loudness that is wanted."""
        return self.deficit_db(crest_db) <= STEP_DB

    def deficit_db(self, crest_db: float) -> float:
        """How far below the wanted loudness a piece stays, because its peaks allow no more gain."""
        return max(0.0, crest_db - self.headroom_db)


def taste_of(phase: Phase, limits: Limits, headroom_db: float, least_s: float) -> Taste:
    """The taste of a phase under the participants' limits.

    The more intense a phase, the longer its pieces (fewer changes at the peak); a quiet phase leaves the long ones.
    """
    intensity = sum(phase.intensity) / len(phase.intensity)
    return Taste(
        rules=Rules(
            limits=limits,
            vocals=phase.vocals and not limits.no_vocals,
            languages=tuple(sorted({*phase.exclude_languages, *limits.languages})),
            least_s=least_s,
        ),
        headroom_db=headroom_db,
        long=min(2.0, max(-0.5, 4.0 * (intensity - 0.5))),
        as_listed=phase.arrangement == "as-listed" or phase.gapless,
        level=phase.arrangement == "level",
    )


def forbids(piece: Piece, rules: Rules) -> str:
    """Why a piece may not be played: "vocals", "language", "tradition", "excluded", or "" where it may."""
    if piece.vocals and not rules.vocals:
        return "vocals"
    if piece.language and any(_is_language(piece.language, language) for language in rules.languages):
        return "language"
    limits = rules.limits
    if piece.tradition and any(piece.tradition.casefold() == one.casefold() for one in limits.traditions):
        return "tradition"
    return "excluded" if any(is_named(piece, one) for one in limits.pieces) else ""


def _is_language(language: str, excluded: str) -> bool:
    """Whether a language tag is the excluded one or one of its regions: "pt" excludes "pt-BR"."""
    language, excluded = language.casefold().replace("_", "-"), excluded.casefold().replace("_", "-")
    return language == excluded or language.startswith(f"{excluded}-")


def is_named(piece: Piece, name: str) -> bool:
    """Whether an exclusion means a piece: by its path or the end of it, its title, or the beginning of its digest."""
    if piece.path == name or piece.path.endswith("/" + name.removeprefix("/")):
        return True
    if piece.title.casefold() == name.casefold():
        return True
    return len(name) >= LEAST_DIGEST and bool(piece.digest) and piece.digest.startswith(name.casefold())
