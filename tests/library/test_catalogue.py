from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from controller.library import measuring
from controller.library.catalogue import Catalogue
from controller.library.decoding import Processes
from controller.library.measure import measure
from controller.library.measurement import Measurement
from tests.conftest import LOWEST_PRIORITY
from tests.library.music import cut_short, write_tags, write_tone


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
        write_tone(tmp_path / "music" / name, seconds=1.2)
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


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that ffmpeg was run on."""
    names: list[str] = []

    def counted(path: Path, processes: Processes) -> Measurement:
        names.append(path.name)
        return measure(path, processes)

    monkeypatch.setattr(measuring, "measure", counted)
    return names


def test_a_piece_that_was_moved_renamed_or_touched_is_not_measured_again(
    tmp_path: Path, music: Path, measured: list[str]
) -> None:
    with closing(Catalogue(tmp_path)) as catalogue:
        catalogue.scan([music])
        assert sorted(measured) == ["1.flac", "2.ogg", "3.mp3"]
        (music / "a/3.mp3").rename(music / "b/9 nights.mp3")
        os.utime(music / "b/1.flac", ns=(1, 1))
        pieces, _ = catalogue.scan([music])
        assert [piece.title for piece in pieces] == ["1", "2", "9 nights"]
        assert len(measured) == 3
        write_tags(music / "b/1.flac", title="Changed")
        assert catalogue.scan([music])[0][0].title == "Changed"
        assert measured[3:] == ["1.flac"]


def test_a_broken_file_is_not_decoded_again_until_it_changes(tmp_path: Path, music: Path, measured: list[str]) -> None:
    (music / "a/text.mp3").write_text("words " * 500)
    with closing(Catalogue(tmp_path)) as catalogue:
        for _ in range(2):
            assert [problem.why for problem in catalogue.scan([music])[1]] == [
                "not audio, or too damaged to be recognised"
            ]
        assert measured.count("text.mp3") == 1
        (music / "a/text.mp3").write_bytes((music / "b/1.flac").read_bytes())
        assert catalogue.scan([music])[1] == []


def test_a_file_whose_decoder_was_killed_is_no_spoilt_one_and_is_measured_at_the_next_scan(
    tmp_path: Path, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = tmp_path / "bin" / "ffmpeg"
    killed.parent.mkdir()
    said = "lavfi.aspectralstats.1.mean=0.5\\nlavfi.aspectralstats.1.flux="  # in the middle of a line
    killed.write_text(f"#!/bin/sh\nprintf '{said}'\nkill -9 $$\n")
    killed.chmod(0o755)
    with closing(Catalogue(tmp_path)) as catalogue:
        with monkeypatch.context() as patched:
            patched.setenv("PATH", f"{killed.parent}:{os.environ['PATH']}")
            pieces, problems = catalogue.scan([music])
        assert pieces == []
        assert {problem.why.partition(" while")[0] for problem in problems} == {"ffmpeg was killed"}
        pieces, problems = catalogue.scan([music])
        assert (len(pieces), problems) == (3, [])


def test_a_folder_whose_disk_is_away_is_not_forgotten(tmp_path: Path, music: Path) -> None:
    with closing(Catalogue(tmp_path)) as catalogue:
        catalogue.scan([music])
        music.rename(tmp_path / "unmounted")
        pieces, problems = catalogue.scan([music])
        assert [problem.why for problem in problems] == ["missing"]
        assert len(pieces) == 3
        assert catalogue.forget(music) == 3
        assert (catalogue.pieces(), catalogue.folders()) == ([], [])


def test_a_link_to_the_music_is_the_same_place_and_a_link_back_is_no_labyrinth(tmp_path: Path, music: Path) -> None:
    (tmp_path / "link").symlink_to(music)
    (music / "b" / "back").symlink_to(music)
    (music / "elsewhere").symlink_to(tmp_path / "disk")
    write_tone(tmp_path / "disk/4.flac", seconds=1)
    with closing(Catalogue(tmp_path)) as catalogue:
        pieces, problems = catalogue.scan([tmp_path / "link"])
        assert [Path(piece.path).relative_to(music).as_posix() for piece in pieces] == [
            "a/3.mp3",
            "b/1.flac",
            "b/2.ogg",
            "elsewhere/4.flac",
        ]
        assert problems == []
        assert catalogue.pieces([tmp_path / "link" / "b"]) == pieces[1:3]


def test_a_name_that_no_console_could_show_is_named_and_does_not_stop_the_scan(tmp_path: Path, music: Path) -> None:
    with open(os.fsencode(music) + b"/caf\xe9.mp3", "wb") as file:  # noqa: PTH123
        file.write((music / "a/3.mp3").read_bytes())
    with closing(Catalogue(tmp_path)) as catalogue:
        pieces, problems = catalogue.scan([music])
        assert len(pieces) == 3
        assert [problem.why for problem in problems] == ["its name is not UTF-8: rename it"]


def test_a_name_that_no_list_could_hold_is_named_and_does_not_stop_the_scan(tmp_path: Path, music: Path) -> None:
    names = ["two\nlines.mp3", "wipe\x1b[2J.mp3", "next\x85.mp3", "turned\u202e.mp3"]
    for name in names:
        (music / name).write_bytes((music / "a/3.mp3").read_bytes())
    with closing(Catalogue(tmp_path)) as catalogue:
        pieces, problems = catalogue.scan([music])
        assert len(pieces) == 3
        assert {problem.path for problem in problems} == {str(music / name) for name in names}
        assert {problem.why for problem in problems} == {"there is a control character in its name: rename it"}


def test_a_catalogue_of_the_first_version_keeps_its_pieces_until_they_are_measured_anew(
    tmp_path: Path, music: Path, measured: list[str]
) -> None:
    old = sqlite3.connect(tmp_path / "library.db")
    old.execute("CREATE TABLE files (path TEXT PRIMARY KEY, size, mtime_ns, piece BLOB, why TEXT) WITHOUT ROWID")
    path = music / "b/1.flac"
    kept = {
        "path": str(path),
        "title": "One",
        "artist": "Somebody",
        "duration_s": 2.0,
        "lufs": -21.5,
        "true_peak_dbfs": -9.0,
        "digest": "abc",
    }
    stat = path.stat()
    row = (str(path), stat.st_size, stat.st_mtime_ns, json.dumps(kept).encode(), "")
    old.execute("INSERT INTO files VALUES (?, ?, ?, ?, ?)", row)
    old.execute("INSERT INTO files VALUES ('/gone.mp3', 1, 1, NULL, 'truncated')")
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    with closing(Catalogue(tmp_path)) as catalogue:
        (piece,) = catalogue.pieces()
        assert (piece.title, piece.artist, piece.lufs, piece.digest) == ("One", "Somebody", -21.5, "abc")
        assert [entry.stale for entry in catalogue.entries()] == [True]
        assert len(catalogue.scan([music])[0]) == 3
        assert len(measured) == 3
        assert not any(entry.stale for entry in catalogue.entries())


def test_a_catalogue_of_a_version_we_do_not_know_is_made_anew(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "library.db")
    other.executescript("CREATE TABLE files (something); CREATE TABLE more (x); PRAGMA user_version = 99")
    other.close()
    with closing(Catalogue(tmp_path)) as catalogue:
        assert (catalogue.pieces(), catalogue.problems(), catalogue.folders()) == ([], [], [])


def test_measuring_steps_back_behind_everything_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    seen: list[int] = []

    def look(_path: Path, processes: Processes) -> Measurement:
        with (tmp_path / "log").open("wb") as log, processes.start(["nice"], log) as process:
            seen.append(int(process.communicate()[0]))
        return Measurement(duration_s=1.0, lufs=-20.0, true_peak_dbfs=-3.0)

    monkeypatch.setattr(measuring, "measure", look)
    monkeypatch.setattr(measuring, "_LOWEST", LOWEST_PRIORITY)
    (tmp_path / "a.flac").write_text("a")
    list(measuring.measure_all([tmp_path / "a.flac"], ()))
    assert seen == [19]
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
