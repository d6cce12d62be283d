"""What devices say of themselves, and the room-file blocks that come of it."""

import json
import tomllib
from pathlib import Path

import pytest

from controller.commissioning.blocks import Block, add_blocks, blocks_for, set_lowest
from controller.commissioning.found import devices_in
from controller.config import load_room, shipped_profiles
from controller.files import ConfigError

PROFILES = shipped_profiles()


def zigbee(name: str, vendor: str, model: str, exposes: list[object]) -> dict[str, object]:
    definition = {"vendor": vendor, "model": model, "description": "a device", "exposes": exposes}
    return {"ieee_address": "0x00", "type": "Router", "friendly_name": name, "definition": definition}


def light(*features: str) -> dict[str, object]:
    return {"type": "light", "features": [{"name": feature} for feature in ("state", *features)]}


def blocks(said: dict[str, object], *wires: str) -> tuple[list[Block], list[str]]:
    heard = {topic: [json.dumps(payload).encode()] for topic, payload in said.items()}
    return blocks_for(devices_in(heard), wires, PROFILES)


@pytest.mark.parametrize(
    ("device", "profile"),
    [
        (zigbee("bed", "IKEA", "LED1836G9", [light("brightness")]), "zigbee2mqtt-dimmable"),
        (zigbee("bed", "Philips", "LWA001", [light("brightness")]), "zigbee2mqtt-hue-dimmable"),
        (
            zigbee("bed", "IKEA", "LED1545G12", [light("brightness", "color_temp")]),
            "zigbee2mqtt-ikea-colour-temperature",
        ),
        (zigbee("bed", "Philips", "LCA001", [light("brightness", "color_temp")]), "zigbee2mqtt-hue-colour-temperature"),
        (zigbee("bed", "Innr", "RB 265", [light("brightness")]), "zigbee2mqtt-dimmable"),
        (zigbee("bed", "Innr", "SP 240", [{"type": "switch"}]), "zigbee2mqtt-plug"),
        (zigbee("bed", "IKEA", "E2123", [{"type": "enum", "name": "action"}]), "button-zigbee2mqtt"),
    ],
)
def test_a_zigbee_device_gets_the_profile_that_covers_it(device: dict[str, object], profile: str) -> None:
    (block,), rest = blocks({"zigbee2mqtt/bridge/devices": [{"type": "Coordinator", "definition": None}, device]})
    assert (block.table["profile"], block.table["device"], rest) == (profile, "bed", [])


def test_a_model_that_a_profile_names_is_said_so_and_another_is_only_the_nearest() -> None:
    named, other = (
        zigbee("a", "IKEA", "LED1836G9", [light("brightness")]),
        zigbee("b", "Acme", "X1", [light("brightness")]),
    )
    (one, two), _ = blocks({"zigbee2mqtt/bridge/devices": [named, other]})
    assert "names this model" in one.remark and "nearest" in two.remark


def test_a_bridge_with_a_prefix_of_its_own_keeps_it() -> None:
    (block,), _ = blocks({"upstairs/bridge/devices": [zigbee("Bed Left", "IKEA", "LED1836G9", [light("brightness")])]})
    assert block.table == {
        "name": "bed-left",
        "profile": "zigbee2mqtt-dimmable",
        "device": "Bed Left",
        "base": "upstairs",
    }


@pytest.mark.parametrize(
    ("told", "profile"),
    [({"lt_st": 1, "rl": [2]}, "tasmota-dimmer"), ({"lt_st": 2, "rl": [2]}, "tasmota-colour-temperature"),
     ({"lt_st": 0, "rl": [1, 0]}, "tasmota-plug"), ({"lt_st": 0, "rl": [0], "so": {"73": 1}}, "button-tasmota")],
)  # fmt: skip
def test_a_tasmota_device_is_told_by_its_relays_and_its_light(told: dict[str, object], profile: str) -> None:
    (block,), _ = blocks({"tasmota/discovery/AABBCC/config": told | {"t": "alcove", "ft": "%prefix%/%topic%/"}})
    assert (block.table["profile"], block.table["device"]) == (profile, "alcove")


