"""Vitals: when each reading is due, and what became of it."""

from __future__ import annotations

import pytest

from controller.messages import CorrectDose, Dose, Refused, Stable, Vitals
from controller.session import vitals
from controller.session.due import due_views
from tests.session.room import PaperRoom

BP = Vitals(systolic=120, diastolic=80, pulse=70)
ALL = Vitals(systolic=120, diastolic=80, pulse=70, celsius=36.9)


def standing(room: PaperRoom) -> dict[str, str]:
    person = room.state.participants[0]
    return {one.asked.key.rsplit("/", 1)[1]: one.standing for one in vitals.served(room.state, person, room.now)}


def at(minutes: float, programme: str = "psilocybin-25mg") -> PaperRoom:
    room = PaperRoom()
    room.start(programme)
    room.wait(600)
    room.act(Dose(amount=25))
    room.wait(minutes * 60)
    return room


def test_a_reading_becomes_due_then_overdue_then_done() -> None:
    room = at(29)
    assert standing(room)["30"] == "coming"
    room.wait(60)
    assert standing(room)["30"] == "due"
    room.wait(10 * 60)
    assert standing(room)["30"] == "overdue"
    room.act(BP)
    assert standing(room)["30"] == "done"
    assert [code for code in room.codes() if code.startswith("vitals")] == ["vitals_due", "vitals_overdue"]


def test_a_reading_a_little_early_counts_and_is_not_asked_for_again() -> None:
    room = at(26)
    room.act(BP)
    room.wait(30 * 60)
    assert standing(room)["30"] == "done"
    assert "vitals_due" not in room.codes()


def test_a_reason_closes_every_reading_that_has_come() -> None:
    room = at(65)
    room.act(Vitals(missed="asleep"))
    assert (standing(room)["30"], standing(room)["60"], standing(room)["90"]) == ("missed", "missed", "coming")


def test_a_reading_that_a_later_one_took_the_place_of_has_lapsed() -> None:
    room = at(61)
    room.act(BP)
    assert (standing(room)["30"], standing(room)["60"]) == ("lapsed", "done")
    assert [view.state for view in due_views(room.state, room.now) if view.code == "vitals"] == ["coming"]


def test_temperature_is_asked_for_where_the_programme_does() -> None:
    room = at(121)
    room.act(BP)
    view = next(view for view in due_views(room.state, room.now) if view.code == "vitals")
    assert (view.state, view.needs) == ("due", ("temperature",))
    room.act(Vitals(celsius=37.2))
    assert standing(room)["120"] == "done"


def test_the_baseline_lies_before_ingestion() -> None:
    room = PaperRoom()
    room.start()
    assert standing(room) == {"baseline": "coming"}
    room.act(ALL)
    assert standing(room) == {"baseline": "done"}
    room = at(1)
    assert standing(room)["baseline"] == "lapsed"


def test_vitals_are_taken_again_before_a_booster() -> None:
    room = at(91, "mdma")
    view = next(view for view in due_views(room.state, room.now) if view.code == "vitals_booster")
    assert (view.state, view.needs) == ("due", ("bp", "temperature"))
    room.act(ALL)
    assert standing(room)["booster"] == "done"


def test_vitals_repeat_until_somebody_says_that_they_are_stable() -> None:
    room = at(121, "esketamine-nasal")
    for _ in range(3):
        room.act(Vitals(systolic=130, diastolic=85, pulse=80, spo2=98))
        room.wait(20 * 60)
    told = room.codes().count("vitals_due")
    assert told >= 3
    room.act(Vitals(systolic=130, diastolic=85, pulse=80, spo2=98))
    room.act(Stable())
    room.wait(3 * 3600)
    assert room.codes().count("vitals_due") == told
    with pytest.raises(Refused, match="already"):
        room.act(Stable())


def test_a_correction_tells_repeated_vitals_that_have_come_at_once() -> None:
    room = at(100, "esketamine-nasal")
    seq = next(dose.seq for dose in room.state.participants[0].doses)
    room.act(CorrectDose(dose=seq, by_minutes=-60))  # T+160: 40, 120, 140 and 160 have come
    assert standing(room)["120+2"] in ("due", "overdue")
