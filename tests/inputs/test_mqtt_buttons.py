"""Buttons behind a real broker."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from controller.broker_private import PrivateBroker
from controller.clock import boottime
from controller.inputs.keyboard import leave
from controller.messages import BatteryChanged, Call, DeviceBack, DeviceLost, Light, Mark, Pause, Quiet, Resume
from controller.serial_port import open_serial
from tests.inputs.room import button, panel_room, publisher
from tests.waiting import promised, until

Z2M = "button-zigbee2mqtt"


async def test_every_kind_of_button_is_understood(tmp_path: Path, mosquitto: PrivateBroker) -> None:
    buttons = (
        button("z", Z2M, "bed", single="pause", double="resume", hold="quiet", second="mark spoke"),
        button("s", Z2M, "two-dots", pressed="light exit", single="pause", second="resume"),
        button("t", "button-tasmota", "wall", channel=2, single="light exit", hold="light arc"),
        button("one", "button-shelly-gen1", "shellybutton1-1", channel=1, single="pause", double="light medical"),
        button("two", "button-shelly-gen2", "shellyplusi4-1", channel=2, single="resume", hold="mark touch"),
    )
    gen2 = {"src": "shellyplusi4-1", "method": "NotifyEvent", "params": {"ts": 1.0, "events": []}}

    def push(*events: tuple[str, str, float]) -> str:
        told = [{"component": where, "event": what, "ts": ts} for where, what, ts in events]
        return json.dumps({**gen2, "params": {"ts": 1.0, "events": told}})

    said = [
        ("zigbee2mqtt/bed", '{"action":"","battery":80,"linkquality":90}', None),
        ("zigbee2mqtt/bed", '{"action":"single","battery":80}', Pause()),
        ("zigbee2mqtt/bed", '{"action":"double"}', Resume()),
        ("zigbee2mqtt/bed", '{"action":"hold"}', Quiet()),
        ("zigbee2mqtt/bed", '{"action":"off"}', Mark(code="spoke")),
        ("zigbee2mqtt/two-dots", '{"action":"1_initial_press"}', Light(scene="exit")),
        ("zigbee2mqtt/two-dots", '{"action":"1_short_release"}', Pause()),
        ("zigbee2mqtt/two-dots", '{"action":"2_short_release"}', Resume()),
        ("zigbee2mqtt/bed", "no json", None),
        ("zigbee2mqtt/bed", '{"action":["single"]}', None),
        ("stat/wall/RESULT", '{"Button1":{"Action":"SINGLE"}}', None),
        ("stat/wall/RESULT", '{"POWER":"ON"}', None),
        ("stat/wall/RESULT", '{"Button2":{"Action":"SINGLE"}}', Light(scene="exit")),
        ("stat/wall/RESULT", '{"Button2":{"Action":"HOLD"}}', Light(scene="arc")),
        ("shellies/shellybutton1-1/input_event/0", '{"event":"SS","event_cnt":7}', Light(scene="medical")),
        ("shellies/shellybutton1-1/input_event/0", '{"event":"S","event_cnt":8}', Pause()),
        ("shellyplusi4-1/events/rpc", push(("input:0", "single_push", 1.0)), None),
        ("shellyplusi4-1/events/rpc", push(("input:0", "btn_down", 2.0), ("input:1", "single_push", 2.1)), Resume()),
        ("shellyplusi4-1/events/rpc", push(("input:1", "long_push", 3.0)), Mark(code="touch")),
    ]
    async with publisher(mosquitto) as link, panel_room(tmp_path, mosquitto, *buttons) as room:
        await link.heard()
        for topic, payload, _ in said:
            link.says(topic, payload)
        wanted = [act for _, _, act in said if act is not None]
        await until(lambda: len(room.posted) >= len(wanted))
        assert room.acts() == wanted
        consoles = {given.origin.console for given in room.posted}
        assert consoles == {"button.z", "button.s", "button.t", "button.one", "button.two"}
        assert {given.origin.path for given in room.posted} == {"button"}


async def test_what_is_retained_or_told_again_is_no_press(tmp_path: Path, mosquitto: PrivateBroker) -> None:
    buttons = (
        button("z", Z2M, "bed", single="call assist"),
        button("one", "button-shelly-gen1", "s1", single="pause"),
    )
    async with publisher(mosquitto) as link:
        link.says("zigbee2mqtt/bed", '{"action":"single"}', retain=True)
        link.says("shellies/s1/input_event/0", '{"event":"S","event_cnt":4}', retain=True)
        async with panel_room(tmp_path, mosquitto, *buttons) as room:
            await link.heard()
            await asyncio.sleep(0.05)
            link.says("shellies/s1/input_event/0", '{"event":"S","event_cnt":4}')
            for _ in range(3):
                link.says("zigbee2mqtt/bed", '{"action":"single"}')
            link.says("shellies/s1/input_event/0", '{"event":"S","event_cnt":5}')
            await until(lambda: len(room.posted) >= 2)
            await asyncio.sleep(0.2)
            assert [act.kind for act in room.acts()] == ["call", "pause"]
            assert len(room.calls()) == 1


async def test_the_first_press_of_a_button_that_was_started_anew_counts(
    tmp_path: Path, mosquitto: PrivateBroker
) -> None:
    one = button("one", "button-shelly-gen1", "s1", single="pause", double="quiet")
    topic = "shellies/s1/input_event/0"
    async with publisher(mosquitto) as link, panel_room(tmp_path, mosquitto, one) as room:
        await link.heard()
        link.says(topic, '{"event":"S","event_cnt":1}')
        link.says(topic, '{"event":"","event_cnt":0}')  # its battery was changed: it begins again
        link.says(topic, '{"event":"SS","event_cnt":1}')
        await until(lambda: [act.kind for act in room.acts()] == ["pause", "quiet"])


async def test_a_button_that_wakes_to_number_every_press_as_its_first_calls_each_time(
    tmp_path: Path, mosquitto: PrivateBroker
) -> None:
    one = button("one", "button-shelly-gen1", "s1", single="call assist")
    one = replace(one, kind=one.kind.model_copy(update={"again_after_s": 0.0}))
    async with publisher(mosquitto) as link, panel_room(tmp_path, mosquitto, one) as room:
        await link.heard()
        for calls in (1, 2, 3):
            link.says("shellies/s1/online", "true")
            link.says("shellies/s1/input_event/0", '{"event":"S","event_cnt":1}')
            await until(lambda calls=calls: len(room.acts("call")) == calls)  # type: ignore[misc]


async def test_a_button_without_a_clock_gives_every_event_the_same_time(
    tmp_path: Path, mosquitto: PrivateBroker
) -> None:
    two = button("two", "button-shelly-gen2", "s2", single="pause", hold="call assist")
    async with publisher(mosquitto) as link, panel_room(tmp_path, mosquitto, two) as room:
        await link.heard()
        for event in ("single_push", "long_push"):
            told = {"component": "input:0", "event": event, "ts": 0.0}
            link.says("s2/events/rpc", json.dumps({"params": {"ts": 0.0, "events": [told]}}))
        await until(lambda: [act.kind for act in room.acts()] == ["pause", "call"])


async def test_what_is_told_again_to_buttons_that_were_started_anew_is_no_press(
    tmp_path: Path, mosquitto: PrivateBroker
) -> None:
    buttons = (
        button("one", "button-shelly-gen1", "s1", single="call assist", double="pause"),
        button("z", Z2M, "bed", single="pause"),
    )
    topic = "shellies/s1/input_event/0"
    async with publisher(mosquitto) as link, panel_room(tmp_path, mosquitto, *buttons) as room:
        await link.heard()
        link.says("zigbee2mqtt/bed", '{"battery":4}')
        link.says(topic, '{"event":"S","event_cnt":4}')
        await until(lambda: len(room.acts("call", "battery_changed")) == 2)
        for payload in ("{", '["S"]', json.dumps({"s1 1": 4})):  # a file that somebody spoilt is none
            await room.end()
            (tmp_path / "buttons.counts").write_text(payload)
            room.begin(open_serial, leave)
        link._beats = 0
        await link.heard()
        link.says(topic, '{"event":"S","event_cnt":4}')
        link.says(topic, '{"event":"SS","event_cnt":5}')
        await until(lambda: room.acts("pause"))
        assert len(room.calls()) == 1 and [act.kind for act in room.acts("battery_changed")] == ["battery_changed"]
        link.says("zigbee2mqtt/bed", '{"battery":90}')
        await until(lambda: BatteryChanged(name="button.z", low=False) in room.acts())
        await until(lambda: json.loads((tmp_path / "buttons.counts").read_text()) == {"s1 1": 5})


@pytest.mark.timed
async def test_a_call_reaches_the_call_path_at_once_and_is_one_call_everywhere(
    tmp_path: Path, mosquitto: PrivateBroker
) -> None:
    quick = button("z", Z2M, "bed", single="call assist")
    quick = replace(quick, kind=quick.kind.model_copy(update={"again_after_s": 0.0}))
    took: list[float] = []
    async with publisher(mosquitto) as link, panel_room(tmp_path, mosquitto, quick) as room:
        await link.heard()
        for press in range(30):
            at = boottime()
            link.says("zigbee2mqtt/bed", '{"action":"single"}')
            await until(lambda press=press: len(room.acts("call")) > press)  # type: ignore[misc]
            await until(lambda press=press: len(room.calls()) > press)  # type: ignore[misc]
            took.append(room.caller.lines[-1][0] - at)
            await room.caller_says(room.calls()[-1][0], "stood_down")
        print(f"published -> caller's socket: median {median(took) * 1e3:.1f} ms, longest {max(took) * 1e3:.1f} ms")
        assert median(took) < promised(0.05)
        assert room.calls() == [(act.call, act.level) for act in room.acts("call") if isinstance(act, Call)]
        assert len(set(room.calls())) == 30


async def test_a_second_press_is_the_same_call_and_a_long_one_makes_it_an_emergency(
    tmp_path: Path, mosquitto: PrivateBroker
) -> None:
    buttons = (
        button("left", Z2M, "left", single="call assist", hold="call emergency"),
        button("right", Z2M, "right", single="call assist"),
    )
    async with publisher(mosquitto) as link, panel_room(tmp_path, mosquitto, *buttons) as room:
        await link.heard()
        await room.caller_says("k-console", "sent")
        for topic, action in (("left", "single"), ("right", "single"), ("left", "hold")):
            link.says(f"zigbee2mqtt/{topic}", json.dumps({"action": action}))
        await until(lambda: len(room.acts("call")) == 3)
        assert room.calls() == [("k-console", "assist"), ("k-console", "assist"), ("k-console", "emergency")]


async def test_a_call_does_not_wait_for_a_daemon_or_a_caller(tmp_path: Path, mosquitto: PrivateBroker) -> None:
    async with (
        publisher(mosquitto) as link,
        panel_room(tmp_path, mosquitto, button("z", Z2M, "bed", single="call assist"), daemon=False) as room,
    ):
        await link.heard()
        link.says("zigbee2mqtt/bed", '{"action":"single"}')
        await until(lambda: len(room.calls()) == 1)
        await room.connect()
        await until(lambda: len(room.acts("call")) == 1)
        assert room.acts("call") == [Call(call=room.calls()[0][0], level="assist")]
        # And the other way round: the caller is away, and gets the call when it is back.
        await room.caller_says(room.calls()[0][0], "stood_down")
        await asyncio.sleep(0.75)  # until the button counts again
        await room.caller.close()
        link.says("zigbee2mqtt/bed", '{"action":"single"}')
        await until(lambda: len(room.acts("call")) == 2)
        await room.caller.open()
        await until(lambda: len(room.calls()) == 2)
        assert room.calls()[1][0] == room.acts("call")[1].call  # type: ignore[union-attr]


async def test_a_call_that_the_callers_disk_did_not_take_is_handed_over_again(tmp_path: Path) -> None:
    key = button("z", Z2M, "bed", single="call assist")
    async with panel_room(tmp_path, None, key, daemon=False) as room:
        room.panel.pressed(key, "single")
        await until(room.calls)
        call = room.calls()[0][0]
        room.caller.say({"call": call, "level": "assist", "stage": "placed", "by": "", "durable": False})
        await until(lambda: not room.panel._calls._open[call].taken)
        await room.caller.close()
        room.caller.lines.clear()
        await room.caller.open()
        await until(lambda: room.calls() == [(call, "assist")])


async def test_a_button_that_is_gone_or_weak_is_said_once(tmp_path: Path, mosquitto: PrivateBroker) -> None:
    async with (
        publisher(mosquitto) as link,
        panel_room(tmp_path, mosquitto, button("z", Z2M, "bed", single="call assist")) as room,
    ):
        await link.heard()
        for payload in ('{"state":"offline"}', '{"state":"offline"}', '{"state":"online"}'):
            link.says("zigbee2mqtt/bed/availability", payload, retain=True)
        for percent in (18, 15, 25, 31, 90):
            link.says("zigbee2mqtt/bed", json.dumps({"battery": percent}))
        await until(lambda: len(room.posted) >= 4)
        assert room.acts() == [
            DeviceLost(name="button.z", why="it is offline"),
            DeviceBack(name="button.z"),
            BatteryChanged(name="button.z", low=True, percent=18.0),
            BatteryChanged(name="button.z", low=False),
        ]
        room.posted.clear()
        mosquitto.kill()
        await until(lambda: bool(room.posted))
        assert [act.name for act in room.acts("device_lost")] == ["button.z"]  # type: ignore[union-attr]


async def test_a_pause_that_no_daemon_takes_goes_to_the_engine(tmp_path: Path, mosquitto: PrivateBroker) -> None:
    async with (
        publisher(mosquitto) as link,
        panel_room(tmp_path, mosquitto, button("z", Z2M, "bed", single="pause"), daemon=False) as room,
    ):
        await link.heard()
        link.says("zigbee2mqtt/bed", '{"action":"single"}')
        await until(lambda: any("direct" in message for _, message in room.engine.lines))
        direct = next(message for _, message in room.engine.lines if "direct" in message)
        await room.connect()
        await until(lambda: bool(room.posted))
        assert (direct["direct"], direct["id"]) == ("pause", room.posted[0].id)


async def test_a_panel_that_is_gone_is_an_alarm_once_and_back_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.inputs.client._GONE_S", 2.0)
    monkeypatch.setattr("controller.inputs.client._LOOK_S", 0.1)
    async with panel_room(tmp_path, None) as room:
        await asyncio.sleep(2.5)
        assert room.posted == []
        await room.end()
        await until(lambda: bool(room.posted))
        room.begin(lambda settings: None, lambda fd: None)  # type: ignore[arg-type,return-value]
        await until(lambda: len(room.posted) == 2)
        assert room.acts() == [DeviceLost(name="buttons"), DeviceBack(name="buttons")]
