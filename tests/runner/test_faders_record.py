"""The faders stay where they were left, over a restart of the daemon in an empty room."""

from __future__ import annotations

from pathlib import Path

from controller.journal.store import session_file
from controller.messages import End, Input, Origin, Softer, TakeBack, Volume
from tests.runner.room import Journaled, room


async def test_the_volume_of_an_empty_room_is_the_same_after_a_restart(tmp_path: Path) -> None:
    clock = Journaled(t=1000.0)
    async with room(tmp_path, clock) as daemon:
        assert not (await daemon.ask(Volume(bus="speakers", level_db=-7.0))).refused
        assert not (await daemon.ask(Softer(db=3.0))).refused
        taken = await daemon.ask(Volume(step_db=-20.0))
        assert not (await daemon.ask(TakeBack(seq=taken.seq))).refused
        left = dict(daemon.runner.state.buses)
        assert left["speakers"] == -10.0
    async with room(tmp_path, clock) as daemon:
        assert daemon.runner.state.buses == left


async def test_the_volume_that_a_session_ended_with_is_the_same_after_a_restart(tmp_path: Path) -> None:
    clock = Journaled(t=1000.0)
    async with room(tmp_path, clock) as daemon:
        daemon.start()
        await daemon.until(lambda: daemon.runner.state.mode == "running")
        await daemon.ask(Volume(bus="speakers", level_db=-7.0))
        await daemon.ask(End())
        left = dict(daemon.runner.state.buses)
    async with room(tmp_path, clock) as daemon:
        assert daemon.runner.state.buses == left
        await daemon.ask(Volume(bus="headphones", level_db=-2.0))
    async with room(tmp_path, clock) as daemon:
        assert daemon.runner.state.buses == {**left, "headphones": -2.0}


async def test_what_was_taken_back_after_a_session_stays_so_although_its_book_is_gone(tmp_path: Path) -> None:
    clock = Journaled(t=1000.0)
    async with room(tmp_path, clock) as daemon:
        daemon.start()
        await daemon.until(lambda: daemon.runner.state.mode == "running")
        await daemon.ask(End())
        left = dict(daemon.runner.state.buses)
        taken = await daemon.ask(Volume(step_db=-20.0))
        back = Input(act=TakeBack(seq=taken.seq), origin=Origin(console="c", path="socket"), session="s1")
        daemon.runner.post(back)
        assert daemon.runner.state.buses == left
    session_file(tmp_path, "s1").unlink()
    async with room(tmp_path, clock) as daemon:
        assert daemon.runner.state.buses == left
