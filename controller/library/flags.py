"""Yes and no, as tags and tables write them."""

from __future__ import annotations

_FLAGS = {
    "yes": True,
    "y": True,
    "true": True,
    "1": True,
    "x": True,
    "no": False,
    "n": False,
    "false": False,
    "0": False,
}


def parse_flag(text: str) -> bool | None:
    """Yes or no in the words people use; None for anything else."""
    return _FLAGS.get(text.strip().lower())
