"""Blinded programmes: nothing in the file tells, and everybody is followed by the strictest arm."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.arc.blinding import strictest
from controller.arc.programme import Programme, parse_programme
from controller.config import load_programme
from controller.files import ConfigError
from controller.messages import telling_words

SHIPPED = Path(__file__).parents[2] / "playlists" / "blinded-two-arms.toml"


def shipped() -> str:
    return SHIPPED.read_text(encoding="utf-8")


def test_vitals_are_taken_whenever_an_arm_asks_and_release_waits_for_the_latest() -> None:
    programme = load_programme(SHIPPED)
    assert programme.vitals.minutes == (30, 45, 60, 90, 120, 180, 240, 300, 360)
    assert programme.vitals.temperature_minutes == (120, 240)
    assert programme.vitals.spo2_minutes == (90,)
    assert programme.release.earliest_minutes(None) == 480
    assert programme.release.law_minutes == 300
    assert [one.code for one in programme.release.criteria] == ["oriented", "steady", "calm", "vitals", "escort"]


def test_the_strictest_of_the_strictest_is_itself() -> None:
    once = parse_programme(shipped())
    assert strictest(once) == once


def boosters(a: tuple[int, int], b: tuple[int, int]) -> str:
    text = shipped()
    for code, (opens, closes) in (("A", a), ("B", b)):
        table = (
            f'[blinded.arms.booster]\nopens_minutes = {opens}\ncloses_minutes = {closes}\nextends_phase = "descent"\n'
        )
        text = text.replace(f'code = "{code}"\n', f'code = "{code}"\n{table}')
    return text


def test_a_booster_is_offered_only_while_every_arm_offers_it() -> None:
    programme = parse_programme(boosters((90, 120), (100, 140)))
    assert programme.booster is not None
    assert (programme.booster.opens_minutes, programme.booster.closes_minutes) == (100, 120)


def test_boosters_without_a_common_time_are_a_mistake_of_the_file() -> None:
    with pytest.raises(ValueError, match="no time in common"):
        parse_programme(boosters((90, 100), (110, 140)))


def test_a_booster_lengthens_a_phase_that_is_there() -> None:
    with pytest.raises(ValueError, match='there is no phase "descend"'):
        parse_programme(boosters((90, 120), (100, 140)).replace('phase = "descent"', 'phase = "descend"'))


def test_a_blinded_programme_with_amounts_is_a_mistake_of_the_file() -> None:
    with pytest.raises(ValueError, match="kit numbers, never amounts"):
        parse_programme(shipped().replace("kit = true", 'unit = "units"\nkit = true'))


def test_words_that_would_tell_are_named_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "low-dose-arm.toml"
    file.write_text(
        shipped().replace('title = "Study session"', 'title = "Psilocybin study"   # arm A: 25 mg, arm B: placebo')
    )
    line = next(number for number, text in enumerate(file.read_text().splitlines(), 1) if text.startswith("title"))
    with pytest.raises(ConfigError) as error:
        load_programme(file)
    text = "\n".join(error.value.mistakes)
    for word in ("Psilocybin", "25 mg", "placebo"):
        assert f'line {line}: "{word}" would tell' in text
    assert 'its name: "low-dose"' in text


@pytest.mark.parametrize("word", ["MDMA", "1,5 mg", "100µg", "5-MeO-DMT", "Esketamine", "sham"])
def test_it_knows_what_tells(word: str) -> None:
    assert [found for _, found in telling_words(f"so: {word}.")] == [word]


@pytest.mark.parametrize("text", ["120/80 72 98", "kit K-0412", "T+70 min", "dimgray", "peak", "0.9", "25 min"])
def test_it_leaves_the_rest_alone(text: str) -> None:
    assert telling_words(text) == []


def test_a_programme_that_is_not_blinded_stays_as_it_is() -> None:
    text = (SHIPPED.parent / "mdma.toml").read_text(encoding="utf-8")
    programme = parse_programme(text)
    assert strictest(programme) is programme and isinstance(programme, Programme)
