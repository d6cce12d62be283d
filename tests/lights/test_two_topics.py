"""A lamp that says its level on one topic and on and off on another, and that a level alone does not light."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from controller.broker import BrokerLink
from controller.broker_private import PrivateBroker
from controller.clock import RoomClock
from controller.lights.dialect import Dialect, Reports
from controller.lights.mqtt import LampSettings, LightSettings, MqttLights
from controller.lights.profile import load_profile
from controller.messages import Act, FadeLight, LampChanged, LampTakenOver, LampView, Point
from tests.waiting import until

PROFILE = load_profile("""
name = "two-topics"
command = { topic = "{name}/dim/set", payload = "{level}" }
wake = { topic = "{name}/on/set", payload = "1" }
level = { min = 1, max = 100 }
state = [{ topic = "{name}/dim/get", level = "" }, { topic = "{name}/on/get", on = "", on_value = 1 }]
ask = { topic = ["{name}/dim/get", "{name}/on/get"] }
echo = { within_s = 0.5 }
power_on = { level = 1.0 }
rate = { lamp_interval_s = 0.1 }
""")


class Lamp:
    """Answers an empty message on the topic where it speaks; `deaf`: does not hear what would light it."""

    def __init__(self, broker: PrivateBroker) -> None:
        self.dim, self.on, self.deaf = 30, 1, False
        self.link = BrokerLink(broker.settings("lamp"))
        self.link.subscribe("lamp/+/set", self._told, own=False)
        self.link.subscribe("lamp/+/get", self._asked, own=False)

    def switch(self, on: int) -> None:
        self.on = on
        self.link.publish("lamp/on/get", str(on))

    def _told(self, topic: str, payload: bytes, _retained: bool, _at: float) -> None:
        if topic == "lamp/dim/set":
            self.dim = int(payload)
            self.link.publish("lamp/dim/get", str(self.dim))
        elif not self.deaf:
            self.switch(int(payload))

    def _asked(self, topic: str, payload: bytes, _retained: bool, _at: float) -> None:
        if not payload:
            self.link.publish(topic, str(self.dim if topic == "lamp/dim/get" else self.on))


class Room:
    def __init__(self, broker: PrivateBroker) -> None:
        self.lamp = Lamp(broker)
        self.clock = RoomClock()
        self.posted: list[Act] = []
        settings = LightSettings((LampSettings("lamp", PROFILE, "lamp"),), slew_per_s=0.5)
        self.lights = MqttLights(settings, BrokerLink(broker.settings("room")), self.clock)

    def hold(self, level: float) -> None:
        point = Point(level=level, t=self.clock.now())
        self.lights.apply(FadeLight(lamp="lamp", start=point, end=point), 1)

    @property
    def view(self) -> LampView:
        return self.lights.view(self.clock.now())[0]


@pytest.fixture
async def room(mosquitto: PrivateBroker) -> AsyncIterator[Room]:
    made = Room(mosquitto)
    made.lamp.link.start(lambda up, why: None)
    await until(lambda: made.lamp.link.connected)
    yield made
    await made.lights.close()
    await made.lamp.link.close()


async def test_it_is_lit_where_it_was_off_and_confirmed_only_then(room: Room) -> None:
    room.lamp.on, room.lamp.deaf = 0, True
    await room.lights.start(room.posted.append)
    room.hold(0.3)
    await until(lambda: room.posted == [LampChanged(lamp="lamp", confirmed=False, level=0.3)])
    assert room.lamp.dim > 1, "its level alone is no light"
    assert (room.view.state, room.view.confirmed) == ("unconfirmed", None)
    room.lamp.deaf = False
    await until(lambda: room.lamp.on == 1 and room.view.state == "confirmed" and room.lamp.dim == 31)


async def test_another_hand_that_switches_it_off_is_noticed_and_it_is_lit_again(room: Room) -> None:
    await room.lights.start(room.posted.append)
    room.hold(0.3)
    await until(lambda: room.view.state == "confirmed")
    room.lamp.switch(0)
    await until(lambda: room.lamp.on == 1 and room.view.state == "confirmed")
    assert [act.level for act in room.posted if isinstance(act, LampTakenOver)] == [0.0]


def test_a_question_on_the_topic_of_its_answer_says_nothing() -> None:
    dialect = Dialect(PROFILE, "lamp")
    (_, dim), (_, on) = dialect.states
    reports = Reports(dialect)
    assert reports.take(on, b"") is None
    assert reports.take(dim, b"50") is None, "it may be off"
    assert reports.take(on, b"1") == pytest.approx(49 / 99)
    assert reports.take(dim, b'"75"') == pytest.approx(74 / 99)
    assert reports.take(on, b"0") == 0.0
    assert reports.take(dim, b"20") is None, "it said that it is off"
    assert reports.take(on, b"true") == 0.0, "another word than its own"
