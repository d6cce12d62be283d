"""Touch, adverse events, late entries, corrections, release and who leaves: what the rules keep and tell."""

from __future__ import annotations

import pytest

from controller.messages import (
    Act,
    AdverseEvent,
    Amend,
    Challenge,
    CorrectDose,
    Dose,
    End,
    Fact,
    Input,
    Leave,
    Mark,
    Note,
    Origin,
    Refused,
    Release,
    ReleaseAnswer,
    TakeBack,
    Touch,
    UpdateEvent,
    Vitals,
)
from controller.session import release
from controller.session.entries import going_on
from controller.session.state import Participant
from tests.session.room import PaperRoom

A, B = "C-0412", "C-0413"


class Ward(PaperRoom):
    """A room whose people have initials."""

    def by(self, who: str | None, act: Act, *participants: str, ago_s: float = 0.0) -> list[Fact]:
        """One act of somebody's, and the facts that it brought about."""
        self.settle()
        known = len(self.facts)
        origin = Origin(person=who, console=f"console-{who or 'a'}", path="socket")
        self._take(Input(act=act, participants=participants, origin=origin, ago_s=ago_s))
        return self.facts[known:]

    def person(self, code: str = A) -> Participant:
        return next(one for one in self.state.participants if one.code == code)

    def ready(self, *codes: str) -> None:
        """Every question answered with yes."""
        assert self.state.programme is not None
        for criterion in self.state.programme.release.criteria:
            self.by("AB", ReleaseAnswer(criterion=criterion.code, met=True), *(codes or (A,)))


def dosed() -> Ward:
    room = Ward()
    room.dosed()
    return room


def couple() -> Ward:
    room = Ward()
    room.start("mdma-couple", A, B)
    room.wait(60.0)
    room.by("AB", Dose(amount=80, unit="mg"), A)
    room.by("AB", Dose(amount=120, unit="mg"), B)
    return room


def told(facts: list[Fact], code: str) -> list[dict[str, str | int | float]]:
    return [fact.values for fact in facts if fact.code == code]


# --- Late entries ---


def test_what_is_entered_late_counts_from_when_it_happened() -> None:
    room = dosed()
    room.wait(3600.0)
    room.by("AB", Vitals(pulse=70), ago_s=660.0)
    assert room.person().vitals[-1][0] == room.now - 660.0
    room.by("AB", Mark(code="spoke"), ago_s=120.0)
    assert room.state.entries[-1].t == room.now - 120.0


def test_a_reading_entered_late_stands_among_the_others_in_its_time() -> None:
    room = dosed()
    room.wait(3600.0)
    room.by("AB", Vitals(pulse=80))
    room.by("AB", Vitals(pulse=70), ago_s=660.0)
    assert [line.pulse for _, line in room.person().vitals] == [70, 80]


@pytest.mark.parametrize("ago_s", [-1.0, 25 * 3600.0])
def test_nothing_happens_in_the_future_or_more_than_a_day_ago(ago_s: float) -> None:
    with pytest.raises(Refused, match="bad_value"):
        dosed().by("AB", Vitals(pulse=70), ago_s=ago_s)


def test_what_moves_the_room_is_never_late() -> None:
    with pytest.raises(Refused, match="bad_value"):
        dosed().by("AB", End(), ago_s=60.0)


# --- Vitals ---


def test_a_reading_beyond_the_programmes_limit_is_told_beside_it_and_kept() -> None:
    room = dosed()
    facts = room.by("AB", Vitals(systolic=190, diastolic=80, pulse=70))
    assert told(facts, "beyond_limit") == [{"participant": A, "reading": "systolic", "value": 190, "limit": 180}]
    assert room.person().vitals[-1][1].systolic == 190


# --- Doses ---


def test_part_doses_add_up() -> None:
    room = dosed()
    facts = room.by("AB", Dose(amount=10, unit="mg"))
    assert told(facts, "dose_total") == [{"participant": A, "amount": 35.0, "unit": "mg"}]


def test_a_device_sooner_than_five_minutes_after_another_is_recorded_as_that() -> None:
    room = Ward()
    room.start("esketamine-nasal")
    room.by("AB", Dose(amount=28, part="device"))
    room.wait(180.0)
    facts = room.by("AB", Dose(amount=28, part="device"))
    assert told(facts, "device_early") == [{"participant": A, "minutes": 3.0, "apart": 5.0}]
    room.wait(300.0)
    assert not told(room.by("AB", Dose(amount=28, part="device")), "device_early")


