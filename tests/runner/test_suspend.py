"""A machine that was suspended: the room's time went on, and the loop's own clock did not."""

from __future__ import annotations

import asyncio
from pathlib import Path

from controller.messages import Dose, Light, Quiet
from tests.runner.room import room
from tests.waiting import promised


async def test_what_fell_due_while_the_machine_slept_is_done_as_soon_as_it_wakes(tmp_path: Path) -> None:
    async with room(tmp_path) as it:
        it.start()
        await it.until(lambda: it.runner.state.mode == "running")
        await it.ask(Dose(amount=25.0, unit="mg"))
        await it.ask(Light(level=0.3))  # else the arc's own light would fall due first
        await it.ask(Quiet(minutes=2.0))
        await asyncio.sleep(0.05)  # its timer is set
        before = it.runner.committed[it.runner.book]
        it.clock.advance_to(it.clock.now() + 150.0)
        async with asyncio.timeout(promised(1.5)):
            await it.until(lambda: not it.runner.state.quiet)
        told = it.runner.committed[it.runner.book] - before
        assert told <= 2, "looking at the clock alone leaves no record"
