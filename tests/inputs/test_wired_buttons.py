"""Contacts, keys on a serial line, pedals and the fire panel, on simulated hardware."""

from __future__ import annotations

import asyncio
import errno
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from controller.inputs.keyboard import leave
from controller.inputs.presses import Charge, Presses, Steady
from controller.inputs.simulated import SimulatedContacts, SimulatedKeypad, SimulatedWriter
from controller.messages import LEAVING_FADE_S, DeviceBack, DeviceLost, Fire, FireOver, Light, Pause, Resume
from controller.serial_port import OpenPort, PortSettings, open_serial
from tests.inputs.room import button, panel_room
from tests.waiting import PATIENCE_S, until


def wire(folder: Path) -> str:
    """A device file for a port whose lines are imagined."""
    (folder / "adapter").touch()
    return str(folder / "adapter")


async def test_a_contact_that_bounces_is_one_press_and_one_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = SimulatedContacts(cts=False)
    cord = button("cord", "button-contact-cts", on=wire(tmp_path), closed="call assist")
    async with panel_room(tmp_path, None, cord, opener=lines.opener) as room:
        await until(lambda: lines.opened_with is not None)
        assert lines.opened_with is not None and lines.opened_with.rts and not lines.opened_with.dtr
        await asyncio.sleep(0.1)
        assert room.posted == []
        bounces = iter((True, False, True, False))  # one at each look, however far apart they are
        monkeypatch.setattr(lines, "line", lambda _: next(bounces, lines.closed["cts"]))
        lines.closed["cts"] = True
        await until(lambda: len(room.calls()) == 1 and len(room.acts("call")) == 1)
        await asyncio.sleep(0.1)
        lines.closed["cts"] = False
        await asyncio.sleep(0.1)
        assert len(room.calls()) == 1 and len(room.acts("call")) == 1


async def test_a_call_cord_that_is_pulled_already_calls_and_a_switch_does_nothing(tmp_path: Path) -> None:
    lines = SimulatedContacts(cts=True, dsr=True)
    device = wire(tmp_path)
    cord = button("cord", "button-contact-cts", on=device, closed="call emergency")
    switch = button("switch", "button-contact-dsr", on=device, closed="light exit", open="light arc")
    switch = replace(switch, port=cord.port)
    async with panel_room(tmp_path, None, cord, switch, opener=lines.opener) as room:
        await until(lambda: room.acts("call") and room.calls())
        await asyncio.sleep(0.1)
        assert [level for _, level in room.calls()] == ["emergency"]
        assert room.acts("light") == []
        lines.closed["dsr"] = False
        await until(lambda: room.acts("light") == [Light(scene="arc")])


async def test_an_adapter_that_is_pulled_is_said_once_and_its_button_works_again(tmp_path: Path) -> None:
    lines = SimulatedContacts(cts=False)
    cord = button("cord", "button-contact-cts", on=wire(tmp_path), closed="call assist")
    async with panel_room(tmp_path, None, cord, opener=lines.opener) as room:
        await until(lambda: lines.opened_with is not None)
        lines.unplug()
        await until(lambda: bool(room.posted))
        lines.plug()
        await until(lambda: len(room.posted) == 2)
        assert room.acts() == [DeviceLost(name="button.cord", why="it was unplugged"), DeviceBack(name="button.cord")]
        lines.closed["cts"] = True
        await until(lambda: len(room.calls()) == 1)


async def test_the_fire_panels_contact_is_a_state_that_every_daemon_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.inputs.panel._FIRE_TAKEN_S", PATIENCE_S)  # here the daemon takes it, if late
    lines = SimulatedContacts(cts=True)
    panel = button("fire-panel", "button-fire-panel", on=wire(tmp_path), open="fire")
    async with panel_room(tmp_path, None, panel, opener=lines.opener) as room:
        await asyncio.sleep(0.4)
        assert room.posted == []
        lines.closed["cts"] = False
        await until(lambda: bool(room.posted))
        assert room.acts() == [Fire(contact="fire-panel")]
        assert room.posted[0].origin.console == "button.fire-panel"
        # A daemon that starts while the contact is open hears of it.
        assert room.client is not None
        await room.client.close()
        room.posted.clear()
        await room.connect()
        await until(lambda: room.acts() == [Fire(contact="fire-panel")])
        lines.closed["cts"] = True
        await until(lambda: room.acts("fire_over") == [FireOver(contact="fire-panel")])
        assert not any("direct" in message for _, message in room.engine.lines)


