"""Where a programme's music comes from: folders, playlists, tags and single pieces of a room's library."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from controller.__main__ import app
from controller.arc.programme import Programme
from controller.arc.taste import taste_of
from controller.config import Room, load_room
from controller.library.catalogue import Catalogue
from controller.messages import Limits, Piece
from controller.pool import Library, RoomPool, missing_music, resolve_sources, shortages
from tests.library.music import write_tone

NAMES = ["peak/slow/a.flac", "peak/b.flac", "return/c.flac", "return/d.flac", "loose.flac"]
TOP = Path("/srv/music")


def library(top: Path = TOP) -> Library:
    """Five pieces, two of them tagged."""
    pieces = [Piece(path=f"{top}/{name}", title=Path(name).stem, duration_s=300.0) for name in NAMES]
    tagged = [replace(piece, tags=("drone", "warm")) if piece.title in "bd" else piece for piece in pieces]
    return Library.of(tagged, [top])


def programme(*musics: object) -> Programme:
    """A phase for each source."""
    phases = [
        {"code": f"p{number}", "title": "P", "minutes": 10, "intensity": [0.5], "light": [0.2], "music": music}
        for number, music in enumerate(musics)
    ]
    return Programme.model_validate(
        {"format": 1, "name": "x", "title": "X", "dose": {"shape": "none"}, "phases": phases}
    )


def titles(asked: Programme, found: Library, beside: Path | None = None) -> list[str]:
    """The titles of each phase's pieces, joined."""
    pool, mistakes = resolve_sources(asked, found, beside)
    assert not mistakes
    return ["".join(piece.title for piece in pool.shelf(phase.source).pieces) for phase in asked.phases]


def test_copies_of_one_file_are_one_piece() -> None:
    copies = [
        Piece(path=f"{TOP}/peak/{name}.flac", title=name, duration_s=300.0, digest=digest)
        for name, digest in (("a", "1"), ("b", "2"), ("c", "1"), ("d", ""), ("e", ""))
    ]
    assert titles(programme("peak"), Library.of(copies, [TOP])) == ["abde"]


def test_a_file_that_lies_in_the_folders_of_two_phases_is_one_piece_of_both() -> None:
    copies = [
        Piece(path=f"{TOP}/{folder}/{name}.flac", title=name, duration_s=300.0, digest=digest)
        for folder, name, digest in (("peak", "a", "1"), ("peak", "b", "2"), ("return", "c", "3"), ("return", "d", "1"))
    ]
    assert titles(programme("peak", "return"), Library.of(copies, [TOP])) == ["ab", "ca"]


@pytest.mark.parametrize("named", ["peak/z.flac", f"{TOP}/other/Z again.flac", "z AGAIN", "b" * 64, "b" * 6])
def test_a_piece_is_excluded_by_whatever_copy_of_it_is_named(named: str) -> None:
    files = (("peak/a", "a"), ("peak/b", "b"), ("peak/z", "b"), ("other/Z again", "b"))
    pieces = [
        Piece(path=f"{TOP}/{name}.flac", title=Path(name).name, duration_s=300.0, digest=letter * 64)
        for name, letter in files
    ]
    asked = programme("peak")
    pool, _ = resolve_sources(asked, Library.of(pieces, [TOP]))
    limits = pool.meant(Limits(pieces=("peak/nothing.flac", named)))
    rules = taste_of(asked.phases[0], limits, 10.0, 0.0).rules
    assert [track.piece.title for track in pool.shelf("peak").allowed(rules).tracks] == ["a"]
    assert pool.meant(Limits(pieces=("peak/nothing.flac",))) == Limits(pieces=("peak/nothing.flac",))


