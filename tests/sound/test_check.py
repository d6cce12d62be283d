"""A technician with a meter sets a room: the arithmetic, the talk with a room that answers, and the file after it."""

import os
import pty
import select
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import log10
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from controller import clock
from controller.config import load_room
from controller.files import ConfigError
from controller.room_file import replace_room_file, with_sound
from controller.sound.calibration import (
    CEILING_DBA,
    CREST_DB,
    PROGRAMME_DBA,
    BusLevels,
    Implausible,
    loudness_at_the_ear,
    mistakes_of,
    rewire,
    settle,
)
from controller.sound.card_controls import is_bluetooth, moved_settings, parse_scontents, read_controls
from controller.sound.check import Ask, Play, Say, Talk
from controller.sound_cli import app
from tests.sound.pulse import Pulse
from tests.sound.room import wait as pause

RATE = 48_000

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

SPEAKERS = BusLevels(name="speakers", channels=(1, 2), ceiling_dbfs=-6.0)
HEADPHONES = BusLevels(name="headphones", channels=(3, 4), ceiling_dbfs=-12.0)

sensitivities = st.floats(80.0, 115.0).map(lambda dba: round(dba, 1))


# -- the arithmetic ---------------------------------------------------------------------------------------------------


@given(st.lists(sensitivities, min_size=1, max_size=4))
def test_after_a_check_the_programme_is_as_loud_by_every_bus_and_nothing_passes_the_ceiling(dba: list[float]) -> None:
    buses = [BusLevels(name=f"b{number}", channels=(1, 2), sensitivity_dba=each) for number, each in enumerate(dba)]
    target, settled = settle(buses, -23.0)
    for bus in settled:
        assert bus.sensitivity_dba is not None
        at_the_ear = loudness_at_the_ear(target, bus.level_db, bus.sensitivity_dba)
        assert at_the_ear == pytest.approx(PROGRAMME_DBA, abs=0.11)
        assert CEILING_DBA - 0.2 < bus.ceiling_dbfs + bus.sensitivity_dba <= CEILING_DBA or bus.ceiling_dbfs == -1.0
        assert bus.ceiling_dbfs + bus.sensitivity_dba <= CEILING_DBA + 1e-9
        assert bus.level_db <= 0.0
    assert mistakes_of(settled, target) == []
    assert settle(settled, target) == (target, settled), "a second look changes nothing"


@given(sensitivities, st.floats(-60.0, -1.0), st.floats(-40.0, 0.0))
def test_a_bus_that_was_not_measured_never_becomes_louder(dba: float, ceiling: float, level: float) -> None:
    other = BusLevels(name="other", channels=(3, 4), level_db=level, ceiling_dbfs=ceiling)
    target, (_, left) = settle([replace(SPEAKERS, sensitivity_dba=dba), other], -23.0)
    assert left.ceiling_dbfs == ceiling
    assert target + left.level_db <= -23.0 + level + 0.06 or left.level_db == -60.0


@given(st.floats(20.0, 140.0))
def test_an_amplifier_that_is_far_off_is_named_and_not_set(dba: float) -> None:
    try:
        target, (bus,) = settle([replace(SPEAKERS, sensitivity_dba=dba)], -23.0)
    except Implausible as why:
        assert ("up" in str(why)) == (dba < 90.0)
    else:
        assert -50.0 <= target <= -14.0
        assert -60.0 <= bus.ceiling_dbfs <= -1.0


def test_jacks_are_given_the_channels_that_were_heard_there() -> None:
    straight = {(bus, side): (bus, side) for bus in ("speakers", "headphones") for side in ("left", "right")}
    assert rewire((SPEAKERS, HEADPHONES), straight) == (SPEAKERS, HEADPHONES)
    swapped = {(bus, side): ("headphones" if bus == "speakers" else "speakers", side) for bus, side in straight}
    speakers, headphones = rewire((SPEAKERS, HEADPHONES), swapped)
    assert (speakers.channels, headphones.channels) == ((3, 4), (1, 2))
    one = {**straight, ("speakers", "right"): ("speakers", "left")}
    with pytest.raises(Implausible, match="channels 1 and 2 were both heard at speakers left"):
        rewire((SPEAKERS, HEADPHONES), one)


# -- the talk ---------------------------------------------------------------------------------------------------------


@dataclass
class Ear:
    """A room and its technician: how sensitive its buses really are, what is plugged where, and how the meter errs."""

    sensitivities: dict[str, float]
    jacks: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    background: float = 32.0
    meter_error: float = 0.0
    levelled: float = 1.0
    """How much of a change reaches the ear: less where something levels by itself."""
    audible: float = 38.0
    played: list[Play] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    def at_the_ear(self) -> float:
        step = self.played[-1] if self.played else Play("")
        power = 10 ** (self.background / 10)
        for dbfs in (step.left_dbfs, step.right_dbfs):
            if dbfs is not None:
                power += 10 ** ((self.sensitivities[step.bus] + dbfs * self.levelled) / 10) / 2
        return round(10 * log10(power) + self.meter_error, 1)

    def answer(self, question: str) -> str:
        if "jack" in question:
            step = self.played[-1]
            meant = (step.bus, "left" if step.right_dbfs is None else "right")
            return " ".join(self.jacks.get(meant, meant)) if self.at_the_ear() > self.audible else "nothing"
        if "softer" not in question and "Nothing" not in question and self.at_the_ear() < 50.0:
            return "+"
        return f"{self.at_the_ear()}"

    def talk(self, *buses: BusLevels, most: int = 100) -> Talk:
        talk = Talk(buses)
        steps = talk.steps()
        answer: str | None = None
        try:
            for _ in range(most):
                step = next(steps) if answer is None else steps.send(answer)
                answer = None
                match step:
                    case Play():
                        self.played.append(step)
                    case Say():
                        self.said.append(step.text)
                    case Ask():
                        answer = self.answer(step.question)
                        self.answers.append(answer)
        except StopIteration:
            return talk
        raise AssertionError(f"no end: {self.said[-3:]}")


