"""Doses by their part, logged late or corrected, and everything that counts from them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from controller.messages import (
    CorrectDose,
    DeclineBooster,
    Dose,
    FadeLight,
    Go,
    Leave,
    Mark,
    PlayCues,
    Refused,
    ReleaseAnswer,
    Replan,
    SetTransport,
    Vitals,
)
from controller.session import booster, release, vitals
from controller.session.course import booked_end, leader
from controller.session.due import due_views
from controller.session.state import arc_position
from controller.wording import due as due_words
from tests.session.room import PaperRoom

WHO = "C-0412"


def mdma() -> PaperRoom:
    room = PaperRoom()
    room.start("mdma")
    room.wait(300)
    room.act(Dose(amount=80, unit="mg"))
    return room


def test_an_ingestion_corrected_by_17_minutes_moves_every_dependent_time_and_nothing_else() -> None:
    room = mdma()
    seq = room.seq - 1  # the plan's record follows the dose's
    room.wait(20 * 60)
    room.act(Mark(code="onset"))
    room.wait(50 * 60)
    room.act(Vitals(systolic=120, diastolic=80, celsius=36.8))
    room.wait(50 * 60)
    before = room.state
    person = before.participants[0]
    old = {
        "vitals": [(one.key, one.t) for one in vitals.asked_of(before, person)],
        "window": booster.window(before, person),
        "release": release.view(before, person, room.now),
        "end": booked_end(before),
        "t_plus": person.t_plus(room.now),
    }
    assert old["t_plus"] == pytest.approx(2 * 3600)
    effects = room.act(CorrectDose(dose=seq, by_minutes=-17))
    after, person = room.state, room.state.participants[0]
    moved = -17 * 60.0
    assert person.t_plus(room.now) == pytest.approx(2 * 3600 - moved)
    for (key, t), asked in zip(old["vitals"], vitals.asked_of(after, person), strict=True):  # type: ignore[call-overload]
        assert (asked.key, asked.t) == (key, pytest.approx(t + moved))
    assert booster.window(after, person) == pytest.approx([t + moved for t in old["window"]])  # type: ignore[union-attr]
    told = release.view(after, person, room.now)
    assert told is not None and told.earliest_t == pytest.approx(old["release"].earliest_t + moved)  # type: ignore[attr-defined]
    assert booked_end(after) == pytest.approx(old["end"] + moved)  # type: ignore[operator]
    # Nothing else: the arc stays, nothing sounds or shines otherwise, nobody plans anew.
    assert arc_position(after, room.now) == arc_position(before, room.now)
    assert not [e for e in effects if isinstance(e, FadeLight | PlayCues | SetTransport | Replan)]
    assert replace(after, participants=before.participants, told=before.told) == before
    assert replace(person, doses=before.participants[0].doses) == before.participants[0]
    assert after.told >= before.told


def test_what_lies_ahead_again_after_a_correction_is_told_again() -> None:
    room = mdma()
    seq = room.seq - 1
    room.wait(61 * 60)
    assert room.codes().count("vitals_due") == 1
    room.act(CorrectDose(dose=seq, minutes_ago=50))
    room.wait(11 * 60)
    assert room.codes().count("vitals_due") == 2


@pytest.mark.parametrize(
    "act", [CorrectDose(dose=3), CorrectDose(dose=3, minutes_ago=1, by_minutes=1), CorrectDose(dose=99, minutes_ago=1)]
)
def test_a_correction_that_says_nothing_clear_is_refused(act: CorrectDose) -> None:
    room = mdma()
    act = replace(act, dose=room.seq - 1) if act.dose == 3 else act
    with pytest.raises(Refused):
        room.act(act)
    with pytest.raises(Refused):
        room.act(CorrectDose(dose=room.seq - 1, by_minutes=30))  # it would lie in the future


def test_an_infusion_is_started_and_stopped_and_release_counts_from_its_stop() -> None:
    room = PaperRoom()
    room.start("ketamine-iv-40min")
    with pytest.raises(Refused, match="no_infusion"):
        room.act(Dose(part="stop"))
    room.act(Dose(part="start", amount=35, unit="mg"))
    with pytest.raises(Refused, match="already"):
        room.act(Dose(part="start"))
    room.wait(40 * 60)
    running = release.view(room.state, room.state.participants[0], room.now)
    assert running is not None and running.earliest_t is None
    room.act(Dose(part="stop"))
    stopped = release.view(room.state, room.state.participants[0], room.now)
    assert stopped is not None and stopped.earliest_t == pytest.approx(room.now + 60 * 60)
    with pytest.raises(Refused, match="no_such_dose"):
        room.act(Dose(part="device"))


def test_release_counts_from_the_last_device() -> None:
    room = PaperRoom()
    room.start("esketamine-nasal")
    for _ in range(3):
        room.act(Dose(amount=28, unit="mg"))
        room.wait(5 * 60)
    person = room.state.participants[0]
    assert [dose.part for dose in person.doses] == ["device"] * 3
    told = release.view(room.state, person, room.now)
    assert told is not None and told.earliest_t == pytest.approx(room.now - 5 * 60 + 120 * 60)
    assert release.total_amount(room.state, person) == 84


def test_the_next_device_is_due_as_far_behind_the_last_one_as_the_programme_says() -> None:
    room = PaperRoom()
    room.start("esketamine-nasal")

    def shown() -> list[tuple[float, str]]:
        views = due_views(room.state, room.now)
        return [(round(view.in_s / 60.0, 1), view.state) for view in views if view.code == "device"]

    assert shown() == []
    room.act(Dose(amount=28, unit="mg"))
    assert shown() == [(5.0, "coming")]
    room.wait(2 * 60)
    assert shown() == [(3.0, "coming")]
    room.wait(3 * 60)
    assert shown() == [(0.0, "due")]
    room.act(Dose(amount=28, unit="mg"))
    assert shown() == [(5.0, "coming")]
    (told,) = (due_words(view) for view in due_views(room.state, room.now) if view.code == "device")
    assert told == "next device in 5 min"
    room.wait(10 * 60)
    assert shown() == [], "whoever took no further one by then takes none"


def test_a_kit_counts_as_the_largest_dose() -> None:
    room = PaperRoom()
    room.start("lsd-100ug")
    room.act(Dose(kit="K-17"))
    unknown = release.view(room.state, room.state.participants[0], room.now)
    room = PaperRoom()
    room.start("lsd-100ug")
    room.act(Dose(amount=75))
    known = release.view(room.state, room.state.participants[0], room.now)
    assert unknown is not None and known is not None
    assert unknown.earliest_t - known.earliest_t >= 180 * 60  # type: ignore[operator]


def test_a_booster_outside_its_window_needs_an_override() -> None:
    room = mdma()
    room.wait(60 * 60)
    with pytest.raises(Refused, match="booster_closed") as refused:
        room.act(Dose(part="booster", amount=40))
    assert refused.value.values["opens_minutes"] == 30
    room.act(Dose(part="booster", amount=40, override=True))
    with pytest.raises(Refused, match="already"):
        room.act(Dose(part="booster", amount=40))


def test_a_booster_lengthens_its_phase_and_moves_release() -> None:
    room = mdma()
    room.wait(100 * 60)
    before = release.view(room.state, room.state.participants[0], room.now)
    end = room.state.programme.arc_end_s  # type: ignore[union-attr]
    room.act(Dose(part="booster", amount=40))
    after = release.view(room.state, room.state.participants[0], room.now)
    assert after.earliest_t - before.earliest_t == pytest.approx(100 * 60)  # type: ignore[union-attr,operator]
    assert room.state.programme.arc_end_s == end + 30 * 60  # type: ignore[union-attr]
    assert room.state.booked.arc_end_s == end  # type: ignore[union-attr]
    assert "arc_lengthened" in room.codes()


def test_a_booster_for_two_lengthens_the_arc_once() -> None:
    for together in (True, False):
        room = PaperRoom()
        room.start("mdma-couple", "A-1", "B-2")
        room.act(Dose(amount=80), "A-1", "B-2")
        room.wait(100 * 60)
        end = room.state.programme.arc_end_s  # type: ignore[union-attr]
        for whom in [("A-1", "B-2")] if together else [("A-1",), ("B-2",)]:
            room.act(Dose(part="booster", amount=40), *whom)
        assert room.state.programme.arc_end_s == end + 30 * 60  # type: ignore[union-attr]


def test_a_declined_booster_is_reminded_of_no_more() -> None:
    room = mdma()
    room.act(DeclineBooster())
    room.wait(130 * 60)
    assert not {"booster_opens", "booster_closes"} & set(room.codes())
    view = booster.view(room.state, room.state.participants[0], room.now)
    assert view is not None and view.state == "declined"


def test_the_arc_counts_from_whom_the_programme_says() -> None:
    for of, phase in (("first-dosed", "settle"), ("last-dosed", "arrival")):
        room = PaperRoom()
        text_of = room.programme_text("mdma-couple").replace('t_plus_of = "first-dosed"', f't_plus_of = "{of}"')
        room.start("mdma-couple", "A-1", "B-2", text=text_of)
        room.act(Dose(), "A-1")
        assert room.state.here.code == phase
        room.wait(600)
        room.act(Dose(), "B-2")
        first = leader(room.state)
        assert first is not None and first.code == ("A-1" if of == "first-dosed" else "B-2")
        assert arc_position(room.state, room.now) == (600 if of == "first-dosed" else 0)


def test_one_who_leaves_is_waited_for_and_reminded_no_more() -> None:
    room = PaperRoom()
    text = room.programme_text("mdma-couple").replace('"first-dosed"', '"last-dosed"')
    room.start("mdma-couple", "A-1", "B-2", text=text)
    room.act(Dose(), "A-1")
    assert room.state.here.code == "arrival"
    room.act(Leave(condition="steady", told="AB"), "B-2")
    assert room.state.here.code == "settle"
    with pytest.raises(Refused, match="has_left"):
        room.act(Vitals(pulse=70), "B-2")
    room.wait(90 * 60)
    assert {view.participant for view in due_views(room.state, room.now)} == {"A-1", ""}


def test_more_or_fewer_people_than_the_programme_is_for_are_refused() -> None:
    for name, people in (("psilocybin-25mg", ("A-1", "B-2")), ("mdma-couple", ("A-1",))):
        with pytest.raises(Refused, match="bad_value"):
            PaperRoom().start(name, *people)


def test_a_programme_without_a_dose_asks_for_none() -> None:
    room = PaperRoom()
    room.start("preparation-hour")
    assert arc_position(room.state, room.now) == 0.0
    with pytest.raises(Refused, match="no_such_dose"):
        room.act(Dose())
    room.act(Go(phase=room.state.programme.phases[-1].code))  # type: ignore[union-attr]
    room.wait(3 * 3600)
    assert room.state.waiting_for == "end"
    assert booked_end(room.state) == pytest.approx(1000.0 + room.state.booked.arc_end_s)  # type: ignore[union-attr]
    assert all(view.code in ("arc_ends",) for view in due_views(room.state, room.now))


def test_release_is_ready_when_its_time_has_come_and_every_question_is_answered_with_yes() -> None:
    room = mdma()
    codes = [one.code for one in room.state.programme.release.criteria]  # type: ignore[union-attr]
    room.wait(480 * 60)
    for code in codes:
        view = release.view(room.state, room.state.participants[0], room.now)
        assert view is not None and not view.ready
        room.act(ReleaseAnswer(criterion=code, met=True))
    view = release.view(room.state, room.state.participants[0], room.now)
    assert view is not None and view.ready
    room.act(ReleaseAnswer(criterion=codes[0], met=False))
    view = release.view(room.state, room.state.participants[0], room.now)
    assert view is not None and not view.ready
    assert room.codes().count("release_reached") == 1


def test_a_booster_at_a_wrong_minute_never_becomes_the_ingestion() -> None:
    room = mdma()
    ingestion = room.state.participants[0].doses[0].seq
    room.wait(100 * 60)
    began = room.state.participants[0].ingestion_t
    with pytest.raises(Refused, match="bad_value"):
        room.act(Dose(part="booster", amount=40, override=True, minutes_ago=130))
    room.act(Dose(part="booster", amount=40))
    booster_seq = room.state.participants[0].doses[-1].seq
    with pytest.raises(Refused, match="bad_value"):
        room.act(CorrectDose(dose=booster_seq, by_minutes=-130))
    room.wait(60 * 60)
    with pytest.raises(Refused, match="bad_value"):
        room.act(CorrectDose(dose=ingestion, by_minutes=110))
    assert room.state.participants[0].ingestion_t == began
