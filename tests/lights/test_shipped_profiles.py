"""Every shipped profile against the messages that its kind of device really takes and sends, written out by hand."""

import json
from typing import Any

import pytest

from controller.lights.dialect import Dialect, Move, Reports, Tint, Turn
from tests.lights.shipped import PROFILES

Z = "z2m/lamp"
T = "NoDelay;Fade2 1;NoDelay;Speed2 20;NoDelay;"

# Down from 60 % to 50 % in one second.
MOVES: dict[str, tuple[str, Any]] = {
    "zigbee2mqtt-dimmable": (f"{Z}/set", {"brightness": 128, "transition": 1}),
    "zigbee2mqtt-hue-dimmable": (f"{Z}/set", {"brightness": 128, "transition": 1}),
    "zigbee2mqtt-ikea-colour-temperature": (f"{Z}/set", {"brightness": 128, "transition": 1}),
    "zigbee2mqtt-hue-colour-temperature": (f"{Z}/set", {"brightness": 128, "transition": 1}),
    "tasmota-dimmer": ("cmnd/lamp/Backlog", f"{T}Dimmer 50"),
    "tasmota-colour-temperature": ("cmnd/lamp/Backlog", f"{T}Dimmer 50"),
    "shelly-gen1-light": (
        "shellies/lamp/light/0/set",
        {"turn": "on", "brightness": 50, "transition": 1000},
    ),
    "shelly-gen1-duo": ("shellies/lamp/light/0/set", {"turn": "on", "brightness": 50, "transition": 1000}),
    "shelly-gen2-light": (
        "lamp/rpc",
        {
            "id": 1,
            "src": "stillroom/lamp",
            "method": "Light.Set",
            "params": {"id": 0, "on": True, "brightness": 50, "transition_duration": 1},
        },
    ),
    "shelly-gen3-duo": (
        "lamp/rpc",
        {
            "id": 1,
            "src": "stillroom/lamp",
            "method": "CCT.Set",
            "params": {"id": 0, "on": True, "brightness": 50, "transition_duration": 1},
        },
    ),
    "wled": ("lamp/api", {"on": True, "bri": 48, "tt": 10}),
    "esphome-light": ("z2m/light/lamp/command", {"state": "ON", "brightness": 128, "transition": 1}),
    "esphome-colour-temperature": ("z2m/light/lamp/command", {"state": "ON", "brightness": 128, "transition": 1}),
    "home-assistant-json-light": ("z2m/lamp/set", {"state": "ON", "brightness": 128, "transition": 1}),
    "home-assistant-json-colour-temperature": ("z2m/lamp/set", {"state": "ON", "brightness": 128, "transition": 1}),
}

TURNS: dict[str, tuple[str, str, str]] = {
    "zigbee2mqtt-plug": (f"{Z}/set", '{"state": "ON"}', '{"state": "OFF"}'),
    "tasmota-plug": ("cmnd/lamp/Power", "ON", "OFF"),
    "shelly-gen1-plug": ("shellies/lamp/relay/0/command", "on", "off"),
    "shelly-gen2-plug": (
        "lamp/rpc",
        '{"id": 1, "src": "stillroom/lamp", "method": "Switch.Set", "params": {"id": 0, "on": true}}',
        '{"id": 1, "src": "stillroom/lamp", "method": "Switch.Set", "params": {"id": 0, "on": false}}',
    ),
}

# 4000 K, with the level at 50 % where the two go together.
COLOURS: dict[str, tuple[str, Any]] = {
    "zigbee2mqtt-ikea-colour-temperature": (f"{Z}/set", {"color_temp": 250, "transition": 1}),
    "zigbee2mqtt-hue-colour-temperature": (f"{Z}/set", {"brightness": 128, "color_temp": 250, "transition": 1}),
    "tasmota-colour-temperature": ("cmnd/lamp/Backlog", "NoDelay;Fade2 1;NoDelay;Speed2 2;NoDelay;CT 250"),
    "shelly-gen1-duo": (
        "shellies/lamp/light/0/set",
        {"turn": "on", "brightness": 50, "temp": 4000, "transition": 1000},
    ),
    "shelly-gen3-duo": (
        "lamp/rpc",
        {
            "id": 1,
            "src": "stillroom/lamp",
            "method": "CCT.Set",
            "params": {"id": 0, "on": True, "brightness": 50, "ct": 4000, "transition_duration": 1},
        },
    ),
    "esphome-colour-temperature": (
        "z2m/light/lamp/command",
        {"state": "ON", "brightness": 128, "color_temp": 250, "transition": 1},
    ),
    "home-assistant-json-colour-temperature": (
        "z2m/lamp/set",
        {"state": "ON", "brightness": 128, "color_temp": 250, "transition": 1},
    ),
}

