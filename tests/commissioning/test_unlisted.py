"""devices/README.md followed with a lamp that no shipped profile speaks of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.broker_private import PrivateBroker
from controller.commissioning.blocks import write_copy
from controller.commissioning.gentle import breathe
from controller.commissioning.hand import Hand
from controller.commissioning.plug import pull_plug
from controller.commissioning.steps import echo_and_transition
from controller.config import check_file, load_room, shipped
from controller.files import ConfigError
from tests.commissioning.test_commission import Technician
from tests.commissioning.test_moving import room_file
from tests.commissioning.unlisted_lamp import UnlistedLamp
from tests.waiting import PATIENCE_S

CHANGES = {
    '"{base}/{name}/set"': '"lumen/{name}/do"',
    """'{"state": "ON", "brightness": {level}, "transition": {transition}}'""": (
        """'{"dim": {level}, "over": {transition}}'"""
    ),
    "max = 255": "max = 1000",
    'unit = "s"\nmin = 0\nmax = 6553': 'unit = "ms"\nmin = 0\nmax = 60000',
    'topic = "{base}/{name}"\nlevel = "brightness"\non = "state"\non_value = "ON"': (
        'topic = "lumen/{name}/is"\nlevel = "light.now"\non = "light.lit"\non_value = "true"'
    ),
    '"{base}/{name}/availability"\nonline = "online"\noffline = "offline"': (
        '"lumen/{name}/alive"\nonline = "yes"\noffline = "no"'
    ),
    "lamp_interval_s = 1.0": "lamp_interval_s = 0.4",
}
"""What a technician changes in the copy."""


@pytest.fixture
def lumen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The clinic's own profile, as the README leads to it."""
    monkeypatch.setattr("controller.config.collection.OVERRIDES", tmp_path / "etc")
    path = write_copy(shipped("devices")["home-assistant-json-light"], "lumen", tmp_path / "etc/devices", "{}")
    text = path.read_text(encoding="utf-8")
    for before, after in CHANGES.items():
        assert before in text, before
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def lamp(mosquitto: PrivateBroker) -> Iterator[UnlistedLamp]:
    unlisted = UnlistedLamp(mosquitto.port)
    unlisted.plug()
    assert unlisted.born.wait(PATIENCE_S)
    yield unlisted
    unlisted.unplug()


def test_a_copy_is_right_from_the_first_and_never_takes_anothers_place(tmp_path: Path) -> None:
    wled = shipped("devices")["wled"]
    path = write_copy(wled, "alcove-strip", tmp_path, "{}")
    assert check_file(path) == "device profile" and "hardware" not in path.read_text(encoding="utf-8")
    with pytest.raises(OSError):
        write_copy(wled, "alcove-strip", tmp_path, "{}")


def test_a_copy_that_kept_the_name_of_its_original_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(shipped("devices")["wled"].read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(ConfigError, match="must be the same"):
        check_file(path)


async def test_an_unlisted_lamp_follows_and_that_it_only_pretends_to_fade_comes_to_light(
    mosquitto: PrivateBroker, tmp_path: Path, lumen: Path, lamp: UnlistedLamp
) -> None:
    assert check_file(lumen) == "device profile"
    path = room_file(tmp_path, mosquitto, {"7f3a": "lumen"})
    async with Hand(load_room(path), tmp_path) as hand:
        assert hand.what_it_said("7f3a") == "Nothing that its profile understands came on lumen/7f3a/is."
        breath = await breathe(hand, "7f3a")
        assert breath is not None and not breath.put_back  # nobody could say where it was
        assert lamp.now == pytest.approx(300, abs=10)
        echo, fades = await echo_and_transition(hand, "7f3a", Technician({"glide": "jump"}))
    assert (echo.verdict, echo.code) == ("ok", "heard")
    assert (fades.verdict, fades.code) == ("failed", "jump")


async def test_the_glare_of_a_lamp_that_is_moved_in_steps_lasts_until_the_last_of_them(
    mosquitto: PrivateBroker, tmp_path: Path, lumen: Path, lamp: UnlistedLamp
) -> None:
    text = lumen.read_text(encoding="utf-8").replace(', "over": {transition}', "")
    text = text.replace('unit = "ms"\nmin = 0\nmax = 60000', 'unit = "none"')
    lumen.write_text(text.replace("lamp_interval_s = 0.4", "lamp_interval_s = 0.1"), encoding="utf-8")
    room = load_room(room_file(tmp_path, mosquitto, {"7f3a": "lumen"}))

    async def pull(_question: str) -> str:
        lamp.unplug()
        return ""

    async def plug_in(_question: str) -> str:
        lamp.answers_after_s = 0.08  # longer than between two looks at it
        lamp.plug()
        return ""

    person = Technician({"press Enter\\.": pull, "as soon as it is lit": plug_in, "brighter than before": "y"})
    async with Hand(room, tmp_path) as hand:
        found = (await pull_plug(hand, ["7f3a"], person, whole_room=False))["7f3a"]
        assert hand.arrived("7f3a", room.table.light.floor)
    assert (found.verdict, found.code) == ("look", "glare")
    way = 1.0 - room.table.light.floor
    assert float(found.values["glare_s"]) >= 0.9 * way / room.table.light.slew_per_s
