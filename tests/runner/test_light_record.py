"""The light of an empty room stays as it was left, over a restart of the daemon."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from controller.journal.recovery import recover
from controller.messages import Act, End, Evacuate, FadeLight, Light, TimetableDue
from controller.restoring import restore
from tests.runner.room import Journaled, Room, room
from tests.session.room import RULES


async def lit(daemon: Room) -> tuple[str, float]:
    """Which scene, and how bright the lamps are told to be in the end."""
    await daemon.until(lambda: daemon.runner.waiting_s() == 0.0 and not daemon.runner.holds_effects)
    lamps = [effect for effect in daemon.heard if isinstance(effect, FadeLight)]
    return lamps[-1].scene, lamps[-1].end.level


async def kept_dark(state_dir: Path, clock: Journaled, times: int) -> None:
    for _ in range(times):
        clock.advance_to(clock.now() + 3600.0)
        async with room(state_dir, clock) as daemon:
            assert await lit(daemon) == ("lights_off", RULES.light_floor)


async def test_a_daemon_that_starts_again_at_night_does_not_light_the_room(tmp_path: Path) -> None:
    clock = Journaled(t=1000.0)
    async with room(tmp_path, clock) as daemon:
        await daemon.ask(TimetableDue(job="lights_off", due_unix=0.0))
        assert await lit(daemon) == ("lights_off", RULES.light_floor)
    await kept_dark(tmp_path, clock, 2)


@pytest.mark.parametrize("act", [Light(scene="medical"), Light(level=0.6), Evacuate()])
async def test_light_to_help_by_or_to_leave_by_stays_on_over_a_restart(tmp_path: Path, act: Act) -> None:
    clock = Journaled(t=1000.0)
    async with room(tmp_path, clock) as daemon:
        await daemon.ask(act)
        left = await lit(daemon)
        assert left[0] != "arc"
    async with room(tmp_path, clock) as daemon:
        assert await lit(daemon) == left
        taken = await daemon.ask(Light(level=0.2))
        assert not taken.refused
        await daemon.ask(Light(scene="arc"))
    async with room(tmp_path, clock) as daemon:
        assert await lit(daemon) == ("arc", RULES.rest_light)


@pytest.mark.parametrize("leaves", [True, False])
async def test_the_light_that_a_session_ended_with_stays_over_a_restart(tmp_path: Path, leaves: bool) -> None:
    clock = Journaled(t=1000.0)
    async with room(tmp_path, clock) as daemon:
        await daemon.ask(TimetableDue(job="lights_off", due_unix=0.0))
        daemon.start()
        await daemon.until(lambda: daemon.runner.state.mode == "running")
        for _ in range(60):  # the room's own book goes on beside it, with its pictures of a session's light
            daemon.runner.post_act(TimetableDue(job="library_check", due_unix=clock.now(), missed=True))
        if leaves:
            await daemon.ask(Evacuate())
        await daemon.ask(End())
        left = await lit(daemon)
        assert left[0] == ("exit" if leaves else "arc")
    async with room(tmp_path, clock) as daemon:
        assert await lit(daemon) == left


async def test_light_that_nobody_took_rests_as_the_room_file_says_now(tmp_path: Path) -> None:
    clock = Journaled(t=1000.0)
    async with room(tmp_path, clock) as daemon:
        daemon.start()
        await daemon.until(lambda: daemon.runner.state.mode == "running")
        await daemon.ask(End())
        before = daemon.runner.state.light.end
    rules = replace(RULES, rest_light=RULES.rest_light / 2, rest_kelvin=RULES.rest_kelvin - 200.0)
    there = restore(recover(tmp_path), rules, clock).state.light.end  # type: ignore[arg-type]
    assert (before.level, before.kelvin) == (RULES.rest_light, RULES.rest_kelvin)
    assert (there.level, there.kelvin) == (rules.rest_light, rules.rest_kelvin)