def test_a_tasmota_topic_that_does_not_fit_the_profile_is_said() -> None:
    (block,), _ = blocks({"tasmota/discovery/A/config": {"t": "x", "lt_st": 1, "ft": "home/%topic%/%prefix%/"}})
    assert "FullTopic" in block.remark


def test_shellies_of_both_kinds_are_told_by_model_and_by_parts() -> None:
    found, rest = blocks(
        {
            "shellies/announce": {"id": "shellydimmer2-D0E1", "model": "SHDM-2", "mac": "D0E1"},
            "shellies/shellydimmer2-D0E1/online": "true",
            "shellyproduo-77/online": True,
            "stillroom/discover/shellyproduo-77/rpc": {"id": 1, "result": {"cct:0": {"output": True}, "sys": {}}},
            "shellyplusi4-99/online": True,
            "shellyplusi4-99/status/input:0": {"id": 0, "state": False},
        }
    )
    assert [(each.table["profile"], each.table["device"]) for each in found] == [
        ("shelly-gen1-light", "shellydimmer2-D0E1"),
        ("shelly-gen3-duo", "shellyproduo-77"),
        ("button-shelly-gen2", "shellyplusi4-99"),
    ]
    assert rest == []


def test_a_light_that_offers_itself_to_home_assistant_is_taken_where_its_topics_fit_and_explained_where_not() -> None:
    fits = {"name": "Alcove", "schema": "json", "cmd_t": "~/set", "stat_t": "~", "~": "home/alcove", "brightness": True}
    other = fits | {"~": "", "cmd_t": "lamp/7/do", "stat_t": "lamp/7/is"}
    found, rest = blocks({"homeassistant/light/alcove/config": fits, "homeassistant/light/seven/config": other})
    assert [dict(each.table) for each in found] == [
        {"name": "alcove", "profile": "home-assistant-json-light", "device": "alcove"}
    ]
    assert len(rest) == 1 and "copy the profile home-assistant-json-light" in rest[0] and "lamp/7/do" in rest[0]


def test_a_device_with_several_parts_offers_each_light() -> None:
    told = {
        "dev": {"mf": "Espressif", "sw": "esphome v2025.5"},
        "cmps": {"lamp": {"p": "light", "schema": "json", "brightness": True, "cmd_t": "node/light/lamp/command",
                          "stat_t": "node/light/lamp/state", "sup_clrm": ["color_temp"]}, "t": {"p": "sensor"}},
    }  # fmt: skip
    (block,), _ = blocks({"homeassistant/device/node/config": told})
    assert (block.table["profile"], block.table["device"], block.table["base"]) == (
        "esphome-colour-temperature", "lamp", "node",
    )  # fmt: skip


def test_what_its_bridge_has_told_of_is_not_offered_a_second_time() -> None:
    found, rest = blocks(
        {
            "zigbee2mqtt/bridge/devices": [zigbee("bed", "IKEA", "LED1836G9", [light("brightness")])],
            "homeassistant/light/0x00/light/config": {
                "schema": "json",
                "brightness": True,
                "cmd_t": "zigbee2mqtt/bed/set",
            },
        }
    )
    assert len(found) == 1 and rest == []


def test_adapters_become_ports_and_pedals_buttons() -> None:
    found, _ = blocks(
        {},
        "/dev/serial/by-id/usb-ENTTEC_DMX_USB_PRO_EN1-if00-port0",
        "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0",
        "/dev/serial/by-id/usb-Acme_Thing-if00",
        "/dev/input/by-id/usb-PCsensor_FootSwitch-event-kbd",
    )
    assert [(each.kind, each.name) for each in found] == [
        ("port", "dmx"), ("port", "relays"), ("port", "port"), ("button", "pedal"),
    ]  # fmt: skip


def test_nonsense_on_the_broker_is_passed_over() -> None:
    heard = [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"7",
        b'{"definition": 3}',
        b'[{"definition": {"exposes": 3}, "friendly_name": "x"}]',
    ]
    topics = ("zigbee2mqtt/bridge/devices", "tasmota/discovery/x/config", "shellies/announce",
              "homeassistant/light/x/config", "homeassistant/device/x/config",
              "x/online", "stillroom/discover/x/rpc")  # fmt: skip
    assert [each for each in devices_in(dict.fromkeys(topics, heard)) if each.ability != "switched"] == []


