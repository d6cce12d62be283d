"""A blinded session at the console: kit numbers, words that would tell, and guesses."""

from __future__ import annotations

from datetime import datetime

import pytest
from msgspec.structs import replace

from controller import wording
from controller.console.clinical_forms import note_form
from controller.console.forms import Filled, Form
from controller.messages import MaskingGuess, Note, Status
from tests.console.fake_daemon import FakeRoom, demo_status
from tests.console.pressing import acts, console, text, way
from tests.waiting import until


def clock() -> datetime:
    return datetime(2026, 12, 1, 14, 52, 10).astimezone()


def blinded() -> Status:
    return replace(demo_status(), blinded=True, guesses=("experimental", "comparator", "unsure"))


async def test_a_guess_is_whose_which_and_how_certain(room: FakeRoom) -> None:
    room.status = blinded()
    async with console(room) as (app, pilot):
        await pilot.press(*way("masking_guess"))
        await until(lambda: "believes" in text(app))
        assert app.menu is not None
        await pilot.press("enter")
        await until(lambda: "experimental" in text(app))
        await pilot.press("3", "7", "enter")
        assert await acts(room) == [MaskingGuess(guess="unsure", of="participant", certainty=7)]


async def test_there_is_nothing_to_guess_elsewhere(room: FakeRoom) -> None:
    async with console(room) as (app, pilot):
        await pilot.press(*way("masking_guess"))
        await until(lambda: "not blinded" in text(app))
        assert not room.inputs


def test_a_note_that_would_tell_is_asked_about_once_and_never_lost() -> None:
    plain = note_form(1.0, clock, blinded=True).read("asked for water")
    assert isinstance(plain, Filled)
    asked = note_form(1.0, clock, blinded=True).read("thinks it was 25 mg")
    assert isinstance(asked, Form) and '"25 mg" may tell' in asked.hint
    kept = asked.read("thinks it was 25 mg")
    assert isinstance(kept, Filled) and kept.act == Note(text="thinks it was 25 mg", pressed_t=1.0)
    changed = asked.read("thinks it was much")
    assert isinstance(changed, Filled) and changed.act == Note(text="thinks it was much", pressed_t=1.0)
    assert isinstance(note_form(1.0, clock).read("25 mg"), Filled)


@pytest.mark.parametrize("part", ["dose", "device", "start", "booster"])
def test_the_dose_question_speaks_of_kits_and_never_of_amounts(part: str) -> None:
    hints = wording.dose_hints(replace(blinded(), dose_parts=(part,)), ("P-017",))
    assert "kit K-1" in hints and "mg" not in hints
