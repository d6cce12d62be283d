"""The power goes at random moments while several consoles write marks: what was noted is on the disk's copy."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest

from controller.journal.recovery import recover
from controller.messages import Reply
from tests.record.daemon_alone import assert_kept, begin, daemon_alone
from tests.record.disks import copy_image, make_image, mounted, needs_mounts
from tests.record.test_kills import storm
from tests.seeds import any_seed
from tests.waiting import patiently, until

pytestmark = needs_mounts

SMALL = "[record]\nreserve_mb = 1\nleast_free_mb = 1\n"


async def cut_the_power(work: Path, cuts: int, seed: int, *flags: str) -> tuple[int, int]:
    """How many records were noted in all, and how many of the noted ones the disks' copies lacked."""
    print(f"seed {seed}")
    chance = random.Random(seed)
    image, copy = work / "disk.img", work / "copy.img"
    make_image(image, 96)
    noted: list[Reply] = []
    lost = 0
    stop = asyncio.Event()
    with mounted(image, work / "disk") as disk:
        async with daemon_alone(work, disk / "state", SMALL, flags=flags) as daemon, daemon.client("c0") as first:
            await begin(first)
            async with daemon.client("c1") as second, daemon.client("c2") as third:
                hands = [asyncio.create_task(storm(client, noted, stop)) for client in (first, second, third)]
                for _ in range(cuts):
                    before = len(noted)
                    await until(lambda before=before: len(noted) > before + 2)  # type: ignore[misc]
                    await asyncio.sleep(chance.random() ** 2 * 0.2)
                    known = list(noted)
                    os.kill(daemon.pid, signal.SIGSTOP)  # a copy takes a moment, a power cut does not
                    copy_image(image, copy)
                    os.kill(daemon.pid, signal.SIGCONT)
                    with mounted(copy, work / "after") as after:
                        lost += missing(after / "state", known)
                stop.set()
                await patiently(asyncio.gather(*hands))
            daemon.end()
    return len(noted), lost


def missing(state_dir: Path, known: list[Reply]) -> int:
    """How many of these a restarted room does not find again."""
    found = recover(state_dir)
    kept = found.session.seq if found.session else 0
    lost = sum(reply.seq > kept for reply in known)
    if not lost:
        assert found.damaged == ()
        assert_kept(state_dir, known)
    return lost


@pytest.mark.parametrize("seed", [any_seed()])
async def test_no_noted_mark_is_lost_when_the_power_goes_sample(tmp_path: Path, seed: int) -> None:
    noted, lost = await cut_the_power(tmp_path, 8, seed)
    assert noted > 20
    assert lost == 0


@pytest.mark.parametrize("synchronous", ["NORMAL", pytest.param("OFF", marks=pytest.mark.proof)])
async def test_the_power_cut_notices_a_record_that_was_not_waited_for(tmp_path: Path, synchronous: str) -> None:
    _, lost = await cut_the_power(tmp_path, 3, 1, "--synchronous", synchronous)
    assert lost > 0


@pytest.mark.proof
@pytest.mark.timeout(3000)
async def test_no_noted_mark_is_lost_in_three_hundred_power_cuts(tmp_path: Path) -> None:
    noted, lost = await cut_the_power(tmp_path, 300, any_seed())
    print(f"{noted} noted, {lost} lost")
    assert noted > 1000
    assert lost == 0
