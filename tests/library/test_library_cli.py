from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from controller.files import ConfigError
from controller.one_line import breaks_lines
from controller.verbs.library import app
from tests.library.music import cut_short, write_samples, write_tags, write_tone


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """A small clinic's folders."""
    folder = tmp_path / "music"
    for name in ("peak/2.ogg", "peak/1 Übergang.flac", "settle/3.mp3"):
        write_tone(folder / name, seconds=1.2)
    write_tags(folder / "settle/3.mp3", title="Slow Harbour", artist="Somebody", album="Water", vocals="yes")
    (folder / "peak/cover.jpg").write_bytes(b"a picture")
    (folder / "peak/album.cue").write_text("FILE")
    return folder


@pytest.fixture
def state(tmp_path: Path) -> str:
    return str(tmp_path / "state")


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, ConfigError):
        return 1, str(result.exception)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_the_library_is_scanned_listed_and_shown(state: str, music: Path) -> None:
    assert run("list", "--state", state)[0] == 0
    assert run("scan", "--state", state) == (1, "no folder was scanned yet; say which: stillroom library scan DIR")
    code, said = run("scan", str(music), "--state", state)
    assert (code, said) == (0, "3 pieces, 0 minutes of music\n")
    assert run("scan", "--state", state)[1].startswith("3 pieces")
    assert run("list", "--state", state)[1].count("LUFS") == 3
    assert run("list", "settle", "--state", state)[1].count("LUFS") == 1
    assert run("list", str(music / "peak"), "--state", state)[1].count("LUFS") == 2
    assert run("list", "--phase", "peak", "--state", state)[1].count("LUFS") == 2
    assert run("list", "harbour", "--state", state)[1].endswith("folders with music: peak, settle")
    assert len(json.loads(run("list", "--json", "--state", state)[1])) == 3
    code, said = run("show", "slow harbour", "--state", state)
    assert code == 0
    for word in ("Somebody", "Water", "LUFS", "true peak", "yes", "centroid", "regularity", "settle/3.mp3"):
        assert word in said
    assert run("show", "1 übergang", "--state", state)[0] == 0
    code, said = run("show", "Slow Harbor", "--state", state)
    assert code == 1
    assert said.startswith('there is no piece "Slow Harbor"; did you mean "Slow Harbour"')


def test_no_tag_and_no_file_name_breaks_a_row_or_steers_the_terminal(state: str, music: Path) -> None:
    write_tags(music / "settle/3.mp3", title="Slow\r\n \x1b[2JHarbour", artist="Some\x07body", genre="am\x1bbient")
    (music / "music.csv").write_text("file,tradition\n3.mp3,a\x1bb\n", encoding="utf-8")
    write_tone(music / "peak/two\nlines.mp3", seconds=1.2)
    scanned, listed = run("scan", str(music), "--state", state)[1], run("list", "--state", state)[1]
    shown = run("show", "slow [2JHarbour", "--state", state)[1]
    assert f"{music}/peak/two lines.mp3: there is a control character" in scanned
    assert [line.count("LUFS") for line in listed.splitlines()] == [1, 1, 1]
    assert "Slow [2JHarbour" in listed
    for word in ("Some body", "am bient", "a b"):
        assert word in shown
    assert not any(breaks_lines(line) for line in (scanned + listed + shown).split("\n"))


