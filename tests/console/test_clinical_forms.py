"""What is typed of vitals, doses, touch, events, corrections and release, what it means and what is asked about."""

from __future__ import annotations

from datetime import datetime

import pytest
from msgspec.structs import replace

from controller import wording
from controller.console.adverse_forms import event_form, update_form
from controller.console.clinical_forms import (
    dose_form,
    leave_form,
    note_form,
    release_form,
    touch_form,
    vitals_form,
)
from controller.console.correcting_forms import correct_dose_form, correct_form
from controller.console.forms import Filled, Form, end_form
from controller.messages import (
    AdverseEvent,
    Amend,
    BoosterView,
    CorrectDose,
    Dose,
    DoseView,
    EntryView,
    EventView,
    Leave,
    Mark,
    Note,
    Release,
    ReleaseView,
    Sitter,
    Status,
    Touch,
    UpdateEvent,
    Vitals,
)

LIMITS = (("systolic", 90.0, 180.0), ("diastolic", 50.0, 110.0))
LAST = Vitals(systolic=120, diastolic=80, pulse=70)


def clock() -> datetime:
    return datetime(2026, 12, 1, 14, 52, 0).astimezone()


def filled(answer: object) -> Filled:
    assert isinstance(answer, Filled), answer
    return answer


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("12/80", "systolic 12, diastolic not below systolic"),
        ("80/120", "diastolic 120 far from the last one, diastolic not below systolic"),
        ("120/80 140", "pulse 140 far from the last one"),
        ("120/80 72 198", "SpO2 198 %"),
        ("45.0", "temperature 45 °C"),
    ],
)
def test_implausible_vitals_are_asked_about_and_kept_by_a_second_enter(line: str, asked: str) -> None:
    kept = filled(vitals_form("A", LAST, LIMITS, clock).read(line))
    assert kept.doubt == asked
    assert isinstance(kept.act, Vitals) and kept.act.kept
    plain = filled(vitals_form("A", LAST, LIMITS, clock).read("120/80 72"))
    assert (plain.act, plain.doubt) == (Vitals(systolic=120, diastolic=80, pulse=72), "")


def test_vitals_stand_beside_the_last_ones_and_their_limits() -> None:
    form = vitals_form("A", LAST, LIMITS, clock)
    assert form.beside == "last 120/80 70\nlimits BP 90-180/50-110"
    told = filled(vitals_form("A", None, LIMITS, clock).read("184/80")).words
    assert "184/80" in told and "systolic 184, limit 180" in told


@pytest.mark.parametrize(("line", "ago_s"), [("120/80 @12", 720.0), ("120/80 @14:41", 660.0), ("120/80, 5 ago", 300.0)])
def test_a_line_says_how_long_ago_it_was(line: str, ago_s: float) -> None:
    assert filled(vitals_form("A", None, (), clock).read(line)).ago_s == ago_s


def test_a_time_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match="is no time"):
        vitals_form("A", None, (), clock).read("120/80 @25:99")


def test_a_note_keeps_the_keys_time_or_the_one_that_it_names() -> None:
    assert filled(note_form(9.0, clock).read("asked; for water")).act == Note(text="asked; for water", pressed_t=9.0)
    late = filled(note_form(9.0, clock).read("cried @14:41"))
    assert (late.act, late.ago_s) == (Note(text="cried"), 660.0)


def test_missed_vitals_have_a_reason() -> None:
    form = vitals_form("A", None, (), clock).read("")
    assert isinstance(form, Form)
    assert filled(form.read("asleep")).act == Vitals(missed="asleep")


