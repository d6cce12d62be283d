from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from controller.journal import chain
from controller.journal.schema import read_body
from controller.messages import (
    Dose,
    Fact,
    FadeLight,
    Input,
    Light,
    Mark,
    Note,
    Origin,
    Point,
    Record,
    RefusedAct,
    Stamp,
    Vitals,
    Volume,
)

words = st.text(max_size=40)
numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)
values = st.dictionaries(words, st.one_of(words, numbers), max_size=3)
acts = st.one_of(
    st.builds(Mark, code=words),
    st.builds(Note, text=words, pressed_t=st.none() | numbers),
    st.builds(Dose, amount=st.none() | numbers, unit=words, kit=words),
    st.builds(Vitals, systolic=st.none() | st.integers(0, 300), missed=words),
    st.builds(Volume, bus=words, step_db=st.none() | numbers),
    st.builds(Light, level=st.none() | numbers),
    st.builds(RefusedAct, act=words, code=words, values=values),
)
points = st.builds(Point, level=numbers, t=numbers)
records = st.builds(
    Record,
    seq=st.integers(1, 2**40),
    stamp=st.builds(Stamp, t=numbers, boottime=numbers, boot_id=words, utc=words, synced=st.booleans()),
    input=st.builds(Input, act=acts, id=words, participants=st.lists(words, max_size=2).map(tuple),
                    origin=st.builds(Origin, person=st.none() | words, console=words)),
    effects=st.lists(st.builds(FadeLight, lamp=words, start=points, end=points), max_size=2).map(tuple),
    facts=st.lists(st.builds(Fact, code=words, values=values), max_size=2).map(tuple),
)  # fmt: skip


@given(records)
def test_a_record_comes_back_from_its_stored_bytes_as_it_was_but_for_its_free_text(record: Record) -> None:
    body, text = chain.stored_body(record)
    back = read_body(body)
    assert chain.stored_body(back) == (body, "")
    act = record.input.act
    if isinstance(act, Note):
        assert text == act.text
        assert isinstance(back.input.act, Note)
        assert back.input.act.text == ""
    else:
        assert chain.with_text(back, text) == (record, "")
    assert b"\n" not in body


@given(records)
def test_a_stored_body_begins_with_its_number_which_verification_reads(record: Record) -> None:
    body, _ = chain.stored_body(record)
    assert body.startswith(b'{"seq":%d,' % record.seq)


def test_the_words_of_a_note_are_nowhere_in_the_chained_bytes() -> None:
    note = Record(
        seq=1,
        stamp=Stamp(t=0, boottime=0, boot_id="b", utc="2026-01-01T09:00:00.000Z", synced=True),
        input=Input(act=Note(text="Margarethe asked for water")),
    )
    body, text = chain.stored_body(note)
    assert text == "Margarethe asked for water"
    assert b"Margarethe" not in body


def test_a_text_cannot_pass_for_a_state_nor_either_for_nothing() -> None:
    before, body, digest = b"\0" * 32, b"{}", b"\1" * 32
    hashes = {
        chain.line_hash(before, body),
        chain.line_hash(before, body, digest),
        chain.line_hash(before, body, None, digest),
        chain.line_hash(before, body, digest, digest),
    }
    assert len(hashes) == 4


def test_two_sessions_never_begin_from_the_same_hash() -> None:
    assert chain.genesis("s-1") != chain.genesis("s-2") != chain.genesis(chain.ROOM)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a.db", "-x", "é", "a" * 81, "a b"])
def test_a_session_name_that_could_leave_its_folder_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        chain.check_book(name)


def test_a_record_of_a_newer_version_is_refused_with_its_number() -> None:
    with pytest.raises(ValueError, match="schema 99"):
        read_body(b'{"seq":1,"schema_version":99}')
