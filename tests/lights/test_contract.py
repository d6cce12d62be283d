"""The promises of a lights driver, kept by every shipped profile at once over a real broker, and by the twin."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from controller.broker import BrokerLink
from controller.broker_private import PrivateBroker
from controller.clock import RoomClock
from controller.lights.fader import Envelope
from controller.lights.mqtt import LampSettings, LightSettings, MqttLights
from controller.lights.simulated import SimulatedLights
from controller.lights.simulated_mqtt import SimulatedLamp, SimulatedLamps
from controller.messages import Act
from tests.lights.contract import START, LightContract, Rig
from tests.lights.shipped import PROFILES
from tests.waiting import until

SLEW = 0.5
"""Faster than the product's, so that the tests are."""


class OverMqtt:
    def __init__(self, broker: PrivateBroker, devices: dict[str, SimulatedLamps]) -> None:
        self.broker = broker
        self.devices = devices

    def lamp(self, name: str) -> SimulatedLamp:
        return self.devices[name].lamps[name]

    def shown(self, lamp: str) -> float:
        return self.lamp(lamp).level

    def steepest(self, lamp: str) -> float:
        return self.lamp(lamp).largest_jump()

    def commands(self, lamp: str) -> int:
        return len(self.lamp(lamp).commands)

    async def unplug(self) -> None:
        for name, device in self.devices.items():
            self.lamp(name).reachable = False
            self.lamp(name).move(self.lamp(name).level, 0.0)
            device.set_available(name, False)

    async def replug(self) -> None:
        for name, device in self.devices.items():
            self.lamp(name).reachable = True
            device.set_available(name, True)

    async def meddle(self, lamp: str, level: float) -> bool:
        self.devices[lamp].meddle(lamp, level)
        return True

    async def retained(self) -> list[str]:
        late = BrokerLink(self.broker.settings("late"))
        heard: list[str] = []
        late.subscribe("#", lambda topic, payload, retained, at: heard.append(topic) if retained else None)
        late.start(lambda up, why: None)
        await until(lambda: heard)  # availability is retained
        await asyncio.sleep(0.1)
        await late.close()
        spoken = {topic for name in self.devices for topic in self.lamp(name).dialect.command_topics}
        return [topic for topic in heard if topic in spoken]


class TestLampsBehindMqtt(LightContract):
    @pytest.fixture
    async def rig(self, mosquitto: PrivateBroker) -> AsyncIterator[Rig]:
        async with contextlib.AsyncExitStack() as stack:
            devices: dict[str, SimulatedLamps] = {}
            for name, profile in PROFILES.items():
                device = SimulatedLamps(mosquitto.settings(name), profile, (name,), base=f"base-{name}", level=START)
                devices[name] = device
                await device.start()
                stack.push_async_callback(device.close)
            await until(lambda: all(device.connected for device in devices.values()))
            lamps = tuple(LampSettings(name, profile, name, f"base-{name}") for name, profile in PROFILES.items())
            clock, posted = RoomClock(), list[Act]()
            settings = LightSettings(lamps, slew_per_s=SLEW, swift_per_s=SLEW)
            lights = MqttLights(settings, BrokerLink(mosquitto.settings("room")), clock)
            await lights.start(posted.append)
            stack.push_async_callback(lights.close)
            far = OverMqtt(mosquitto, devices)
            yield Rig(
                lights=lights,
                clock=clock,
                far=far,
                lamps=tuple(PROFILES),
                names=tuple(f"light.{name}" for name in PROFILES),
                posted=posted,
                slew_per_s=SLEW,
                step=0.04,
                followers=tuple(name for name, profile in PROFILES.items() if profile.switch),
            )


class InTheTwin:
    def __init__(self, lights: SimulatedLights) -> None:
        self.lights = lights
        self.history: dict[str, list[tuple[float, float, float]]] = {}
        """(before it was looked at, its level, after that), in room time."""

    async def watch(self) -> None:
        now = self.lights._clock.now
        while True:
            for view in self.lights.view(now()):
                seen = (now(), self.lights.shown(view.lamp), now())
                self.history.setdefault(view.lamp, []).append(seen)
            await asyncio.sleep(0.05)

    def shown(self, lamp: str) -> float:
        return self.lights.shown(lamp)

    def steepest(self, lamp: str) -> float:
        seen = self.history[lamp]
        return max(abs(b - a) for t, a, _ in seen for _, b, u in seen if 0 <= u - t <= 1.0)

    def commands(self, lamp: str) -> int:
        return 0

    async def unplug(self) -> None:
        self.lights.unplug()

    async def replug(self) -> None:
        self.lights.replug()

    async def meddle(self, lamp: str, level: float) -> bool:
        self.lights.meddle(lamp, level)
        self.history.clear()
        return True

    async def retained(self) -> list[str]:
        return []


class TestTheTwin(LightContract):
    @pytest.fixture
    async def rig(self) -> AsyncIterator[Rig]:
        clock, posted = RoomClock(), list[Act]()
        lights = SimulatedLights(clock, Envelope(slew_per_s=SLEW), START)
        await lights.start(posted.append)
        far = InTheTwin(lights)
        watch = asyncio.create_task(far.watch())
        lamps = ("left", "right")
        yield Rig(lights, clock, far, lamps, ("light.left", "light.right"), posted, SLEW)
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        await lights.close()
