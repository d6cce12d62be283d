"""A room whose lamps hang behind a real broker, with everything that was published and everything that arrived."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from controller.broker import BrokerLink, BrokerSettings
from controller.broker_private import PrivateBroker
from controller.clock import RoomClock, boottime
from controller.lights.mqtt import LampSettings, LightSettings, MqttLights
from controller.lights.profile import Profile
from controller.lights.simulated_mqtt import SimulatedLamp, SimulatedLamps
from controller.messages import Act, FadeLight, LampView, Point
from tests.lights.shipped import ZIGBEE
from tests.waiting import until


class Listening(BrokerLink):
    """A link that keeps what was published, when, and how old its last round trip was."""

    def __init__(self, settings: BrokerSettings) -> None:
        super().__init__(settings)
        self.published: list[tuple[float, str, str, float]] = []

    def publish(self, topic: str, payload: bytes | str, qos: int = 0, *, retain: bool = False) -> bool:
        sent = super().publish(topic, payload, qos, retain=retain)
        if sent and isinstance(payload, str):
            self.published.append((boottime(), topic, payload, boottime() - self._proved_at))
        return sent


@dataclass
class Room:
    lights: MqttLights
    link: Listening
    clock: RoomClock
    broker: PrivateBroker
    far: dict[str, SimulatedLamps]
    posted: list[Act] = field(default_factory=list)
    seq: int = 0

    def fade(self, lamp: str, start: float, end: float, takes: float, *, swift: bool = False) -> None:
        now = self.clock.now()
        self.seq += 1
        effect = FadeLight(lamp=lamp, start=Point(level=start, t=now), end=Point(level=end, t=now + takes), swift=swift)
        self.lights.apply(effect, self.seq)

    def view(self, lamp: str = "left") -> LampView:
        return next(view for view in self.lights.view(self.clock.now()) if view.lamp == lamp)

    def lamp(self, name: str = "left") -> SimulatedLamp:
        return self.far[name].lamps[name]

    def told(self, kind: type) -> list[Any]:
        return [act for act in self.posted if isinstance(act, kind)]

    def commands(self, name: str = "left") -> list[tuple[float, str]]:
        """What was published to a lamp that moves it: (when, payload)."""
        dialect = self.lamp(name).dialect
        told = ((t, topic, said) for t, topic, said, _ in self.link.published if topic in dialect.command_topics)
        return [(t, said) for t, topic, said in told if (topic, said) not in dialect.questions]


@asynccontextmanager
async def mqtt_room(
    broker: PrivateBroker,
    *,
    level: float = 0.3,
    slew: float = 0.25,
    profiles: dict[str, Profile] | None = None,
    through: BrokerSettings | None = None,
) -> AsyncIterator[Room]:
    """Lamps by name, each of its own profile; two Zigbee lamps where none are named."""
    profiles = profiles or {"left": ZIGBEE, "right": ZIGBEE}
    async with contextlib.AsyncExitStack() as stack:
        far: dict[str, SimulatedLamps] = {}
        shared: dict[Profile, tuple[str, ...]] = {}
        for name, profile in profiles.items():
            shared[profile] = (*shared.get(profile, ()), name)
        for profile, names in shared.items():
            device = SimulatedLamps(
                broker.settings(f"far-{names[0]}"), profile, names, base=profile.base or "node", level=level
            )
            await device.start()
            stack.push_async_callback(device.close)
            far |= dict.fromkeys(names, device)
        await until(lambda: all(device.connected for device in far.values()))
        clock = RoomClock()
        lamps = tuple(LampSettings(name, profile, name, profile.base or "node") for name, profile in profiles.items())
        link = Listening(through or broker.settings("room"))
        lights = MqttLights(LightSettings(lamps, slew_per_s=slew), link, clock)
        room = Room(lights, link, clock, broker, far)
        await lights.start(room.posted.append)
        stack.push_async_callback(lights.close)
        yield room
