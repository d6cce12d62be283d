"""The lights driver over a real broker: lamps that misbehave, and hands that interfere."""

import asyncio
from pathlib import Path

import pytest

from controller.broker import BrokerLink, BrokerSettings
from controller.broker_private import PrivateBroker
from controller.clock import SimulatedClock, boottime
from controller.lights.mqtt import LampSettings, LightSettings, MqttLights
from controller.lights.profile import load_profile
from controller.messages import DeviceBack, DeviceLost, FadeLight, LampChanged, LampTakenOver, Point
from tests.lights.mqtt_room import Room, mqtt_room
from tests.lights.observer import led_after, observing
from tests.lights.shipped import FOLDER, PROFILES, ZIGBEE
from tests.waiting import promised, until

DIMMED = {name: profile for name, profile in PROFILES.items() if profile.level is not None}
SLEW = 0.25
COARSE = 0.04


async def all_at(room: Room, level: float, within: float) -> None:
    try:
        await until(lambda: all(abs(room.lamp(name).level - level) <= COARSE for name in room.far), within)
    except TimeoutError:
        raise AssertionError({name: round(room.lamp(name).level, 3) for name in room.far}) from None


@pytest.mark.timed
async def test_every_lamp_that_powers_up_at_full_is_on_its_way_down_half_a_second_after_it_says_so(
    mosquitto: PrivateBroker, tmp_path: Path
) -> None:
    async with (
        observing(mosquitto.port, tmp_path) as observer,
        mqtt_room(mosquitto, level=0.6, profiles=DIMMED) as room,
    ):
        for name in DIMMED:
            room.fade(name, 0.6, 0.6, 0)
        await until(lambda: all(room.view(name).state != "unconfirmed" for name in DIMMED))
        for name, device in room.far.items():
            device.cut_power(name)
        await until(lambda: len(room.told(DeviceLost)) >= len(DIMMED))
        returned = boottime()
        for name, device in room.far.items():
            device.restore_power(name)
        await all_at(room, 0.6, 8)
        heard = observer.heard
        late = {name: round(led_after(heard, room.lamp(name).dialect, returned), 3) for name in DIMMED}
        print(f"from its word on the wire to the first command, {len(late)} profiles: at most {max(late.values())} s")
        assert max(late.values()) <= promised(0.5), late
        steepest = {name: round(room.lamp(name).largest_jump(), 3) for name in DIMMED}
        assert max(steepest.values()) <= SLEW * 1.1 + COARSE, steepest
        names = sorted(f"light.{name}" for name in DIMMED)
        assert sorted(act.name for act in room.told(DeviceLost)) == names
        assert sorted(act.name for act in room.told(DeviceBack)) == names


async def test_lamps_that_ignore_transitions_jump_when_combined_or_lose_their_echo_never_show_our_jump(
    mosquitto: PrivateBroker,
) -> None:
    names = ("zigbee2mqtt-ikea-colour-temperature", "tasmota-colour-temperature", "zigbee2mqtt-dimmable")
    async with mqtt_room(mosquitto, profiles={name: DIMMED[name] for name in names}, slew=0.1) as room:
        ikea, tasmota, mute = (room.lamp(name) for name in names)
        ikea.jumps_when_combined = tasmota.ignores_transition = True
        mute.echoes = False
        now = room.clock.now()
        for name in names:
            end = Point(level=0.6, t=now + 3, kelvin=2500)
            room.lights.apply(FadeLight(lamp=name, start=Point(level=0.3, t=now, kelvin=3500), end=end), 1)
        await asyncio.sleep(4.5)
        for lamp in (ikea, mute):
            assert lamp.largest_jump() <= 0.1 * 1.1 + 0.01
        assert tasmota.largest_jump(0.5) <= 0.1 + 0.011, "one keyframe at a time"
        assert room.view(names[2]).state == "unconfirmed"
        assert [act.confirmed for act in room.told(LampChanged) if act.lamp == names[2]] == [False]
        assert not [heard for heard in ikea.commands if heard.level is not None and heard.kelvin is not None]
        assert ikea.kelvin is not None


async def test_an_announcement_out_of_the_blue_does_not_flash_the_room(mosquitto: PrivateBroker) -> None:
    async with mqtt_room(mosquitto, level=0.1) as room:
        room.fade("left", 0.1, 0.1, 0)
        await until(lambda: room.view().state == "confirmed")
        sent = len(room.lamp().commands)
        room.far["left"].announce("left")
        await until(lambda: len(room.lamp().commands) > sent)
        await asyncio.sleep(0.3)
        assert room.lamp().levels()[1] <= 0.11