@settings(deadline=None)
@given(st.floats(80.0, 112.0), st.floats(80.0, 112.0), st.floats(20.0, 38.0))
def test_a_room_that_is_measured_is_known_within_half_a_decibel_and_never_startled(
    speakers: float, headphones: float, background: float
) -> None:
    real = {"speakers": speakers, "headphones": headphones}
    ear = Ear(real, background=background)
    try:
        talk = ear.talk(SPEAKERS, HEADPHONES)
    except Implausible as why:
        assert "ceiling allows" in str(why)
        assert min(real.values()) - 20.0 < 65.0, "only where the ceiling keeps it inaudible"
        return
    for bus in talk.buses:
        assert bus.sensitivity_dba == pytest.approx(real[bus.name], abs=0.5)
    assert talk.measured == set(real)
    # Quiet to begin with, louder only by an answer, and then by one step; never near the ceiling.
    loudest: dict[str, float] = {}
    for step in ear.played:
        levels = [dbfs for dbfs in (step.left_dbfs, step.right_dbfs) if dbfs is not None]
        if levels:
            assert max(levels) <= loudest.get(step.bus, -66.0) + 6.0 + 1e-9
            loudest[step.bus] = max(loudest.get(step.bus, -66.0), *levels)
            ceiling = {"speakers": -6.0, "headphones": -12.0}[step.bus]
            assert max(levels) + CREST_DB < ceiling
    assert max(loudest.values()) <= -60.0 + 6.0 * sum(one in ("+", "nothing") for one in ear.answers)
    assert ear.played[-1].left_dbfs is ear.played[-1].right_dbfs is None, "in the end nothing sounds"


def test_a_calibrated_room_is_played_at_its_level_and_told_how_far_it_moved() -> None:
    known = replace(SPEAKERS, sensitivity_dba=90.0)
    ear = Ear({"speakers": 93.0})
    talk = ear.talk(known)
    assert talk.buses[0].sensitivity_dba == pytest.approx(93.0, abs=0.2)
    both = [step.left_dbfs for step in ear.played if None not in (step.left_dbfs, step.right_dbfs)]
    assert both[0] == -28.0, "62 dB(A), by what was known"
    assert any("+3.0 dB" in text for text in ear.said)


@pytest.mark.parametrize(
    ("ear", "why"),
    [
        (Ear({"speakers": 70.0}, levelled=0.4), "levels by itself"),
        (Ear({"speakers": 100.0}, background=58.0), "too loud to measure in"),
        (Ear({"speakers": 100.0}, meter_error=-45.0, audible=-60.0), "nothing that a meter reads"),
    ],
)
def test_a_reading_that_cannot_be_right_is_refused_with_its_reason(ear: Ear, why: str) -> None:
    with pytest.raises(AssertionError, match="no end"):
        ear.talk(SPEAKERS)
    assert any(why in text for text in ear.said)


def test_a_channel_that_nobody_hears_ends_the_check_and_says_where_to_look() -> None:
    with pytest.raises(Implausible, match=r"channel 1 \(speakers left\) is not heard at -14 dBFS"):
        Ear({"speakers": 20.0}).talk(SPEAKERS)


def test_swapped_jacks_are_found_and_nothing_is_measured_on_them() -> None:
    swapped = {("speakers", "left"): ("speakers", "right"), ("speakers", "right"): ("speakers", "left")}
    talk = Ear({"speakers": 100.0}, jacks=swapped).talk(SPEAKERS)
    assert talk.moved
    assert not talk.measured
    assert talk.buses[0].channels == (2, 1)


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


def test_bluetooth_is_seen_in_a_sinks_name() -> None:
    assert is_bluetooth("device:pulse", {"pulse bluez_output.00_11.1 front-left": "40%"})
    assert not is_bluetooth("device:USB Audio: - (hw:1,0)", {"alsa USB PCM Front Left": "74%"})


# -- the whole of it --------------------------------------------------------------------------------------------------


def verb(room_file: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["check", str(room_file), *words, "--state", str(room_file.parent / "state")])


class Terminal:
    """A technician's terminal."""

    def __init__(self, *command: str) -> None:
        self._master, slave = pty.openpty()
        words = {**os.environ, "TERM": "dumb", "COLUMNS": "120"}
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=words)
        os.close(slave)
        self.seen = ""

    def until(self, words: str, seconds: float = 20.0) -> None:
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
    at.answer("", "left")
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
    at.answer("", "yes")
    at.until("is written")
    assert at.process.wait(10) == 0
    sound = tomllib.loads(room_file.read_text(encoding="utf-8"))["sound"]
    assert [bus["ceiling_dbfs"] for bus in sound["buses"]] == [-20.0, -36.5]
    heard, _ = soundfile.read(room_file.parent / "heard.wav", always_2d=True)
    assert heard.shape[1] == 4
    # At the beginning, for more than two seconds: speakers left, and nothing else.
    left = np.flatnonzero(np.abs(heard[:, 0]) > 1e-4)[0]
    assert not heard[: left + RATE, 1:].any()
    assert np.abs(heard).max() < 10 ** (-40 / 20), "nothing was louder than what was answered to"


def test_while_a_session_is_open_nothing_sounds(room_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from controller import sound_cli
    from controller.journal.reading import SessionInfo

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