def test_folders_tags_pieces_and_both_together_name_their_music() -> None:
    asked = programme(
        "peak",
        "peak/slow",
        {"tags": ["drone"]},
        {"folder": "return", "tags": ["warm", "cold"]},
        {"pieces": ["loose.flac", "/srv/music/peak/b.flac"]},
        "silence",
    )
    pool, mistakes = resolve_sources(asked, library())
    found = ["".join(piece.title for piece in pool.shelf(phase.source).pieces) for phase in asked.phases]
    assert found == ["ab", "a", "bd", "d", "looseb", ""]
    assert mistakes == ['x: phases "p3".music: no piece has the tag "cold"; allowed: drone, warm']


def test_a_playlist_keeps_its_order_and_is_found_beside_the_programme_or_below_a_music_folder(tmp_path: Path) -> None:
    top, beside = tmp_path / "music", tmp_path / "playlists"
    (top / "peak").mkdir(parents=True)
    beside.mkdir()
    (beside / "mine.m3u8").write_text(f"#EXTM3U\n{top}/return/d.flac\n#EXTINF:1,x\npeak/b.flac\n", encoding="utf-8")
    (top / "peak" / "own.m3u8").write_text("b.flac\nslow/a.flac\n", encoding="utf-8")
    asked = programme({"playlist": "mine.m3u8"}, {"playlist": "peak/own.m3u8"})
    assert titles(asked, library(top), beside) == ["db", "ba"]


def test_an_entry_that_goes_up_and_down_or_through_a_link_leads_to_its_piece(tmp_path: Path) -> None:
    top, beside = tmp_path / "music", tmp_path / "playlists"
    for folder in (top / "lists", top / "return", beside):
        folder.mkdir(parents=True)
    (tmp_path / "link").symlink_to(top)
    (top / "lists" / "up.m3u8").write_text("../return/d.flac\n./../peak/b.flac\n", encoding="utf-8")
    (beside / "over.m3u8").write_text(f"../music/return/d.flac\n{tmp_path}/link/peak/b.flac\n", encoding="utf-8")
    asked = programme({"playlist": "lists/up.m3u8"}, {"playlist": "over.m3u8"}, {"pieces": ["./peak/b.flac"]})
    assert titles(asked, library(top), beside) == ["db", "db", "b"]


@pytest.mark.parametrize(
    ("music", "told"),
    [
        ("paek", 'phases "p0".music: there is no folder "paek"; did you mean "peak"?'),
        ({"tags": ["dron"]}, 'no piece has the tag "dron"; did you mean "drone"?'),
        ({"pieces": ["return/cc.flac"]}, 'there is no "return/cc.flac"; did you mean "return/c.flac"?'),
        ({"playlist": "mine.m3u"}, 'there is no playlist "mine.m3u"; did you mean "mine.m3u8"?'),
        ({"playlist": "mine.m3u8"}, 'the library has no "peak/bb.flac"; did you mean "peak/b.flac"?'),
        ({"folder": "peak/slow", "tags": ["warm"]}, "no piece is in all that it names"),
    ],
)
def test_a_source_that_names_nothing_is_told_with_the_nearest_name(music: object, told: str, tmp_path: Path) -> None:
    (tmp_path / "mine.m3u8").write_text("peak/bb.flac\n", encoding="utf-8")
    _, mistakes = resolve_sources(programme(music), library(), tmp_path)
    assert len(mistakes) == 1 and told in mistakes[0]


def test_a_room_without_any_measured_music_is_told_once() -> None:
    _, mistakes = resolve_sources(programme("peak", "return"), Library.of([], [TOP]))
    assert mistakes == ["x: nothing is measured below /srv/music: stillroom library scan measures it"]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    """A room with three measured pieces; its state directory is the folder of its file."""
    folder = tmp_path_factory.mktemp("room")
    for seconds, name in ((2.0, "peak/slow/a.wav"), (2.1, "peak/b.wav"), (2.2, "return/c.wav")):
        write_tone(folder / "music" / name, seconds=seconds)
    (folder / "room.toml").write_text(f'format = 1\nname = "r"\n[music]\nfolders = ["{folder}/music"]\n')
    scan(folder)
    return load_room(folder / "room.toml")


