"""What somebody says in words of their own inside an act: it comes back on reading, and goes when it is redacted."""

from __future__ import annotations

import asyncio
import csv
import io
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from controller.journal import tables
from controller.journal.chain import with_text
from controller.journal.erasing import erase
from controller.journal.reading import kept_states, log_entries, read_records, session_file, session_info, verify
from controller.journal.recovery import recover
from controller.messages import (
    AdverseEvent,
    Amend,
    AnswerPreflight,
    Input,
    Leave,
    Mark,
    Note,
    Redaction,
    Release,
    Start,
    UpdateEvent,
    Vitals,
    encode,
)
from controller.messages.free_words import REDACTED, redacted, said_in, taken_out
from controller.report.gathering import account_of
from controller.report.opening import GONE_WITH_WORDS
from controller.report.page import html
from controller.report.respct import respct
from controller.report.roles import ROLES
from controller.report.study import study_files
from controller.report.tables import jsonl, records_csv
from controller.session.archive import ruled
from controller.session.state import State
from tests.journal.day import FIRST, live, run
from tests.journal.writing import record, writing

WORDS = ("Anna is asleep", "Berta is asleep", "Carl gave 1 mg", "Dora gave 2 mg", "Emil saw it", "Franz", "by Greta")
MORE = (
    lambda _: Vitals(missed=WORDS[0]),
    lambda seq: Amend(entry=seq, act=Vitals(missed=WORDS[1])),
    lambda _: AdverseEvent(event="fall", grade=2, rescue=WORDS[2]),
    lambda seq: UpdateEvent(event=seq, rescue=WORDS[3]),
    *[lambda _: Mark(code="cold")] * 25,  # a state is kept meanwhile
    lambda _: Leave(condition=WORDS[4], told=WORDS[5], transport=WORDS[6]),
)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("lived")
    asyncio.run(live(state, more=MORE))
    return state


@pytest.fixture
def state(lived: Path, tmp_path: Path) -> Path:
    shutil.copytree(lived, tmp_path / "state")
    return tmp_path / "state"


def seqs(file: Path) -> list[int]:
    """The records that have words, in their order."""
    return [told.seq for told, _ in read_records(file) if taken_out(told.input.act)[1]]


def test_what_was_said_comes_back_as_it_was_and_stands_in_no_record(state: Path) -> None:
    file = session_file(state, FIRST)
    said = [word for told, _ in read_records(file) for word in taken_out(told.input.act)[1].values()]
    assert said == ["hand", *WORDS]
    with closing(sqlite3.connect(file)) as connection:
        bodies = b"".join(body for (body,) in connection.execute("SELECT body FROM records"))
    assert not [word for word in WORDS if word.encode() in bodies]
    assert any(WORDS[1].encode() in kept for _, kept in kept_states(file)), "the state goes by what was said"
    page = html(account_of(file))
    assert f"missed: {WORDS[1]}" in page and f"given {WORDS[3]}" in page and WORDS[6] in page


def test_every_word_can_be_redacted_and_is_nowhere_in_the_file_then(state: Path) -> None:
    file = session_file(state, FIRST)
    for seq in seqs(file):
        code, told = run(state, "redact", FIRST, str(seq), "--as", "XY", "--why", "a name was typed", "--yes")
        assert code == 0, told
    assert not [word for word in WORDS if word.encode() in file.read_bytes()]
    found = verify(file)
    assert (found.ok, found.lost, found.unnamed, found.redacted) == (True, 0, 0, 6), found.why
    page = html(account_of(file))
    assert f"missed: {REDACTED}" in page and not [word for word in WORDS if word in page]
    account = account_of(file)
    assert [one.event.rescue for one in account.state.adverse] == [REDACTED]
    assert account.missing == (GONE_WITH_WORDS,), "no damage took it"


def test_a_correction_whose_words_are_redacted_does_not_bring_back_what_stood_before(state: Path) -> None:
    file = session_file(state, FIRST)
    before, after = seqs(file)[1:3]
    run(state, "redact", FIRST, str(before), "--as", "XY", "--why", "a name", "--yes")
    page = html(account_of(file))
    assert WORDS[0] not in page and f"missed: as in entry {before} -&gt; missed: {WORDS[1]}" in page
    run(state, "redact", FIRST, str(after), "--as", "XY", "--why", "a name", "--yes")
    assert WORDS[1] not in html(account_of(file))


def test_a_file_of_the_format_before_lets_its_snapshots_be_blanked_too(state: Path) -> None:
    file = session_file(state, FIRST)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DROP TRIGGER snapshots_blank_only")
        connection.execute(tables._SNAPSHOTS_STAY)
        connection.execute("UPDATE meta SET value = '2' WHERE key = 'format'")
    assert verify(file).ok
    run(state, "redact", FIRST, str(seqs(file)[2]), "--as", "XY", "--why", "a name", "--yes")
    assert WORDS[1].encode() not in file.read_bytes()
    assert verify(file).ok and verify(file).lost == 0