async def test_a_retained_command_is_cleared_before_it_can_be_carried_out_again(mosquitto: PrivateBroker) -> None:
    trap = BrokerLink(mosquitto.settings("trap"))
    trap.start(lambda up, why: None)
    heard: list[bytes] = []
    trap.subscribe("zigbee2mqtt/left/set", lambda topic, payload, retained, at: heard.append(payload))
    await until(lambda: trap.connected)
    trap.publish("zigbee2mqtt/left/set", b'{"brightness":222}', retain=True)
    await until(lambda: bool(heard))
    async with mqtt_room(mosquitto) as room:
        await until(lambda: b"" in heard)
        room.fade("left", 0.3, 0.3, 0)
        await until(lambda: abs(room.lamp().level - 0.3) < 0.01)  # the bridge had carried it out as it connected
        assert room.lamp().largest_jump(since=room.lamp().commands[1].t + 0.01) <= SLEW * 1.1
    await trap.close()


async def test_a_colour_reaches_a_lamp_that_has_one(mosquitto: PrivateBroker) -> None:
    name = "zigbee2mqtt-hue-colour-temperature"
    async with mqtt_room(mosquitto, profiles={name: DIMMED[name]}) as room:
        now = room.clock.now()
        point = Point(level=0.3, t=now, kelvin=2300)
        room.lights.apply(FadeLight(lamp=name, start=point, end=point), 1)
        await until(lambda: room.lamp(name).kelvin == pytest.approx(2300, rel=0.01))
        assert room.lamp(name).largest_jump() <= 0.01


async def test_a_lamp_from_the_handbook_works_without_any_python(mosquitto: PrivateBroker) -> None:
    handbook = (FOLDER / "README.md").read_text(encoding="utf-8")
    profile = load_profile(handbook.split("```toml\n")[1].split("```")[0])
    async with mqtt_room(mosquitto, profiles={"den": profile}) as room:
        room.far["den"].meddle("den", 0.0)  # it is off
        room.fade("den", 0.3, 0.5, 1.0)
        await until(lambda: room.view("den").state == "confirmed" and abs(room.lamp("den").level - 0.5) < 0.01)
        said = [(topic, payload) for _, topic, payload, _ in room.link.published if topic.startswith("cmnd/")]
        assert said[0][0] == "cmnd/den/led_dimmer"
        assert said[1] == ("cmnd/den/led_enableAll", "1"), "it is lit after it was told how bright"
        assert said[-1] == ("cmnd/den/led_dimmer", "50")
        assert [topic for topic, _ in said].count("cmnd/den/led_enableAll") < len(said) / 2
        assert room.lamp("den").largest_jump() <= SLEW * 1.1 + 0.03


def test_the_shopping_list_names_every_profile_that_ships() -> None:
    handbook = (FOLDER / "README.md").read_text(encoding="utf-8")
    for path in FOLDER.glob("*.toml"):
        assert f"`{path.stem}`" in handbook, path.stem


async def test_what_a_lamp_said_before_we_came_is_not_taken_for_the_present(mosquitto: PrivateBroker) -> None:
    name, topic = "esphome-light", "node/light/esphome-light/state"
    old = BrokerLink(mosquitto.settings("old"))
    heard: list[bytes] = []
    old.subscribe(topic, lambda where, payload, retained, at: heard.append(payload))
    old.start(lambda up, why: None)
    await until(lambda: old.connected)
    old.publish(topic, b'{"state":"ON","brightness":230}', retain=True)
    await until(lambda: bool(heard))
    async with mqtt_room(mosquitto, profiles={name: DIMMED[name]}) as room:
        room.fade(name, 0.3, 0.3, 0)
        await until(lambda: room.view(name).state == "confirmed")
        assert not room.told(LampTakenOver)
        assert room.lamp(name).levels()[1] <= 0.31
    await old.close()


async def test_a_lamp_that_cannot_be_served_is_told_once_and_shown_as_lost_until_it_can(
    mosquitto: PrivateBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with mqtt_room(mosquitto, slew=1.0) as room:
        drive = room.lights._lamps["left"].drive
        with monkeypatch.context() as fault:
            fault.setattr(drive, "step", lambda now: 1 / 0)
            room.fade("left", 0.3, 0.5, 0)
            room.fade("right", 0.3, 0.5, 0)
            await until(lambda: room.view("right").state == "confirmed")
            await until(lambda: bool(room.told(DeviceLost)))
            assert room.view("left").state == "lost"
        await until(lambda: room.view("left").state == "confirmed")
        assert [act.name for act in room.told(DeviceLost)] == ["light.left"]
        assert [act.name for act in room.told(DeviceBack)] == ["light.left"]
        await until(lambda: abs(room.lamp("left").level - 0.5) <= COARSE)


async def test_a_broker_that_is_never_there_costs_no_memory() -> None:
    lights = MqttLights(
        LightSettings((LampSettings("left", ZIGBEE, "left", "zigbee2mqtt"),)),
        BrokerLink(BrokerSettings("127.0.0.1", 1, "room")),
        SimulatedClock(),
    )
    level = Point(level=0.3, t=0.0)
    lights.apply(FadeLight(lamp="left", start=level, end=level), 1)
    for tenths in range(100):
        lights._attend(lights._lamps["left"], 10.0 + tenths / 10)
    assert len(lights._waiting) <= 1
