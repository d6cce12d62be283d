"""A storm of real keys through a real terminal at a real room: it stands, and its record says what happened."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from pathlib import Path

import pytest

from controller.journal.reading import read_records, session_file
from controller.journal.verify import verify
from controller.messages import Mark, Note, Status
from controller.places import runtime_dir
from tests.console.tmux import Tmux
from tests.waiting import until
from tests.whole.room import whole_room
from tests.whole.test_crash import begin

SEED = 698461
KEYS = (
    *"crhgnvdslfam?e123456789", "Space", "Tab", "BSpace", "Enter", "Escape", "Up", "Down", "Left", "Right", "PPage",
    "NPage", "F2", "F9", "C-g", "C-p", "C-q", ":", "é", "&", "C", "ä",
)  # fmt: skip
HELD = ((0.25, 0.033), (0.5, 0.033), (0.25, 0.092))
"""Seconds to the first repeat of a held key, and between the others."""


@pytest.mark.proof
async def test_held_keys_a_paste_and_two_hundred_random_keys_leave_room_and_record_whole(tmp_path: Path) -> None:
    async with whole_room(tmp_path / "room") as room, room.client() as client:
        await begin(client, minutes=8)
        where = runtime_dir(room.state_dir)
        with tempfile.TemporaryDirectory(prefix="tmux") as short:
            console = Tmux(Path(short) / "tmux", where)
            try:
                await asyncio.to_thread(console.wait, lambda: "RUNNING" in console.screen())
                file = session_file(room.state_dir, client.status.session)
                await asyncio.to_thread(_held, console)
                await until(lambda: len(_acts(file, Mark)) >= len(HELD))
                marks = [code for code, _ in client.status.marks]
                assert [getattr(act, "code", "") for act in _acts(file, Mark)] == marks[: len(HELD)]

                for brackets, told in (((), "typing?"), (("-p",), "pasted:")):
                    await asyncio.to_thread(console.paste, "she says the light is too bright", *brackets)
                    await asyncio.to_thread(console.wait, lambda told=told: told in console.screen())
                    console.press("Escape")
                    await asyncio.to_thread(console.wait, lambda: "Enter: confirm" not in console.screen())
                    await asyncio.sleep(0.8)
                assert not _acts(file, Note)

                await asyncio.to_thread(_storm, console)
                assert console.alive()
                console.press("Escape", "Escape")
                await until(lambda: client.connected and client.status.journal.late_s == 0.0)
                await asyncio.sleep(1.0)
                before = client.status
                room.kill_daemon()
                found = verify(file)
                assert found.ok, found
                await asyncio.to_thread(console.wait, lambda: "ROOM NOT ANSWERING" in console.screen())
                room.start_daemon()
                await until(lambda: client.connected and client.status is not before)
                assert [_standing(status) for status in (client.status,)] == [_standing(before)]
                await asyncio.to_thread(console.wait, lambda: "NOT ANSWERING" not in console.screen())
            finally:
                console.close()


def _held(console: Tmux) -> None:
    """Hold the first three digits in turn, each as another keyboard repeats."""
    for digit, (first, gap) in enumerate(HELD, 1):
        console.press(str(digit))
        time.sleep(first)
        for _ in range(12):
            console.press(str(digit))
            time.sleep(gap)
        time.sleep(0.8)


def _storm(console: Tmux) -> None:
    chance = random.Random(SEED)
    for _ in range(50):
        console.press(*chance.choices(KEYS, k=4))
        time.sleep(chance.choice((0.0, 0.01, 0.05)))


def _standing(status: Status) -> tuple[object, ...]:
    """What the record must give back."""
    people = tuple((one.code, one.doses, one.left) for one in status.participants)
    call = status.call.call, status.call.level
    return status.state, status.hold, status.quiet, status.scene, status.evacuated, status.set_code, people, call


def _acts(file: Path, kind: type) -> list[object]:
    return [record.input.act for record, _ in read_records(file) if isinstance(record.input.act, kind)]