ASKED: dict[str, tuple[str, str]] = {
    "zigbee2mqtt-dimmable": (f"{Z}/get", '{"state": "", "brightness": ""}'),
    "zigbee2mqtt-plug": (f"{Z}/get", '{"state": ""}'),
    "tasmota-dimmer": ("cmnd/lamp/State", ""),
    "tasmota-plug": ("cmnd/lamp/State", ""),
    "shelly-gen1-light": ("shellies/lamp/command", "update"),
    "shelly-gen1-plug": ("shellies/lamp/command", "update"),
    "shelly-gen2-light": (
        "lamp/rpc",
        '{"id": 2, "src": "stillroom/lamp", "method": "Light.GetStatus", "params": {"id": 0}}',
    ),
    "shelly-gen2-plug": (
        "lamp/rpc",
        '{"id": 2, "src": "stillroom/lamp", "method": "Switch.GetStatus", "params": {"id": 0}}',
    ),
}

# (profile, topic, message, level as a share of the device's own scale; None: it says nothing of the level)
REPORTS: list[tuple[str, str, str, float | None]] = [
    ("zigbee2mqtt-dimmable", Z, '{"brightness":254,"linkquality":87,"state":"ON","update":{"state":"idle"}}', 1.0),
    ("zigbee2mqtt-dimmable", Z, '{"brightness":254,"linkquality":87,"state":"OFF"}', 0.0),
    ("zigbee2mqtt-dimmable", Z, '{"linkquality":87}', None),
    ("zigbee2mqtt-dimmable", Z, "not json", None),
    ("zigbee2mqtt-dimmable", Z, '{"brightness":NaN,"state":"ON"}', None),
    ("zigbee2mqtt-dimmable", Z, '{"brightness":Infinity,"state":"ON"}', None),
    ("zigbee2mqtt-dimmable", Z, '{"brightness":"nan","state":"ON"}', None),
    ("zigbee2mqtt-hue-colour-temperature", Z, '{"state":"ON","brightness":127,"color_temp":366}', 125 / 252),
    ("zigbee2mqtt-plug", Z, '{"state":"ON","power":4}', 1.0),
    ("zigbee2mqtt-plug", Z, '{"state":"OFF"}', 0.0),
    ("tasmota-dimmer", "stat/lamp/RESULT", '{"POWER":"ON","Dimmer":50}', 49 / 99),
    ("tasmota-dimmer", "stat/lamp/RESULT", '{"POWER":"OFF","Dimmer":50}', 0.0),
    ("tasmota-dimmer", "stat/lamp/RESULT", '{"Fade":"ON"}', None),
    (
        "tasmota-colour-temperature",
        "tele/lamp/STATE",
        '{"Time":"2026-03-01T10:00:00","Uptime":"0T01:00:10","POWER":"ON","Dimmer":100,"CT":326,"Fade":"OFF","Speed":1}',
        1.0,
    ),
    ("tasmota-plug", "stat/lamp/RESULT", '{"POWER":"ON"}', 1.0),
    (
        "shelly-gen1-light",
        "shellies/lamp/light/0/status",
        '{"ison":true,"has_timer":false,"mode":"white","brightness":100,"transition":0}',
        1.0,
    ),
    ("shelly-gen1-duo", "shellies/lamp/light/0/status", '{"ison":false,"brightness":49,"temp":2700,"white":0}', 0.0),
    ("shelly-gen1-plug", "shellies/lamp/relay/0", "on", 1.0),
    ("shelly-gen1-plug", "shellies/lamp/relay/0", "off", 0.0),
    ("shelly-gen2-light", "lamp/status/light:0", '{"id":0,"source":"rpc","output":true,"brightness":100}', 1.0),
    (
        "shelly-gen2-light",
        "lamp/status/light:0",
        '{"id":0,"output":true,"brightness":20,"transition":{"target":{"output":true,"brightness":100},"duration":5}}',
        1.0,
    ),
    (
        "shelly-gen2-light",
        "lamp/events/rpc",
        '{"src":"lamp","dst":"lamp/events","method":"NotifyStatus","params":{"light:0":{"id":0,"brightness":1}}}',
        0.0,
    ),
    ("shelly-gen2-light", "stillroom/lamp/rpc", '{"id":2,"src":"lamp","result":{"output":false,"brightness":9}}', 0.0),
    ("shelly-gen2-light", "stillroom/lamp/rpc", '{"id":1,"src":"lamp","result":null}', None),
    ("shelly-gen3-duo", "lamp/status/cct:0", '{"id":0,"output":true,"brightness":100,"ct":3000}', 1.0),
    ("shelly-gen2-plug", "lamp/status/switch:0", '{"id":0,"source":"MQTT","output":true,"apower":3.1}', 1.0),
    ("shelly-gen2-plug", "lamp/events/rpc", '{"method":"NotifyStatus","params":{"switch:0":{"output":false}}}', 0.0),
    ("wled", "lamp/g", "255", 1.0),
    ("wled", "lamp/g", "0", 0.0),
    ("esphome-light", "z2m/light/lamp/state", '{"state":"ON","color_mode":"brightness","brightness":255}', 1.0),
    ("esphome-light", "z2m/light/lamp/state", '{"state":"OFF","color_mode":"brightness"}', 0.0),
    ("home-assistant-json-light", Z, '{"state":"ON","brightness":255,"color_mode":"brightness"}', 1.0),
]