def test_a_snapshot_that_is_gone_without_a_redaction_is_still_found(state: Path) -> None:
    file = session_file(state, FIRST)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE snapshots SET state = NULL")
    assert not verify(file).ok
    run(state, "redact", FIRST, str(seqs(file)[-1]), "--as", "XY", "--why", "a name", "--yes")
    assert not verify(file).ok, "those before it are not taken by its redaction"


async def test_a_room_that_is_killed_after_a_redaction_goes_on_without_the_words(tmp_path: Path) -> None:
    async with writing(tmp_path) as it:
        it.write(record(1, Vitals(missed="Anna is asleep")), snapshot=b'{"missed":"Anna is asleep"}')
        it.write(record(2, Redaction(session="s-1", seq=1)), snapshot=b'{"missed":"[redacted]"}')
        it.write(record(3, AdverseEvent(event="fall", grade=1, rescue="Berta gave 1 mg")))
        await it.until_acknowledged(3)
        erase(tmp_path, "s-1")
    book = recover(tmp_path).session
    assert book is not None and book.snapshot == b'{"missed":"[redacted]"}'
    act = book.records[-1].input.act
    assert isinstance(act, AdverseEvent) and act.rescue == "Berta gave 1 mg", "the rules go on with what was said"
    assert b"Anna" not in session_file(tmp_path, "s-1").read_bytes()
    assert session_info(session_file(tmp_path, "s-1")) is not None


def test_the_state_has_no_word_of_a_record_that_is_redacted(lived: Path) -> None:
    account = account_of(session_file(lived, FIRST))
    state: State = account.state
    assert all(word.encode() in encode(state) for word in (WORDS[1], WORDS[3]))
    for seq in seqs(session_file(lived, FIRST)):
        state = ruled(state, Input(act=Redaction(session=FIRST, seq=seq)), 9e4, 99)[0]
    kept = encode(state)
    assert not [word for word in WORDS if word.encode() in kept]
    assert [one.touch_scope for one in state.participants] == [REDACTED]
    assert [vitals.missed for _, vitals in state.participants[0].vitals if vitals.missed] == [REDACTED]


def test_a_log_shows_no_word_of_a_record_that_is_redacted() -> None:
    acts = (
        Vitals(missed="Anna"), Leave(condition="Anna"), Release(reason="Anna", override=True),
        AdverseEvent(event="fall", grade=1, rescue="Anna"), Amend(entry=4, act=Vitals(missed="Anna")),
        Start(programme="demo", touch_scopes={"C-1": "Anna"}), AnswerPreflight(check="touch.C-1", value="Anna"),
    )  # fmt: skip
    for act in acts:
        (entry,) = log_entries(record(7, act))
        assert said_in(entry) == "Anna", act
        assert said_in(redacted(entry)) == "" and "Anna" not in str(redacted(entry))
    (codes,) = log_entries(record(7, AnswerPreflight(check="participants", value="C-1")))
    assert said_in(codes) == "" and "C-1" in str(redacted(codes))


def test_what_only_looks_like_words_and_text_is_a_text() -> None:
    told = record(1, Mark(code="cold"))
    assert with_text(told, "a\x1eb") == (told, "a\x1eb")
    assert with_text(told, '["a"]\x1eb') == (told, '["a"]\x1eb')


@pytest.mark.parametrize("said", ['{"missed": "x"}\x1esat up', "\x1e", "[" * 9999 + "\x1e"])
async def test_a_text_that_looks_like_words_and_text_comes_back_as_it_was(tmp_path: Path, said: str) -> None:
    async with writing(tmp_path) as it:
        it.write(record(1, Note(text=said)))
        it.write(record(2, Vitals(missed=said)))
        await it.until_acknowledged(2)
    (note, told), (vitals, rest) = read_records(session_file(tmp_path, "s-1"))
    assert told == said and note.input.act == Note(text="")
    assert vitals.input.act == Vitals(missed=said) and rest == ""


def test_a_text_that_damage_made_no_text_is_none() -> None:
    told = record(1, Mark(code="cold"))
    assert with_text(told, b"\x00") == (told, "")


def test_who_is_to_have_figures_alone_gets_no_word_of_them(lived: Path) -> None:
    file = session_file(lived, FIRST)
    account = account_of(file, ROLES["analyst"])
    study = "".join(text for _, text in study_files([account], {}))
    shown = (
        run(lived, "show", FIRST, "--role", "analyst")[1] + run(lived, "show", FIRST, "--role", "analyst", "--json")[1]
    )
    for export in (html(account), jsonl(account), records_csv(account), respct(account), study, shown):
        assert not [word for word in (*WORDS, '"hand"') if word in export]
    assert [one.vitals.missed for one in account.vitals if one.vitals.missed] == ["withheld"]
    vitals = csv.DictReader(io.StringIO(dict(study_files([account], {}))["vitals.csv"], newline=""))
    assert [row["missed"] for row in vitals].count("1") == 1, "that there was none is a figure"
