"""What a person says in words stays beside the chain; what was asked twice is done once, over a restart too."""

from __future__ import annotations

from pathlib import Path

from controller.journal.reading import read_records, session_file, verify
from controller.journal.recovery import recover
from controller.journal.redaction import blank_text
from controller.messages import Dose, End, Hold, Input, LogEntry, Mark, Note, Origin, Redaction, Reply
from controller.restoring import last_entries
from controller.runner import LOG_KEPT
from tests.runner.room import Journaled, room


async def test_an_end_that_is_asked_for_again_after_a_restart_gets_its_first_answer(tmp_path: Path) -> None:
    clock = Journaled(t=1000.0)
    async with room(tmp_path, clock) as it:
        it.start()
        await it.until(lambda: it.runner.state.mode == "running")
        first = await it.ask(End(), "the-end")
        assert not first.refused
    async with room(tmp_path, clock) as it:
        again = await it.ask(End(), "the-end")
        assert again == first
        assert (await it.ask(End(), "another")).refused == "no_session"


async def test_a_reason_is_kept_beside_the_chain_and_can_be_blanked(tmp_path: Path) -> None:
    async with room(tmp_path) as it:
        it.start()
        await it.until(lambda: it.runner.state.mode == "running")
        await it.ask(Dose(amount=25.0, unit="mg"))
        given = Input(act=Hold(), origin=Origin(console="c", path="socket"), why="she asked Maria to wait")
        it.runner.post(given)
        assert it.runner.entries[0].text == "she asked Maria to wait"
        it.runner.post(Input(act=Redaction(session="s1", seq=it.runner.entries[0].seq), why="a name"))
        await it.ask(End())
    file = session_file(tmp_path, "s1")
    held, text = next((record, text) for record, text in read_records(file) if isinstance(record.input.act, Hold))
    assert (held.input.why, text) == ("", "she asked Maria to wait")
    assert b"Maria" not in b"".join(_bodies(file))
    blank_text(file, held.seq)
    assert verify(file).ok
    assert all("Maria" not in text for _, text in read_records(file))


async def test_after_a_restart_the_log_has_its_words_again_but_not_those_that_were_redacted(tmp_path: Path) -> None:
    clock = Journaled(t=1000.0)
    async with room(tmp_path, clock) as it:
        it.start()
        await it.until(lambda: it.runner.state.mode == "running")
        for text in ("asked for water", "Margarethe rang", "cold hands"):
            await it.ask(Note(text=text))
        named = next(entry.seq for entry in it.runner.entries if entry.text == "Margarethe rang")
        it.runner.post(Input(act=Redaction(session="s1", seq=named), why="a name"))
        shown = it.runner.entries
    kept = last_entries(tmp_path, recover(tmp_path))
    assert [(entry.seq, entry.kind, entry.text) for entry in kept] == [
        (entry.seq, entry.kind, entry.text) for entry in shown
    ]
    assert "asked for water" in {entry.text for entry in kept}
    assert "Margarethe rang" not in {entry.text for entry in kept}


async def test_a_name_that_was_typed_for_a_code_is_told_to_who_typed_it_and_never_kept(tmp_path: Path) -> None:
    async with room(tmp_path) as it:
        it.start()
        await it.until(lambda: it.runner.state.mode == "running")
        told: list[Reply] = []
        origin = Origin(console="c", path="socket")
        it.runner.post(Input(act=Mark(code="spoke"), origin=origin, participants=("Maria",)), told.append)
        assert (told[0].refused, told[0].values["code"]) == ("unknown_participant", "Maria")
        await it.ask(End())
    bodies = b"".join(_bodies(session_file(tmp_path, "s1")))
    assert b"unknown_participant" in bodies and b"Maria" not in bodies


async def test_after_a_restart_the_log_shows_what_came_last(tmp_path: Path) -> None:
    newest_first = [LogEntry(seq=seq, utc="", kind="mark") for seq in range(60, 0, -1)]
    async with room(tmp_path, entries=newest_first) as it:
        shown = [entry.seq for entry in it.runner.entries if entry.kind == "mark"]
        assert len(it.runner.entries) == LOG_KEPT and shown[0] == 60


async def test_a_text_that_is_blanked_leaves_the_log_of_its_own_book_and_no_other(tmp_path: Path) -> None:
    """Every book counts from one: what is blanked, or chosen to be blanked, is one line of one book."""
    origin = Origin(console="c", path="socket")
    async with room(tmp_path) as it:
        for session in ("s1", "s2"):
            it.start(session)
            await it.until(lambda: it.runner.state.mode == "running")
            it.runner.post(Input(act=Note(text=f"words of {session}"), origin=origin))
            if session == "s2":
                told = [entry.text for entry in it.runner.entries]
                assert "words of s2" in told and "words of s1" not in told, "another session's lines are not its own"
            await it.ask(End())
        seqs = {entry.text: entry.seq for entry in it.runner.entries if entry.text}
        assert len(seqs) == 2
        await it.ask(Redaction(session="s1", seq=seqs["words of s1"]))
        assert [entry.text for entry in it.runner.entries if entry.text] == ["words of s2"]


def _bodies(file: Path) -> list[bytes]:
    import contextlib
    import sqlite3

    with contextlib.closing(sqlite3.connect(file)) as connection:
        return [body for (body,) in connection.execute("SELECT body FROM records")]
