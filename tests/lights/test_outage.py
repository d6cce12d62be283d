"""A broker that is killed, freezes, or cannot be reached, in the middle of a fade."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.broker_private import PrivateBroker
from controller.clock import boottime
from controller.messages import DeviceBack, DeviceLost
from tests.lights.mqtt_room import Room, mqtt_room
from tests.lights.wire import Wire
from tests.waiting import promised, until

KINDS = ("killed", "frozen", "cut")
SLEW = 0.10
PROOF_HOLDS_S = 1.0
CAUGHT_UP_S = 12.0
FRESH_S = 0.3
"""A moment may lie between the look at the link and the word to it."""


@contextlib.asynccontextmanager
async def broken_room(kind: str, directory: Path, level: float) -> AsyncIterator[tuple[Room, Wire]]:
    broker = PrivateBroker(directory / kind)
    await asyncio.to_thread(broker.start)
    wire = Wire(broker)
    await wire.lay()
    try:
        async with mqtt_room(broker, level=level, slew=SLEW, through=wire.settings("room")) as room:
            yield room, wire
    finally:
        await wire.close()
        broker.stop()


async def follow(room: Room, began: float, fade_s: float, since: float) -> float:
    """Watch both lamps to the fade's end; the farthest that one was from the schedule once it had caught up."""
    farthest = 0.0
    while (now := boottime()) < began + fade_s + 1.0:
        if now > since + CAUGHT_UP_S:
            wanted = 0.6 - 0.3 * min(1.0, (now - began) / fade_s)
            farthest = max(farthest, *(abs(room.lamp(name).level - wanted) for name in ("left", "right")))
        await asyncio.sleep(0.2)
    return farthest


async def live_through(kind: str, directory: Path, fade_s: float, before_s: float, outage_s: float) -> dict[str, float]:
    """A fade from 60 % to 30 % with an outage in it, followed to its end; what was seen."""
    async with broken_room(kind, directory, 0.6) as (room, wire):
        for name in ("left", "right"):
            room.fade(name, 0.6, 0.6, 0)
        await until(lambda: all(room.view(name).state == "confirmed" for name in ("left", "right")))
        began = boottime()
        for name in ("left", "right"):
            room.fade(name, 0.6, 0.3, fade_s)
        await asyncio.sleep(before_s)
        broken = boottime()
        {"killed": room.broker.kill, "frozen": room.broker.freeze, "cut": wire.cut}[kind]()
        gone = boottime()
        await until(lambda: bool(room.told(DeviceLost)))
        shown_s = boottime() - broken
        assert all(room.view(name).state == "lost" for name in ("left", "right"))
        assert [act.name for act in room.told(DeviceLost)] == ["broker"]
        await asyncio.sleep(max(0.0, broken + outage_s - boottime()))
        mended = boottime()
        {"killed": room.broker.start, "frozen": room.broker.thaw, "cut": wire.mend}[kind]()
        await until(lambda: bool(room.told(DeviceBack)))
        back = boottime()
        farthest = await follow(room, began, fade_s, back)
        await asyncio.sleep(max(0.0, back + 1.5 - boottime()))
        into = [t for t, *_ in room.link.published if gone + FRESH_S < t < mended]
        assert not into, "something was published into a broker that was not there"
        assert max(age for *_, age in room.link.published) < PROOF_HOLDS_S
        stale = {}
        for name in ("left", "right"):
            lamp = room.lamp(name)
            sent = room.commands(name)
            arrived = [heard.t for heard in lamp.commands if heard.t >= broken]
            old = [t for t, _ in sent if broken - 0.05 <= t < mended]
            stale[name] = sum(any(abs(t - at) > 1.0 for t in old) for at in arrived if at <= mended + 0.2)
            assert lamp.largest_jump() <= SLEW * 1.1 + 0.01, (kind, name)
        for name in ("left", "right"):
            await until(lambda name=name: abs(room.lamp(name).level - 0.3) < 0.01)  # type: ignore[misc]
            await until(lambda name=name: room.view(name).state == "confirmed")  # type: ignore[misc]
        # A bridge that lost the broker as well is said to have been away, once.
        for kind_of_act in (DeviceLost, DeviceBack):
            names = [act.name for act in room.told(kind_of_act)]
            assert "broker" in names
            assert len(names) == len(set(names)), names
        return {
            "shown_s": round(shown_s, 2),
            "stale": max(stale.values()),
            "jump": round(max(room.lamp(name).largest_jump() for name in ("left", "right")), 3),
            "oldest_proof_s": round(max(age for *_, age in room.link.published), 2),
            "off": round(farthest, 3),
            "commands": len(room.commands("left")) + len(room.commands("right")),
        }


def judge(seen: dict[str, dict[str, float]]) -> None:
    assert all(each["stale"] <= 1 for each in seen.values()), seen
    assert all(each["shown_s"] <= promised(6) for each in seen.values()), seen
    assert all(each["off"] <= 0.02 for each in seen.values()), seen
    for kind, each in seen.items():
        print(kind, each)


@pytest.mark.timed
async def test_an_outage_in_a_fade_brings_no_old_command_and_no_jump(tmp_path: Path) -> None:
    found = await asyncio.gather(*(live_through(kind, tmp_path, 8.0, 1.3, 4.2) for kind in KINDS))
    judge(dict(zip(KINDS, found, strict=True)))


async def test_nothing_at_all_is_published_into_a_broker_that_freezes_between_two_keyframes(tmp_path: Path) -> None:
    async with broken_room("frozen", tmp_path, 0.6) as (room, _wire):
        room.fade("left", 0.6, 0.3, 60)
        await until(lambda: len(room.commands()) >= 2)
        await asyncio.sleep(0.3)
        sent, arrived = len(room.commands()), len(room.lamp().commands)
        room.broker.freeze()
        room.fade("left", 0.6, 0.7, 0)
        await asyncio.sleep(1.5)
        assert len(room.commands()) == sent
        room.broker.thaw()
        await asyncio.sleep(0.1)
        assert len(room.lamp().commands) <= arrived + 1


@pytest.mark.proof
@pytest.mark.timeout(900)
async def test_forty_seconds_without_a_broker_in_a_fade_of_ten_minutes(tmp_path: Path) -> None:
    found = await asyncio.gather(*(live_through(kind, tmp_path, 600.0, 280.0, 40.0) for kind in KINDS))
    judge(dict(zip(KINDS, found, strict=True)))
