"""What a blinded session has of its own: a guess, and the words that would tell."""

from __future__ import annotations

import re
from typing import Literal

from controller.messages.codec import Tagged


class MaskingGuess(Tagged, frozen=True, kw_only=True, tag="masking_guess"):
    """Which arm somebody believes it was, as one of the programme's `guesses`; `of` says whose belief it is.

    Kept for the study; no console shows what was guessed, so that nobody's guess sways another's.
    `certainty`: 0 (none) to 10.
    """

    guess: str
    of: Literal["participant", "sitter"] = "participant"
    certainty: int | None = None


_TELLING = re.compile(
    r"\b(psilocybin|psilocin|comp360|lsd|lysergide|mdma|ketamine|esketamine|spravato|n,?n-dmt|dmt|5-meo-dmt|"
    r"mescaline|ibogaine|placebo|sham|niacin|methylphenidate|midazolam|diphenhydramine|"
    r"(?:high|low|full|micro)[- ]?dose|\d+(?:[.,]\d+)?\s?(?:mg|µg|μg|ug|mcg|milligrams?|micrograms?))(?!\w)",
    re.IGNORECASE,
)


def telling_words(text: str) -> list[tuple[int, str]]:
    """(line from 1, word) of everything in a text that would tell substance, dose or arm."""
    lines = enumerate(text.splitlines(), start=1)
    return [(number, found.group(0)) for number, line in lines for found in _TELLING.finditer(line)]
