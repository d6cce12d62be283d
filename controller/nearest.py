"""The nearest of the names that are allowed, for a mistake that is told with what was meant."""

from __future__ import annotations

from collections.abc import Iterable

_LIKE, _WITHIN = 70, 65


def nearest(name: str, allowed: Iterable[str]) -> str:
    """The allowed name most like `name`, or "" where none is like it at all.

    A name that is alike as a whole goes before a longer one that has something like it within: "mdam" is "mdma".
    """
    from rapidfuzz import fuzz, process, utils  # only for a mistake: 4 MB

    names = list(allowed)
    found = process.extractOne(
        name, names, scorer=fuzz.ratio, processor=utils.default_process, score_cutoff=_LIKE
    ) or process.extractOne(name, names, processor=utils.default_process, score_cutoff=_WITHIN)
    return str(found[0]) if found else ""
