"""The disk stands still for seconds, and somebody presses pause."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.clock import RoomClock
from controller.journal.reading import read_records, session_file, verify
from controller.journal.writer import Journal
from controller.messages import Effect, Input, Note, Opened, Pause, Reply, SetTransport, Start, Volume
from controller.planning import planner_for
from controller.runner import Runner
from controller.session.state import opening
from tests.session.room import PLAYLISTS, RULES, pool_of
from tests.waiting import PATIENCE_S, promised, until


class Listening:
    """A device that keeps what it was told, and when."""

    def __init__(self, clock: RoomClock) -> None:
        self.clock = clock
        self.heard: list[tuple[float, Effect]] = []

    def apply(self, effect: Effect, seq: int) -> None:
        self.heard.append((self.clock.now(), effect))


@pytest.mark.timed
async def test_pause_acts_at_once_while_the_disk_stalls_and_nothing_is_shown_as_noted(tmp_path: Path) -> None:
    clock = RoomClock()
    free = threading.Event()
    free.set()

    def commit(do: Callable[[], None]) -> None:
        free.wait(PATIENCE_S)
        do()

    journal = Journal(tmp_path, clock, lambda why: None, commit=commit)
    device = Listening(clock)
    runner = Runner(
        opening(RULES, clock.now()),
        clock,
        journal,
        {"sound": device, "lights": device, "caller": device},
        planner_for(pool_of, clock.now),
    )
    runner.post_act(Opened(rules=RULES))
    text = (PLAYLISTS / "psilocybin-25mg.toml").read_text()
    runner.post_act(Start(programme="x", participants=("A-1",), programme_text=text, session="s1", seed=1))
    await until(lambda: any(isinstance(effect, SetTransport) for _, effect in device.heard))

    free.clear()
    device.heard.clear()
    replies: list[tuple[float, Reply]] = []
    pressed = clock.now()

    def noted(reply: Reply) -> None:
        replies.append((clock.now(), reply))

    runner.post(Input(act=Volume(bus="speakers", step_db=-2.0)), noted)
    runner.post(Input(act=Note(text="before")), noted)
    runner.post(Input(act=Pause()), noted)

    paused = [e for _, e in device.heard if isinstance(e, SetTransport) and e.transport == "pause"]
    assert paused, "pause waited for the disk, or for anything else"
    assert not any(effect.kind == "fade_bus" for _, effect in device.heard), "an effect went before its record"

    await until(lambda: any(effect.kind == "fade_bus" for _, effect in device.heard))
    late = [at - pressed for at, effect in device.heard if effect.kind == "fade_bus"]
    assert 1.9 <= late[0] <= promised(2.6), "after two seconds the room goes on without the disk"
    await until(lambda: [alarm.code for alarm in runner.state.alarms] == ["journal_lost"])
    assert replies == [], "something was shown as noted that was not"

    flows = clock.now()
    free.set()
    await until(lambda: len(replies) == 3 and not runner.state.alarms)
    assert all(at >= flows and not reply.refused for at, reply in replies)
    await runner.close()
    assert await journal.close()

    file = session_file(tmp_path, "s1")
    assert verify(file).ok
    records = [record for record, _ in read_records(file)]
    kinds = [record.input.act.kind for record in records]
    assert kinds.index("volume") < kinds.index("note") < kinds.index("pause")
    marked = [fact for record in records for fact in record.facts if fact.code == "journal_late"]
    assert marked and marked[0].values["first"] <= marked[0].values["last"]
