import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from controller.lights.profile import Level, Profile, Transition, announced_name, load_profile, read_word

TEXT = Path("devices/zigbee2mqtt-dimmable.toml").read_text(encoding="utf-8")


@pytest.fixture
def zigbee() -> Profile:
    return load_profile(TEXT)


def test_every_zigbee_command_carries_brightness_and_transition_and_nothing_else(zigbee: Profile) -> None:
    assert json.loads(zigbee.payload(1.0, 2)) == {"brightness": 254, "transition": 2}
    assert json.loads(zigbee.payload(0.15, 1.25)) == {"brightness": 39, "transition": 1.25}


def test_the_darkest_level_never_switches_a_lamp_off(zigbee: Profile) -> None:
    assert json.loads(zigbee.payload(0.0, 1))["brightness"] == 1


def test_a_fade_longer_than_the_device_takes_is_cut_to_its_longest(zigbee: Profile) -> None:
    assert json.loads(zigbee.payload(0.5, 9999))["transition"] == 6553


def test_a_level_survives_the_way_to_the_lamp_and_back(zigbee: Profile) -> None:
    for percent in range(5, 101):
        sent = json.loads(zigbee.payload(percent / 100, 1))
        read = zigbee.read_level(json.dumps({**sent, "state": "ON"}).encode())
        assert read == pytest.approx(percent / 100, abs=0.003)


def test_a_lamp_that_is_off_reads_as_dark_whatever_brightness_it_remembers(zigbee: Profile) -> None:
    assert zigbee.read_level(b'{"state":"OFF","brightness":254}') == 0.0
    assert zigbee.read_level(b'{"linkquality":90}') is None
    assert zigbee.read_level(b"not json") is None


def test_topics_are_filled_from_the_room(zigbee: Profile) -> None:
    topics = zigbee.topics("lamp left", "z2m")
    assert topics.command == "z2m/lamp left/set"
    assert topics.ask == "z2m/lamp left/get"
    assert [topic for topic, _ in topics.availability] == ["z2m/bridge/state", "z2m/lamp left/availability"]


def test_availability_is_understood_as_json_and_as_a_bare_word() -> None:
    assert read_word(b'{"state":"online"}', "state") == "online"
    assert read_word(b"offline", "state") == "offline"


def test_only_an_announcement_announces_a_lamp(zigbee: Profile) -> None:
    assert zigbee.announce is not None
    event = b'{"type":"%s","data":{"friendly_name":"left"}}'
    assert announced_name(zigbee.announce, event % b"device_announce") == "left"
    assert announced_name(zigbee.announce, event % b"device_leave") is None


def test_a_command_without_a_level_is_refused() -> None:
    with pytest.raises(ValidationError, match="explicit"):
        load_profile(TEXT.replace('"brightness": {level}, ', ""))


def test_a_misspelt_key_and_a_misspelt_placeholder_are_both_named() -> None:
    with pytest.raises(ValidationError) as caught:
        load_profile(
            TEXT.replace("echo_within_s", "echo_wihtin_s").replace('"{base}/{name}/set"', '"{bse}/{name}/set"')
        )
    assert len(caught.value.errors()) == 2


def test_half_the_lightness_is_a_fifth_of_the_light() -> None:
    scale = Level(min=0, max=1000, curve="luminance")
    assert scale.to_device(0.5) == 184  # CIE 1976: L* 50 is Y 0.184
    assert scale.from_device(184) == pytest.approx(0.5, abs=0.001)
    assert scale.to_device(1.0) == 1000
    assert scale.to_device(0.05) == pytest.approx(1000 * 5 / 903.3, abs=1)


def test_a_device_of_whole_seconds_is_never_sent_a_fraction() -> None:
    whole = Transition(unit="s", min=1, max=60, whole=True)
    assert whole.to_device(0.5) == 1
    assert whole.to_device(2.2) == 3


def test_milliseconds_and_tenths_are_counted_from_seconds() -> None:
    assert Transition(unit="ms", max=5000).to_device(1.5) == 1500
    assert Transition(unit="100ms", max=65535, whole=True).to_device(1.5) == 15
    assert Transition(unit="ms", max=5000).longest_s == 5


def test_a_text_command_and_a_nested_one_need_no_python() -> None:
    tasmota = TEXT.replace(
        """payload = '{"brightness": {level}, "transition": {transition}}'""",
        'payload = "NoDelay;Fade2 1;NoDelay;Speed2 {transition};NoDelay;Dimmer {level}"',
    )
    assert load_profile(tasmota).payload(1.0, 4) == "NoDelay;Fade2 1;NoDelay;Speed2 4;NoDelay;Dimmer 254"
    shelly = TEXT.replace(
        """payload = '{"brightness": {level}, "transition": {transition}}'""",
        'payload = \'{"method":"Light.Set","params":{"brightness":{level},"transition_duration":{transition}}}\'',
    )
    assert json.loads(load_profile(shelly).payload(1.0, 4))["params"] == {"brightness": 254, "transition_duration": 4}