async def test_a_press_that_died_with_the_daemon_before_it_was_on_disk_is_told_to_the_next_one(tmp_path: Path) -> None:
    key = button("key", "button-contact-cts", on=wire(tmp_path), closed="mark cold")
    async with panel_room(tmp_path, None, key, opener=SimulatedContacts(cts=False).opener, daemon=False) as room:
        await room.connect()
        assert room.client is not None
        room.notes = False
        room.panel.pressed(key, "closed")
        await until(lambda: room.acts("mark"))
        await room.client.close()
        room.notes = True
        for _ in range(2):
            await room.connect()
            await until(lambda: not room.panel._kept)
            await room.client.close()
    told = [given.id for given in room.posted if given.act.kind == "mark"]
    assert told == [told[0]] * 2, "to the next one, and then to nobody any more"


async def test_a_fire_stands_until_its_contact_says_otherwise_although_the_buttons_are_started_anew(
    tmp_path: Path,
) -> None:
    lines = SimulatedContacts(cts=False)
    panel = button("fire-panel", "button-fire-panel", on=wire(tmp_path), open="fire")
    async with panel_room(tmp_path, None, panel, opener=lines.opener) as room:
        await until(lambda: room.acts("fire"))
        lines.unplug()
        await until(lambda: room.acts("device_lost"))
        await room.end()
        room.begin(lines.opener, leave)
        client = room.client
        assert client is not None
        begun = client._heard_at
        await until(lambda: client._heard_at > begun)
        await asyncio.sleep(0.1)
        assert room.acts("fire_over", "device_back") == [], "nobody has looked at it since"
        lines.closed["cts"] = True
        lines.plug()
        await until(lambda: len(room.acts("fire_over", "device_back")) == 2)


async def test_a_fire_that_no_daemon_takes_silences_the_engine_itself(tmp_path: Path) -> None:
    lines = SimulatedContacts(cts=False)
    panel = button("fire-panel", "button-fire-panel", on=wire(tmp_path), open="fire")
    async with panel_room(tmp_path, None, panel, opener=lines.opener, daemon=False) as room:
        await until(lambda: any(message.get("direct") == "pause" for _, message in room.engine.lines))
        assert [message["fade_s"] for _, message in room.engine.lines if "direct" in message] == [LEAVING_FADE_S]


async def test_a_key_that_writes_lines_is_understood_in_pieces(tmp_path: Path) -> None:
    writer = SimulatedWriter(tmp_path / "key")
    writer.plug()
    key = button("key", "button-serial-key", on=writer.device, single="pause", double="resume")
    opened = Event()

    def opener(settings: PortSettings) -> OpenPort:
        port = open_serial(settings)
        opened.set()
        return port

    async with panel_room(tmp_path, None, key, opener=opener) as room:
        await until(opened.is_set)
        for piece in ("P\r\nP\nnoise\nD", "", "\n", "H\n"):
            writer.write(piece)
            await asyncio.sleep(0.02)
        await until(lambda: room.acts() == [Pause(), Resume()])
        writer.unplug()
        await until(lambda: len(room.acts("device_lost")) == 1)
        writer.plug()
        await until(lambda: len(room.acts("device_back")) == 1)
    writer.unplug()


