"""The timetable's part of a room file."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from controller.config import load_room
from controller.files import ConfigError

REPOSITORY = Path(__file__).parents[2]


def room_file(tmp_path: Path, timetable: str) -> Path:
    file = tmp_path / "room.toml"
    file.write_text(f'format = 1\nname = "room-1"\n[timetable]\n{timetable}')
    return file


def test_the_example_room_has_a_whole_timetable() -> None:
    settings = load_room(REPOSITORY / "deploy/rooms/example.toml").timetable()
    assert str(settings.zone) == "Europe/Berlin"
    assert (settings.warm_up_s, settings.preflight_s) == (1800.0, 2700.0)
    assert (settings.lights_off, settings.library_check, settings.self_test) == (time(22, 30), time(2, 30), time(3, 0))


def test_what_is_not_named_does_not_happen(tmp_path: Path) -> None:
    settings = load_room(room_file(tmp_path, "")).timetable()
    assert (settings.warm_up_s, settings.preflight_s, settings.lights_off) == (None, None, None)
    assert (settings.library_check, settings.self_test) == (None, None)
    assert settings.zone is not None


@pytest.mark.parametrize("at", ['"25:00"', '"2230"', '"22:3"', "22:30:00", "2230", '"24:00"', "true"])
def test_a_time_of_day_is_written_in_one_way(tmp_path: Path, at: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        load_room(room_file(tmp_path, f"lights_off = {at}"))
    assert 'is no time of day; write it like "22:30"' in str(wrong.value)


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    lines = 'timezone = "Europe/Brelin"\nwarm_up_minutes = 0\nlights_of = "22:30"\nself_test = "3:00"\n'
    with pytest.raises(ConfigError) as wrong:
        load_room(room_file(tmp_path, lines))
    told = "\n".join(wrong.value.mistakes)
    assert len(wrong.value.mistakes) == 4
    assert 'there is no timezone "Europe/Brelin"; did you mean "Europe/Berlin"?' in told
    assert 'unknown key "lights_of"; did you mean "lights_off"?' in told


@pytest.mark.parametrize("zone", ["../../etc/passwd", "/etc/passwd", "", "Berlin"])
def test_a_zone_is_a_name_and_no_path(tmp_path: Path, zone: str) -> None:
    with pytest.raises(ConfigError):
        load_room(room_file(tmp_path, f'timezone = "{zone}"'))
