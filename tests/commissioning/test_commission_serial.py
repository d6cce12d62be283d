"""The same walk through fixtures on a DMX adapter and through relay boards, which hang on no broker."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from controller.commissioned import commissioning_report
from controller.commissioning.walk import Walk
from controller.config import load_profile, load_room
from controller.lights.board import Board
from controller.lights.simulated_serial import SimulatedBoard, SimulatedWidget
from tests.commissioning.test_commission import Technician
from tests.lights.shipped import FOLDER
from tests.waiting import until

ROOM = """format = 1
name = "test"
[broker]
port = 1
[light]
floor = 0.3
ceiling = 0.6
slew_per_s = 0.5
[ports.dmx]
device = "{widget}"
[ports.relays]
device = "{kmtronic}"
[ports.mute]
device = "{lcus}"
[[light.lamps]]
name = "spot"
profile = "dmx-dimmer"
port = "dmx"
channel = 1
[[light.lamps]]
name = "plug"
profile = "relay-kmtronic"
port = "relays"
channel = 1
on_above = 0.5
[[light.lamps]]
name = "mute"
profile = "relay-lcus"
port = "mute"
channel = 2
on_in = ["exit", "medical"]
"""

DARK_BELOW = 40
FLOOR, SLEW = 0.3, 0.5
"""As in the room file."""
LATE_S = 0.1
"""A frame that comes late makes up for four."""


def board(folder: Path, profile: str) -> SimulatedBoard:
    kind = load_profile(FOLDER / f"{profile}.toml")
    assert isinstance(kind, Board)
    return SimulatedBoard(folder / profile, kind)


async def test_a_room_on_serial_ports_is_commissioned_and_signed_without_a_broker(tmp_path: Path) -> None:
    widget = SimulatedWidget(tmp_path / "widget")
    boards = {name: board(tmp_path, f"relay-{name}") for name in ("kmtronic", "lcus")}
    adapters = (widget, *boards.values())
    for each in adapters:
        each.plug()
    path = tmp_path / "room.toml"
    path.write_text(
        ROOM.format(widget=widget.device, **{name: each.device for name, each in boards.items()}), encoding="utf-8"
    )

    async def look(question: str) -> str:
        number = float(re.search(r"At ([\d.]+) of", question)[1])  # type: ignore[index]
        await until(lambda: abs(widget.frames[-1].slots[0] - number) <= 1)  # the lamp is where the question says
        return "y" if number >= DARK_BELOW else "n"

    in_turn = iter(boards.values())

    async def burnt(_question: str) -> str:
        return "y" if any(next(in_turn).on) else "n"  # it is asked once the lamp was lit, and not before

    person = Technician(
        {
            "lit and steady": look,
            "Did it go off, and on": burnt,
            "cannot answer": "y",
            "press Enter": "",
            "brighter than before": "n",
            "Sign": "ab",
        }
    )
    try:
        assert await Walk(path, tmp_path, person).go(), "\n".join(person.told)
    finally:
        for each in adapters:
            each.unplug()
    room = load_room(path)
    assert [lamp.lowest for lamp in room.table.light.lamps] == [DARK_BELOW, None, None]
    standing = commissioning_report(tmp_path, room)
    assert standing.state == "signed" and standing.report is not None
    found = {
        device.name: {finding.step: (finding.verdict, finding.code) for finding in device.findings}
        for device in standing.report.devices
    }
    wired = {"reachable": ("ok", "port"), "range": ("ok", "seen"), "echo": ("skipped", "no_echo")}
    wired |= {"power_on": ("skipped", "by_hand"), "lamp_power": ("ok", "by_eye"), "room_power": ("ok", "by_eye")}
    dims = {"lowest": ("ok", "found"), "transition": ("skipped", "steps")}
    switched = {"lowest": ("skipped", "switched"), "transition": ("skipped", "switched")}
    assert found == {"spot": wired | dims, "plug": wired | switched, "mute": wired | switched}
    assert all(each.switched for each in boards.values())
    levels = [frame.slots[0] for frame in widget.frames]
    # From floor to full lie the bytes from its lowest one on: they are steeper than the fixture's own scale.
    per_level = (255 - DARK_BELOW) / (1.0 - FLOOR)
    assert max(abs(b - a) for a, b in pairwise(levels)) <= SLEW * LATE_S * per_level + 1, "never a jump"


async def test_a_port_that_is_not_there_is_a_failure_and_nothing_else_is_asked_of_its_lamp(tmp_path: Path) -> None:
    boards = {name: board(tmp_path, f"relay-{name}") for name in ("kmtronic", "lcus")}
    for each in boards.values():
        each.plug()
    path = tmp_path / "room.toml"
    path.write_text(
        ROOM.format(widget=tmp_path / "nothing", **{name: each.device for name, each in boards.items()}),
        encoding="utf-8",
    )
    person = Technician({"cannot answer": "y", "Pull": "n", "Sign": ""})
    try:
        assert not await Walk(path, tmp_path, person).go()
    finally:
        for each in boards.values():
            each.unplug()
    said = "\n".join(person.told)
    assert "spot:  FAILED  Reachable            its port cannot be opened" in said
    assert "Something failed in spot:" in said and "plug of spot" not in said
