"""The nearest of the names that are allowed, for a refusal that helps."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, allowed: Iterable[str]) -> str:
    """The allowed name most like `name`, or "" where none is like it at all."""
    from rapidfuzz import process  # only for a mistake: 4 MB

    found = process.extractOne(name, list(allowed), score_cutoff=50)
    return str(found[0]) if found else ""