def test_a_dose_is_read_back_with_its_sum_its_share_and_who_saw_it() -> None:
    status = Status(
        dose_parts=("dose", "booster"), dose_unit="mg",
        doses=(DoseView(participant="A", t=0.0, seq=4, amount=80.0, unit="mg"),),
        booster=(BoosterView(participant="A", opens_t=0.0, closes_t=1.0, state="open", amount=40.0),),
        sitters=(Sitter(initials="AB", since_t=0.0), Sitter(initials="CD", since_t=0.0)),
    )  # fmt: skip
    assert wording.dose_hints(status, ("A",)) == "25 mg or booster 40 mg"
    form = dose_form("A", "", lambda given, ago_s: wording.besides_dose(status, "A", given, -ago_s), clock)
    assert filled(form.read("booster 60 mg")).words == (
        "A: booster, 60 mg, now; in all 140 mg; more than 40 mg; NO WITNESS"
    )
    seen = filled(form.read("booster 40 mg, by CD @5; asked for it"))
    assert (seen.words, seen.ago_s, seen.why) == (
        "A: booster, 40 mg, witness CD, 5 min ago; in all 120 mg", 300.0, "asked for it",
    )  # fmt: skip


def test_a_device_too_soon_is_told_before_it_is_noted() -> None:
    status = Status(
        dose_parts=("device",), apart_minutes=5.0, doses=(DoseView(participant="A", t=0.0, seq=4, part="device"),)
    )
    told = wording.besides_dose(status, "A", Dose(part="device"), 180.0)
    assert told == ["only 3 min after a device, 5 apart"]


def test_touch_shows_the_consented_scope_first_and_names_what_lies_outside() -> None:
    form = touch_form("A", "hands", "", clock)
    assert form.beside.startswith("consented: hands")
    inside = filled(form.read("held hand 3 min"))
    assert inside.act == Touch(touch="held", where="hand", minutes=3.0) and "OUTSIDE" not in inside.words
    assert "OUTSIDE SCOPE" in filled(form.read("start foot")).words
    assert filled(form.read("foot inside")).act == Touch(where="foot", outside=False)
    assert filled(form.read("stop")).act == Touch(part="stop")
    assert "NO SCOPE WAS ENTERED" in touch_form("A", "", "", clock).beside


def test_an_event_asks_for_what_its_line_did_not_say_and_keeps_the_keys_time() -> None:
    form: object = event_form("A", 7.0, clock).read("chest pain")
    titles = []
    for answer in ("3 serious", "possible", "provider given 1 mg lorazepam".replace(" given", ", given"), ""):
        assert isinstance(form, Form)
        titles.append(form.title)
        form = form.read(answer)
    event = filled(form)
    assert titles[:3] == [
        "chest pain: grade", "chest pain: related to what was given?", "chest pain: what did it need?",
    ]  # fmt: skip
    assert event.act == AdverseEvent(
        event="chest pain", grade=3, serious=True, related="possible", needed=("provider",), rescue="1 mg lorazepam"
    )
    assert event.pressed_at == 7.0


def test_an_event_in_one_line_is_read_back_before_it_is_noted() -> None:
    form = event_form("A", 7.0, clock).read("nausea, 2, related, none @10")
    assert isinstance(form, Form)
    assert form.beside == "A: nausea, grade 2, related, needed nothing, open, 10 min ago"
    late = filled(form.read(""))
    assert (late.ago_s, late.pressed_at) == (600.0, None)


def test_an_update_of_an_event_shows_both() -> None:
    one = EventView(seq=9, participants=("A",), t=0.0, event=AdverseEvent(event="nausea", grade=2))
    given = filled(update_form(one, clock).read("grade 1, resolved"))
    assert given.act == UpdateEvent(event=9, grade=1, resolved=True)
    assert "grade 2" in given.words and "-> nausea, grade 1" in given.words
    moved = filled(update_form(one, clock, onset=True).read("@14:41"))
    assert moved.act == UpdateEvent(event=9, onset_minutes_ago=11.0)
    with pytest.raises(ValueError, match="what is true now"):
        update_form(one, clock).read("")


def test_an_entry_is_put_right_from_its_own_line() -> None:
    reading = EntryView(seq=5, kind="vitals", t=0.0, values={"systolic": 12, "diastolic": 80}, participants=("A",))
    form = correct_form(reading, "", (), ("A", "B"), clock)
    assert form.initial == "12/80"
    assert filled(form.read("120/80; a slip")).act == Amend(entry=5, act=Vitals(systolic=120, diastolic=80))
    meant = filled(form.read("12/80 for B"))
    assert meant.participants == ("B",)
    with pytest.raises(ValueError, match="nothing is changed"):
        form.read("12/80")


