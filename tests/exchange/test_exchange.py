"""Lists of other programs against a clinic's library."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from controller.__main__ import app
from controller.arc.programme import parse_programme
from controller.config import find_programme, load_programme
from controller.exchange.laying import lay, parse_division
from controller.exchange.matching import match_entries
from controller.exchange.reading import read_listing
from controller.exchange.writing import WRITERS
from controller.files import ConfigError
from controller.messages import Piece
from controller.verbs.playlist import _explain, _show
from tests.library.music import write_tone

WORDS = [
    "Élégie",
    "Nachtmusik",
    "Spiegel im Spiegel",
    "Für Alina",
    "Gymnopédie",
    "Ísjaki",
    "Señor",
    "Čarovná",
    "Weather",
]


def library() -> list[Piece]:
    """Sixty pieces with accents in their names, 60 s to 355 s long."""
    return [
        Piece(
            path=f"/music/peak/{number:02d} {WORDS[number % len(WORDS)]} no {number}.flac",
            title=f"{WORDS[number % len(WORDS)]} no {number}",
            artist=f"Ánsámbl {number // 6}",
            album="Album",
            duration_s=60.0 + 5 * number,
            digest=f"{number:064x}",
        )
        for number in range(60)
    ]


def sixty_line_m3u8() -> str:
    """All sixty: as they are, without accents, with wrong lengths; and every tenth is in nobody's library."""
    lines = ["#EXTM3U", "#PLAYLIST:evening"]
    for number, piece in enumerate(library()):
        title = piece.title
        if number % 3 == 1:
            title = title.replace("É", "E").replace("é", "e").replace("ü", "u").replace("Í", "I").replace("Č", "c")
        if number % 10 == 9:
            title, artist = f"Somebody Else's Song {number}", "Unknown Band"
        else:
            artist = piece.artist
        seconds = piece.duration_s * 2 if number % 4 == 0 else piece.duration_s
        lines += [f"#EXTINF:{seconds:.0f},{artist} - {title}", f"C:\\Users\\me\\Music\\{number}.mp3"]
    return "\n".join(lines) + "\n"


def test_a_list_of_sixty_finds_its_pieces_in_spite_of_accents_and_wrong_lengths(tmp_path: Path) -> None:
    path = tmp_path / "evening.m3u8"
    path.write_text(sixty_line_m3u8(), encoding="utf-8")
    entries = read_listing(path)
    assert len(entries) == 60
    matches = match_entries(entries, library())
    for number, (match, piece) in enumerate(zip(matches, library(), strict=True)):
        if number % 10 == 9:
            assert match.piece is None
        else:
            assert match.piece == piece
            assert match.length_differs == (number % 4 == 0)


def test_what_is_not_found_comes_with_its_nearest_candidates() -> None:
    pieces = [Piece(path="/m/a.flac", title="Spiegel im Spiegel", artist="Pärt", duration_s=500)]
    path_entries = match_entries(_entries(title="Spiegel in dem Zimmer", artist="Part"), pieces)
    assert path_entries[0].piece is None
    assert path_entries[0].candidates == (pieces[0],)


def test_two_recordings_of_one_piece_are_told_apart_by_their_length_or_not_at_all() -> None:
    pieces = [
        Piece(path=f"/m/{length}.flac", title="Adagio", artist="Quartet", duration_s=length, digest=str(length))
        for length in (300.0, 420.0)
    ]
    assert match_entries(_entries(title="Adagio", artist="Quartet", seconds=418.0), pieces)[0].piece == pieces[1]
    unsure = match_entries(_entries(title="Adagio", artist="Quartet", seconds=900.0), pieces)[0]
    assert unsure.piece is None
    assert set(unsure.candidates) == set(pieces)


def test_a_short_title_is_not_taken_for_a_longer_one() -> None:
    pieces = [Piece(path="/m/a.flac", title="Adagio for Strings", artist="Barber", duration_s=480)]
    assert match_entries(_entries(title="Adagio", artist="Barber"), pieces)[0].piece is None


