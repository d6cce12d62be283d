"""A programme that is laid over one that is there, on a disk that is full."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from controller.config import find_programme
from controller.exchange.laying import lay
from controller.exchange.listing import Entry
from controller.exchange.matching import Match
from controller.messages import Piece


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_programme_that_was_there(tmp_path: Path) -> None:
    target = tmp_path / "ours.toml"
    piece = Piece(path="/m/a.flac", title="A", duration_s=60.0)
    matches = [Match(entry=Entry(number=1, title="A"), piece=piece)]
    base = find_programme("psilocybin-25mg")
    lay(matches, {"peak": range(1, 2)}, base, target)
    before = target.read_bytes()
    with full_after(500), pytest.raises(OSError, match="File too large"):
        lay(matches, {"peak": range(1, 2)}, base, target)
    assert target.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["ours.toml"]
