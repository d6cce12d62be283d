"""The room's mains pulled and put back, as the daemon meets it: lamps at full, bridges that remember, no flash."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.broker_private import PrivateBroker
from controller.clock import boottime
from controller.console.client import Client
from controller.demo.processes import RoomProcesses
from controller.lights.simulated_mqtt import SimulatedLamp, SimulatedLamps
from controller.messages import Light
from controller.places import runtime_dir
from tests.lights.observer import led_after, observing
from tests.lights.shipped import PROFILES
from tests.waiting import PATIENCE_S, promised, until

SLEW = 0.25
LEVEL = 0.4
HUNG = {
    "zigbee2mqtt-dimmable": ("bed", "wall", "door", "desk"),
    "zigbee2mqtt-hue-colour-temperature": ("window",),
    "tasmota-dimmer": ("corner",),
    "esphome-light": ("floor",),
}


@contextlib.asynccontextmanager
async def running(folder: Path, broker: PrivateBroker) -> AsyncIterator[Client]:
    """The daemon of a room with these lamps."""
    lamps = "".join(
        f'[[light.lamps]]\nname = "{name}"\nprofile = "{profile}"\ndevice = "{name}"\n'
        + ("" if PROFILES[profile].base else 'base = "node"\n')
        for profile, names in HUNG.items()
        for name in names
    )
    room = folder / "room.toml"
    text = f'format = 1\nname = "r"\n[broker]\nport = {broker.port}\n[light]\nslew_per_s = {SLEW}\n{lamps}'
    room.write_text(text, encoding="utf-8")
    processes = RoomProcesses(room, folder)
    processes.start("run")
    try:
        async with Client(runtime_dir(folder), console="test", person="T") as client:
            await client.ready(PATIENCE_S)
            yield client
    finally:
        await asyncio.to_thread(processes.stop_all)


@pytest.mark.timed
@pytest.mark.parametrize("noticed", [True, pytest.param(False, marks=pytest.mark.proof)])
async def test_a_rooms_mains_pulled_and_put_back_never_flashes_by_our_doing(
    mosquitto: PrivateBroker, tmp_path: Path, noticed: bool
) -> None:
    chance = random.Random(7)
    far = {
        profile: SimulatedLamps(mosquitto.settings(profile), PROFILES[profile], names, PROFILES[profile].base or "node")
        for profile, names in HUNG.items()
    }
    lamps: dict[str, SimulatedLamp] = {}
    for bridge in far.values():
        lamps |= bridge.lamps
        await bridge.start()
    async with observing(mosquitto.port, tmp_path) as observer, running(tmp_path, mosquitto) as client:

        def settled() -> bool:
            return all(abs(lamp.level - LEVEL) <= 0.02 for lamp in lamps.values()) and all(
                view.state == "confirmed" for view in client.status.light
            )

        assert not (await client.send(Light(level=LEVEL))).refused
        await until(settled)
        for bridge in far.values():
            for name, lamp in bridge.lamps.items():
                if noticed:
                    bridge.cut_power(name)
                else:  # too short for any bridge to miss it
                    lamp.reachable = False
                    lamp.move(0.0, 0.0, own=True)
        await asyncio.sleep(0.8)
        returned = boottime()
        order = [(bridge, name) for bridge in far.values() for name in bridge.lamps]
        chance.shuffle(order)
        for bridge, name in order:
            bridge.restore_power(name)
            await asyncio.sleep(chance.uniform(0.0, 0.15))
        await until(settled)
        heard = observer.heard
    late = {name: round(led_after(heard, lamp.dialect, returned), 3) for name, lamp in lamps.items()}
    jumps = {name: round(lamp.largest_jump(), 3) for name, lamp in lamps.items()}
    print(
        f"{len(late)} lamps back at full: led after {max(late.values())} s at most, {max(jumps.values()):.0%} a second"
    )
    assert max(late.values()) <= promised(0.5), late
    assert max(jumps.values()) <= SLEW * 1.1 + 0.04, jumps
    for bridge in far.values():
        await bridge.close()
