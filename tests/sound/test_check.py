"""A technician with a meter sets a room: the arithmetic, and the talk with a room that answers."""

from dataclasses import dataclass, field, replace
from math import log10

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sound.calibration import (
    CEILING_DBA,
    CREST_DB,
    PROGRAMME_DBA,
    BusLevels,
    Implausible,
    loudness_at_the_ear,
    mistakes_of,
    rewire,
    settle,
)
from controller.sound.check import Ask, Play, Say, Talk

SPEAKERS = BusLevels(name="speakers", channels=(1, 2), ceiling_dbfs=-6.0)
HEADPHONES = BusLevels(name="headphones", channels=(3, 4), ceiling_dbfs=-12.0)

sensitivities = st.floats(80.0, 115.0).map(lambda dba: round(dba, 1))


# -- the arithmetic ---------------------------------------------------------------------------------------------------


@given(st.lists(sensitivities, min_size=1, max_size=4))
def test_after_a_check_the_programme_is_as_loud_by_every_bus_and_nothing_passes_the_ceiling(dba: list[float]) -> None:
    buses = [BusLevels(name=f"b{number}", channels=(1, 2), sensitivity_dba=each) for number, each in enumerate(dba)]
    target, settled = settle(buses, -23.0)
    for bus in settled:
        assert bus.sensitivity_dba is not None
        at_the_ear = loudness_at_the_ear(target, bus.level_db, bus.sensitivity_dba)
        assert at_the_ear == pytest.approx(PROGRAMME_DBA, abs=0.11)
        assert CEILING_DBA - 0.2 < bus.ceiling_dbfs + bus.sensitivity_dba <= CEILING_DBA or bus.ceiling_dbfs == -1.0
        assert bus.ceiling_dbfs + bus.sensitivity_dba <= CEILING_DBA + 1e-9
        assert bus.level_db <= 0.0
    assert mistakes_of(settled, target) == []
    assert settle(settled, target) == (target, settled), "a second look changes nothing"


@given(sensitivities, st.floats(-60.0, -1.0), st.floats(-40.0, 0.0))
def test_a_bus_that_was_not_measured_never_becomes_louder(dba: float, ceiling: float, level: float) -> None:
    other = BusLevels(name="other", channels=(3, 4), level_db=level, ceiling_dbfs=ceiling)
    target, (_, left) = settle([replace(SPEAKERS, sensitivity_dba=dba), other], -23.0)
    assert left.ceiling_dbfs == ceiling
    assert target + left.level_db <= -23.0 + level + 0.06 or left.level_db == -60.0


@given(st.floats(20.0, 140.0))
def test_an_amplifier_that_is_far_off_is_named_and_not_set(dba: float) -> None:
    try:
        target, (bus,) = settle([replace(SPEAKERS, sensitivity_dba=dba)], -23.0)
    except Implausible as why:
        assert ("up" in str(why)) == (dba < 90.0)
    else:
        assert -50.0 <= target <= -14.0
        assert -60.0 <= bus.ceiling_dbfs <= -1.0


def test_jacks_are_given_the_channels_that_were_heard_there() -> None:
    straight = {(bus, side): (bus, side) for bus in ("speakers", "headphones") for side in ("left", "right")}
    assert rewire((SPEAKERS, HEADPHONES), straight) == (SPEAKERS, HEADPHONES)
    swapped = {(bus, side): ("headphones" if bus == "speakers" else "speakers", side) for bus, side in straight}
    speakers, headphones = rewire((SPEAKERS, HEADPHONES), swapped)
    assert (speakers.channels, headphones.channels) == ((3, 4), (1, 2))
    one = {**straight, ("speakers", "right"): ("speakers", "left")}
    with pytest.raises(Implausible, match="channels 1 and 2 were both heard at speakers left"):
        rewire((SPEAKERS, HEADPHONES), one)


# -- the talk ---------------------------------------------------------------------------------------------------------


