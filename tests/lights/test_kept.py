"""What a widget was told, on a disk that has no room for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.lights.kept import KeptLevels


def test_what_is_kept_has_its_place_before_anything_is_written_and_a_full_disk_costs_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Writing to a mapped file that has no place on a full disk would end the process with SIGBUS."""
    kept = KeptLevels(tmp_path / "kept", "a lamp", 1)
    assert (tmp_path / "kept").stat().st_blocks > 0
    kept.write([(0.5, 2700.0)])
    kept.close()

    def full(_fd: int, _offset: int, _length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    kept = KeptLevels(tmp_path / "kept", "a lamp", 1)
    kept.write([(0.5, 2700.0)])
    assert kept.read() is None and "No space left" in caplog.text
    kept.close()
