"""What a key is called here, whatever the keyboard: case, shift and country taken out."""

from __future__ import annotations

AZERTY_DIGITS = {"&": 1, "é": 2, '"': 3, "'": 4, "(": 5, "-": 6, "è": 7, "_": 8, "ç": 9, "à": 0}
"""An unshifted French digit row."""


def plain_key(key: str, character: str | None) -> str:
    """The name a key goes by here: case, shift and the keyboard's country taken out."""
    if character and len(character) == 1 and character.isprintable() and character != " ":
        digit = AZERTY_DIGITS.get(character.lower())
        return character.lower() if digit is None else str(digit)
    return key.lower()
