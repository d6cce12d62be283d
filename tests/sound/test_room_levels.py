"""What a sound check leaves behind: the room file, the card's volumes it remembers; and a whole one at a terminal."""

import errno
import json
import os
import pty
import select
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from controller import clock
from controller.config import load_room
from controller.files import ConfigError
from controller.journal.reading import SessionInfo
from controller.room_file import replace_room_file, with_sound
from controller.sound import card_controls
from controller.sound.calibration import settle
from controller.sound.card_controls import (
    Unreadable,
    is_bluetooth,
    moved_settings,
    parse_scontents,
    parse_streams,
    read_controls,
)
from controller.verbs import sound as sound_cli
from tests.sound.pulse import Pulse
from tests.sound.room import RATE
from tests.sound.room import wait as pause
from tests.sound.test_check import HEADPHONES, SPEAKERS
from tests.waiting import PATIENCE_S

ROOM = """\
# The room at the end of the corridor.
format = 1
name = "room-1"

[sound]
output = "{output}"      # the interface under the table
target_lufs = -23.0        # every piece

[[sound.buses]]
name = "speakers"
channels = [1, 2]
ceiling_dbfs = -6.0        # never above

# The headphones hang at the second pair.
[[sound.buses]]
name = "headphones"
channels = [3, 4]
ceiling_dbfs = -12.0

[light]
floor = 0.05               # a person must find the door
"""

# -- the file ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def room_file(tmp_path: Path) -> Path:
    path = tmp_path / "room.toml"
    path.write_text(ROOM.format(output=f"file:{tmp_path / 'heard.wav'}"), encoding="utf-8")
    path.chmod(0o640)
    return path


def written(path: Path, *dba: float) -> str:
    buses = [replace(bus, sensitivity_dba=each) for bus, each in zip((SPEAKERS, HEADPHONES), dba, strict=True)]
    target, settled = settle(buses, -23.0)
    measured = {bus.name for bus in settled}
    card = {"alsa USB PCM Front Left": "74% -6.00dB on"}
    day = clock.utc_now().date()
    return with_sound(path.read_text(encoding="utf-8"), settled, target, card, measured=measured, by="AB", on=day)


def test_what_people_wrote_into_the_room_file_stays_and_what_was_found_is_added(room_file: Path) -> None:
    before = room_file.read_text(encoding="utf-8")
    replace_room_file(room_file, written(room_file, 88.0, 95.0))
    after = room_file.read_text(encoding="utf-8")
    for line in before.splitlines():
        assert line in after or line.startswith(("ceiling_dbfs", "target_lufs")), line
    assert '# The headphones hang at the second pair.\n[[sound.buses]]\nname = "headphones"' in after
    room = load_room(room_file)
    speakers, headphones = room.table.sound.buses
    assert room.rules().target_lufs == -22.5, "62 dB(A) by the speakers"
    assert (speakers.ceiling_dbfs, speakers.level_db) == (-8.0, 0.0)
    assert (headphones.ceiling_dbfs, headphones.level_db) == (-15.0, -7.0)
    assert headphones.calibration is not None
    assert headphones.calibration.by == "AB"
    assert room.rules().peak_dbfs == -9.0, "a piece's peaks, before the headphones are turned down"
    assert room_file.stat().st_mode & 0o777 == 0o640
    replace_room_file(room_file, written(room_file, 88.0, 95.0))
    assert room_file.read_text(encoding="utf-8") == after, "a second time changes nothing"


def test_a_room_file_that_was_written_on_windows_keeps_its_line_ends(room_file: Path) -> None:
    lines = room_file.read_bytes().splitlines()
    room_file.write_bytes(b"".join(line + b"\r\n" for line in lines))
    replace_room_file(room_file, written(room_file, 88.0, 95.0))
    after = room_file.read_bytes()
    assert len(after.splitlines()) > len(lines)
    assert all(line.endswith(b"\r\n") and line.count(b"\r") == 1 for line in after.splitlines(keepends=True))
    assert load_room(room_file).rules().target_lufs == -22.5


