"""A room file's serial ports: every mistake at once, each with its place and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.config import load_profile, load_room
from controller.files import ConfigError

HEAD = """
format = 1
name = "room-1"

[ports.dmx]
device = "/dev/serial/by-id/usb-ENTTEC"

[ports.relays]
device = "/dev/serial/by-id/usb-1a86"
"""


def mistakes(folder: Path, text: str) -> str:
    file = folder / "room.toml"
    file.write_text(HEAD + text)
    with pytest.raises(ConfigError) as error:
        load_room(file)
    assert all(mistake.startswith(f"{file}: ") for mistake in error.value.mistakes)
    return "\n".join(error.value.mistakes)


def lamp(name: str, profile: str, *more: str) -> str:
    return "\n".join(["[[light.lamps]]", f'name = "{name}"', f'profile = "{profile}"', *more, ""])


def test_a_name_that_changes_at_every_plugging_is_refused(tmp_path: Path) -> None:
    text = mistakes(tmp_path, '[ports.other]\ndevice = "/dev/ttyUSB0"\n')
    assert "ports.other.device: /dev/ttyUSB0 is given out anew at every plugging; take its name in" in text


def test_a_lamp_is_plugged_where_its_kind_belongs(tmp_path: Path) -> None:
    text = mistakes(
        tmp_path,
        lamp("a", "dmx-dimmer", 'port = "dxm"', "channel = 1")
        + lamp("b", "dmx-rgbw", 'port = "dmx"', "channel = 510")
        + lamp("c", "dmx-dimmer", 'port = "dmx"')
        + lamp("d", "dmx-dimmer", 'port = "dmx"', "channel = 511", "on_above = 0.3")
        + lamp("e", "zigbee2mqtt-dimmable", 'port = "dmx"', "channel = 1")
        + lamp("f", "relay-lcus", 'port = "relays"', "channel = 9")
        + lamp("g", "relay-lcus", 'port = "dmx"', "channel = 1", 'on_in = ["exit"]', 'device = "x"'),
    )
    assert 'light.lamps[1].port: there is no port "dxm"; did you mean "dmx"?' in text
    assert "light.lamps[2].channel: from 510 on there is no room for 4 channels" in text
    assert 'light.lamps[3]: "dmx-dimmer" needs a port and a channel' in text
    assert "light.lamps[4].channel: b uses channel 511 of dmx already" in text
    assert 'light.lamps[4].on_above: "dmx-dimmer" is dimmed; only a lamp behind a relay has this' in text
    assert "light.lamps[5].device: is missing" in text
    assert 'light.lamps[5].port: "zigbee2mqtt-dimmable" is spoken to over MQTT: it has a device' in text
    assert 'light.lamps[6].channel: "relay-lcus" has channels 1 to 8 (it is 9)' in text
    assert "light.lamps[6]: a lamp behind a relay needs either on_above (a level) or on_in (scenes" in text
    assert 'light.lamps[7].device: "relay-lcus" hangs on a serial port: it has a port and a channel' in text
    assert 'light.lamps[7].port: "dmx" carries DMX already; "relay-lcus" needs its own' in text
    assert len(text.splitlines()) == 11


def test_a_fixture_file_is_read_over_like_any_other(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'profile = 1\nkind = "dmx-fixture"\nname = "mine"\npower_on = 0.0\nsignal_lost = "hald"\n'
        '[[channels]]\nat = 1\nrole = "warm"\nkelvin = 900\n[[channels]]\nat = 600\nrole = "lvel"\n'
    )
    with pytest.raises(ConfigError) as error:
        load_profile(file)
    text = str(error.value)
    assert 'signal_lost: "hald" is not allowed; did you mean "hold"?' in text
    assert "channels[1].kelvin" in text and "channels[2].at" in text
    assert 'channels[2].role: "lvel" is not allowed; did you mean "level"?' in text


def test_the_lamps_on_ports_get_one_driver_a_port(tmp_path: Path) -> None:
    room = load_room(Path("deploy/rooms/serial-example.toml"))
    widgets, boards = room.serial_lights(tmp_path)
    assert [[each.lamp for each in widget.lamps] for widget in widgets] == [["ceiling", "wall"]]
    assert [[each.lamp for each in board.lamps] for board in boards] == [["corridor", "salt-lamp"]]
    assert room.lights().lamps == ()