def test_blocks_are_added_below_what_stands_in_the_file_and_its_comments_stay(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "deploy/rooms/example.toml"
    path = tmp_path / "room.toml"
    text = example.read_text(encoding="utf-8")
    found, _ = blocks(
        {
            "zigbee2mqtt/bridge/devices": [
                zigbee("floor lamp", "IKEA", "LED1836G9", [light("brightness")]),
                zigbee("bell", "IKEA", "E2123", [{"name": "action"}]),
            ]
        },
        "/dev/serial/by-id/usb-Acme_Thing-if00",
    )
    path.write_text(add_blocks(path, text, found), encoding="utf-8")
    room = load_room(path)
    assert [lamp.name for lamp in room.table.light.lamps] == ["bed-left", "bed-right", "floor-lamp"]
    assert room.table.buttons["bell"].does == {"single": "call assist"} and "port" in room.table.ports
    set_lowest(path, "bed-right", 12)
    assert [lamp.lowest for lamp in load_room(path).table.light.lamps] == [None, 12, None]
    written = path.read_text(encoding="utf-8")
    assert all(line in written for line in text.splitlines() if "#" in line)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("zigbee2mqtt/bridge/devices", [zigbee("a", " ", "x", [{"type": "light", "features": [{"name": ["state"]}]}])]),
        ("zigbee2mqtt/bridge/devices", [zigbee("a", "IKEA", "x", [{"type": "light", "features": 5}])]),
        ("tasmota/discovery/AB/config", {"t": "a", "rl": "1"}),
        ("homeassistant/light/a/config", {"schema": "json", "cmd_t": "a/set", "sup_clrm": True, "brightness": True}),
    ],
)  # fmt: skip
def test_what_somebody_else_says_on_the_broker_ends_no_look_around(topic: str, payload: object) -> None:
    found, rest = blocks({topic: payload, "wled/desk/status": "online"})
    assert [block.name for block in found][-1] == "wled-desk" and len(found) + len(rest) <= 2


BED = """format = 1
name = "room-1"

[[light.lamps]]
name = "bed"
profile = "wled"
device = "wled/bed"

# The bath has none.
[ports.dmx]
device = "/dev/serial/by-id/usb-dmx"

# Who is called.
[call]
deliver_within_s = 5.0

[ports.relays]
device = "/dev/serial/by-id/usb-relays"
"""


def test_what_stands_in_the_file_keeps_its_place_and_its_heading_whatever_is_added(tmp_path: Path) -> None:
    path = tmp_path / "room.toml"
    found, _ = blocks({"wled/desk/status": "online"}, "/dev/serial/by-id/usb-Acme_Thing-if00")
    whole = add_blocks(path, BED, found)
    assert whole.startswith(BED)
    path.write_text(whole, encoding="utf-8")
    room = load_room(path).table
    assert [lamp.name for lamp in room.light.lamps] == ["bed", "wled-desk"] and len(room.ports) == 3
    set_lowest(path, "bed", 7)
    was, now = whole.splitlines(), path.read_text(encoding="utf-8").splitlines()
    now.remove("lowest = 7")
    assert now == was
    assert 'device = "wled/bed"\nlowest = 7\n\n# The bath' in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "written",
    [
        '[light]\nlamps = [\n  {name = "bed", profile = "wled", device = "wled/bed"},  # by hand\n]\n',
        'ports = {dmx = {device = "/dev/serial/by-id/usb-dmx"}}\n',
    ],
)
def test_lamps_and_ports_that_were_written_in_one_line_are_never_written_over(tmp_path: Path, written: str) -> None:
    found, _ = blocks({"wled/desk/status": "online"}, "/dev/serial/by-id/usb-Acme_Thing-if00")
    with pytest.raises(ConfigError, match=r"room\.toml: has lamps, buttons or ports in one line"):
        add_blocks(tmp_path / "room.toml", f'format = 1\nname = "room-1"\n{written}', found)


def test_what_a_device_says_of_itself_is_a_remark_and_nothing_else() -> None:
    block = Block("lamp", "bed", {"name": "bed"}, remark="Acme\x1b[2J\n[light]\nfloor = 0")
    assert tomllib.loads(block.text()) == {"light": {"lamps": [{"name": "bed"}]}}
