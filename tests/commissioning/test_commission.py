"""A technician walks through a room's lamps: what is found, what is written, and what it is worth afterwards."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.broker_private import PrivateBroker
from controller.clock import utc_now
from controller.commissioned import DeviceFindings, Finding, Value, commissioning_report, sign_report
from controller.commissioning.steady import search_of
from controller.commissioning.steps import command_filters
from controller.commissioning.terminal import NobodyAnswers
from controller.commissioning.walk import Walk
from controller.commissioning.words import device_lines, standing_lines
from controller.config import load_profile, load_room
from controller.files import ConfigError
from controller.lights.dialect import Dialect
from controller.lights.profile import Level, Profile
from tests.commissioning.test_moving import bridge, room_file
from tests.lights.shipped import FOLDER, PROFILES
from tests.waiting import until

Answer = str | Callable[[str], Awaitable[str]]


class Technician:
    """Answers by what the question says; does with the lamps what a hand would do."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers = answers
        self.told: list[str] = []

    def say(self, text: str) -> None:
        self.told.append(text)

    async def ask(self, question: str, default: str = "") -> str:
        self.told.append(question)
        for pattern, answer in self.answers.items():
            if re.search(pattern, question):
                return (answer if isinstance(answer, str) else await answer(question)) or default
        assert default, f"nobody knows an answer: {question}"
        return default


@given(st.integers(0, 254))
def test_the_lowest_steady_number_is_found_whatever_it_is_in_nine_questions(truth: int) -> None:
    search, asked = search_of(Level(min=0, max=254)), 0
    while not search.done:
        search, asked = search.answered(search.number(search.probe) >= truth), asked + 1
    assert search.number(search.lit) == truth and asked <= 9


def test_most_lamps_are_steady_at_their_darkest_and_need_one_question() -> None:
    search = search_of(Level(min=1, max=100)).answered(True)
    assert search.done and search.number(search.lit) == 1


def test_where_each_command_is_a_topic_of_its_own_the_whole_folder_is_looked_into() -> None:
    assert "cmnd/x/+" in command_filters(Dialect(PROFILES["tasmota-dimmer"], "x"))
    zigbee = list(command_filters(Dialect(PROFILES["zigbee2mqtt-dimmable"], "x")))
    assert zigbee == ["zigbee2mqtt/x/set/#"]


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    """A clinic's own Zigbee profile with a short scale and quick commands, so that a walk takes seconds."""
    monkeypatch.setattr("controller.config.collection.OVERRIDES", tmp_path / "etc")
    path = tmp_path / "etc/devices/quick.toml"
    path.parent.mkdir(parents=True)
    text = (FOLDER / "zigbee2mqtt-dimmable.toml").read_text(encoding="utf-8")
    text = text.replace("max = 254", "max = 31").replace("lamp_interval_s = 1.0", "lamp_interval_s = 0.4")
    text = text.replace("within_s = 3.0", "within_s = 1.0")
    path.write_text(text.replace("zigbee2mqtt-dimmable", "quick"), encoding="utf-8")
    profile = load_profile(path)
    assert isinstance(profile, Profile)
    return profile


async def test_a_whole_room_is_commissioned_and_signed(
    mosquitto: PrivateBroker, tmp_path: Path, quick: Profile
) -> None:
    path = room_file(tmp_path, mosquitto, {"bed": "quick"}, "# a comment that stays\n")
    dark_below = 5

    async with bridge(mosquitto, quick, "bed") as far:
        lamp = far.lamps["bed"]
        far._link.publish("zigbee2mqtt/bed/set", '{"brightness": 222}', retain=True)

        async def look(question: str) -> str:
            number = float(re.search(r"At ([\d.]+) of", question)[1])  # type: ignore[index]
            await until(lambda: abs(lamp.dialect.scale.to_device(lamp.level) - number) <= 1)
            return "y" if number >= dark_below else "n"

        async def pull(_question: str) -> str:
            far.cut_power("bed")
            await asyncio.sleep(0.1)
            return ""

        async def plug_in(_question: str) -> str:
            far.restore_power("bed")
            await asyncio.sleep(0.1)
            return ""

        person = Technician(
            {
                "Clear it": "y", "lit and steady": look, "press Enter\\.": pull, "as soon as it is lit": plug_in,
                "brighter than before": "y", "Sign": "ab",
            }
        )  # fmt: skip
        assert await Walk(path, tmp_path, person).go()
    room = load_room(path)
    assert room.table.light.lamps[0].lowest == dark_below and "# a comment that stays" in path.read_text("utf-8")
    standing = commissioning_report(tmp_path, room)
    assert standing.state == "signed" and standing.report is not None
    found = {finding.step: finding for finding in standing.report.devices[0].findings}
    codes = {step: (finding.verdict, finding.code) for step, finding in found.items()}
    assert codes == {
        "retained": ("look", "cleared"), "reachable": ("ok", "answers"), "lowest": ("ok", "found"),
        "range": ("ok", "confirmed"), "echo": ("ok", "heard"), "transition": ("ok", "fades"),
        "power_on": ("look", "sent"), "lamp_power": ("look", "glare"),
    }  # fmt: skip
    assert 0.2 <= float(found["transition"].values["took_s"]) <= 0.9
    assert float(found["echo"].values["median_s"]) < 0.5
    assert float(found["lamp_power"].values["begun_s"]) <= 0.6
    assert 1.0 <= float(found["lamp_power"].values["glare_s"]) <= 3.5  # from full to the floor at the room's slew
    assert standing.report.signed_by == "AB"
    (text,) = (tmp_path / "commissioning").glob("*.txt")
    assert "of glare" in text.read_text(encoding="utf-8")