async def test_a_pedal_is_grabbed_and_counts_once_however_long_it_is_held(tmp_path: Path) -> None:
    pedals = SimulatedKeypad(tmp_path / "pedals")
    pedals.plug()
    grabbed: list[int] = []
    switch = button("pedal", "button-foot-switch", pedals.device, left="pause", middle="light exit", right="resume")
    async with panel_room(tmp_path, None, switch, grabbing=grabbed.append) as room:
        await until(lambda: bool(grabbed))
        pedals.key(30)
        for _ in range(5):
            pedals.key(30, 2)
        pedals.key(30, 0)
        pedals.key(1, 1, scan=0x70006)  # a pedal that was given another letter
        pedals.key(48, 0)
        pedals.key(57)
        await until(lambda: len(room.posted) >= 2)
        await asyncio.sleep(0.1)
        assert room.acts() == [Pause(), Resume()]
        pedals.unplug()
        await until(lambda: len(room.acts("device_lost")) == 1)
        pedals.plug()
        await until(lambda: len(grabbed) == 2)
        pedals.key(48)
        await until(lambda: room.acts("light") == [Light(scene="exit")])
    pedals.unplug()


async def test_a_pedal_that_another_program_has_grabbed_is_said(tmp_path: Path) -> None:
    pedals = SimulatedKeypad(tmp_path / "pedals")
    pedals.plug()

    def taken(fd: int) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    switch = button("pedal", "button-foot-switch", pedals.device, left="pause")
    async with panel_room(tmp_path, None, switch, grabbing=taken) as room:
        await until(lambda: bool(room.posted))
        assert room.acts() == [DeviceLost(name="button.pedal", why="another program has grabbed it")]
    pedals.unplug()


def test_a_press_counts_again_only_after_it_has_been_quiet() -> None:
    presses = Presses(0.7)
    assert [presses.counts("single", at) for at in (0.0, 0.3, 0.9, 1.5, 2.3)] == [True, False, False, False, True]
    assert presses.counts("double", 2.4)
    assert presses.counts("single", 5.0, count=3)
    assert not presses.counts("single", 9.0, count=3)


def test_only_a_device_that_stays_awake_is_believed_to_tell_its_first_event_again_when_it_connects_anew() -> None:
    asleep, awake = Presses(0.7), Presses(0.7)
    for presses in (asleep, awake):
        assert presses.counts("single", 0.0, count=1)
        assert not presses.counts("single", 2.0, count=1), "told again before it falls asleep"
    assert not awake.counts("single", 30.0, count=1)
    for presses in (asleep, awake):
        presses.connected()
    assert asleep.counts("single", 60.0, count=1) and not awake.counts("single", 60.0, count=1)
    assert (asleep.tells_again, awake.tells_again) == (False, True)
    restarted = Presses(0.7, count=1)
    assert not restarted.counts("single", 0.0, count=1) and not restarted.tells_again, "when it was first told is lost"
    assert not restarted.counts("single", 30.0, count=1) and restarted.tells_again
    asleep.know(0)
    assert asleep.counts("single", 90.0, count=1) and asleep.counts("single", 91.0, count=2)
    asleep.connected()
    assert not asleep.counts("single", 99.0, count=2), "it goes on counting, so nothing was pressed"


def test_a_device_that_may_have_connected_unseen_is_not_believed_to_stay_awake() -> None:
    presses = Presses(0.7)
    assert presses.counts("single", 0.0, count=1)
    presses.unheard()
    assert not presses.counts("single", 60.0, count=1) and not presses.tells_again
    presses.connected()
    assert presses.counts("single", 120.0, count=1), "its next call counts"


def test_a_contact_settles_after_it_has_been_steady() -> None:
    contact = Steady(0.03)
    seen = [
        (0.0, True),
        (0.02, True),
        (0.04, True),
        (0.05, False),
        (0.06, True),
        (0.1, True),
        (0.2, False),
        (0.24, False),
    ]
    assert [contact.settle(value, at) for at, value in seen] == [None, None, True, None, None, None, None, False]


@pytest.mark.parametrize(
    ("percents", "said"),
    [((50, 19, 15, 25, 31), [False, True, None, None, False]), ((19, 21, 19, 40), [True, None, None, False])],
)
def test_a_battery_at_its_limit_is_said_once(percents: tuple[float, ...], said: list[bool | None]) -> None:
    charge = Charge(20.0)
    assert [charge.changed(percent) for percent in percents] == said
