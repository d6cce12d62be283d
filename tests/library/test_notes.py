from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from controller.library.catalogue import Catalogue
from controller.library.notes import Note, Notes, read_sheet, write_rows
from tests.library.music import write_tags, write_tone


def test_a_sheet_says_what_the_clinic_knows_and_a_deeper_one_counts_more(tmp_path: Path) -> None:
    (tmp_path / "peak").mkdir()
    (tmp_path / "music.csv").write_text(
        "File;Vocals;Language;Tradition;Tags\n"
        "peak/*;no;;classical;drone, Calm\n"
        "Requiem [live].flac;yes;LA;;choir | slow\n"
        "peak\\02 Übergang.flac;;;;bells\n"
    )
    (tmp_path / "peak/music.csv").write_text("file,title,track\n01.flac,The First,7\n")
    notes = Notes()
    assert notes.of(tmp_path / "peak/01.flac") == Note(
        title="The First", track=7, vocals=False, tradition="classical", tags=("drone", "calm")
    )
    # macOS writes an umlaut as two characters.
    assert notes.of(tmp_path / "peak/02 U\u0308bergang.flac").tags == ("bells",)
    requiem = notes.of(tmp_path / "return/Requiem [live].flac")
    assert (requiem.vocals, requiem.language, requiem.tags) == (True, "la", ("choir", "slow"))
    assert notes.of(tmp_path / "return/other.flac") == Note()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_a_sheet_may_come_from_any_spreadsheet(tmp_path: Path, encoding: str, delimiter: str, end: str) -> None:
    text = f"file{delimiter}vocals{end}Über.flac{delimiter}YES{end}{end}"
    (tmp_path / "music.csv").write_bytes(text.encode(encoding))
    sheet = read_sheet(tmp_path / "music.csv")
    assert sheet.mistakes == []
    assert sheet.note(tmp_path / "über.flac").vocals is True


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_words_on_two_lines_of_one_cell_stay_apart(tmp_path: Path, end: str) -> None:
    path = tmp_path / "music.csv"
    path.write_bytes(f'file;title{end}1.flac;"The{end}Sea"{end}next\x85.flac;Rain{end}'.encode())
    assert [(row.file, row.note.title) for row in read_sheet(path).rows] == [
        ("1.flac", "The Sea"),
        ("next .flac", "Rain"),
    ]


@pytest.mark.parametrize("content", [b"\x00\xff" * 200_000, b"a" * 200_000, b'"' * 3, b"\xff\xfe\x00"])
def test_what_is_no_sheet_at_all_is_a_mistake_and_stops_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "music.csv"
    path.write_bytes(content)
    assert read_sheet(path).mistakes[-1] == 'row 1: needs a column "file"'
    with pytest.raises(ValueError, match="file"):
        write_rows(path, [])
    assert path.read_bytes() == content


def test_every_mistake_in_a_sheet_is_named_with_its_row_and_the_rest_counts(tmp_path: Path) -> None:
    (tmp_path / "music.csv").write_text(
        "file,vokals,vocals,track\na.flac,,ja,one\nno such thing.flac,,yes,\n"
        "01 Overtur.flac,,no,\nzz/*,,no,\na.flac,,yes,\n"
    )
    sheet = read_sheet(tmp_path / "music.csv")
    sheet.name_strays([tmp_path / "a.flac", tmp_path / "01 Overture.flac"])
    assert sheet.mistakes == [
        'row 1: unknown column "vokals"; did you mean "vocals"?',
        'row 2: vocals: "ja" is neither yes nor no',
        'row 2: track: "one" is not a number',
        'row 3: there is no "no such thing.flac" here',
        'row 4: there is no "01 Overtur.flac" here; did you mean "01 Overture.flac"?',
        'row 5: there is no "zz/*" here',
    ]
    assert sheet.note(tmp_path / "a.flac").vocals is True
    (tmp_path / "music.csv").write_text("name,vocals\na.flac,yes\n")
    assert read_sheet(tmp_path / "music.csv").mistakes[-1] == 'row 1: needs a column "file"'
    (tmp_path / "music.csv").write_text("")
    assert read_sheet(tmp_path / "music.csv").mistakes == ['row 1: needs a column "file"']


def test_what_the_clinic_says_counts_before_the_file_s_tags_and_needs_no_measuring(tmp_path: Path) -> None:
    music = tmp_path / "music"
    path = write_tone(music / "peak/1.flac", seconds=1)
    write_tags(
        path, title="One", genre="Ambient", vocals="yes", language="is", album="A", tracknumber="2", discnumber="2"
    )
    with closing(Catalogue(tmp_path)) as catalogue:
        (piece,) = catalogue.scan([music])[0]
        assert (piece.title, piece.vocals, piece.language, piece.tags) == ("One", True, "is", ("ambient",))
        assert (piece.album, piece.track_number) == ("A", 202)
        (music / "music.csv").write_text("file;vocals;tags;tradition\n1.flac;no;Bells, ambient;nordic\n2.flac;no;;\n")
        pieces, problems = catalogue.scan([music / "peak"])  # the sheet lies above what is scanned
        assert (pieces[0].vocals, pieces[0].tags, pieces[0].tradition) == (False, ("bells", "ambient"), "nordic")
        assert problems == []
        pieces, problems = catalogue.scan([music])
        assert [problem.why for problem in problems] == ['row 3: there is no "2.flac" here']
        stamp = (tmp_path / "library.db-wal").stat()
        catalogue.scan([music])
        assert (tmp_path / "library.db-wal").stat().st_size == stamp.st_size, "nothing changed, nothing is written"
        (music / "music.csv").unlink()
        assert catalogue.scan([music])[0][0].vocals is True


def test_a_sheet_to_fill_in_names_every_piece_once_and_keeps_what_stands_there(tmp_path: Path) -> None:
    pieces = [(tmp_path / "b/Ü 1.flac", Note(vocals=True)), (tmp_path / "2.mp3", Note(language="de", tags=("bells",)))]
    path = tmp_path / "music.csv"
    assert write_rows(path, pieces) == 2
    assert path.read_text(encoding="utf-8-sig").splitlines() == [
        "file,vocals,language,tradition,tags",
        "b/Ü 1.flac,yes,,,",
        "2.mp3,,de,,bells",
    ]
    assert write_rows(path, pieces) == 0
    path.write_text("tags;file\nchoir;b/*\nslow;2.mp3", encoding="cp1252")
    assert write_rows(path, pieces) == 1
    assert path.read_text(encoding="utf-8-sig").splitlines() == ["tags;file", "choir;b/*", "slow;2.mp3", ";b/Ü 1.flac"]
    path.write_bytes(b"file;tags\r\n2.mp3;slow\r\n")
    assert write_rows(path, pieces) == 1
    assert path.read_bytes().decode("utf-8-sig") == "file;tags\r\n2.mp3;slow\r\nb/Ü 1.flac;\r\n", "its own line ends"
    path.write_text("Datei;Stimme\n")
    with pytest.raises(ValueError, match="file"):
        write_rows(path, pieces)
    assert path.read_text() == "Datei;Stimme\n"
