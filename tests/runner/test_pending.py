"""What waits for the disk: done in time whatever the disk does, and the room is told when nothing is being noted."""

from __future__ import annotations

import pytest

from controller import pending
from controller.clock import RoomClock
from controller.messages import Act, DeviceBack, DeviceLost, Effect, FadeMusic, Reply, SetTransport
from controller.pending import Pending, Queue
from tests.waiting import until

PAUSE = SetTransport(session="s", transport="pause", fade_s=1.0)


async def test_an_urgent_act_alone_on_a_disk_that_stands_still_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "LATE_S", 0.05)
    clock, done, told = RoomClock(), list[Effect](), list[Act]()
    queue = Queue(clock, lambda effect, _order: done.append(effect), told.append)
    pause = Pending("s", 7, 1, clock.now(), [PAUSE], Reply(id="p"))
    queue.overtake(pause)
    queue.append(pause)
    assert done == [PAUSE]
    await until(lambda: told)
    assert told == [DeviceLost(name="journal", why="late")], "nobody knew that the pause is on no disk"
    queue.written(pause)
    assert told[1:] == [DeviceBack(name="journal", late_from=7, late_to=7)]
    assert done == [PAUSE], "done once"
    queue.close()


async def test_an_urgent_act_of_just_now_does_not_keep_the_disk_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "LATE_S", 0.05)
    clock, told = RoomClock(), list[Act]()
    queue = Queue(clock, lambda _effect, _order: None, told.append)
    fade = Pending("s", 1, 1, clock.now(), [FadeMusic(level=0.5, fade_s=1.0)], Reply(id="f"))
    queue.append(fade)
    await until(lambda: told)
    monkeypatch.setattr(pending, "LATE_S", 60.0)  # whatever keeps this machine: the pause is of just now
    pause = Pending("s", 2, 2, clock.now(), [PAUSE], Reply(id="p"))
    queue.overtake(pause)
    queue.append(pause)
    queue.written(fade)
    assert told[1:] == [DeviceBack(name="journal", late_from=1, late_to=1)]
    queue.close()


async def test_an_effect_that_fails_does_not_keep_the_pause_from_the_music() -> None:
    done = list[Effect]()

    def do(effect: Effect, _order: int) -> None:
        if isinstance(effect, FadeMusic):
            raise RuntimeError("a driver's fault")
        done.append(effect)

    queue = Queue(RoomClock(), do, lambda act: None)
    queue.overtake(Pending("s", 1, 1, 0.0, [FadeMusic(level=0.5, fade_s=1.0), PAUSE], Reply(id="p")))
    assert done == [PAUSE]