# (profile, topic, word when it can be reached, word when not)
REACH: list[tuple[str, str, str, str]] = [
    ("zigbee2mqtt-dimmable", "z2m/bridge/state", '{"state":"online"}', '{"state":"offline"}'),
    ("zigbee2mqtt-dimmable", "z2m/lamp/availability", "online", "offline"),
    ("tasmota-dimmer", "tele/lamp/LWT", "Online", "Offline"),
    ("shelly-gen1-light", "shellies/lamp/online", "true", "false"),
    ("shelly-gen2-light", "lamp/online", "true", "false"),
    ("wled", "lamp/status", "online", "offline"),
    ("esphome-light", "z2m/status", "online", "offline"),
    ("home-assistant-json-light", "z2m/lamp/availability", "online", "offline"),
]

ANNOUNCED: dict[str, tuple[str, str]] = {
    "zigbee2mqtt-dimmable": (
        "z2m/bridge/event",
        '{"type":"device_announce","data":{"friendly_name":"lamp","ieee_address":"0x00158d0001020304"}}',
    ),
    "shelly-gen1-light": ("shellies/announce", '{"id":"lamp","model":"SHDM-2","mac":"AABBCCDDEEFF","fw_ver":"1.14"}'),
}


def dialect(name: str) -> Dialect:
    return Dialect(PROFILES[name], "lamp", "z2m")


def same(message: tuple[str, str] | None, topic: str, payload: object) -> bool:
    assert message is not None
    said = message[1] if isinstance(payload, str) else json.loads(message[1])
    assert message[0] == topic
    assert said == payload
    return True


def test_every_shipped_lamp_is_tested_here() -> None:
    assert set(MOVES) | set(TURNS) == set(PROFILES)
    assert set(COLOURS) == {name for name, profile in PROFILES.items() if profile.colour}
    assert {name for name, *_ in REPORTS} >= set(PROFILES) - {
        "zigbee2mqtt-hue-dimmable",  # these report as another one of their family does
        "zigbee2mqtt-ikea-colour-temperature",
        "esphome-colour-temperature",
        "home-assistant-json-colour-temperature",
    }


@pytest.mark.parametrize("name", list(MOVES))
def test_a_lamp_is_told_its_level_as_it_understands_it(name: str) -> None:
    topic, payload = MOVES[name]
    assert same(dialect(name).message(Move(0.5, 1.0, 0.6)), topic, payload)


@pytest.mark.parametrize("name", list(TURNS))
def test_a_plug_is_switched_as_it_understands_it(name: str) -> None:
    topic, on, off = TURNS[name]
    assert same(dialect(name).message(Turn(True)), topic, on)
    assert same(dialect(name).message(Turn(False)), topic, off)


@pytest.mark.parametrize("name", list(COLOURS))
def test_a_lamp_is_told_its_colour_as_it_understands_it(name: str) -> None:
    topic, payload = COLOURS[name]
    colour = PROFILES[name].colour
    assert colour is not None
    said = Tint(4000, 1.0) if colour.apart else Move(0.5, 1.0, 0.6, 4000)
    assert same(dialect(name).message(said), topic, payload)
    assert colour.to_device(1500) in (colour.min, colour.max)


@pytest.mark.parametrize("name", list(ASKED))
def test_a_lamp_is_asked_as_it_understands_it(name: str) -> None:
    assert dialect(name).questions == (ASKED[name],)


@pytest.mark.parametrize(("name", "topic", "message", "share"), REPORTS, ids=lambda each: str(each)[:24])
def test_what_a_lamp_says_is_understood(name: str, topic: str, message: str, share: float | None) -> None:
    lamp = dialect(name)
    report = next(report for where, report in lamp.states if where == topic)
    read = Reports(lamp).take(report, message.encode())
    assert read == (None if share is None else pytest.approx(share, abs=0.001))


@pytest.mark.parametrize(("name", "topic", "up", "down"), REACH, ids=lambda each: str(each)[:24])
def test_where_it_is_said_that_a_lamp_can_be_reached(name: str, topic: str, up: str, down: str) -> None:
    from controller.payloads import read_word

    how = next(how for where, how in dialect(name).availability if where == topic)
    assert read_word(up.encode(), how.key) == how.online
    assert read_word(down.encode(), how.key) == how.offline


@pytest.mark.parametrize("name", list(ANNOUNCED))
def test_where_a_lamp_says_that_it_has_come_back(name: str) -> None:
    from controller.lights.dialect import announced_name

    topic, message = ANNOUNCED[name]
    announce = next(announce for where, announce in dialect(name).announce if where == topic)
    assert announced_name(announce, message.encode()) == "lamp"


@pytest.mark.parametrize("name", list(PROFILES))
def test_a_shipped_profile_says_what_it_covers_and_that_no_hardware_was_tried(name: str) -> None:
    profile = PROFILES[name]
    assert profile.name == name
    assert profile.models
    assert profile.quirks
    assert profile.power_on.how
    assert any("no hardware" in line for line in profile.tested)
