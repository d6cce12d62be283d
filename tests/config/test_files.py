"""Files that people write: every mistake at once, each with its place and what is allowed."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from controller.config import check_file, load_room, shipped
from controller.files import ConfigError, write_private
from controller.nearest import nearest
from controller.places import make_dir, runtime_dir

REPOSITORY = Path(__file__).parents[2]

FIVE_MISTAKES = """
format = 1
name = "room-1"

[sound]
targt_lufs = -20
pause_fade_s = "soft"

[[sound.buses]]
name = "speakers"
channels = [1, 2]
ceiling_dbfs = 3.0

[light]
floor = 0.9

[[light.lamps]]
name = "lamp-1"
profile = "zigbee2mqtt-dimable"
device = "bed"
"""


def test_five_mistakes_give_five_messages(tmp_path: Path) -> None:
    file = tmp_path / "room.toml"
    file.write_text(FIVE_MISTAKES)
    with pytest.raises(ConfigError) as error:
        load_room(file)
    messages = error.value.mistakes
    assert len(messages) == 5, messages
    text = "\n".join(messages)
    assert all(message.startswith(f"{file}: ") for message in messages)
    assert 'sound: unknown key "targt_lufs"; did you mean "target_lufs"?' in text
    assert "sound.buses[1].ceiling_dbfs" in text
    assert "sound.pause_fade_s" in text
    assert 'there is no profile "zigbee2mqtt-dimable"; did you mean "zigbee2mqtt-dimmable"?' in text
    assert "the floor (0.9) must lie below the ceiling (0.8)" in text


def test_a_word_of_the_wrong_kind_is_told_what_would_be_right(tmp_path: Path) -> None:
    file = tmp_path / "room.toml"
    file.write_text('format = 1\nname = "Room 2"\n[sound]\noutput = "speakers"\n')
    with pytest.raises(ConfigError) as error:
        load_room(file)
    text = "\n".join(error.value.mistakes)
    assert "name: must be small letters, digits and hyphens (it is 'Room 2')" in text
    assert 'sound.output: must be "auto", "null", "device:NAME" or "file:PATH.wav" (it is \'speakers\')' in text


def test_the_check_command_says_all_of_them_and_exits_1(tmp_path: Path) -> None:
    file = tmp_path / "room.toml"
    file.write_text(FIVE_MISTAKES)
    done = subprocess.run(
        [sys.executable, "-m", "controller", "check", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 5


@pytest.mark.parametrize("path", sorted(REPOSITORY.glob("deploy/rooms/*.toml")), ids=lambda path: path.name)
def test_the_sample_rooms_are_right(path: Path) -> None:
    assert check_file(path) == "room"


@pytest.mark.parametrize("kind", ["playlists", "devices"])
def test_everything_shipped_is_right(kind: str) -> None:
    files = shipped(kind)
    assert files
    for path in files.values():
        assert check_file(path) in ("programme", "device profile")


def test_a_file_that_is_not_there_is_said_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "room-1.toml").write_text("")
    with pytest.raises(ConfigError, match=r"did you mean \"room-1.toml\""):
        load_room(tmp_path / "room1.toml")


def test_a_file_that_is_not_toml_is_said_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "room.toml"
    file.write_text("format = 1\nname = \n")
    with pytest.raises(ConfigError, match="line 2"):
        load_room(file)


def test_a_comma_where_a_point_belongs_is_shown_with_what_stands_around_it(tmp_path: Path) -> None:
    file = tmp_path / "room.toml"
    file.write_text("format = 1\n[light]\n  floor = 0,05\n")
    with pytest.raises(ConfigError, match=r"line 3, column \d+\): floor = 0,05$"):
        load_room(file)


def test_a_lamp_is_never_taken_for_a_button_and_a_profile_of_ones_own_is_told_its_place(tmp_path: Path) -> None:
    file = tmp_path / "room.toml"
    file.write_text('format = 1\nname = "r"\n[[light.lamps]]\nname = "a"\nprofile = "openbeken"\ndevice = "x"\n')
    with pytest.raises(ConfigError) as error:
        load_room(file)
    [said] = error.value.mistakes
    assert "button" not in said and said.endswith("(your own: /etc/stillroom/devices/openbeken.toml)")


def test_two_lamps_of_one_name_and_two_buses_on_one_channel_are_found(tmp_path: Path) -> None:
    file = tmp_path / "room.toml"
    lamp = '[[light.lamps]]\nname = "a"\nprofile = "zigbee2mqtt-dimmable"\ndevice = "x"\n'
    buses = "".join(f'[[sound.buses]]\nname = "{name}"\nchannels = [1, 2]\n' for name in ("s", "h"))
    file.write_text(f'format = 1\nname = "r"\n{lamp}{lamp}{buses}')
    with pytest.raises(ConfigError) as error:
        load_room(file)
    text = str(error.value)
    assert 'two have the name "a"' in text
    assert "both use channel 1" in text


def test_what_a_lamp_behind_mqtt_lacks_is_said(tmp_path: Path) -> None:
    file = tmp_path / "room.toml"
    lamps = [
        '[[light.lamps]]\nname = "a"\nprofile = "esphome-light"\ndevice = "x"\n',
        '[[light.lamps]]\nname = "b"\nprofile = "shelly-gen1-light"\ndevice = "x"\nlowest = 120\n',
        '[[light.lamps]]\nname = "c"\nprofile = "tasmota-plug"\ndevice = "x"\nlowest = 2\n',
        '[[light.lamps]]\nname = "d"\nprofile = "esphome-light"\ndevice = "x"\nbase = "node"\nlowest = 30\n',
    ]
    file.write_text('format = 1\nname = "r"\n' + "".join(lamps))
    with pytest.raises(ConfigError) as error:
        load_room(file)
    assert len(error.value.mistakes) == 3
    text = str(error.value)
    assert "light.lamps[1].base: is missing" in text
    assert "light.lamps[2].lowest: lies on the lamp's own scale, 1 to 100 (it is 120)" in text
    assert 'light.lamps[3].lowest: "tasmota-plug" is only on or off' in text


def test_medical_light_is_as_swift_as_the_room_file_says(tmp_path: Path) -> None:
    file = tmp_path / "room.toml"
    file.write_text('format = 1\nname = "r"\n[light]\nscene_fade_s = 4\n')
    assert load_room(file).lights().swift_per_s == 0.25


def test_the_nearest_name_is_one_that_is_alike_as_a_whole_however_it_is_written() -> None:
    names = ("mdma", "mdma-couple", "psilocybin-25mg", "psilocybin-oregon")
    assert [nearest(said, names) for said in ("mdam", "MDMA", "mdma-copule", "psilocybin")] == [
        "mdma", "mdma", "mdma-couple", "psilocybin-25mg",
    ]  # fmt: skip
    assert nearest("xx", names) == ""


def test_a_folder_in_the_place_of_a_file_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory$"):
        load_room(tmp_path)


def test_what_tells_of_a_participant_is_for_its_owner_and_group_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "sheet.txt"
    file.parent.mkdir()
    file.write_text("old")
    file.chmod(0o644)
    write_private(file, b"T+ 1:05")
    write_private(tmp_path / "made" / "sheet.txt", b"T+ 1:05")
    assert file.read_bytes() == b"T+ 1:05"
    assert [path.stat().st_mode & 0o777 for path in (file, tmp_path / "made", tmp_path / "made" / "sheet.txt")] == [
        0o640, 0o750, 0o640,
    ]  # fmt: skip


def test_a_file_that_cannot_be_written_whole_leaves_the_old_one_and_no_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "export.csv"
    file.write_text("old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_private(file, b"half")
    assert [path.name for path in tmp_path.iterdir()] == ["export.csv"] and file.read_text() == "old"


def test_the_state_directory_is_for_the_group_whichever_program_comes_first(tmp_path: Path) -> None:
    make_dir(runtime_dir(tmp_path / "state"))
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "state", tmp_path / "state" / "run")} == {0o750}


@pytest.mark.parametrize("words", [("schema", "room"), ("check", "playlists/mdma.toml")])
def test_a_full_disk_behind_a_pipe_is_one_sentence_and_a_reader_that_leaves_is_none(words: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "controller", *words]
    with Path("/dev/full").open("w") as full:
        said = subprocess.run(command, check=False, stdout=full, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)
    assert (said.returncode, said.stderr) == (1, "what was to be said here: No space left on device\n")
    reader, writer = os.pipe()
    os.close(reader)
    left = subprocess.run(command, check=False, stdout=writer, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)
    os.close(writer)
    assert (left.returncode, left.stderr) == (1, "")


WRONG = {
    "[[sound.buses]]\nname = 's'\nchannels = 5": "channels: must be a list, in square brackets (it is 5)",
    "[[sound.buses]]\nname = 's'\nchannels = [[1], 2]": "channels[1]: must be a whole number",
    "sound = 5": "sound: must be a table (it is 5)",
    "ports = ['a']": "ports: must be a table",
    "music = {folders = [5]}": "music.folders[1]: must be a path, in quotation marks (it is 5)",
    "preflight = {code = 'a{99999999999999999999}'}": "preflight.code: is no regular expression that could be used",
    f"preflight = {{code = '{'(' * 5000}'}}": "preflight.code: is no regular expression that could be used",
    f"x = {'[' * 3000}": "not TOML: nested too deeply",
    f"x = 1{'0' * 5000}": "not TOML: Exceeds the limit (4300 digits)",
    "timetable = {timezone = ''}": 'there is no timezone ""; its name is like Europe/Berlin',
    "timetable = {lights_off = 22:30:00}": "22:30:00 is no time of day; write it like ",
    f"light = {{lamps = '{'x' * 5000}'}}": f"must be a list, in square brackets (it is '{'x' * 79}…)",
    "[[light.lamps]]\nname = 'a'\nprofile = 'wled'\ndevice = 'wled/#'": "device: is part of its topics",
    "[[light.lamps]]\nname = 'a'\nprofile = 'wled'\ndevice = ''": "light.lamps[1].device: is missing",
}  # fmt: skip


@pytest.mark.parametrize(("wrong", "said"), WRONG.items(), ids=lambda text: text[:30])
def test_whatever_stands_in_a_file_is_a_mistake_in_words_and_never_a_traceback(
    tmp_path: Path, wrong: str, said: str
) -> None:
    file = tmp_path / "room.toml"
    file.write_text(f'format = 1\nname = "r"\n{wrong}\n')
    with pytest.raises(ConfigError) as error:
        check_file(file)
    assert [said in mistake for mistake in error.value.mistakes] == [True] * len(error.value.mistakes), str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('\ufeffformat = 1\nname = "r"\n', "begins with a byte order mark; save it as UTF-8 without one"),
        ('format = "1"\nname = "r"\n', "format: must be 1, without quotation marks"),
        ("profile = 1\nkind = ['button']\n", "kind: \"['button']\" is not a kind of device"),
    ],
)
def test_what_an_editor_or_a_hand_does_to_a_files_head_is_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "room.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"room\.toml: ") as error:
        check_file(file)
    assert said in str(error.value)


def test_a_password_that_is_no_text_is_named_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "password").write_bytes(b"\xff\xfe")
    file = tmp_path / "room.toml"
    file.write_text(f'format = 1\nname = "r"\nbroker = {{password_file = "{tmp_path}/password"}}\n')
    with pytest.raises(ConfigError, match="password does not hold a password in UTF-8"):
        load_room(file).broker("daemon")
