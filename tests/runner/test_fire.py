"""The fire panel does not wait for a disk, and is on record whether or not a session is open."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from controller.clock import RoomClock
from controller.journal.reading import book_file, read_records
from controller.journal.writer import Journal
from controller.messages import Effect, FadeLight, Fire, Input, Opened, Origin, Reply
from controller.planning import planner_for
from controller.runner import Runner
from controller.session.state import opening
from tests.session.room import RULES, pool_of
from tests.waiting import PATIENCE_S, patiently


async def test_the_light_to_leave_by_does_not_wait_for_the_record(tmp_path: Path) -> None:
    clock = RoomClock()
    free = threading.Event()
    heard: list[Effect] = []

    def commit(do: Callable[[], None]) -> None:
        free.wait(PATIENCE_S)
        do()

    class Ear:
        def apply(self, effect: Effect, seq: int) -> None:
            heard.append(effect)

    journal = Journal(tmp_path, clock, lambda why: None, commit=commit)
    devices = {"sound": Ear(), "lights": Ear(), "caller": Ear()}
    runner = Runner(opening(RULES, clock.now()), clock, journal, devices, planner_for(pool_of, clock.now))
    runner.post_act(Opened(rules=RULES))
    noted: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
    origin = Origin(console="button.panel", path="button")
    runner.post(Input(act=Fire(contact="panel"), origin=origin), noted.set_result)
    assert {effect.lamp for effect in heard if isinstance(effect, FadeLight) and effect.swift} == set(RULES.lamps)
    assert not noted.done(), "nothing is shown as noted that is not"
    free.set()
    await patiently(noted)
    await runner.close()
    assert await journal.close()
    records = [record for record, _ in read_records(book_file(tmp_path, "room"))]
    assert [record.input.act for record in records][-1] == Fire(contact="panel")
    assert records[-1].input.origin == origin
