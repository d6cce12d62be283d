"""The lights driver against a simulated Zigbee bridge over a real broker, and its twin against the same contract."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from controller.broker import BrokerLink
from controller.broker_private import PrivateBroker
from controller.clock import RoomClock
from controller.lights.mqtt import LampSettings, LightSettings, MqttLights
from controller.lights.profile import load_profile
from controller.lights.simulated import SimulatedLights, SimulatedZigbee
from controller.messages import Act, DeviceBack, DeviceLost, FadeLight, LampChanged, LampView, Point
from tests.broker_fixture import until

ZIGBEE = load_profile(Path("devices/zigbee2mqtt-dimmable.toml").read_text(encoding="utf-8"))
SLEW = 0.25
"""Faster than the product's, so that the tests are."""


@dataclass
class Room:
    lights: Any
    clock: RoomClock
    broker: PrivateBroker | None = None
    bridge: SimulatedZigbee | None = None
    posted: list[Act] = field(default_factory=list)
    seq: int = 0

    def fade(self, lamp: str, start: float, end: float, takes: float, *, swift: bool = False) -> FadeLight:
        now = self.clock.now()
        effect = FadeLight(lamp=lamp, start=Point(level=start, t=now), end=Point(level=end, t=now + takes), swift=swift)
        self.seq += 1
        self.lights.apply(effect, self.seq)
        return effect

    def view(self, lamp: str = "left") -> LampView:
        return next(view for view in self.lights.view(self.clock.now()) if view.lamp == lamp)

    def told(self, kind: type) -> list[Any]:
        return [act for act in self.posted if isinstance(act, kind)]


@asynccontextmanager
async def mqtt_room(broker: PrivateBroker, level: float = 0.3) -> AsyncIterator[Room]:
    bridge = SimulatedZigbee(broker.settings("bridge"), ("left", "right"), level=level)
    await bridge.start()
    clock = RoomClock()
    settings = LightSettings(tuple(LampSettings(name, ZIGBEE, name) for name in ("left", "right")), slew_per_s=SLEW)
    room = Room(MqttLights(settings, BrokerLink(broker.settings("room")), clock), clock, broker, bridge)
    await until(lambda: bridge.connected, 3)
    await room.lights.start(room.posted.append)
    try:
        yield room
    finally:
        await room.lights.close()
        await room.lights.close()
        await bridge.close()


@pytest.fixture(params=["real", "simulated"])
async def any_room(request: pytest.FixtureRequest, mosquitto: PrivateBroker) -> AsyncIterator[Room]:
    if request.param == "real":
        async with mqtt_room(mosquitto) as room:
            yield room
    else:
        clock = RoomClock()
        room = Room(SimulatedLights(clock), clock)
        await room.lights.start(room.posted.append)
        yield room
        await room.lights.close()
        await room.lights.close()


async def test_the_contract_of_the_lights(any_room: Room) -> None:
    room = any_room
    effect = room.fade("left", 0.3, 0.2, 2.0)
    assert room.view().target == pytest.approx(0.3, abs=0.02)
    await until(lambda: room.view().confirmed is not None, 3)
    await until(lambda: room.view().state == "confirmed", 6)
    assert room.view().target == pytest.approx(0.2)
    assert room.view().confirmed == pytest.approx(0.2, abs=0.01)
    # Confirmed once, not at every keyframe.
    assert [(act.lamp, act.confirmed) for act in room.told(LampChanged)] == [("left", True)]
    # An older seq is ignored, and the same fade again does nothing.
    room.lights.apply(effect, room.seq)
    now = room.clock.now()
    room.lights.apply(FadeLight(lamp="left", start=Point(level=0.7, t=now), end=Point(level=0.7, t=now)), 0)
    assert room.view().target == pytest.approx(0.2)
    # Floor and ceiling hold.
    room.fade("left", 0.2, 0.0, 0.0)
    assert room.view().target == 0.05
    room.fade("left", 0.2, 1.0, 0.0)
    assert room.view().target == 0.8
    assert len(room.posted) == 1


def slope(room: Room, since: float = 0.0, lamp: str = "left") -> float:
    """The steepest change, in level per second, that the lamp made by itself or by command."""
    assert room.bridge is not None
    history = [each for each in room.bridge.lamps[lamp].history if each[0] >= since]
    steep = 0.0
    for (t0, a), (t1, b) in pairwise(history):
        if abs(b - a) > 1e-6:
            steep = max(steep, abs(b - a) / max(t1 - t0, 1e-6))
    return steep