def test_a_corrected_amount_shows_what_stood_before_and_moves_release() -> None:
    room = Ward()
    room.start("psilocybin-oregon")
    room.wait(60.0)
    room.by("AB", Dose(amount=20, unit="mg"))
    before = release.view(room.state, room.person(), room.now)
    seq = room.person().doses[0].seq
    facts = room.by("AB", CorrectDose(dose=seq, amount=40.0, witness="CD"))
    fixed = told(facts, "dose_corrected")[0]
    assert (fixed["was_amount"], fixed["amount"], fixed["was_witness"], fixed["witness"]) == (20, 40.0, "", "CD")
    after = release.view(room.state, room.person(), room.now)
    assert before and after and before.earliest_t and after.earliest_t
    assert after.earliest_t - before.earliest_t == 120 * 60.0


def test_each_of_a_couple_has_a_dose_a_release_and_a_booster_of_their_own() -> None:
    room = couple()
    assert [view.amount for view in map(lambda p: booster_of(room, p), (A, B)) if view] == [40.0, 60.0]
    room.wait(100 * 60.0)
    room.by("AB", Dose(amount=40, unit="mg", part="booster"), A)
    views = {code: release.view(room.state, room.person(code), room.now) for code in (A, B)}
    assert views[A] and views[B] and views[A].earliest_t and views[B].earliest_t
    assert views[A].earliest_t - views[B].earliest_t == pytest.approx(100 * 60.0)


def booster_of(room: Ward, code: str):  # type: ignore[no-untyped-def]
    from controller.session import booster

    return booster.view(room.state, room.person(code), room.now)


# --- Touch ---


@pytest.mark.parametrize(
    ("scope", "where", "outside"),
    [
        ("hands, shoulders", "hand", False),
        ("hands", "foot", True),
        ("feet; hands", "foot", False),
        ("any", "head", False),
        ("no hands", "hand", True),
        ("none", "hand", True),
        ("", "hand", True),
        ("hands, no head", "head", True),
    ],
)
def test_touch_outside_the_consented_scope_is_recorded_as_that_and_never_refused(
    scope: str, where: str, outside: bool
) -> None:
    from controller.bedside import covers

    assert covers(scope, "held", where) is not outside
    room = dosed()
    facts = room.by("AB", Touch(touch="held", where="foot"))
    assert told(facts, "touch_outside") == [{"participant": A, "where": "foot", "scope": ""}]


def test_whoever_gives_touch_can_say_that_it_lies_within_the_scope() -> None:
    assert not told(dosed().by("AB", Touch(where="foot", outside=False)), "touch_outside")


def test_touch_that_begins_goes_on_until_it_ends() -> None:
    room = dosed()
    room.by("AB", Touch(where="hand", part="start"))
    assert going_on(room.state, A, Touch) is not None
    room.wait(240.0)
    facts = room.by("AB", Touch(part="stop"))
    assert told(facts, "touch_over") == [{"participant": A, "where": "hand", "minutes": 4.0}]
    assert going_on(room.state, A, Touch) is None
    room.by("AB", TakeBack(seq=room.seq))
    assert going_on(room.state, A, Touch) is not None


# --- Adverse events ---


def test_an_update_of_an_event_shows_what_stood_before() -> None:
    room = dosed()
    room.wait(600.0)
    room.by("AB", AdverseEvent(event="headache", grade=2, needed=("none",)), ago_s=300.0)
    seq = room.seq
    assert room.state.adverse[0].t == room.now - 300.0
    facts = room.by("CD", UpdateEvent(event=seq, grade=3, needed=("provider",)))
    values = told(facts, "event_updated")[0]
    assert (values["was_grade"], values["grade"]) == (2, 3)
    assert (values["was_needed"], values["needed"]) == ("none", "provider")
    assert "was_event" not in values
    with pytest.raises(Refused, match="already"):
        room.by("CD", UpdateEvent(event=seq, grade=3))


@pytest.mark.parametrize(
    "event",
    [
        AdverseEvent(event="", grade=1),
        AdverseEvent(event="fall", grade=0),
        AdverseEvent(event="fall", grade=6),
        AdverseEvent(event="x" * 41, grade=1),
        AdverseEvent(event="fall", grade=1, needed=("none", "rescue")),
    ],
)
def test_an_event_that_says_nothing_or_two_things_is_refused(event: AdverseEvent) -> None:
    with pytest.raises(Refused, match="bad_value"):
        dosed().by("AB", event)


def test_a_challenging_experience_has_a_beginning_and_an_end_and_is_no_event() -> None:
    room = dosed()
    room.by("AB", Challenge())
    room.wait(1200.0)
    facts = room.by("AB", Challenge(part="end"), ago_s=300.0)
    assert told(facts, "challenge_over") == [{"participant": A, "minutes": 15.0}]
    assert not room.state.adverse
    with pytest.raises(Refused, match="no_challenge"):
        room.by("AB", Challenge(part="end"))


