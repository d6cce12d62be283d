"""What lies in the folders of a library, however they are linked, and sheets that are not as they should be."""

from __future__ import annotations

from pathlib import Path

from controller.library.folders import find_music
from controller.library.notes import read_sheet
from controller.messages import encode


def test_a_link_to_a_folder_beside_it_does_not_hide_that_folder(tmp_path: Path) -> None:
    (tmp_path / "music" / "peak").mkdir(parents=True)
    (tmp_path / "music" / "peak" / "a.flac").write_bytes(b"x")
    (tmp_path / "music" / "favourites").symlink_to("peak")
    (tmp_path / "music" / "round").symlink_to(tmp_path / "music")
    found, _, problems = find_music([tmp_path / "music"])
    assert tmp_path / "music" / "peak" / "a.flac" in found
    assert (len(found), problems) == (1, [])


def test_a_link_to_a_folder_elsewhere_is_followed_once(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "elsewhere" / "inner").mkdir(parents=True)
    (tmp_path / "elsewhere" / "inner" / "a.flac").write_bytes(b"x")
    for name in ("one", "two"):
        (tmp_path / "music" / name).symlink_to(tmp_path / "elsewhere")
    found, _, _ = find_music([tmp_path / "music"])
    assert list(found) == [tmp_path / "music" / "one" / "inner" / "a.flac"]


def test_a_sheet_with_an_open_quote_or_an_endless_number_is_a_mistake_and_no_more(tmp_path: Path) -> None:
    sheet = tmp_path / "music.csv"
    sheet.write_text("file,track\na.flac,99999999999999999999999\n" + '"b.flac,1\n' + "c.flac,1\n" * 20_000)
    read = read_sheet(sheet)
    assert [mistake.partition(":")[0] for mistake in read.mistakes] == ["row 2", "row 3"]
    assert encode(read.rows[0].note)
