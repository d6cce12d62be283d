from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controller.library.catalogue import Catalogue
from controller.library_cli import app
from tests.library.music import cut_short, write_tone


class Counting:
    """A progress bar that remembers."""

    def __init__(self, stop_after: int = 10**6) -> None:
        self.calls: list[tuple[int, int]] = []
        self.stop_after = stop_after

    def __call__(self, done: int, total: int, _path: Path) -> None:
        self.calls.append((done, total))
        if len(self.calls) > self.stop_after:
            raise KeyboardInterrupt

    @property
    def measured(self) -> int:
        return len(self.calls) - 1  # the first says how many were known


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for name in ("b/2.ogg", "b/1.flac", "a/3.mp3"):
        write_tone(tmp_path / "music" / name, seconds=2)
    (tmp_path / "music" / "cover.jpg").write_bytes(b"a picture")
    (tmp_path / "music" / ".hidden.flac").write_bytes(b"")
    return tmp_path / "music"


def test_a_file_is_measured_once_until_it_changes(tmp_path: Path, music: Path) -> None:
    with closing(Catalogue(tmp_path)) as catalogue:
        first, again, changed = Counting(), Counting(), Counting()
        pieces, problems = catalogue.scan([music], first)
        assert [piece.title for piece in pieces] == ["3", "1", "2"]
        assert problems == []
        assert (first.measured, first.calls[-1]) == (3, (3, 3))
        assert catalogue.scan([music], again)[0] == pieces
        assert again.calls == [(3, 3)]
        write_tone(music / "b/1.flac", seconds=3)
        assert catalogue.scan([music], changed)[0][1].duration_s == pytest.approx(3.0)
        assert changed.measured == 1
        assert catalogue.pieces([music / "a"]) == pieces[:1]
    with closing(Catalogue(tmp_path)) as catalogue:
        assert len(catalogue.pieces()) == 3


def test_a_scan_that_was_stopped_goes_on_where_it_was(tmp_path: Path, music: Path) -> None:
    with closing(Catalogue(tmp_path)) as catalogue:
        with pytest.raises(KeyboardInterrupt):
            catalogue.scan([music], Counting(stop_after=1))
        rest = Counting()
        assert len(catalogue.scan([music], rest)[0]) == 3
        assert 1 <= rest.measured <= 2


def test_broken_and_missing_files_are_problems_and_files_that_are_gone_are_forgotten(
    tmp_path: Path, music: Path
) -> None:
    cut_short(write_tone(music / "b/long.flac", seconds=9))
    with closing(Catalogue(tmp_path)) as catalogue:
        pieces, problems = catalogue.scan([music, tmp_path / "nowhere"])
        assert len(pieces) == 3
        assert {Path(problem.path).name: problem.why.split(":")[0] for problem in problems} in (
            {"nowhere": "missing", "long.flac": "truncated"},
            {"nowhere": "missing", "long.flac": "damaged"},
        )
        (music / "b/long.flac").unlink()
        (music / "a/3.mp3").unlink()
        pieces, problems = catalogue.scan([music])
        assert (len(pieces), problems) == (2, [])


def test_folders_that_were_not_scanned_again_are_kept(tmp_path: Path, music: Path) -> None:
    with closing(Catalogue(tmp_path)) as catalogue:
        catalogue.scan([music])
        assert len(catalogue.scan([music / "a"])[0]) == 1
        assert len(catalogue.pieces()) == 3


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout


def test_the_library_is_scanned_listed_and_checked_from_the_command_line(tmp_path: Path, music: Path) -> None:
    state = str(tmp_path / "state")
    assert run("list", "--state", state)[0] == 0
    code, said = run("scan", str(music), "--state", state)
    assert code == 0
    assert said.startswith("3 pieces")
    assert run("list", "--state", state)[1].count("LUFS") == 3
    assert len(json.loads(run("list", "--json", "--state", state)[1])) == 3
    assert run("check", "--state", state)[0] == 0
    (music / "b/2.ogg").unlink()
    (music / "text.mp3").write_text("no music at all, but words " * 300)
    code, said = run("scan", str(music), "--state", state)
    assert code == 1
    assert "text.mp3: not audio" in said
    (music / "a/3.mp3").unlink()
    code, said = run("check", "--json", "--state", state)
    assert code == 1
    assert sorted(problem["why"].split(",")[0] for problem in json.loads(said)["problems"]) == ["missing", "not audio"]