def test_jacks_that_hang_elsewhere_lose_their_measurement(room_file: Path) -> None:
    replace_room_file(room_file, written(room_file, 88.0, 95.0))
    speakers, headphones = (bus.levels() for bus in load_room(room_file).table.sound.buses)
    moved = (
        replace(speakers, channels=(3, 4), sensitivity_dba=None),
        replace(headphones, channels=(2, 1), sensitivity_dba=None),
    )
    text = room_file.read_text(encoding="utf-8")
    fresh = with_sound(text, moved, -22.5, None, measured=(), by="AB", on=clock.utc_now().date())
    replace_room_file(room_file, fresh)
    sound = load_room(room_file).table.sound
    assert [(bus.channels, bus.calibration) for bus in sound.buses] == [((3, 4), None), ((2, 1), None)]
    assert sound.card, "the card is as it was"


@pytest.mark.parametrize(
    "sound", ["", '[sound]\noutput = "null"\n', '[sound]\nbuses = [{name = "speakers", channels = [1, 2]}]\n']
)
def test_a_room_file_that_says_little_of_its_sound_is_filled_in(tmp_path: Path, sound: str) -> None:
    path = tmp_path / "room.toml"
    path.write_text(f'format = 1\nname = "room-1"\n\n{sound}\n[light]\nfloor = 0.05\n', encoding="utf-8")
    buses = [replace(SPEAKERS, sensitivity_dba=90.0, ceiling_dbfs=-10.0)]
    text = path.read_text(encoding="utf-8")
    day = clock.utc_now().date()
    replace_room_file(path, with_sound(text, buses, -24.5, {"a b": "1"}, measured={"speakers"}, by="AB", on=day))
    found = load_room(path).table.sound
    assert found.buses[0].levels() == buses[0]
    assert (found.target_lufs, found.card) == (-24.5, {"a b": "1"})


def test_a_second_check_touches_no_word_that_stands_behind_the_cards_volumes_or_heads_what_follows(
    room_file: Path,
) -> None:
    heading = "# -- the light ----------\n[light]"
    text = room_file.read_text(encoding="utf-8").replace("[light]", f"\n{heading}")
    room_file.write_text(text, encoding="utf-8")
    replace_room_file(room_file, written(room_file, 88.0, 95.0))
    first = room_file.read_text(encoding="utf-8")
    assert heading in first and first.index("[sound.card]") < first.index(heading)
    remarked = first.replace('on"\n', 'on"  # as it was delivered\n').replace(
        "[sound.card]", '[sound.card]\ngone = "1"'
    )
    assert remarked.count("delivered") == 1
    room_file.write_text(remarked, encoding="utf-8")
    replace_room_file(room_file, written(room_file, 88.0, 96.0))
    second = room_file.read_text(encoding="utf-8")
    assert heading in second and 'on"  # as it was delivered' in second
    assert list(load_room(room_file).table.sound.card) == ["alsa USB PCM Front Left"]


@pytest.mark.parametrize(
    "sound",
    [
        'sound = {output = "null", buses = [{name = "speakers", channels = [1, 2]}]}\n[light]\nfloor = 0.05\n',
        'sound.output = "null"\n[light]\nfloor = 0.05\n',
        '[sound]\noutput = "null"\n[light]\nfloor = 0.05\n[[sound.buses]]\nname = "speakers"\nchannels = [1, 2]\n',
    ],
)
def test_a_file_that_nothing_could_be_added_to_is_named_before_anybody_measures(tmp_path: Path, sound: str) -> None:
    path = tmp_path / "room.toml"
    path.write_text(f'format = 1\nname = "room-1"\n{sound}', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"bring all of it together under \[sound\]"):
        sound_cli._check(load_room(path), tmp_path, "AB", pytest.fail)


