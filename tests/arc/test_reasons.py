"""A plan explains itself: every reason has its words, and every piece its reason."""

from __future__ import annotations

import inspect
from dataclasses import replace

from controller import wording
from controller.arc import reasons
from controller.arc.shelves import Pool
from controller.messages import Limits
from controller.wording import plans as plan_words
from tests.arc.walk import Walk, codes


def told(walk: Walk) -> list[str]:
    """All reasons in words."""
    return [wording.planned(reason.code, reason.values) for reason in walk.made.reasons]


def test_every_cue_has_its_reason() -> None:
    walk = Walk.begin()
    walk.wait(3600.0)
    walk.held = True
    walk.plan(limits=Limits(no_vocals=True))
    explained = {row["cue"] for row in (*codes(walk.made, "chosen"), *codes(walk.made, "plays"))}
    assert explained == {cue.id for cue in walk.made.cues}


def test_every_code_and_every_why_has_words() -> None:
    table = inspect.cleandoc(reasons.__doc__ or "").split("\n\n")[1].splitlines()
    documented = {line.split()[0] for line in table if line.strip() and "why:" not in line}
    assert documented == set(plan_words.PLANNED)
    whys = next(line for line in table if "why:" in line)
    assert set(whys.split("why:")[1].replace(",", " ").split()) == set(plan_words.CHOSEN)
    for why in ("vocals", "language", "tradition", "excluded", "too_short", "broken"):
        assert why in plan_words.LEFT_OUT


def test_the_words_are_those_of_the_room() -> None:
    walk = Walk.begin(seed=3)
    walk.wait(600.0)
    lines = told(Walk.begin(seed=3))
    assert any("fits, so that the phase ends where a piece ends; one of" in line for line in lines)
    assert any(line.startswith("peak: ") and line.endswith(" min") for line in lines)
    walk.plan(limits=Limits(no_vocals=True), set_code="calm", set_until_s=walk.now + 900.0)
    lines = told(walk)
    assert any(line.endswith("taken out, with a voice") for line in lines)
    assert any("from the set calm" in line for line in lines)
    assert any("plays, and is left alone" in line for line in lines)
    assert any("pieces with a voice: (imagined)" in line and line.endswith("…") for line in lines)


def test_what_could_not_be_done_is_told() -> None:
    walk = Walk.begin()
    one = walk.pool.shelf("peak").pieces[:2]
    walk.pool = Pool({"peak": one})
    walk.made = replace(walk.made, cues=())
    walk.plan(set_code="calm", set_until_s=900.0)
    lines = told(walk)
    assert any("min of music too few" in line for line in lines)
    assert "the set calm has no piece that may be played: the phase's own music plays" in lines
