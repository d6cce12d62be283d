"""A first room file, from a terminal and from a script."""

import asyncio
import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controller.__main__ import app
from controller.broker_private import PrivateBroker
from controller.clock import boottime
from controller.config import load_room
from controller.files import ConfigError
from controller.schema import schema_of
from tests.commissioning.test_moving import bridge
from tests.waiting import PATIENCE_S


def make(*words: str) -> object:
    result = CliRunner().invoke(app, ["new-room", *words])
    if isinstance(result.exception, ConfigError):
        raise result.exception
    return result.exit_code


def test_a_script_makes_a_room_that_is_right_and_never_overwrites_one(tmp_path: Path) -> None:
    path = tmp_path / "room-7.toml"
    assert (
        make(str(path), "--yes", "--seconds", "0", "--listen", "speakers+headphones", "--broker", "b.local:1884") == 0
    )
    room = load_room(path)
    assert (room.name, room.table.broker.host, room.table.broker.port) == ("room-7", "b.local", 1884)
    assert [bus.channels for bus in room.table.sound.buses] == [(1, 2), (3, 4)]
    written = path.read_text(encoding="utf-8")
    schema = path.parent / written.splitlines()[0].removeprefix("#:schema ./")
    assert json.loads(schema.read_text(encoding="utf-8")) == schema_of("room"), "an editor can complete the file"
    with pytest.raises(ConfigError, match="is there already"):
        make(str(path), "--yes", "--seconds", "0")
    assert path.read_text(encoding="utf-8") == written


def test_what_would_be_no_right_room_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="output"):
        make(str(tmp_path / "x.toml"), "--yes", "--seconds", "0", "--output", "loud")
    with pytest.raises(ConfigError, match=r"no HOST\[:PORT\]"):
        make(str(tmp_path / "x.toml"), "--yes", "--broker", "b:c")
    with pytest.raises(ConfigError, match=r'did you mean "speakers"'):
        make(str(tmp_path / "x.toml"), "--yes", "--seconds", "0", "--listen", "speakrs")
    assert list(tmp_path.iterdir()) == []


class Typed:
    """A process at a terminal, and what it has shown there."""

    def __init__(self, *words: str) -> None:
        self._master, slave = pty.openpty()
        command = [sys.executable, "-m", "controller", *words]
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.shown = ""

    def expect(self, text: str, within: float = PATIENCE_S) -> None:
        """Wait until it shows a text that it had not shown before."""
        deadline = boottime() + within
        while text not in self.shown:
            assert boottime() < deadline, f"{text!r} never came: {self.shown}"
            if select.select([self._master], [], [], 0.1)[0]:
                self.shown += os.read(self._master, 4096).decode()
        self.shown = self.shown.partition(text)[2]

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self._master, text.encode() + b"\n")

    def close(self) -> int:
        """Hang up."""
        code = self.process.wait(PATIENCE_S)
        os.close(self._master)
        return code


async def test_a_room_is_made_at_a_terminal_with_the_lamps_that_are_there(
    mosquitto: PrivateBroker, tmp_path: Path
) -> None:
    path = tmp_path / "quiet.toml"
    light = {"type": "light", "features": [{"name": "brightness"}]}
    told = [
        {"friendly_name": name, "definition": {"vendor": "IKEA", "model": "LED1836G9", "exposes": [light]}}
        for name in ("bed left", "kitchen")
    ]

    def talk() -> int:
        typed = Typed("new-room", str(path), "--seconds", "0.5")
        for question, answer in (
            ("room's name:", ""), ("sound goes", "loud"), ("no place for the sound", "auto"), ("listen to:", "both"),
            ("Please one of", "speakers+headphones"),
            ("music:", ""), ("broker, HOST", "a:b"), ("no HOST", f"127.0.0.1:{mosquitto.port}"), ("User name", ""),
            ("passed on after", "900"),
            ("number from 1 to 60", "4"), ("nobody answers", ""), ("in the room?", ""), ("in the room?", "n"),
        ):  # fmt: skip
            typed.expect(question)
            typed.type(answer)
        typed.expect("a room with 1 lamp; it is right")
        return typed.close()

    async with bridge(mosquitto, "zigbee2mqtt-dimmable", "bed left") as far:
        far._link.publish("zigbee2mqtt/bridge/devices", json.dumps(told), retain=True)
        assert await asyncio.to_thread(talk) == 0
    room = load_room(path)
    assert (room.name, room.table.call.deliver_within_s) == ("quiet", 4.0)
    assert [(lamp.name, lamp.device) for lamp in room.table.light.lamps] == [("bed-left", "bed left")]