def test_a_file_of_somebody_elses_keeps_the_group_by_which_the_daemon_reads_it(
    room_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def chown(_file: Path, user: int, group: int) -> None:
        asked.append((user, group))
        if user != -1:
            raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chown", chown)
    replace_room_file(room_file, written(room_file, 88.0, 95.0))
    assert asked[-1] == (-1, room_file.stat().st_gid) and "calibration" in room_file.read_text(encoding="utf-8")


def test_a_file_that_would_not_be_right_is_never_put_in_place(room_file: Path) -> None:
    before = room_file.read_bytes()
    with pytest.raises(ConfigError) as told:
        replace_room_file(room_file, written(room_file, 88.0, 95.0) + "\nbogus = 1\n")
    assert str(room_file) in told.value.mistakes[0]
    assert room_file.read_bytes() == before
    assert list(room_file.parent.iterdir()) == [room_file]


def test_a_ceiling_raised_above_what_was_measured_is_a_mistake_in_the_file(room_file: Path) -> None:
    text = written(room_file, 88.0, 95.0)
    room_file.write_text(text.replace("ceiling_dbfs = -8.0", "ceiling_dbfs = -6.0"), encoding="utf-8")
    with pytest.raises(ConfigError, match="ceiling_dbfs -6 would let 82 dB"):
        load_room(room_file)
    room_file.write_text(text.replace("target_lufs = -22.5", "target_lufs = -18.5"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"target_lufs -18.5 with level_db 0 is 66 dB\(A\)"):
        load_room(room_file)


# -- the card's own volumes -------------------------------------------------------------------------------------------

SCONTENTS = """\
Simple mixer control 'Master',0
  Capabilities: pvolume pvolume-joined pswitch pswitch-joined
  Playback channels: Mono
  Limits: Playback 0 - 87
  Mono: Playback 64 [74%] [-17.25dB] [on]
Simple mixer control 'PCM',0
  Capabilities: pvolume
  Playback channels: Front Left - Front Right
  Limits: Playback 0 - 255
  Mono:
  Front Left: Playback 255 [100%] [0.00dB]
  Front Right: Playback 250 [98%] [-1.00dB]
Simple mixer control 'Mic',1
  Capabilities: pvolume cvolume pswitch cswitch
  Playback channels: Front Left - Front Right
  Capture channels: Front Left - Front Right
  Limits: Playback 0 - 31 Capture 0 - 15
  Front Left: Playback 0 [0%] [-34.50dB] [off] Capture 8 [53%] [12.00dB] [on]
  Front Right: Playback 0 [0%] [-34.50dB] [off] Capture 8 [53%] [12.00dB] [on]
Simple mixer control 'Capture',0
  Capabilities: cvolume cswitch
  Capture channels: Front Left - Front Right
  Limits: Capture 0 - 46
  Front Left: Capture 46 [100%] [30.00dB] [off]
  Front Right: Capture 46 [100%] [30.00dB] [off]
Simple mixer control 'Auto-Mute Mode',0
  Capabilities: enum
  Items: 'Disabled' 'Enabled'
  Item0: 'Enabled'
"""


def test_the_cards_playback_volumes_are_read_and_its_microphones_left_alone() -> None:
    assert parse_scontents(SCONTENTS) == {
        "Master Mono": "74% -17.25dB on",
        "PCM Front Left": "100% 0.00dB",
        "PCM Front Right": "98% -1.00dB",
        "Mic 1 Front Left": "0% -34.50dB off",
        "Mic 1 Front Right": "0% -34.50dB off",
        "Auto-Mute Mode": "Enabled",
    }


def test_what_has_moved_is_named_and_what_has_not_is_not() -> None:
    before = parse_scontents(SCONTENTS)
    assert moved_settings(before, dict(before)) == []
    now = parse_scontents(SCONTENTS.replace("64 [74%] [-17.25dB] [on]", "87 [100%] [0.00dB] [on]"))
    assert moved_settings(before, now) == ["Master Mono: was 74% -17.25dB on, is 100% 0.00dB on"]
    assert moved_settings(before, {}) == [f"{name}: was {value}, is not there" for name, value in before.items()]


def test_only_the_card_that_the_room_names_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cards = tmp_path / "cards"
    cards.write_text(
        " 0 [PCH            ]: HDA-Intel - HDA Intel PCH\n                      HDA Intel PCH at 0xf7d10000 irq 32\n"
        " 1 [ICUSBAUDIO7D   ]: USB-Audio - ICUSBAUDIO7D\n                      C-Media USB Audio at usb-1\n"
    )
    amixer = tmp_path / "amixer"
    amixer.write_text(f"#!/bin/sh\n[ \"$1 $2 $3\" = '-c 1 scontents' ] || exit 1\ncat <<'X'\n{SCONTENTS}X\n")
    monkeypatch.setattr(card_controls, "_CARDS", cards)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(Unreadable, match="alsa-utils"):
        read_controls("device:USB Audio: - (hw:1,0)")
    amixer.chmod(0o755)
    for output in ("device:USB Audio: - (hw:1,0)", "device:hw:CARD=ICUSBAUDIO7D"):
        assert read_controls(output)["alsa ICUSBAUDIO7D Master Mono"] == "74% -17.25dB on"
    with pytest.raises(Unreadable):
        read_controls("auto")
    assert read_controls("null") == {}


def test_a_stream_that_the_sound_server_turns_down_is_named_with_its_remedy() -> None:
    quiet = {"left": {"value_percent": "50%"}, "right": {"value_percent": "100%"}}
    stream = {"index": 7, "mute": True, "volume": quiet, "properties": {"application.process.id": "42"}}
    other = {**stream, "properties": {"application.process.id": "43"}}
    whole = {**stream, "mute": False, "volume": {"left": {"value_percent": "100%"}}}
    assert parse_streams(json.dumps([other, whole]), "42") == []
    muted, turned = parse_streams(json.dumps([other, stream]), "42")
    assert muted.endswith("pactl set-sink-input-mute 7 0")
    assert turned == "PulseAudio plays the engine's stream at 100%, 50%: pactl set-sink-input-volume 7 100%"


@pytest.mark.parametrize("said", ["not json", "[{}]", '[{"name": "usb", "mute": false, "volume": []}]', "{}", '["x"]'])
def test_what_a_sound_server_says_in_another_way_is_told_and_never_ends_a_preflight(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pactl = tmp_path / "pactl"
    pactl.write_text(f"#!/bin/sh\n[ $1 = get-default-sink ] && echo usb || cat <<'X'\n{said}\nX\n")
    pactl.chmod(0o755)
    monkeypatch.setattr(card_controls, "_CARDS", tmp_path / "none")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (told,) = card_controls.find_moves({"pulse usb front-left": "74%"}, "auto", tmp_path)
    assert told in (
        "what pactl says of the sound server's volumes cannot be understood",
        "pulse usb front-left: was 74%, is not there",
    )


def test_bluetooth_is_seen_in_a_sinks_name() -> None:
    assert is_bluetooth("device:pulse", {"pulse bluez_output.00_11.1 front-left": "40%"})
    assert not is_bluetooth("device:USB Audio: - (hw:1,0)", {"alsa USB PCM Front Left": "74%"})


# -- the whole of it --------------------------------------------------------------------------------------------------


def verb(room_file: Path, *words: str) -> Result:
    return CliRunner().invoke(
        sound_cli.app, ["check", str(room_file), *words, "--state", str(room_file.parent / "state")]
    )


class Terminal:
    """A technician's terminal."""

    def __init__(self, *command: str) -> None:
        self._master, slave = pty.openpty()
        words = {**os.environ, "TERM": "dumb", "COLUMNS": "120"}
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=words)
        os.close(slave)
        self.seen = ""

    def until(self, words: str, seconds: float = PATIENCE_S) -> None:
        deadline = clock.boottime() + seconds
        start = len(self.seen)
        while words not in self.seen[start:]:
            left = deadline - clock.boottime()
            assert left > 0, f"{words!r} was not said:\n{self.seen}"
            if select.select([self._master], [], [], left)[0]:
                try:
                    self.seen += os.read(self._master, 4096).decode()
                except OSError:
                    raise AssertionError(f"it ended before {words!r}:\n{self.seen}") from None

    def answer(self, question: str, words: str) -> None:
        self.until(question)
        os.write(self._master, f"{words}\n".encode())

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)


@pytest.fixture
def terminal(room_file: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start() -> Terminal:
        state = str(room_file.parent / "state")
        opened.append(Terminal(sys.executable, "-m", "controller", "sound", "check", str(room_file), "--state", state))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_a_technician_sets_the_room_at_a_terminal_and_each_tone_is_where_it_was_said_to_be(
    room_file: Path, terminal: Callable[..., Terminal]
) -> None:
    at = terminal()
    at.answer("initials", "AB")
    at.until("speakers, channel 1")
    pause(0.3)
    at.answer("", "+")
    at.until("speakers, channel 1")
    pause(1.0)
    at.answer("", "Left")
    for question, answer in [
        ("speakers, channel 2", "right"),
        ("headphones, channel 3", "l"),
        ("headphones, channel 4", "r"),
        ("Nothing plays", "30"),
        ("speakers, both", "900"),
        ("speakers, both", "+"),
        ("speakers, both", "52"),
        ("speakers, 6 dB softer", "46.1"),
        ("headphones, both", "56,5"),
        ("headphones, 6 dB softer", "50,4"),
    ]:
        at.answer(question, answer)
    at.until("Write this")
    assert '+calibration = {sensitivity_dba = 100.0, by = "AB"' in at.seen
    assert room_file.read_text(encoding="utf-8").startswith("# The room at")
    assert "calibration" not in room_file.read_text(encoding="utf-8"), "not before it is agreed to"
    at.answer("", "sure")
    at.answer("Write this", "Yes")
    at.until("is written")
    assert at.process.wait(PATIENCE_S) == 0
    sound = tomllib.loads(room_file.read_text(encoding="utf-8"))["sound"]
    assert [bus["ceiling_dbfs"] for bus in sound["buses"]] == [-20.0, -36.5]
    heard, _ = soundfile.read(room_file.parent / "heard.wav", always_2d=True)
    assert heard.shape[1] == 4
    # At the beginning, for more than two seconds: speakers left, and nothing else.
    left = np.flatnonzero(np.abs(heard[:, 0]) > 1e-4)[0]
    assert not heard[: left + RATE, 1:].any()
    assert np.abs(heard).max() < 10 ** (-40 / 20), "nothing was louder than what was answered to"


def test_while_a_session_is_open_nothing_sounds(room_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = SessionInfo(session="s-1", file=room_file, records=3, opened_utc="", last_utc="", closed=False)
    monkeypatch.setattr(sound_cli, "list_sessions", lambda _state: [info])
    with pytest.raises(sound_cli.NotHeard, match="session s-1 is open"):
        sound_cli._check(load_room(room_file), room_file.parent, "AB", lambda _question: "")


@pytest.mark.skipif(shutil.which("pulseaudio") is None, reason="pulseaudio is not installed")
def test_a_volume_that_moved_since_the_room_was_measured_is_found_without_a_sound(
    room_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse = Pulse(room_file.parent / "pulse")
    pulse.start()
    try:
        for name in ("XDG_RUNTIME_DIR", "HOME"):
            monkeypatch.setenv(name, pulse.environment[name])
        room_file.write_text(ROOM.format(output="auto"), encoding="utf-8")
        card = read_controls("auto")
        assert card["pulse room front-left"] == "100% 0.00 dB on"
        fresh = with_sound(
            written(room_file, 88.0, 95.0), (), -22.5, card, measured=(), by="AB", on=clock.utc_now().date()
        )
        replace_room_file(room_file, fresh)
        still = verb(room_file, "--verify")
        assert still.exit_code == 0, still.output
        pulse.control("set-sink-volume", "room", "60%")
        moved = verb(room_file, "--verify")
        assert moved.exit_code == 1
        assert "pulse room front-left: was 100% 0.00 dB on, is 60% -13.31 dB on" in moved.output
    finally:
        pulse.close()


def test_what_would_be_played_can_be_seen_beforehand(room_file: Path) -> None:
    told = verb(room_file, "--dry-run")
    assert told.output.splitlines()[0] == "speakers left (channel 1): -60.0 dBFS"
    assert not (room_file.parent / "heard.wav").exists()


def test_a_room_that_was_never_measured_is_said_to_be_so(room_file: Path) -> None:
    told = verb(room_file, "--verify", "--json")
    assert told.exit_code == 1
    moved = json.loads(told.output)["moved"]
    assert moved[0].startswith("speakers was never measured: stillroom sound check")
    assert len(moved) == 2
