"""A blinded session: study codes and kit numbers alone, the strictest times, and guesses that nobody sees."""

from __future__ import annotations

import json

import pytest

from controller.journal.reading import log_entries
from controller.messages import (
    CorrectDose,
    Dose,
    End,
    Input,
    JournalView,
    MaskingGuess,
    Record,
    Refused,
    SoundView,
    Stamp,
    encode,
)
from controller.session import release, vitals
from controller.views import Surroundings, status
from tests.session.room import PaperRoom

WHO = "AB-0412"
AROUND = Surroundings(utc="", sound=SoundView(), track=None, lamps=(), journal=JournalView())


def blinded() -> PaperRoom:
    room = PaperRoom()
    room.start("blinded-two-arms", WHO)
    return room


def test_an_amount_is_refused_and_is_not_kept_with_the_refusal() -> None:
    room = blinded()
    for dose in (Dose(amount=25, unit="mg"), Dose(kit="K-17", unit="mg"), Dose(amount=25, kit="K-17")):
        with pytest.raises(Refused) as refused:
            room.act(dose)
        assert refused.value.code == "blinded_amount" and refused.value.values == {}
    with pytest.raises(Refused, match="blinded_kit"):
        room.act(Dose())
    with pytest.raises(Refused, match="bad_value"):
        room.act(Dose(kit="HIGH"))
    room.act(Dose(kit="K-17"))
    seq = room.state.participants[0].doses[0].seq
    with pytest.raises(Refused, match="blinded_amount"):
        room.act(CorrectDose(dose=seq, amount=25))
    room.act(CorrectDose(dose=seq, minutes_ago=2))


def test_a_participant_is_a_code_of_the_study() -> None:
    with pytest.raises(Refused) as refused:
        PaperRoom().start("blinded-two-arms", "Anna")
    assert refused.value.code == "blinded_code" and "Anna" not in str(refused.value.values)


def test_what_is_due_and_when_somebody_may_go_is_that_of_the_strictest_arm() -> None:
    room = blinded()
    room.act(Dose(kit="K-17"))
    person = room.state.participants[0]
    minutes = [round((asked.t - room.now) / 60) for asked in vitals.asked_of(room.state, person) if asked.t > room.now]
    assert minutes == [30, 45, 60, 90, 120, 180, 240, 300, 360]
    told = release.view(room.state, person, room.now)
    assert told is not None and told.earliest_t == room.now + 480 * 60


def test_a_guess_is_kept_and_no_console_shows_what_was_guessed() -> None:
    room = blinded()
    room.act(Dose(kit="K-17"))
    act = MaskingGuess(guess="experimental", certainty=7)
    room.act(act)
    record = Record(seq=1, stamp=Stamp(t=0, boottime=0, boot_id="b", utc="2026-12-01T09:00:00.000Z", synced=True),
                    input=Input(act=act))  # fmt: skip
    entries = log_entries(record)
    shown = status(room.state, room.now, AROUND, entries)
    assert "masking_guess" in [entry.kind for entry in shown.log]
    assert not any("experimental" in str(entry.values.values()) or 7 in entry.values.values() for entry in shown.log)
    assert json.loads(encode(record))["input"]["act"]["guess"] == "experimental"
    with pytest.raises(Refused, match="unknown_guess"):
        room.act(MaskingGuess(guess="experimentl"))
    with pytest.raises(Refused, match="bad_value"):
        room.act(MaskingGuess(guess="unsure", certainty=11))


def test_there_is_nothing_to_guess_where_nothing_is_blinded() -> None:
    room = PaperRoom()
    room.start("mdma")
    with pytest.raises(Refused, match="not_blinded"):
        room.act(MaskingGuess(guess="unsure"))


def test_the_consoles_are_told_the_phone_and_the_guesses_and_no_unit() -> None:
    room = blinded()
    shown = status(room.state, room.now, AROUND, ())
    assert shown.blinded and shown.unblinding_phone and shown.dose_unit == ""
    assert shown.guesses == ("experimental", "comparator", "unsure")


def test_the_sheet_for_paramedics_still_has_the_phone_and_the_kit_when_the_session_is_closed() -> None:
    room = blinded()
    room.act(Dose(kit="K-17"))
    room.wait(600.0)
    here = status(room.state, room.now, AROUND, ())
    room.act(End())
    shown = status(room.state, room.now, AROUND, ())
    assert (shown.blinded, shown.unblinding_phone) == (True, here.unblinding_phone)
    assert [dose.kit for dose in shown.doses] == ["K-17"] and shown.participants
    assert shown.arc_s == here.arc_s == pytest.approx(600.0), "where it ended, not at ingestion"