def test_every_file_that_is_not_fit_for_a_session_is_named_with_its_reason(state: str, music: Path) -> None:
    assert run("check", "--state", state)[0] == 1, "nothing measured is nothing checked"
    assert run("scan", str(music), "--state", state)[0] == 0
    assert run("check", "--state", state)[0] == 0
    noise = np.random.default_rng(3).standard_normal(4 * 44100)
    (music / "peak/empty.flac").touch()
    (music / "peak/text.mp3").write_text("no music at all, but words " * 300)
    cut_short(write_samples(music / "peak/cut.flac", 0.05 * noise))
    write_samples(music / "peak/clipped.flac", np.clip(0.5 * np.convolve(noise, np.hanning(9), "same"), -0.9, 0.9))
    write_tone(music / "peak/gone.wav", seconds=1)
    write_tone(music / "peak/replaced.wav", seconds=1)
    (music / "music.csv").write_text("file,vocals\nsettle/*,maybe\n")
    code, said = run("scan", "--state", state)
    assert code == 1
    assert "text.mp3: not audio" in said
    (music / "peak/gone.wav").unlink()
    write_tone(music / "peak/replaced.wav", seconds=2)
    write_tone(music / "settle/new.wav", seconds=1)
    (music / "settle/3.mp3").write_bytes(b"")
    code, said = run("check", "--json", "--state", state)
    assert code == 1
    problems = {Path(each["path"]).name: each["why"] for each in json.loads(said)["problems"]}
    reasons = {name: why.split(",")[0].split(":")[0] for name, why in problems.items()}
    assert reasons == {
        "3.mp3": "empty",
        "clipped.flac": "clipped",
        "cut.flac": "truncated",
        "empty.flac": "empty",
        "gone.wav": "missing",
        "music.csv": "row 2",
        "new.wav": "not measured yet",
        "replaced.wav": "changed since it was measured",
        "text.mp3": "not audio",
    }
    code, said = run("check", "--programme", "psilocybin-25mg", "--state", state)
    assert code == 1
    assert "peak/text.mp3" in said
    assert "psilocybin-25mg: ascent: there is no measured piece for it" in said
    code, said = run("show", "text.mp3", "--state", state)
    assert code == 0
    assert "not audio" in said


def test_pieces_are_suggested_with_their_figures_and_what_a_phase_excludes_is_left_out(
    state: str, music: Path, tmp_path: Path
) -> None:
    assert "nothing is measured" in run("suggest", "peak", "--state", state)[1]
    run("scan", str(music), "--state", state)
    code, said = run("suggest", "peak", "--state", state)
    assert code == 0
    for word in ("regular, dark, steady, slowly building", "1 Übergang", "Hz", "LU", "dB", "%", "Listen"):
        assert word in said
    assert len(json.loads(run("suggest", "peak", "--json", "-n", "2", "--state", state)[1])) == 2
    ranked = json.loads(run("suggest", "peak", "--json", "--in", "peak", "--state", state)[1])
    assert {Path(each["piece"]["path"]).parent.name for each in ranked} == {"peak"}
    assert run("suggest", "paek", "--state", state)[1].endswith('did you mean "peak"?')
    programme = tmp_path / "quiet.toml"
    programme.write_text(
        'format = 1\nname = "quiet"\ntitle = "Quiet"\n[dose]\nshape = "none"\n'
        '[[phases]]\ncode = "rest"\ntitle = "Rest"\nminutes = 30\nintensity = [0.2]\nlight = [0.2]\nvocals = false\n'
    )
    said = run("suggest", "rest", "--programme", str(programme), "--state", state)[1]
    assert "Slow Harbour" not in said
    assert "1 piece left out" in said


def test_a_sheet_for_the_clinic_s_own_knowledge_is_made_and_read(state: str, music: Path) -> None:
    assert "no measured music" in run("notes", str(music), "--state", state)[1]
    run("scan", str(music), "--state", state)
    assert "3 new rows" in run("notes", str(music), "--state", state)[1]
    sheet = (music / "music.csv").read_text(encoding="utf-8-sig")
    assert "settle/3.mp3,yes,,," in sheet
    (music / "music.csv").write_text(sheet.replace("peak/2.ogg,,,,", "peak/2.ogg,yes,fa,persian,voice"))
    assert run("scan", "--state", state)[0] == 0
    piece = json.loads(run("show", "2.ogg", "--json", "--state", state)[1])["pieces"][0]
    assert (piece["vocals"], piece["language"], piece["tradition"], piece["tags"]) == (True, "fa", "persian", ["voice"])
    assert run("forget", str(music), "--state", state)[1] == "3 files forgotten\n"


def test_a_catalogue_that_is_damaged_or_a_machine_without_ffmpeg_is_explained(
    state: str, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(state).mkdir()
    (Path(state) / "library.db").write_bytes(b"not a database, though long enough to be looked at as one" * 20)
    code, said = run("list", "--state", state)
    assert code == 1
    assert "remove it and scan again" in said
    (Path(state) / "library.db").unlink()
    monkeypatch.setenv("PATH", str(music))
    assert run("scan", str(music), "--state", state)[1] == "ffmpeg is not installed: apt install ffmpeg"