def test_a_remastered_version_in_brackets_is_the_same_piece() -> None:
    pieces = [Piece(path="/m/a.flac", title="Music for Airports", artist="Eno", duration_s=480)]
    for title in ("Music for Airports (2004 Digital Remaster)", "Music For Airports - 2004 Remastered"):
        assert match_entries(_entries(title=title, artist="Eno"), pieces)[0].piece == pieces[0]


def _entries(**said: object):  # type: ignore[no-untyped-def]
    from controller.exchange.listing import Entry

    return [Entry(number=1, **said)]  # type: ignore[arg-type]


XSPF = """<?xml version="1.0" encoding="UTF-8"?>
<playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList>
<track><location>file:///music/peak/00%20%C3%89l%C3%A9gie%20no%200.flac</location><title>whatever</title></track>
<track><title>Nachtmusik no 1</title><creator>Ansambl 0</creator><duration>65000</duration></track>
<track><title>Nobody's</title></track>
</trackList></playlist>"""

JSPF = {
    "playlist": {
        "title": "x",
        "track": [
            {"title": "Für Alina no 3", "creator": "Ánsámbl 0", "duration": 999000},
            {"location": ["file:///music/peak/04%20Gymnop%C3%A9die%20no%204.flac"]},
        ],
    }
}

CSV = (
    "Track Name;Artist Name(s);Album Name;Track Duration (ms)\n"
    "Nachtmusik no 1;Ánsámbl 0;Album;65000\n"
    '"Señor no 6";"Ánsámbl 1";Album;1000\n'
    ";;;\n"
)


