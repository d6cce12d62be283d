"""What a profile file may say, and what it makes of levels and times."""

import json

import pytest
from pydantic import ValidationError

from controller.lights.dialect import Dialect, Move, announced_name
from controller.lights.profile import Level, Transition, load_profile
from controller.lights.scale import Scale
from controller.payloads import read_word
from tests.lights.shipped import FOLDER, ZIGBEE

TEXT = (FOLDER / "zigbee2mqtt-dimmable.toml").read_text(encoding="utf-8")
DIALECT = Dialect(ZIGBEE, "left")
_LEVEL = ("[level]", "min = 1 ", "max = 254", "curve =")


def payload(text: str, level: float, seconds: float) -> str:
    return Dialect(load_profile(text), "left").message(Move(level, seconds, 0.0))[1]


def test_the_darkest_level_never_switches_a_lamp_off() -> None:
    assert json.loads(payload(TEXT, 0.0, 1))["brightness"] == 1


def test_a_fade_longer_than_the_device_takes_is_cut_to_its_longest() -> None:
    assert json.loads(payload(TEXT, 0.5, 9999))["transition"] == 6553


def test_a_level_survives_the_way_to_the_lamp_and_back() -> None:
    (_, report), *_ = DIALECT.states
    for percent in range(5, 101):
        sent = json.loads(payload(TEXT, percent / 100, 1))
        on, read = DIALECT.read(report, json.dumps({**sent, "state": "ON"}).encode())
        assert on and read == pytest.approx(percent / 100, abs=0.003)


def test_topics_are_filled_from_the_room() -> None:
    dialect = Dialect(ZIGBEE, "lamp left", "z2m")
    assert dialect.command_topics == ("z2m/lamp left/set",)
    assert [topic for topic, _ in dialect.questions] == ["z2m/lamp left/get"]
    assert [topic for topic, _ in dialect.availability] == ["z2m/bridge/state", "z2m/lamp left/availability"]


def test_availability_is_understood_as_json_and_as_a_bare_word() -> None:
    assert read_word(b'{"state":"online"}', "state") == "online"
    assert read_word(b"offline", "state") == "offline"


def test_only_an_announcement_announces_a_lamp() -> None:
    (_, announce), *_ = DIALECT.announce
    event = b'{"type":"%s","data":{"friendly_name":"left"}}'
    assert announced_name(announce, event % b"device_announce") == "left"
    assert announced_name(announce, event % b"device_leave") is None


def test_a_command_without_a_level_is_refused() -> None:
    with pytest.raises(ValidationError, match="explicit"):
        load_profile(TEXT.replace('"brightness": {level}, ', ""))


def test_a_misspelt_key_and_a_misspelt_placeholder_are_both_named() -> None:
    with pytest.raises(ValidationError) as caught:
        load_profile(TEXT.replace("within_s", "wihtin_s").replace('"{base}/{name}/set"', '"{bse}/{name}/set"', 2))
    assert len(caught.value.errors()) == 3


def test_a_level_without_a_scale_and_a_transition_that_is_not_sent_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"there must be a \[level\]"):
        load_profile(
            "\n".join(line for line in TEXT.splitlines() if not line.startswith(_LEVEL)).replace("whole = true", "")
        )
    with pytest.raises(ValidationError, match=r"must hold \{transition\}"):
        load_profile(TEXT.replace(', "transition": {transition}', "", 1))


def test_half_the_lightness_is_a_fifth_of_the_light() -> None:
    scale = Scale(Level(min=0, max=1000, curve="luminance"))
    assert scale.to_device(0.5) == 184  # CIE 1976: L* 50 is Y 0.184
    assert scale.from_device(184) == pytest.approx(0.5, abs=0.001)
    assert scale.to_device(1.0) == 1000
    assert scale.to_device(0.05) == pytest.approx(1000 * 5 / 903.3, abs=1)


def test_a_fade_straight_in_light_counts_as_steep_as_its_dark_end() -> None:
    scale = Scale(Level(min=0, max=1000, curve="luminance"))
    assert scale.steepest(0.9, 1.0) == pytest.approx(0.11, abs=0.01)
    assert scale.steepest(0.1, 1.0) > 5
    assert Scale(Level(min=0, max=1000)).steepest(0.1, 1.0) == 0.9


def test_a_device_of_whole_seconds_is_never_sent_a_fraction() -> None:
    whole = Transition(unit="s", min=1, max=60, whole=True)
    assert whole.to_device(0.5) == 1
    assert whole.to_device(2.2) == 3
    assert whole.takes_s(2.2) == 3


def test_milliseconds_and_tenths_are_counted_from_seconds() -> None:
    assert Transition(unit="ms", max=5000).to_device(1.5) == 1500
    assert Transition(unit="100ms", max=65535, whole=True).to_device(1.5) == 15
    assert Transition(unit="ms", max=5000).takes_s(9) == 5


def test_a_speed_is_reckoned_from_how_far_the_lamp_has_to_go() -> None:
    speed = Transition(unit="500ms", of="sweep", min=1, max=40, whole=True)
    assert speed.to_device(1, 0.1) == 20  # a tenth of the scale in a second: a sweep in ten
    assert speed.to_device(4, 1.0) == 8
    assert speed.to_device(1, 0.01) == 40
    assert speed.takes_s(1, 0.1) == pytest.approx(1)
    assert speed.takes_s(1, 0.01) == pytest.approx(0.2)


def test_a_lamp_that_cannot_fade_is_sent_no_transition() -> None:
    text = TEXT.replace(', "transition": {transition}', "", 1).replace('unit = "s" ', 'unit = "none" #')
    assert payload(text, 1.0, 5) == '{"brightness": 254}'
