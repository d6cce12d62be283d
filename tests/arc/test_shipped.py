"""The programmes that come with the product, against the figures that they start from."""

import re

import pytest

from controller.arc.programme import Programme
from controller.config import find_programme, load_programme, shipped

NAMES = sorted(shipped("playlists"))
CLINICAL = [name for name in NAMES if name != "demo"]

# Minute at which each phase after the arrival ends, as the table of programmes says.
ENDS = {
    "blinded-two-arms": [20, 66, 190, 350, 460],
    "psilocybin-25mg": [20, 66, 190, 350, 460],
    "psilocybin-oregon": [20, 66, 190, 350, 460],
    "lsd-100ug": [30, 45, 110, 260, 420, 720],
    "mdma": [45, 60, 180, 300, 420, 480],
    "mdma-couple": [45, 60, 180, 300, 420, 480],
    "ketamine-iv-40min": [5, 20, 45, 100],
    "ketamine-im": [5, 30, 75, 150],
    "esketamine-nasal": [15, 30, 60, 130],
    "ketamine-lozenge": [15, 30, 50, 160],
    "5-meo-dmt": [2, 20, 60, 120],
    "dmt-iv-bolus": [2, 10, 30, 90],
    "dmt-iv-infusion-10min": [4, 14, 35, 100],
    "dmt-iv-infusion-90min": [2, 92, 120, 180],
    "preparation-hour": [10, 40, 50, 60],
}

# Earliest release in minutes (from the last dose or the stop): without an amount, and at some amounts.
RELEASE = [
    ("blinded-two-arms", None, 480),
    ("psilocybin-25mg", None, 480),
    ("psilocybin-25mg", 25.0, 480),
    ("psilocybin-oregon", 9.0, 0),
    ("psilocybin-oregon", 10.0, 240),
    ("psilocybin-oregon", 24.9, 240),
    ("psilocybin-oregon", 25.0, 300),
    ("psilocybin-oregon", 35.0, 360),  # at a border the longer line
    ("psilocybin-oregon", None, 360),
    ("lsd-100ug", 100.0, 780),
    ("lsd-100ug", 150.0, 960),
    ("mdma", None, 480),
    ("ketamine-iv-40min", None, 60),
    ("ketamine-im", None, 150),
    ("esketamine-nasal", None, 120),
    ("ketamine-lozenge", None, 180),
    ("5-meo-dmt", None, 180),
    ("dmt-iv-bolus", None, 90),
]


def programme(name: str) -> Programme:
    return load_programme(find_programme(name))


def test_every_clinical_programme_has_its_figures_written_down_here() -> None:
    assert sorted(ENDS) == CLINICAL


@pytest.mark.parametrize("name", CLINICAL)
def test_phases_end_at_the_minutes_of_the_table(name: str) -> None:
    arc = programme(name)
    first = 1 if arc.arrival_s else 0
    assert [arc.end_s(i) / 60 for i in range(first, len(arc.phases))] == pytest.approx(ENDS[name])


@pytest.mark.parametrize(("name", "amount", "minutes"), RELEASE)
def test_earliest_release_is_the_latest_of_law_and_programme(name: str, amount: float | None, minutes: float) -> None:
    assert programme(name).release.earliest_minutes(amount) == minutes


def test_readiness_criteria_shorten_the_wait_but_never_below_the_law() -> None:
    release = programme("5-meo-dmt").release
    assert release.earliest_minutes(None, criteria_met=True) == 120
    strict = release.model_copy(update={"law_minutes": 150})
    assert strict.earliest_minutes(None, criteria_met=True) == 150


@pytest.mark.parametrize("name", NAMES)
def test_no_shipped_programme_is_signed_and_each_says_so(name: str) -> None:
    text = find_programme(name).read_text()
    assert not programme(name).reviewed
    if name != "demo":
        assert "the clinic's medical lead" in text or "the service center checks and signs" in text


@pytest.mark.parametrize("name", CLINICAL)
def test_every_figure_of_a_phase_names_its_source_or_our_judgement(name: str) -> None:
    text = find_programme(name).read_text()
    assert "our\n# judgement" in text or "our judgement" in text
    bare = [line for line in text.splitlines() if re.match(r"minutes = [\d.]+$", line)]
    assert len(bare) == len(programme(name).sets)  # only the length of a set is left to the header


@pytest.mark.parametrize("name", CLINICAL)
def test_every_programme_offers_a_grounding_set_and_ends_in_a_calm_phase(name: str) -> None:
    arc = programme(name)
    assert any(each.kind == "grounding" for each in arc.sets)
    assert arc.phases[-1].intensity[-1] <= 0.2
    assert min(level for phase in arc.phases for level in phase.light) >= 0.05  # people must find the door


def test_the_couple_shares_an_arc_and_nothing_else() -> None:
    arc = programme("mdma-couple")
    assert (arc.participants_least, arc.participants_most, arc.t_plus_of) == (2, 2, "first-dosed")


def test_the_oregon_programme_speaks_of_clients_and_asks_for_no_vitals() -> None:
    arc = programme("psilocybin-oregon")
    assert arc.labels["participant"] == "client"
    assert not arc.vitals.minutes
    assert not arc.vitals.baseline