async def test_a_lamp_that_returns_at_full_is_faded_not_snapped(mosquitto: PrivateBroker) -> None:
    async with mqtt_room(mosquitto) as room:
        assert room.bridge is not None
        room.fade("left", 0.6, 0.6, 0)
        await until(lambda: room.view().state == "confirmed", 6)
        room.bridge.cut_power("left")
        await until(lambda: bool(room.told(DeviceLost)), 2)
        assert room.view().state == "lost"
        room.bridge.restore_power("left")
        back = room.clock.now()
        await until(lambda: bool(room.told(DeviceBack)), 2)
        lamp = room.bridge.lamps["left"]
        await until(lambda: abs(lamp.level - 0.6) < 0.01, 7)
        assert slope(room, back) <= SLEW * 1.15
        assert room.clock.now() - back >= 1.5
        assert [act.name for act in room.told(DeviceLost) + room.told(DeviceBack)] == ["light.left", "light.left"]


async def test_an_announcement_out_of_the_blue_does_not_flash_the_room(mosquitto: PrivateBroker) -> None:
    async with mqtt_room(mosquitto, level=0.1) as room:
        assert room.bridge is not None
        room.fade("left", 0.1, 0.1, 0)
        await until(lambda: room.view().state == "confirmed", 6)
        sent = len(room.bridge.lamps["left"].commands)
        room.bridge.announce("left")
        await until(lambda: len(room.bridge.lamps["left"].commands) > sent, 2)  # type: ignore[union-attr]
        await asyncio.sleep(0.3)
        assert room.bridge.lamps["left"].levels()[1] <= 0.11


async def test_a_killed_broker_leaves_no_old_command_behind(mosquitto: PrivateBroker) -> None:
    async with mqtt_room(mosquitto, level=0.6) as room:
        assert room.bridge is not None
        room.fade("left", 0.6, 0.1, 6)
        await until(lambda: bool(room.told(LampChanged)), 3)
        mosquitto.kill()
        await until(lambda: bool(room.told(DeviceLost)), 2)
        await asyncio.sleep(2)
        assert room.view().state == "lost"
        before = len(room.bridge.lamps["left"].commands)
        mosquitto.restart()
        restarted = room.clock.now()
        await until(lambda: len(room.bridge.lamps["left"].commands) > before, 6)  # type: ignore[union-attr]
        await asyncio.sleep(1)
        replayed = [asked for t, asked in room.bridge.lamps["left"].commands[before:] if t >= restarted]
        assert len(replayed) <= 2
        assert all(asked["brightness"] <= round(0.4 * 254) for asked in replayed)  # type: ignore[operator]
        assert slope(room) <= SLEW * 1.15
        assert [act.name for act in room.told(DeviceLost) + room.told(DeviceBack)] == ["broker", "broker"]


async def test_a_frozen_broker_is_noticed_and_gets_one_command_per_lamp(mosquitto: PrivateBroker) -> None:
    async with mqtt_room(mosquitto, level=0.7) as room:
        assert room.bridge is not None
        room.fade("left", 0.7, 0.1, 8)
        await until(lambda: bool(room.told(LampChanged)), 3)
        mosquitto.freeze()
        frozen = room.clock.now()
        before = len(room.bridge.lamps["left"].commands)
        await until(lambda: bool(room.told(DeviceLost)), 6)
        assert room.clock.now() - frozen < 6
        mosquitto.thaw()
        await until(lambda: bool(room.told(DeviceBack)), 5)
        await asyncio.sleep(1.5)
        keyframes = [asked for _, asked in room.bridge.lamps["left"].commands[before:] if asked["transition"] == 1]
        assert len(keyframes) <= 1
        assert slope(room) <= SLEW * 1.15


async def test_a_lamp_whose_echo_is_lost_is_shown_unconfirmed(mosquitto: PrivateBroker) -> None:
    async with mqtt_room(mosquitto) as room:
        assert room.bridge is not None
        room.bridge.lamps["right"].echoes = False
        room.fade("right", 0.3, 0.3, 0)
        await until(lambda: bool(room.told(LampChanged)), 6)
        assert room.told(LampChanged)[0].confirmed is False
        assert room.view("right").state == "unconfirmed"


async def test_a_retained_command_is_cleared(mosquitto: PrivateBroker) -> None:
    trap = BrokerLink(mosquitto.settings("trap"))
    trap.start(lambda up, why: None)
    heard: list[bytes] = []
    trap.subscribe("zigbee2mqtt/left/set", lambda topic, payload, retained, at: heard.append(payload))
    await until(lambda: trap.connected, 3)
    trap.publish("zigbee2mqtt/left/set", b'{"brightness":222}', retain=True)
    async with mqtt_room(mosquitto):
        await until(lambda: b"" in heard, 3)
    await trap.close()


async def test_nothing_that_is_sent_to_a_lamp_is_retained(mosquitto: PrivateBroker) -> None:
    async with mqtt_room(mosquitto) as room:
        room.fade("left", 0.3, 0.4, 1)
        await until(lambda: room.view().state == "confirmed", 6)
    late = BrokerLink(mosquitto.settings("late"))
    topics: list[str] = []
    late.subscribe("#", lambda topic, payload, retained, at: topics.append(topic))
    late.start(lambda up, why: None)
    await asyncio.sleep(0.5)
    await late.close()
    assert topics
    assert not [topic for topic in topics if topic.endswith(("/set", "/left", "/right"))]
