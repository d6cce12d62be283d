"""What is clinical in the journal: words beside the chain, both times of a late entry, and the open session's texts."""

from __future__ import annotations

from pathlib import Path

from controller.console.client import _aged
from controller.journal.chain import free_text, stored_body
from controller.journal.reading import happened_t, log_entries
from controller.journal.schema import read_body
from controller.journal.sealing import fill
from controller.messages import Amend, Dose, Fact, Input, Mark, Note, Record, Redaction, Touch, Vitals, Volume
from tests.journal.writing import CLOCK, record, write_small_session


def late(act: Mark | Note | Dose, ago_s: float = 0.0) -> Record:
    return Record(seq=9, stamp=CLOCK.stamp(1000.0), input=Input(act=act, ago_s=ago_s))


def test_the_words_of_a_corrected_note_lie_beside_the_chain() -> None:
    body, text = stored_body(record(7, Amend(entry=4, act=Note(text="asked for a friend"))))
    assert text == "asked for a friend" and b"friend" not in body
    assert read_body(body).input.act == Amend(entry=4, act=Note())
    assert free_text(Input(act=Amend(entry=4, act=Vitals(pulse=7)), why="a slip")) == "a slip"


def test_a_late_entry_keeps_both_times_through_the_journal() -> None:
    kept = read_body(stored_body(late(Mark(code="cold"), 660.0))[0])
    assert (kept.stamp.t, happened_t(kept)) == (1000.0, 340.0)
    assert log_entries(kept)[0].ago_s == 660.0


def test_a_dose_and_a_note_say_when_they_were_in_their_own_way_too() -> None:
    assert happened_t(late(Dose(minutes_ago=5.0), 60.0)) == 640.0
    assert happened_t(late(Note(pressed_t=990.0))) == 990.0
    assert log_entries(late(Note(pressed_t=990.0)), "x")[0].ago_s == 0.0  # the time it took to type


def test_what_stood_before_is_one_line_with_its_correction() -> None:
    fact = Fact(code="amended", values={"entry": 4, "what": "touch", "where": "hand", "was_where": "foot"})
    (entry,) = log_entries(record(7, Amend(entry=4, act=Touch(where="hand")), facts=(fact,)))
    assert (entry.kind, entry.values["was_where"]) == ("amend", "foot")


async def test_a_text_of_the_open_session_is_named_by_its_record_alone(tmp_path: Path) -> None:
    await write_small_session(tmp_path, close=False)
    given = Input(act=Redaction(session="", seq=4), why="a name")
    assert fill(tmp_path, given, "s-1").act == Redaction(session="s-1", seq=4)


def test_what_waited_for_the_room_did_not_happen_later_for_it() -> None:
    assert _aged(Input(act=Mark(code="cold"), ago_s=60.0), 30.0).ago_s == 90.0
    assert _aged(Input(act=Mark(code="cold")), 0.2).ago_s == 0.0
    for act in (Volume(step_db=1.0), Note(text="x", pressed_t=5.0)):
        assert _aged(Input(act=act), 30.0).ago_s == 0.0
