"""A plug that follows the light by switching, in made-up time."""

import pytest

from controller.lights.dialect import Ask, Dialect, Turn
from controller.lights.follower import FollowerDrive
from tests.lights.bench_lamp import fade
from tests.lights.shipped import PROFILES


def test_a_plug_follows_with_hysteresis_and_never_chatters() -> None:
    drive = FollowerDrive("plug", Dialect(PROFILES["zigbee2mqtt-plug"], "plug"))
    turns: list[tuple[float, bool]] = []

    def run(t0: float, t1: float, start: float, end: float) -> None:
        drive.follow(fade(start, end, t0, t1), t0)
        for tick in range(round((t1 - t0) * 10) + 30):
            now = t0 + tick / 10
            said = drive.step(now)
            if isinstance(said, Turn):
                turns.append((now, said.on))
                drive.heard(float(said.on), now)

    run(0, 60, 0.1, 0.6)
    run(70, 130, 0.6, 0.3)
    run(140, 200, 0.3, 0.36)
    run(210, 270, 0.3, 0.1)
    assert [on for _, on in turns] == [False, True, False]
    assert turns[1][0] == pytest.approx(30, abs=2.5)
    assert turns[2][0] == pytest.approx(225, abs=2.5)
    assert drive.view(300).state == "confirmed"
    assert drive.heard(1.0, 300) is True
    assert drive.view(300).state == "unconfirmed"
    assert drive.step(303) == Turn(False)


def test_a_plug_that_is_back_is_unconfirmed_until_it_answers_what_it_is_told() -> None:
    drive = FollowerDrive("plug", Dialect(PROFILES["zigbee2mqtt-plug"], "plug"))
    drive.follow(fade(0.6, 0.6, 0, 0), 0)
    assert [drive.step(at) for at in (0.0, 0.5)] == [Ask(), Turn(True)]
    drive.heard(1.0, 0.6)
    assert (drive.view(1).state, drive.view(1).confirmed) == ("confirmed", 1.0)
    drive.lose()
    drive.back(10)
    assert [drive.step(at) for at in (10.0, 10.5)] == [Ask(), Turn(True)]
    assert (drive.view(10.5).state, drive.view(10.5).confirmed) == ("unconfirmed", None)
    drive.heard(1.0, 10.6)
    assert drive.view(10.6).state == "confirmed"


@pytest.mark.parametrize(("says", "on"), [(1.0, True), (0.0, False), (None, False)])
def test_a_plug_between_its_two_levels_stays_as_it_was_before_the_program_started(says: float | None, on: bool) -> None:
    drive = FollowerDrive("plug", Dialect(PROFILES["zigbee2mqtt-plug"], "plug"))
    drive.follow(fade(0.3, 0.3, 0, 0), 0)
    assert drive.step(0) == Ask()
    if says is not None:
        drive.heard(says, 0.1)
    assert drive.next_at() == pytest.approx(0.5)
    assert drive.step(0.5) == Turn(on)
