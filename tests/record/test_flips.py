"""A bit of every byte of a small journal is flipped: each flip is found, or changes nothing that is exported."""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from controller.journal.store import is_passing, room_file, session_file
from controller.journal.verify import Walk, verify, walk
from controller.report.account import Account
from controller.report.gathering import account_of
from controller.report.page import html
from controller.report.respct import respct
from controller.report.study import study_files
from controller.report.tables import INCOMPLETE, jsonl, music_csv, records_csv
from tests.record.small_session import SESSION, exported, made_of, told_of, write_small_session
from tests.seeds import any_seed

GATHERED, RENDERED = 20, 1000
"""Of so many harmless flips one is gathered into an account, and exported in every form; of all others the parts that
both are made of are compared. The sample renders none."""

SAMPLE = 200


def files_of(state: Path) -> list[Path]:
    """Every file that the record consists of."""
    found = [path for path in state.rglob("*") if path.is_file() and path.name != "journal.lock"]
    return sorted(path for path in found if not path.name.endswith("-shm"))


def book_of(path: Path) -> Path:
    """The journal that a file belongs to."""
    return path.with_name(path.name.partition(".db")[0] + ".db")


def looked_at(book: Path) -> Walk | None:
    """What `stillroom journal verify` finds in a book by itself; None where it cannot look at it."""
    try:
        return walk(book)
    except (sqlite3.Error, OSError) as error:
        assert isinstance(error, OSError) or is_passing(error)
        return None


def at_once(state: Path, places: list[tuple[Path, int]]) -> Counter[str]:
    """One bit of every place, on all cores, each with a record of its own."""
    share = os.cpu_count() or 1
    parts = [places[one::share] for one in range(share)]
    with ProcessPoolExecutor(share, mp_context=multiprocessing.get_context("spawn")) as pool:
        counts = pool.map(_flip_part, [state] * share, range(share), parts)
        return sum(counts, Counter())


def _flip_part(state: Path, number: int, places: list[tuple[Path, int]]) -> Counter[str]:
    own = Path(shutil.copytree(state, state.with_name(f"{state.name}-{number}")))
    flips = [(own / path.relative_to(state), offset, offset % 8) for path, offset in places]
    return flip_each(own, flips, rendered=RENDERED)


def flip_each(state: Path, flips: Iterable[tuple[Path, int, int]], rendered: int = 0) -> Counter[str]:
    """How many flips of (file, offset, bit) were found, and how many were harmless."""
    books = [session_file(state, SESSION), room_file(state)]
    assert all(verify(book).ok for book in books)
    before = {book: told_of(book, walk(book)) for book in books}
    account, exports = made_of(state), exported(state, state / "before") if rendered else {}
    count: Counter[str] = Counter()
    for path, offset, bit in flips:
        book = book_of(path)
        with path.open("r+b", buffering=0) as raw:
            raw.seek(offset)
            byte = raw.read(1)[0]
            raw.seek(offset)
            raw.write(bytes([byte ^ 1 << bit]))
            found = looked_at(book)
            if found is None or found.why:
                count["found"] += 1
            else:
                where = f"{path.name} at {offset}, bit {bit}"
                told = told_of(book, found)
                if told != before[book]:  # then the other book must show it
                    assert not verify(book).ok, f"{where}: not found, and told otherwise"
                    count["found"] += 1
                else:
                    if count["harmless"] % GATHERED == 0:
                        assert made_of(state) == account, f"{where}: told otherwise in the account"
                    if rendered and count["harmless"] % rendered == 0:
                        assert exported(state, state / "after") == exports, f"{where}: exported otherwise"
                    count["harmless"] += 1
            raw.seek(offset)
            raw.write(bytes([byte]))
    assert all(verify(book).ok for book in books)
    return count


def every_byte(state: Path) -> list[tuple[Path, int]]:
    return [(path, offset) for path in files_of(state) for offset in range(path.stat().st_size)]


@pytest.mark.parametrize("seed", [any_seed()])
@pytest.mark.parametrize("shape", ["closed", "open"])
async def test_a_flipped_bit_is_found_or_changes_no_export_sample(tmp_path: Path, shape: str, seed: int) -> None:
    await write_small_session(tmp_path)
    state = tmp_path / shape
    chance = random.Random(seed)
    places = chance.sample(every_byte(state), SAMPLE)
    count = flip_each(state, [(path, offset, chance.randrange(8)) for path, offset in places])
    print(f"{shape}: {count['found']} found, {count['harmless']} harmless")
    assert count["found"] > SAMPLE // 5


@pytest.mark.proof
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("shape", ["closed", "open"])
async def test_a_flipped_bit_of_every_byte_is_found_or_changes_no_export(tmp_path: Path, shape: str) -> None:
    await write_small_session(tmp_path)
    state = tmp_path / shape
    places = every_byte(state)
    count = at_once(state, places)
    print(f"{shape}: {len(places)} bytes, {count['found']} found, {count['harmless']} harmless")
    assert count.total() == len(places)


FORMS: dict[str, Callable[[Account], str]] = {
    "csv": records_csv, "jsonl": jsonl, "html": html, "respct": respct, "music": music_csv,
    "study": lambda account: dict(study_files([account], {}))["sessions.csv"],
}  # fmt: skip


async def test_a_kept_state_that_damage_changed_but_left_readable_is_not_believed(tmp_path: Path) -> None:
    """Else its programme has a phase of another name, and no export can say when it was lived through."""
    await write_small_session(tmp_path)
    file = session_file(tmp_path / "closed", SESSION)
    content = file.read_bytes()
    places = [found.start() + 1 for found in re.finditer(b'"rest"', content)]
    assert places
    for at in places:
        file.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        assert not account_of(file).chain.ok


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("flips", [12, pytest.param(500, marks=pytest.mark.proof)])
async def test_an_export_of_a_damaged_record_says_so_in_every_form_or_refuses(tmp_path: Path, flips: int) -> None:
    await write_small_session(tmp_path)
    file = session_file(tmp_path / "closed", SESSION)
    content, chance, count = file.read_bytes(), random.Random(any_seed()), Counter[str]()
    for _ in range(flips):
        at, bit = chance.randrange(len(content)), chance.randrange(8)
        file.write_bytes(content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :])
        try:
            account = account_of(file)
        except (ValueError, sqlite3.Error):
            count["refused"] += 1
            continue
        for name, make in FORMS.items():
            words = {"jsonl": '"ok": false', "music": INCOMPLETE}.get(name, "DAMAGED")
            assert (words in make(account)) != account.chain.ok, f"{name}, {at}, bit {bit}: {account.chain.why}"
        count["whole" if account.chain.ok else "damaged"] += 1
    print(dict(count))
    assert count.total() == flips
