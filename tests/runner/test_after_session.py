"""After a session, over a restart of the daemon: people fall ill after it as well, and its music has ended."""

from __future__ import annotations

from pathlib import Path

from controller.journal.erasing import erase
from controller.journal.reading import read_records, session_file, session_info
from controller.messages import (
    AdverseEvent,
    Call,
    Dose,
    End,
    JournalView,
    PlaceCall,
    Redaction,
    SetTransport,
    SignOff,
    SoundView,
    StandDown,
    Status,
    Vitals,
)
from controller.views import Surroundings, status
from tests.runner.room import Journaled, Room, room

AROUND = Surroundings(utc="", sound=SoundView(), track=None, lamps=(), journal=JournalView())


def told(daemon: Room) -> dict[str, object]:
    """What a sheet for paramedics is made of."""
    shown: Status = status(daemon.runner.state, daemon.clock.now(), AROUND, ())
    names = ("state", "session", "programme", "participants", "doses", "dose_unit", "vitals", "events")
    return {name: getattr(shown, name) for name in names}


async def a_session(daemon: Room, name: str, scopes: dict[str, str] | None = None) -> None:
    daemon.start(name, scopes)
    await daemon.until(lambda: daemon.runner.state.mode == "running")
    for act in (Dose(amount=25.0, unit="mg"), Vitals(pulse=90), AdverseEvent(event="fall", grade=2)):
        daemon.clock.advance_to(daemon.clock.now() + 60.0)
        assert not (await daemon.ask(act)).refused


async def test_what_paramedics_are_told_of_the_last_session_is_there_after_a_restart(tmp_path: Path) -> None:
    clock = Journaled(t=1000.0)
    async with room(tmp_path, clock) as daemon:
        await a_session(daemon, "s1")
        await daemon.ask(End())
        await a_session(daemon, "s2")
        await daemon.ask(End())
        before = told(daemon)
        assert before["doses"] and before["vitals"] and before["events"]
    async with room(tmp_path, clock) as daemon:
        written = len(list(read_records(session_file(tmp_path, "s1"))))
        await daemon.ask(SignOff(session="s1", after=written))  # which reopens an earlier session's book
        assert told(daemon) == before
    async with room(tmp_path, clock) as daemon:
        assert told(daemon) == before
        await daemon.until(lambda: any(isinstance(effect, SetTransport) for effect in daemon.heard))
        (sound,) = [effect for effect in daemon.heard if isinstance(effect, SetTransport)]
        assert (sound.session, sound.transport) == ("s2", "stop")
        await a_session(daemon, "s3")


async def test_they_are_told_it_too_where_words_of_its_opening_were_redacted_after_its_end(tmp_path: Path) -> None:
    """Every state that was kept since the opening has those words, and goes with them."""
    clock = Journaled(t=1000.0)
    async with room(tmp_path, clock) as daemon:
        await a_session(daemon, "s1", {"A-1": "Anna's hand"})
        await daemon.ask(End())
        await daemon.until(lambda: (info := session_info(session_file(tmp_path, "s1"))) is not None and info.closed)
        written = len(list(read_records(session_file(tmp_path, "s1"))))
        assert not (await daemon.ask(Redaction(session="s1", seq=1, after=written))).refused
        before = told(daemon)
    erase(tmp_path, "s1")
    assert b"Anna" not in session_file(tmp_path, "s1").read_bytes()
    async with room(tmp_path, clock) as daemon:
        assert told(daemon) == before and before["doses"]


async def test_a_call_that_was_stood_down_after_the_session_is_not_placed_anew(tmp_path: Path) -> None:
    clock = Journaled(t=1000.0)
    async with room(tmp_path, clock) as daemon:
        await a_session(daemon, "s1")
        await daemon.ask(Call(call="k1"))
        await daemon.ask(End())
        assert not (await daemon.ask(StandDown(call="k1"))).refused
    async with room(tmp_path, clock) as daemon:
        await daemon.until(lambda: any(isinstance(effect, SetTransport) for effect in daemon.heard))
        assert not [effect for effect in daemon.heard if isinstance(effect, PlaceCall)]