def scan(state: Path) -> None:
    """Measure what is new in a room's music."""
    with closing(Catalogue(state)) as catalogue:
        catalogue.scan([state / "music"])


def test_the_pool_is_made_once_and_again_only_when_the_library_changed(room: Room) -> None:
    state = room.path.parent
    pools, asked = RoomPool(state, room), programme("peak")
    first = pools.pool(asked)
    assert first.shelf("peak").pieces and pools.pool(asked) is first
    write_tone(state / "music" / "peak" / "new.wav", seconds=2.5)
    scan(state)
    again = pools.pool(asked)
    assert again is not first and len(again.shelf("peak").pieces) == len(first.shelf("peak").pieces) + 1
    assert pools.pool(programme("return")) is not again


def test_a_playlist_that_was_edited_is_read_anew_without_a_scan(room: Room) -> None:
    state = room.path.parent
    pools, asked = RoomPool(state, room), programme({"playlist": "mine.m3u8"})
    listing = state / "music" / "mine.m3u8"
    assert not pools.pool(asked, state).shelf(asked.phases[0].source).pieces
    for lines in ("peak/b.wav\n", "return/c.wav\npeak/b.wav\n"):
        listing.write_text(lines, encoding="utf-8")
        pool = pools.pool(asked, state)
        found = [Path(piece.path).name for piece in pool.shelf(asked.phases[0].source).pieces]
        assert found == [Path(line).name for line in lines.split()]
        assert pools.pool(asked, state) is pool
    listing.unlink()


def test_a_library_that_cannot_be_read_any_more_leaves_a_session_the_music_it_had(room: Room, tmp_path: Path) -> None:
    shutil.copy(room.path.parent / "library.db", tmp_path)
    pools, asked = RoomPool(tmp_path, room), programme("peak")
    pool = pools.pool(asked)
    (tmp_path / "library.db").write_bytes(b"not a database, and longer than a page's header" * 100)
    assert pools.pool(asked) is pool
    with pytest.raises(sqlite3.Error):
        pools.pool(programme("return"))


def test_a_plan_gets_its_own_music_while_another_programme_is_looked_at(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools, asked, other = RoomPool(room.path.parent, room), programme("peak"), programme("return")
    pool = pools.pool(asked)

    class Looked(type(room.path)):  # type: ignore[misc]
        """Two threads at their worst: the other programme is made while this one compares what it is for."""

        def __eq__(self, given: object) -> bool:
            pools.pool(other)
            return super().__eq__(given)

        __hash__ = None  # type: ignore[assignment]

    for _ in range(2):
        assert pools.pool(asked, Looked(room.path.parent)).shelf("peak").pieces == pool.shelf("peak").pieces


def test_check_names_the_music_that_a_room_lacks(room: Room) -> None:
    playlists = Path(__file__).parents[2] / "playlists"
    files = [str(room.path), str(playlists / "psilocybin-25mg.toml")]
    result = CliRunner().invoke(app, ["check", *files, "--state", str(room.path.parent)])
    assert result.exit_code == 1
    assert 'phases "ascent".music: there is no folder "ascent"' in result.stderr
    assert 'phases "peak".music' not in result.stderr
    result = CliRunner().invoke(app, ["check", files[1], "--state", str(room.path.parent)])
    assert result.exit_code == 0


def test_looking_for_music_makes_no_catalogue(room: Room, tmp_path: Path) -> None:
    assert missing_music(tmp_path / "elsewhere", room, [])[0].endswith("measures the room's music")
    assert not (tmp_path / "elsewhere").exists()


def test_a_phase_that_its_music_cannot_fill_is_named_with_the_minutes() -> None:
    asked = programme("peak", "return", "peak/slow")  # ten minutes each; the third finds its only piece played
    assert shortages(asked, library()) == [("P", pytest.approx(10.0, abs=1.0))]
    assert shortages(programme("peak", "return", "silence"), library()) == []