def test_xspf_jspf_and_csv_say_the_same_things(tmp_path: Path) -> None:
    (tmp_path / "a.xspf").write_text(XSPF, encoding="utf-8")
    (tmp_path / "b.jspf").write_text(json.dumps(JSPF), encoding="utf-8")
    (tmp_path / "c.csv").write_text(CSV, encoding="cp1252")
    titles = {
        name: [match.piece.title if match.piece else None for match in match_entries(read_listing(path), library())]
        for name, path in ((path.name, path) for path in sorted(tmp_path.iterdir()))
    }
    assert titles == {
        "a.xspf": ["Élégie no 0", "Nachtmusik no 1", None],
        "b.jspf": ["Für Alina no 3", "Gymnopédie no 4"],
        "c.csv": ["Nachtmusik no 1", "Señor no 6"],
    }
    assert [entry.seconds for entry in read_listing(tmp_path / "c.csv")] == [65.0, 1.0]


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("a.xspf", "<playlist", "XSPF"),
        ("a.xspf", '<!DOCTYPE x [<!ENTITY a "b">]><playlist>&a;</playlist>', "XSPF"),
        ("a.jspf", "[1, 2]", "JSPF"),
        ("a.csv", "colour,size\nred,1\n", "column"),
        ("a.m3u8", "#EXTM3U\n", "no entries"),
        ("a.pls", "x", "allowed: .m3u8"),
    ],
)
def test_a_file_that_is_no_playlist_is_named_with_the_reason(
    tmp_path: Path, name: str, content: str, word: str
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        read_listing(path)
    assert word in raised.value.mistakes[0]
    assert str(path) in raised.value.mistakes[0]


@given(st.text(max_size=300), st.sampled_from([".m3u", ".xspf", ".jspf", ".csv"]))
def test_no_text_at_all_brings_a_reader_down(tmp_path_factory: pytest.TempPathFactory, text: str, suffix: str) -> None:
    path = tmp_path_factory.mktemp("lists") / f"list{suffix}"
    path.write_text(text, encoding="utf-8", errors="replace", newline="")
    try:
        entries = read_listing(path)
    except ConfigError:
        return
    assert all(entry.title or entry.location for entry in entries) or suffix in (".xspf", ".jspf")


@pytest.mark.parametrize("form", sorted(WRITERS))
def test_what_is_written_is_read_again_as_the_same_pieces(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"out.{form}"
    path.write_text(WRITERS[form](library()), encoding="utf-8")
    assert [match.piece for match in match_entries(read_listing(path), library())] == library()


def test_every_mistake_of_a_division_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        parse_division(
            ["ascend=1-3", "peak=4-99", "settle", "peak=2-3", "descent=3-5"], ["ascent", "peak", "descent"], 60
        )
    told = "\n".join(raised.value.mistakes)
    assert 'did you mean "ascent"' in told
    assert "1 to 60" in told
    assert "not of the form" in told
    assert "shares entries with peak" in told


def test_an_imported_list_becomes_an_unsigned_programme_that_plays_it_as_listed(tmp_path: Path) -> None:
    path = tmp_path / "evening.m3u8"
    path.write_text(sixty_line_m3u8(), encoding="utf-8")
    matches = match_entries(read_listing(path), library())
    division = parse_division(["peak=1-20", "return=51-"], ["peak", "return"], 60)
    written = lay(matches, division, find_programme("psilocybin-25mg"), tmp_path / "evening.toml")
    assert [file.name for file in written] == ["evening.toml", "peak.m3u8", "return.m3u8"]
    programme = parse_programme(written[0].read_text())
    peak = programme.phases[programme.index_of("peak")]
    assert programme.name == "evening"
    assert not programme.reviewed
    assert peak.music.playlist == "evening/peak.m3u8"
    assert peak.arrangement == "as-listed"
    assert len(read_listing(written[1])) == 18  # twenty less the two that nobody has
    assert "# psilocin" in written[0].read_text()  # the base's comments stay


def test_nothing_is_written_when_a_phase_would_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "x.m3u8"
    path.write_text("#EXTM3U\nnothing.mp3\n", encoding="utf-8")
    matches = match_entries(read_listing(path), library())
    with pytest.raises(ConfigError):
        lay(matches, {"peak": range(1, 2)}, find_programme("psilocybin-25mg"), tmp_path / "x.toml")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["x.m3u8"]


def test_what_a_programme_would_play_is_written_for_another_player(tmp_path: Path) -> None:
    music, state, out = tmp_path / "music", tmp_path / "state", tmp_path / "evening.xspf"
    for folder in ("arrival", "settle", "ascent", "peak", "descent", "return"):
        (music / folder).mkdir(parents=True)
        write_tone(music / folder / "one.wav", seconds=20.0)
    runner = CliRunner()
    assert runner.invoke(app, ["library", "scan", str(music), "--state", str(state)]).exit_code == 0
    room = tmp_path / "room.toml"
    text = Path("deploy/rooms/example.toml").read_text()
    room.write_text(text.replace("/srv/music", str(music)))
    arguments = ["playlist", "export", "demo", str(out), "--room", str(room), "--state", str(state)]
    told = runner.invoke(app, arguments)
    assert told.exit_code == 0, told.output + str(told.exception)
    titles = [entry.title for entry in read_listing(out)]
    assert len(titles) > 5
    assert all(titles)
    wrong = runner.invoke(app, [*arguments[:3], str(tmp_path / "x.pls"), *arguments[4:]])
    assert ".m3u8" in str(wrong.exception)


def test_an_empty_library_is_said_before_anything_else(tmp_path: Path) -> None:
    path = tmp_path / "x.m3u8"
    path.write_text("#EXTM3U\nnothing.mp3\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["playlist", "import", str(path), "--state", str(tmp_path / "state")])
    assert isinstance(result.exception, ConfigError)
    assert "library scan" in result.exception.mistakes[0]


def test_how_entries_are_laid_is_shown_with_the_phases_of_that_programme(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _explain(load_programme(find_programme("mdma")))
    assert "--phase arrival=1-4 --phase settle=5-11" in capsys.readouterr().out


def test_brackets_in_a_name_are_shown_as_they_stand_and_no_entry_breaks_its_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")  # wide enough for it, whoever runs this wherever
    piece = Piece(path="/music/Elegy [live] [/b].flac", title="Elegy [live]", duration_s=60.0)
    listing = tmp_path / "list.jspf"
    tracks = [{"title": "Elegy [live]"}, {"title": "No\r\nsuch \x1b[2J[/i] thing"}]
    listing.write_text(json.dumps({"playlist": {"track": tracks}}), encoding="utf-8")
    _show(match_entries(read_listing(listing), [piece]), {})
    _, first, second = capsys.readouterr().out.splitlines()
    assert "Elegy [live]" in first and "/music/Elegy [live] [/b].flac" in first
    assert "No such [2J[/i] thing" in second and "not found" in second