def test_an_event_of_somebody_who_has_left_is_still_theirs() -> None:
    room = dosed()
    room.by("AB", Leave(condition="steady"))
    room.by("AB", AdverseEvent(event="fall", grade=1))
    assert room.state.adverse[0].participants == (A,)


# --- Corrections ---


def test_a_corrected_reading_takes_the_place_of_the_wrong_one() -> None:
    room = dosed()
    room.by("AB", Vitals(systolic=12, diastolic=80, kept="systolic_range"))
    seq = room.seq
    room.wait(60.0)
    facts = room.by("CD", Amend(entry=seq, act=Vitals(systolic=120, diastolic=80)))
    values = told(facts, "amended")[0]
    assert (values["entry"], values["was_systolic"], values["systolic"]) == (seq, 12, 120)
    assert [(t, line.systolic) for t, line in room.person().vitals] == [(room.now - 60.0, 120)]


def test_a_correction_of_one_reading_leaves_the_others_of_its_line() -> None:
    room = dosed()
    room.by("AB", Vitals(systolic=220, diastolic=80, pulse=27, celsius=36.8, kept="pulse_range systolic_far"))
    facts = room.by("CD", Amend(entry=room.seq, act=Vitals(pulse=72), only=("pulse",)))
    stands = Vitals(systolic=220, diastolic=80, pulse=72, celsius=36.8, kept="systolic_far")
    assert [line for _, line in room.person().vitals] == [stands] == [room.state.entries[-1].act]
    values = told(facts, "amended")[0]
    assert (values["was_pulse"], values["systolic"]) == (27, 220) and "was_systolic" not in values


def test_a_reading_that_is_put_in_the_place_of_a_reason_was_not_missed() -> None:
    room = dosed()
    room.by("AB", Vitals(missed="asleep"))
    room.by("CD", Amend(entry=room.seq, act=Vitals(pulse=72), only=("pulse",)))
    assert [line for _, line in room.person().vitals] == [Vitals(pulse=72)]


def test_a_touch_that_was_at_another_place_lasted_as_long() -> None:
    room = dosed()
    room.by("AB", Touch(touch="held", where="hand", minutes=3.0, outside=False))
    room.by("CD", Amend(entry=room.seq, act=Touch(where="shoulder"), only=("where", "outside")))
    assert room.state.entries[-1].act == Touch(touch="held", where="shoulder", minutes=3.0)


def test_a_correction_of_nothing_but_the_time_is_one_of_any_entry() -> None:
    room = dosed()
    room.wait(600.0)
    room.by("AB", Mark(code="spoke"))
    room.by("AB", Amend(entry=room.seq, act=Note(), only=(), minutes_ago=5.0))
    assert (room.state.entries[-1].act, room.state.entries[-1].t) == (Mark(code="spoke"), room.now - 300.0)
    with pytest.raises(Refused, match="already"):
        room.by("AB", Amend(entry=room.state.entries[-1].seq, act=Vitals(), only=()))


def test_a_reading_of_the_wrong_one_of_two_goes_to_the_right_one() -> None:
    room = couple()
    room.by("AB", Vitals(pulse=70), A)
    facts = room.by("AB", Amend(entry=room.seq, act=Vitals(pulse=70)), B)
    assert (told(facts, "amended")[0]["was_participants"], told(facts, "amended")[0]["participants"]) == (A, B)
    assert not room.person(A).vitals and len(room.person(B).vitals) == 1


def test_a_mark_can_be_another_one_and_at_another_time() -> None:
    room = dosed()
    room.wait(600.0)
    room.by("AB", Mark(code="spoke"))
    facts = room.by("AB", Amend(entry=room.seq, act=Mark(code="cold"), minutes_ago=5.0))
    values = told(facts, "amended")[0]
    assert (values["was_code"], values["code"], values["moved_s"]) == ("spoke", "cold", -300.0)


def test_onset_that_was_no_onset_is_waited_for_again() -> None:
    room = dosed()
    room.by("AB", Mark(code="onset"))
    seq = room.state.entries[-1].seq
    assert room.state.programme and not room.state.programme.phases[2].wait_for
    room.by("AB", Amend(entry=seq, act=Mark(code="spoke")))
    assert room.state.programme.phases[2].wait_for == "onset"
    room.by("AB", Amend(entry=seq, act=Mark(code="onset")))
    assert not room.state.programme.phases[2].wait_for