async def test_an_unanswered_question_changes_nothing_and_signs_nothing(
    mosquitto: PrivateBroker, tmp_path: Path
) -> None:
    path = room_file(tmp_path, mosquitto, {"bed": "tasmota-dimmer"})
    before = path.read_text(encoding="utf-8")

    async def gone(_question: str) -> str:
        raise NobodyAnswers("gone")

    async with bridge(mosquitto, "tasmota-dimmer", "bed"):
        with pytest.raises(NobodyAnswers):
            await Walk(path, tmp_path, Technician({"lit and steady": gone})).go()
    assert path.read_text(encoding="utf-8") == before
    assert commissioning_report(tmp_path, load_room(path)).state == "missing"


async def test_a_lamp_that_loses_its_echo_and_a_retained_command_that_is_left_are_failures(
    mosquitto: PrivateBroker, tmp_path: Path
) -> None:
    path = room_file(tmp_path, mosquitto, {"bed": "tasmota-dimmer", "wall": "tasmota-dimmer"})
    person = Technician({"Clear it": "n", "Sign": ""})
    async with bridge(mosquitto, "tasmota-dimmer", "bed", "wall") as far:
        far._link.publish("cmnd/bed/POWER", "ON", retain=True)
        far.lamps["wall"].echoes = False
        assert not await Walk(path, tmp_path, person).go()
        commands = far.lamps["wall"].commands
    said = "\n".join(person.told)
    assert "cmnd/bed/POWER holds ON" in said and "LEFT" in said
    assert "does not answer" in said and "Something failed in bed, wall" in said
    assert commands == []


def signed(tmp_path: Path, path: Path) -> None:
    finding = Finding(step="reachable", verdict="ok", code="answers", values={"answer_s": 0.1})
    device = DeviceFindings(name="bed", profile="tasmota-dimmer", findings=(finding,))
    sign_report(tmp_path, load_room(path), [device], "AB", utc_now())


def test_a_report_holds_until_a_lamp_is_hung_elsewhere_and_not_until_the_music_is_moved(
    mosquitto: PrivateBroker, tmp_path: Path
) -> None:
    path = room_file(tmp_path, mosquitto, {"bed": "tasmota-dimmer"})
    assert commissioning_report(tmp_path, load_room(path)).state == "missing"
    signed(tmp_path, path)
    assert commissioning_report(tmp_path, load_room(path)).state == "signed"
    text = path.read_text(encoding="utf-8")
    path.write_text(f'{text}\n[music]\nfolders = ["/srv/music"]\n', encoding="utf-8")
    assert commissioning_report(tmp_path, load_room(path)).state == "signed"
    path.write_text(text.replace('device = "bed"', 'device = "desk"'), encoding="utf-8")
    standing = commissioning_report(tmp_path, load_room(path))
    assert (standing.state, standing.changed) == ("stale", ("lamps",))


def test_a_report_that_was_cut_short_counts_as_none(mosquitto: PrivateBroker, tmp_path: Path) -> None:
    path = room_file(tmp_path, mosquitto, {"bed": "tasmota-dimmer"})
    signed(tmp_path, path)
    report = tmp_path / "commissioning" / "test.json"
    report.write_text(report.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    standing = commissioning_report(tmp_path, load_room(path))
    assert standing.state == "missing"
    assert str(report) in standing_lines("test", standing)[0], "it was commissioned, and the file says more to some"
    json.loads(next((tmp_path / "commissioning").glob("test-*.json")).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("step", "code", "values"),
    [("reachable", "hums", {}), ("colour", "warm", {"kelvin": 2700.0}), ("reachable", "answers", {"answer_ms": 90.0})],
)
def test_a_finding_of_a_newer_version_is_told_by_its_code_and_the_others_in_words(
    step: str, code: str, values: dict[str, Value]
) -> None:
    newer = Finding(step=step, verdict="look", code=code, values=values)
    known = Finding(step="retained", verdict="ok", code="none")
    told = device_lines(DeviceFindings(name="bed", profile="tasmota-dimmer", findings=(newer, known)))
    assert f'"{code}"' in told[1] and "a newer one wrote the report" in told[1]
    assert "none lies on the broker" in told[2]


async def test_a_room_without_lamps_has_nothing_to_sign(mosquitto: PrivateBroker, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no lamps"):
        await Walk(room_file(tmp_path, mosquitto, {}), tmp_path, Technician({})).go()


def test_a_report_is_on_the_disk_before_it_is_said_to_be_signed(
    mosquitto: PrivateBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = room_file(tmp_path, mosquitto, {"bed": "tasmota-dimmer"})
    kept: list[str] = []
    monkeypatch.setattr("os.fsync", lambda handle: kept.append(Path(f"/proc/self/fd/{handle}").resolve().name))
    signed(tmp_path, path)
    assert kept[-1] == "commissioning"
    assert len([name for name in kept if name.endswith(".new")]) == 2
