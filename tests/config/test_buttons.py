"""A room file's buttons: every mistake at once, each with its place and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.config import load_profile, load_room
from controller.files import ConfigError
from controller.inputs.actions import ACTIONS, parse_action
from tests.config.test_serial import lamp, mistakes


def test_a_button_hangs_where_its_kind_belongs_and_does_what_there_is(tmp_path: Path) -> None:
    text = mistakes(
        tmp_path,
        lamp("wall", "dmx-dimmer", 'port = "dmx"', "channel = 1")
        + lamp("odd", "button-keypad")
        + '[buttons.a]\nprofile = "button-zigbe2mqtt"\ndoes = { single = "pause" }\n'
        + '[buttons.b]\nprofile = "button-zigbee2mqtt"\ndevice = "b"\ndoes = { singel = "pause" }\n'
        + '[buttons.c]\nprofile = "button-zigbee2mqtt"\nport = "dmx"\ndoes = { single = "call asist" }\n'
        + '[buttons.d]\nprofile = "button-fire-panel"\nport = "dmx"\ndoes = { open = "fire" }\n'
        + '[buttons.e]\nprofile = "button-contact-cts"\nport = "relais"\ndoes = { closed = "pause" }\n'
        + '[buttons.f]\nprofile = "button-contact-cts"\nport = "relays"\ndoes = { closed = "pause" }\n'
        + '[buttons.g]\nprofile = "button-contact-dsr"\nport = "relays"\ndoes = { closed = "pause" }\n'
        + '[buttons.h]\nprofile = "button-contact-cts"\nport = "relays"\ndoes = { closed = "pause" }\n'
        + '[buttons.i]\nprofile = "button-foot-switch"\ndevice = "/dev/input/event3"\ndoes = { left = "pause" }\n'
        + '[buttons.j]\nprofile = "dmx-dimmer"\ndoes = { single = "pause" }\n',
    )
    assert 'light.lamps[2].profile: "button-keypad" is a button, not a lamp' in text
    assert 'buttons.a.profile: there is no profile "button-zigbe2mqtt"; did you mean "button-zigbee2mqtt"?' in text
    assert 'buttons.b.does: "button-zigbee2mqtt" has no press "singel"; did you mean "single"?' in text
    assert 'buttons.c.does: "call asist" is nothing that a button can do; did you mean "call assist"?' in text
    assert "buttons.c.device: is missing" in text
    assert 'buttons.c.port: "button-zigbee2mqtt" has a device instead' in text
    assert 'buttons.d.port: "dmx" carries lamps; a button needs a port of its own' in text
    assert 'buttons.e.port: there is no port "relais"; did you mean "relays"?' in text
    assert 'buttons.h.port: f hangs on "relays" already' in text
    assert (
        "buttons.i.device: /dev/input/event3 is given out anew at every plugging; take its name in /dev/input" in text
    )
    assert 'buttons.j.profile: "dmx-dimmer" is a lamp, not a button' in text
    assert len(text.splitlines()) == 11


def test_every_action_of_the_list_can_be_done() -> None:
    for action in ACTIONS:
        assert parse_action(action.replace("CODE", "spoke")) is not None
    for wrong in ("mark", "mark two words", "light", "call", "end"):
        assert parse_action(wrong) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[presses]\nsingle = ["a"]\n', "needs exactly one of [mqtt], [contact], [serial] and keyboard = true"),
        ('[presses]\nup = ["x"]\n[contact]\nline = "cts"\ndrive = "rts"\n', "a contact's presses are open and closed"),
        ('keyboard = true\n[presses]\nup = ["KEY_A"]\n', '"KEY_A" is no key: a key is its code (30) or its scan code'),
        ('[presses]\na = ["x"]\nb = ["x"]\n[serial]\n', "one word stands for two presses"),
        ('[presses]\na = ["x"]\n[mqtt]\ntopic = "{nmae}"\nfield = "f"\n', "unknown placeholder {nmae}"),
    ],
)
def test_a_buttons_file_is_read_over_like_any_other(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'profile = 1\nkind = "button"\nname = "mine"\n{text}')
    with pytest.raises(ConfigError) as error:
        load_profile(file)
    assert said in str(error.value)


def test_the_example_room_has_a_call_button_a_pedal_and_the_fire_panel(tmp_path: Path) -> None:
    settings = load_room(Path("deploy/rooms/serial-example.toml")).buttons(tmp_path)
    assert [button.name for button in settings.buttons] == ["bed", "pedal", "fire-panel"]
    assert settings.buttons[2].does["open"].fire
    assert settings.broker.client_id.startswith("stillroom-room-2-buttons")