def test_no_word_of_a_note_reaches_the_state_or_a_fact() -> None:
    room = dosed()
    room.by("AB", Note(text="asked for Anna"))
    facts = room.by("AB", Amend(entry=room.seq, act=Note(text="asked for a friend")))
    from controller.messages import encode

    assert b"Anna" not in encode(room.state) and b"friend" not in encode(room.state)
    assert "friend" not in str(facts)


def test_a_correction_is_of_the_same_kind_and_of_something_that_was_entered() -> None:
    room = dosed()
    room.by("AB", Mark(code="spoke"))
    with pytest.raises(Refused, match="not_this_kind"):
        room.by("AB", Amend(entry=room.seq, act=Vitals(pulse=70)))
    with pytest.raises(Refused, match="unknown_entry"):
        room.by("AB", Amend(entry=1, act=Mark(code="spoke")))


def test_what_somebody_else_entered_is_not_taken_back_and_says_whose_it_is() -> None:
    room = dosed()
    room.by("AB", Vitals(pulse=70))
    with pytest.raises(Refused) as refused:
        room.by("CD", TakeBack(seq=room.seq))
    assert (refused.value.code, refused.value.values) == ("not_yours", {"who": "AB"})
    room.by("AB", TakeBack(seq=room.seq))
    assert not room.person().vitals


# --- Release ---


def test_release_passes_when_the_time_and_every_question_are_met() -> None:
    room = dosed()
    room.wait(481 * 60.0)
    with pytest.raises(Refused, match="not_ready"):
        room.by("AB", Release())
    room.ready()
    room.by("AB", Release())
    assert room.person().released_t == room.now
    assert room.state.in_session


def test_before_its_time_release_needs_a_reason_and_two_people_and_keeps_what_failed() -> None:
    room = dosed()
    room.wait(300 * 60.0)
    room.by("AB", ReleaseAnswer(criterion="steady", met=False))
    for who, act in (
        ("AB", Release(override=True, second="CD")),
        ("AB", Release(override=True, reason="asks to go")),
        ("AB", Release(override=True, reason="asks to go", second="ab")),
        (None, Release(override=True, reason="asks to go", second="CD")),
    ):
        with pytest.raises(Refused, match="override_needs"):
            room.by(who, act)
    facts = room.by("AB", Release(override=True, reason="asks to go", second="CD", desk=True))
    failed = told(facts, "released_without")
    assert failed[0] == {"participant": A, "what": "time", "minutes": 180}
    assert {"participant": A, "what": "criterion", "code": "steady", "answer": "no"} in failed
    assert sum(one.get("answer") == "unanswered" for one in failed) == 4


def test_an_open_grave_event_blocks_release_until_it_is_resolved() -> None:
    room = dosed()
    room.wait(481 * 60.0)
    room.ready()
    room.by("AB", AdverseEvent(event="chest pain", grade=3, serious=True))
    seq = room.seq
    with pytest.raises(Refused) as refused:
        room.by("AB", Release())
    assert refused.value.values["what"] == "event"
    room.by("AB", UpdateEvent(event=seq, resolved=True))
    room.by("AB", Release())


def test_nobody_is_released_while_the_infusion_runs() -> None:
    room = Ward()
    room.start("ketamine-iv-40min")
    room.by("AB", Dose(amount=40, unit="mg", part="start"))
    room.wait(24 * 3600.0)
    room.ready()
    assert release.against(room.state, room.person(), room.now) == [{"what": "infusion"}]
    room.by("AB", Dose(part="stop"))
    assert release.against(room.state, room.person(), room.now) == [{"what": "time", "minutes": 60}]


def test_leaving_early_needs_one_person_and_is_never_refused() -> None:
    room = dosed()
    room.by(None, Leave(condition="steady", told="desk", transport="taxi"), ago_s=600.0)
    assert room.person().left_t == room.now - 600.0
    room.act(TakeBack(seq=room.seq), console="console-a")
    assert room.person().present


def test_one_of_two_is_released_and_the_other_stays() -> None:
    room = couple()
    room.wait(20 * 3600.0)
    room.ready(A)
    room.by("AB", Release(), A)
    assert [person.present for person in room.state.participants] == [False, True]
    with pytest.raises(Refused, match="has_left"):
        room.by("AB", Dose(amount=10), A)


def test_closing_tells_exactly_who_was_neither_released_nor_left_and_is_not_refused() -> None:
    room = couple()
    room.by("AB", Leave(), A)
    facts = room.by("AB", End())
    assert told(facts, "closed_with") == [{"participants": B}]
    assert room.state.mode == "ended"
