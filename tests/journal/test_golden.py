from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from controller.journal.reading import log_entries, read_records, verify
from controller.messages import to_plain

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.db"))


def means(now: Any, then: Any) -> bool:
    """Whether all that was said then is still said; a newer version may know more fields."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(key in now and means(now[key], value) for key, value in then.items())
    if isinstance(then, list):
        return isinstance(now, list) and len(now) == len(then) and all(map(means, now, then))
    return bool(now == then)


def test_there_is_a_golden_journal() -> None:
    assert GOLDEN


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_a_journal_of_an_older_version_reads_and_verifies_for_ever(file: Path) -> None:
    then = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    found = verify(file)
    assert (found.ok, found.records, found.redacted, found.why) == (True, len(then), 1, "")
    now = list(read_records(file))
    assert [text for _, text in now if text] == ["asked for a blanket"]
    for (record, text), meant in zip(now, then, strict=True):
        meant["input"]["act"].pop("text", None)  # it lies beside the chain
        meant.pop("schema_version")
        assert means(to_plain(record), meant)
        log_entries(record, text)
