"""An imported list laid into the phases of a programme, as the person who imports declares them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import tomlkit

from controller.exchange.matching import Match
from controller.exchange.writing import m3u8
from controller.files import ConfigError, did_you_mean, write_whole


def parse_division(words: Iterable[str], phases: Sequence[str], entries: int) -> dict[str, range]:
    """Entry numbers by phase from words like "ascent=5-11" or "return=41-". Raises ConfigError with every mistake."""
    wrong: list[str] = []
    division: dict[str, range] = {}
    for word in words:
        found = re.fullmatch(r"([^=]+)=(\d+)(?:(-)(\d*))?", word.strip())
        if found is None:
            wrong.append(f'--phase {word}: not of the form PHASE=FIRST-LAST, such as "ascent=5-11"')
            continue
        phase, first = found[1], int(found[2])
        last = (int(found[4]) if found[4] else entries) if found[3] else first
        if phase not in phases:
            wrong.append(f'--phase {word}: there is no phase "{phase}"{did_you_mean(phase, phases)}')
        elif phase in division:
            wrong.append(f"--phase {word}: {phase} is given twice")
        elif not 1 <= first <= last <= entries:
            wrong.append(f"--phase {word}: the list has entries 1 to {entries}")
        else:
            division[phase] = range(first, last + 1)
    taken: dict[int, str] = {}
    for phase, numbers in division.items():
        both = sorted({taken[number] for number in numbers if number in taken})
        if both:
            wrong.append(f"--phase {phase}: shares entries with {', '.join(both)}")
        taken |= dict.fromkeys(numbers, phase)
    if wrong:
        raise ConfigError(wrong)
    return division


def lay(matches: Sequence[Match], division: Mapping[str, range], base: Path, target: Path) -> list[Path]:
    """Write `target`, a copy of programme `base` whose phases play their part of the list.

    Gives the files that were written: the programme, and a playlist for each phase. Comments of the base stay; the
    copy is unsigned. Raises ConfigError, and has then written nothing.
    """
    name = target.stem
    document = tomlkit.parse(base.read_text(encoding="utf-8"))
    document["name"] = name
    document["title"] = f"{document['title']} ({name})"
    document["reviewed_by"] = document["reviewed_on"] = ""
    folder = target.parent / name
    lists: dict[Path, str] = {}
    empty: list[str] = []
    for phase in document["phases"]:
        numbers = division.get(str(phase["code"]))
        if numbers is None:
            continue
        pieces = [match.piece for match in matches if match.entry.number in numbers and match.piece is not None]
        if not pieces:
            empty.append(f"--phase {phase['code']}: none of its entries is in the library")
            continue
        path = folder / f"{phase['code']}.m3u8"
        source = tomlkit.inline_table()
        source["playlist"] = f"{name}/{path.name}"
        phase["music"] = source
        phase["arrangement"] = "as-listed"
        lists[path] = m3u8(pieces)
    if empty:
        raise ConfigError(empty)
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in lists.items():
        write_whole(path, text)
    write_whole(target, tomlkit.dumps(document))
    return [target, *lists]
