"""The daemon is killed at random moments while several consoles write marks as fast as they can."""

from __future__ import annotations

import asyncio
import random
import signal
from pathlib import Path

import pytest

from controller.console.client import Client
from controller.messages import Mark, Note, Reply
from tests.record.daemon_alone import DaemonAlone, assert_kept, begin, daemon_alone
from tests.seeds import any_seed
from tests.waiting import patiently, until

CONSOLES = 4


async def storm(client: Client, noted: list[Reply], stop: asyncio.Event) -> None:
    """Marks and notes, each as soon as the one before is noted."""
    number = 0
    while not stop.is_set():
        number += 1
        act = Note(text=f"{client.console} says {number}") if number % 5 == 0 else Mark(code="spoke")
        reply = await client.send(act)
        assert not reply.refused, reply
        noted.append(reply)


async def kill_under_a_storm(daemon: DaemonAlone, kills: int, seed: int) -> tuple[int, int]:
    """How many records were acknowledged, and how many are there."""
    print(f"seed {seed}")
    chance = random.Random(seed)
    noted: list[Reply] = []
    stop = asyncio.Event()
    async with daemon.client("c0") as first:
        await begin(first)
        others = [daemon.client(f"c{place}") for place in range(1, CONSOLES)]
        async with others[0], others[1], others[2]:
            hands = [asyncio.create_task(storm(client, noted, stop)) for client in (first, *others)]
            for kill in range(kills):
                before = len(noted)
                await until(lambda before=before: len(noted) > before + 5)  # type: ignore[misc]
                await asyncio.sleep(chance.random() ** 2 * 0.5)
                daemon.end(signal.SIGKILL)
                if kill % 10 == 0:
                    assert_kept(daemon.state_dir, noted)
                daemon.start()
            stop.set()
            await patiently(asyncio.gather(*hands))
    daemon.end()
    return len(noted), assert_kept(daemon.state_dir, noted)


@pytest.mark.parametrize("seed", [any_seed()])
async def test_no_noted_mark_is_lost_when_the_daemon_is_killed_sample(tmp_path: Path, seed: int) -> None:
    async with daemon_alone(tmp_path, tmp_path / "state") as daemon:
        noted, kept = await kill_under_a_storm(daemon, 4, seed)
        assert kept > noted > 20


@pytest.mark.proof
@pytest.mark.timeout(3000)
async def test_no_noted_mark_is_lost_in_three_hundred_kills(tmp_path: Path) -> None:
    async with daemon_alone(tmp_path, tmp_path / "state") as daemon:
        noted, kept = await kill_under_a_storm(daemon, 300, any_seed())
        print(f"{noted} noted, {kept} on record")
        assert kept > noted > 2000
