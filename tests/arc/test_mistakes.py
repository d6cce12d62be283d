"""A programme's file whose parts contradict each other: each contradiction is named before anybody lies in the room."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.config import find_programme, load_programme
from controller.files import ConfigError


def mistakes(tmp_path: Path, name: str, *changes: tuple[str, str], called: str = "") -> list[str]:
    """What is said of a shipped programme with these words in the place of those."""
    text = find_programme(name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = tmp_path / f"{called or name}.toml"
    file.write_text(text, encoding="utf-8")
    try:
        load_programme(file)
    except ConfigError as error:
        return [mistake.removeprefix(f"{file}: ") for mistake in error.mistakes]
    return []


def test_a_copy_that_still_has_the_name_of_what_it_was_copied_from_is_told(tmp_path: Path) -> None:
    told = 'name: is "mdma", and the file is called "our-mdma"; they must be the same'
    assert mistakes(tmp_path, "mdma", called="our-mdma") == [told]


BOOSTER = '[booster]\nopens_minutes = 1\ncloses_minutes = 2\nextends_phase = "listen"\n'


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("mdma", 'code = "steady"', 'code = "oriented"', 'release.criteria: "oriented" is there twice'),
        ("psilocybin-oregon", "{ participant =", "{ patient =", 'labels: "patient" is nothing that papers call'),
        ("mdma", '{ code = "onset"', '{ code = "spoke"', 'marks: "spoke" is there twice'),
        ("mdma", '{ code = "onset"', '{ code = "on-set"', 'phases "rise": waits for onset, and no mark has'),
        ("mdma", "[release]", '[release]\ncounts_from = "stop"', "release.counts_from: nothing stops where"),
        ("mdma", "[vitals]", "[vitals]\nafter_stop_minutes = [30]", "vitals.after_stop_minutes: nothing stops where"),
        ("preparation-hour", "[dose]", f"{BOOSTER}[dose]", "booster: there is none without a dose"),
        ("psilocybin-oregon", "from_amount = 35", "from_amount = 25", "release.by_total_dose: 25 is there twice"),
        (
            "psilocybin-oregon",
            "minutes = 360 }",
            "minutes = 60 }",
            "release.by_total_dose: from 35 on release is sooner",
        ),
        ("blinded-two-arms", 'code = "B"', 'code = "A"', 'blinded.arms: "A" is there twice'),
    ],
)
def test_a_contradiction_is_named(tmp_path: Path, name: str, old: str, new: str, told: str) -> None:
    found = mistakes(tmp_path, name, (old, new))
    assert any(mistake.startswith(told) for mistake in found), found


def test_a_pattern_that_is_no_regular_expression_is_named_before_it_refuses_every_code(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "blinded-two-arms", ("participant_pattern = ", "participant_pattern = '[A-Z' #"))
    assert len(found) == 1 and 'participant_pattern: "[A-Z" is no regular expression' in found[0]


def test_limits_of_two_arms_that_have_nothing_in_common_are_named(tmp_path: Path) -> None:
    limits = 'code = "{}"\n[blinded.arms.vitals.limits]\npulse = {}\n'
    changes = [(f'code = "{arm}"\n', limits.format(arm, pulse)) for arm, pulse in (("A", [40, 60]), ("B", [70, 90]))]
    found = mistakes(tmp_path, "blinded-two-arms", *changes)
    assert found == ["blinded.arms: the limits of pulse have nothing in common"]