def test_a_mark_is_put_right_by_its_word_and_its_time() -> None:
    entry = EntryView(seq=5, kind="mark", t=0.0, values={"code": "spoke"})
    form = correct_form(entry, "", (("spoke", "spoke"), ("onset", "onset noticed")), ("A",), clock)
    assert filled(form.read("onset noticed @12")).act == Amend(entry=5, act=Mark(code="onset"), minutes_ago=12.0)
    with pytest.raises(ValueError, match="one of spoke, onset"):
        form.read("danced")


def test_a_doses_correction_says_how_long_ago_by_how_much_or_what() -> None:
    form = correct_dose_form(DoseView(participant="A", t=0.0, seq=12, amount=25.0, unit="mg"), clock)
    earlier = filled(form.read("-17; the clock on the wall was wrong"))
    assert earlier.act == CorrectDose(dose=12, by_minutes=-17.0)
    assert (earlier.why, earlier.participants) == ("the clock on the wall was wrong", ("A",))
    assert filled(form.read("42 min ago")).act == CorrectDose(dose=12, minutes_ago=42.0)
    assert filled(form.read("@14:41")).act == CorrectDose(dose=12, minutes_ago=11.0)
    fixed = filled(form.read("20 mg"))
    assert fixed.act == CorrectDose(dose=12, amount=20.0, unit="mg") and "25 mg -> 20 mg" in fixed.words
    assert filled(form.read("by CD")).act == CorrectDose(dose=12, witness="CD")
    with pytest.raises(ValueError, match="amount"):
        form.read("yesterday")


def test_release_names_all_that_stands_against_it_and_asks_for_a_second_person() -> None:
    view = ReleaseView(
        participant="A", earliest_t=5400.0, criteria=(("steady", "walks", False), ("calm", "calm", None)), events=(9,)
    )
    against = wording.all_against(view, 0.0, ())
    assert against == [
        "90 min too early", "steady: NO", "calm: not answered", "open adverse event of grade 3 [entry 9]",
    ]  # fmt: skip
    form = release_form("A", against)
    assert "90 min too early" in form.beside
    given = filled(form.read("asks to go, desk cd"))
    assert given.act == Release(override=True, reason="asks to go", second="CD", desk=True)
    with pytest.raises(ValueError, match="with AB"):
        form.read("asks to go")
    assert filled(release_form("A", []).read("")).act == Release()


def test_who_leaves_how_and_who_was_told() -> None:
    left = filled(leave_form("B", clock).read("steady, told AB, transport taxi @5"))
    assert left.act == Leave(condition="steady", told="AB", transport="taxi")
    assert (left.ago_s, left.participants) == (300.0, ("B",))


def test_the_end_asks_once_more_where_somebody_has_not_gone() -> None:
    assert isinstance(end_form().read("end"), Filled)
    again = end_form(("A", "B")).read("end")
    assert isinstance(again, Form) and again.title == "A and B are neither released nor left"
    assert again.closes_after_s and isinstance(again.read(""), Filled)


def test_the_sheet_has_the_telephone_and_no_dose_in_a_blinded_session() -> None:
    from controller.messages import ParticipantView
    from controller.wording.handover import sheet_of, sheet_text

    pain = AdverseEvent(event="pain", grade=3, rescue="1 mg X")
    status = Status(
        room="room-2", session="s", utc="2026-03-03T13:52:06.000Z", t=100.0, desk_phone="4711",
        participants=(ParticipantView(code="A", t_plus_s=60.0, doses=1),),
        doses=(DoseView(participant="A", t=40.0, seq=3, amount=25.0, unit="mg", kit="K-17"),),
        events=(EventView(seq=9, participants=("A",), t=80.0, event=pain),),
        vitals_limits=LIMITS,
    )  # fmt: skip
    told = sheet_text(sheet_of(status))
    for word in ("25 mg", "desk 4711", "pain, grade 3", "1 mg X", "BP 90-180/50-110", "0:01:00"):
        assert word in told
    hidden = sheet_text(sheet_of(replace(status, blinded=True, unblinding_phone="112233")))
    assert "25 mg" not in hidden and "112233" in hidden and "kit K-17" in hidden
