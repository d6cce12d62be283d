"""What is wrong with a library, from its measurements and a look at the folders; nothing is decoded."""

from __future__ import annotations

from collections.abc import Callable

from controller.library.catalogue import Catalogue, Entry, read_sheets
from controller.library.folders import Found, Problem, find_music
from controller.library.notes import Notes

SCAN = "stillroom library scan"

Uses = Callable[[str], bool]
"""Whether the file at a path concerns us."""


def find_faults(catalogue: Catalogue, uses: Uses | None = None) -> list[Problem]:
    """Every file that is missing, spoilt, clipped, changed or not yet measured, in the order of the paths."""
    found, sheets, problems = find_music(catalogue.folders())
    problems += read_sheets(sheets, list(found), Notes())
    here = {str(path): as_found for path, as_found in found.items()}
    known = catalogue.known()
    spoilt = {problem.path: problem.why for problem in catalogue.problems()}
    entries = {entry.path: entry for entry in catalogue.entries()}
    for name in here.keys() | known.keys():
        if fault := _fault(here.get(name), known.get(name), spoilt.get(name, ""), entries.get(name)):
            problems.append(Problem(path=name, why=fault))
    return sorted(
        (problem for problem in problems if uses is None or uses(problem.path)), key=lambda problem: problem.path
    )


def _fault(here: Found | None, known: Found | None, spoilt: str, entry: Entry | None) -> str:
    """What is wrong with a file as it is here and as it was known; "" for nothing."""
    if here is None:
        return "missing"
    if here.size == 0:
        return "empty"
    if known is None:
        return f"not measured yet: {SCAN}"
    if entry is not None and entry.stale:
        return f"measured by an older version: {SCAN}"
    if here != known:
        return f"changed since it was measured: {SCAN}"
    if entry is not None and entry.measurement.clipped_per_minute:
        return f"clipped: its peaks are cut flat, {entry.measurement.clipped_per_minute:.0f} samples a minute"
    return spoilt
