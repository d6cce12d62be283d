"""Patience, the same for every test: what should happen is waited for so long that only what never happens fails.

A success takes no longer for it. Where a time is what a test is about it is `promised`, which is wide enough for a
machine that does six other things; what must *not* happen is waited for with a short sleep instead.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from threading import Event
from typing import TypeVar

from controller.clock import boottime

PATIENCE_S = 60.0

QUIET = bool(os.environ.get("STILLROOM_QUIET"))
"""Set by deploy/proof.sh: nothing else is done on this machine."""

Found = TypeVar("Found")


def promised(seconds: float) -> float:
    """A time that the room is promised, for a test marked `timed`: as it is in a proof, six times as long elsewhere."""
    return seconds if QUIET else 6.0 * seconds


async def until(true: Callable[[], object], within: float = PATIENCE_S, every_s: float = 0.01) -> None:
    """Wait for something that another task, thread or process brings about; `TimeoutError` if it does not come."""
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(every_s)


async def patiently(answer: Awaitable[Found]) -> Found:
    """What an awaitable gives; `TimeoutError` if it gives nothing."""
    async with asyncio.timeout(PATIENCE_S):
        return await answer


def wait_until(
    true: Callable[[], object],
    within: float = PATIENCE_S,
    every_s: float = 0.01,
    *,
    otherwise: Callable[[], object] = lambda: "it does not come",
) -> None:
    """The same without a loop; `otherwise` says what there was instead."""
    late = boottime() + within
    while not true():
        assert boottime() < late, otherwise()
        Event().wait(every_s)