@dataclass
class Ear:
    """A room and its technician: how sensitive its buses really are, what is plugged where, and how the meter errs."""

    sensitivities: dict[str, float]
    jacks: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    background: float = 32.0
    meter_error: float = 0.0
    levelled: float = 1.0
    """How much of a change reaches the ear: less where something levels by itself."""
    audible: float = 38.0
    played: list[Play] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    def at_the_ear(self) -> float:
        step = self.played[-1] if self.played else Play("")
        power = 10 ** (self.background / 10)
        for dbfs in (step.left_dbfs, step.right_dbfs):
            if dbfs is not None:
                power += 10 ** ((self.sensitivities[step.bus] + dbfs * self.levelled) / 10) / 2
        return round(10 * log10(power) + self.meter_error, 1)

    def answer(self, question: str) -> str:
        if "jack" in question:
            step = self.played[-1]
            meant = (step.bus, "left" if step.right_dbfs is None else "right")
            return " ".join(self.jacks.get(meant, meant)) if self.at_the_ear() > self.audible else "nothing"
        if "softer" not in question and "Nothing" not in question and self.at_the_ear() < 50.0:
            return "+"
        return f"{self.at_the_ear()}"

    def talk(self, *buses: BusLevels, most: int = 100) -> Talk:
        talk = Talk(buses)
        steps = talk.steps()
        answer: str | None = None
        try:
            for _ in range(most):
                step = next(steps) if answer is None else steps.send(answer)
                answer = None
                match step:
                    case Play():
                        self.played.append(step)
                    case Say():
                        self.said.append(step.text)
                    case Ask():
                        answer = self.answer(step.question)
                        self.answers.append(answer)
        except StopIteration:
            return talk
        raise AssertionError(f"no end: {self.said[-3:]}")


@given(st.floats(80.0, 112.0), st.floats(80.0, 112.0), st.floats(20.0, 38.0))
def test_a_room_that_is_measured_is_known_within_half_a_decibel_and_never_startled(
    speakers: float, headphones: float, background: float
) -> None:
    real = {"speakers": speakers, "headphones": headphones}
    ear = Ear(real, background=background)
    try:
        talk = ear.talk(SPEAKERS, HEADPHONES)
    except Implausible as why:
        assert "ceiling allows" in str(why)
        assert min(real.values()) - 20.0 < 65.0, "only where the ceiling keeps it inaudible"
        return
    for bus in talk.buses:
        assert bus.sensitivity_dba == pytest.approx(real[bus.name], abs=0.5)
    assert talk.measured == set(real)
    # Quiet to begin with, louder only by an answer, and then by one step; never near the ceiling.
    loudest: dict[str, float] = {}
    for step in ear.played:
        levels = [dbfs for dbfs in (step.left_dbfs, step.right_dbfs) if dbfs is not None]
        if levels:
            assert max(levels) <= loudest.get(step.bus, -66.0) + 6.0 + 1e-9
            loudest[step.bus] = max(loudest.get(step.bus, -66.0), *levels)
            ceiling = {"speakers": -6.0, "headphones": -12.0}[step.bus]
            assert max(levels) + CREST_DB < ceiling
    assert max(loudest.values()) <= -60.0 + 6.0 * sum(one in ("+", "nothing") for one in ear.answers)
    assert ear.played[-1].left_dbfs is ear.played[-1].right_dbfs is None, "in the end nothing sounds"


def test_a_calibrated_room_is_played_at_its_level_and_told_how_far_it_moved() -> None:
    known = replace(SPEAKERS, sensitivity_dba=90.0)
    ear = Ear({"speakers": 93.0})
    talk = ear.talk(known)
    assert talk.buses[0].sensitivity_dba == pytest.approx(93.0, abs=0.2)
    both = [step.left_dbfs for step in ear.played if None not in (step.left_dbfs, step.right_dbfs)]
    assert both[0] == -28.0, "62 dB(A), by what was known"
    assert any("+3.0 dB" in text for text in ear.said)


@pytest.mark.parametrize(
    ("ear", "why"),
    [
        (Ear({"speakers": 70.0}, levelled=0.4), "levels by itself"),
        (Ear({"speakers": 100.0}, background=58.0), "too loud to measure in"),
        (Ear({"speakers": 100.0}, meter_error=-45.0, audible=-60.0), "nothing that a meter reads"),
    ],
)
def test_a_reading_that_cannot_be_right_is_refused_with_its_reason(ear: Ear, why: str) -> None:
    with pytest.raises(AssertionError, match="no end"):
        ear.talk(SPEAKERS)
    assert any(why in text for text in ear.said)


def test_a_channel_that_nobody_hears_ends_the_check_and_says_where_to_look() -> None:
    with pytest.raises(Implausible, match=r"channel 1 \(speakers left\) is not heard at -14 dBFS"):
        Ear({"speakers": 20.0}).talk(SPEAKERS)


def test_swapped_jacks_are_found_and_nothing_is_measured_on_them() -> None:
    swapped = {("speakers", "left"): ("speakers", "right"), ("speakers", "right"): ("speakers", "left")}
    talk = Ear({"speakers": 100.0}, jacks=swapped).talk(SPEAKERS)
    assert talk.moved
    assert not talk.measured
    assert talk.buses[0].channels == (2, 1)
