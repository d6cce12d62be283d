"""The room file's serial ports, and the lamps that hang on them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator

from controller.files import did_you_mean
from controller.inputs.kind import ButtonKind
from controller.lights.board import Board
from controller.lights.dmx import DmxLamp, DmxSettings
from controller.lights.fader import Envelope
from controller.lights.fixture import UNIVERSE, Fixture
from controller.lights.relays import RelayLamp, RelaySettings
from controller.messages import Scene
from controller.serial_port import PortSettings
from controller.validation import Table

_FLEETING = re.compile(r"^/dev/(ttyUSB|ttyACM|input/event)\d+$")

Name = Annotated[str, Field(pattern=r"^[a-z0-9-]+$", max_length=40)]


def lasting_device(device: str) -> str:
    """The device, if it is a name that survives an unplug; ValueError otherwise."""
    if _FLEETING.match(device):
        where = "/dev/input/by-id" if "input" in device else "/dev/serial/by-id"
        raise ValueError(f"{device} is given out anew at every plugging; take its name in {where}")
    if not device.startswith("/"):
        raise ValueError(f'"{device}" is no device; take its name in /dev/serial/by-id')
    return device


class PortTable(Table):
    """A serial port: a DMX widget, a relay board, or a contact or key on one."""

    device: str

    @field_validator("device")
    @classmethod
    def _lasting(cls, device: str) -> str:
        return lasting_device(device)


class SerialPlace(Table):
    """Where a lamp hangs, if it hangs on a serial port: the port's name and the channel, counted from 1."""

    name: Name
    profile: str
    port: str = ""
    channel: Annotated[int, Field(ge=1, le=UNIVERSE)] | None = None
    on_above: Annotated[float, Field(gt=0.05, lt=1.0)] | None = None
    """A lamp behind a relay burns above this level …"""
    on_in: tuple[Scene, ...] = ()
    """… or in these scenes."""
    lowest: float | None = None
    """Its lowest steady number on its own scale, as commissioning found it; the room's floor then lies there."""
    normally_closed: bool = False
    """It burns while the relay is released, and so also without the board."""


def serial_mistakes(
    path: Path, lamps: Iterable[Mapping[str, Any]], ports: Any, kinds: Mapping[str, object]
) -> list[str]:
    """What is wrong with the lamps' places, each a whole sentence. `kinds`: the profiles that could be read."""
    known = [str(port) for port in ports] if isinstance(ports, dict) else []
    mistakes: list[str] = []
    users: dict[str, str] = {}
    taken: dict[tuple[str, int], str] = {}
    for place, lamp in enumerate(lamps, start=1):
        where = f"{path}: light.lamps[{place}]"
        kind, port, channel = kinds.get(str(lamp.get("profile"))), lamp.get("port"), lamp.get("channel")
        if isinstance(kind, ButtonKind):
            mistakes.append(f'{where}.profile: "{kind.name}" is a button, not a lamp')
            continue
        if not isinstance(kind, Fixture | Board):
            if kind is not None and not lamp.get("device"):
                mistakes.append(f"{where}.device: is missing")
            needless = [key for key in ("port", "channel", "on_above", "on_in", "normally_closed") if key in lamp]
            if kind is not None and needless:
                mistakes.append(f'{where}.{needless[0]}: "{lamp["profile"]}" is spoken to over MQTT: it has a device')
            continue
        if "device" in lamp:
            mistakes.append(f'{where}.device: "{kind.name}" hangs on a serial port: it has a port and a channel')
        if not isinstance(port, str) or not isinstance(channel, int):
            mistakes.append(f'{where}: "{kind.name}" needs a port and a channel')
            continue
        if port not in known:
            mistakes.append(f'{where}.port: there is no port "{port}"{did_you_mean(port, known)}')
        if users.setdefault(port, _speaks(kind)) != _speaks(kind):
            mistakes.append(f'{where}.port: "{port}" carries {users[port]} already; "{kind.name}" needs its own')
        mistakes += [f"{where}{mistake}" for mistake in _misplaced(lamp, kind, channel)]
        for slot in range(channel, channel + (kind.width if isinstance(kind, Fixture) else 1)):
            other = taken.setdefault((port, slot), str(lamp.get("name")))
            if other != str(lamp.get("name")):
                mistakes.append(f"{where}.channel: {other} uses channel {slot} of {port} already")
                break
    return mistakes


def _speaks(kind: Fixture | Board) -> str:
    return "DMX" if isinstance(kind, Fixture) else f"a {kind.name}"


def _misplaced(lamp: Mapping[str, Any], kind: Fixture | Board, channel: int) -> list[str]:
    if isinstance(kind, Fixture):
        found = [
            f'.{key}: "{kind.name}" is dimmed; only a lamp behind a relay has this'
            for key in ("on_above", "on_in", "normally_closed")
            if key in lamp
        ]
        lowest = lamp.get("lowest")
        if isinstance(lowest, int | float) and not kind.level.min <= lowest < kind.level.max:
            low, high = kind.level.min, kind.level.max
            found.append(f".lowest: lies on the lamp's own scale, {low:g} to {high:g} (it is {lowest:g})")
        if channel + kind.width - 1 > UNIVERSE:
            found.append(f".channel: from {channel} on there is no room for {kind.width} channels")
        return found
    found = [f'.lowest: "{kind.name}" is only on or off'] if "lowest" in lamp else []
    if channel > kind.channels:
        found.append(f'.channel: "{kind.name}" has channels 1 to {kind.channels} (it is {channel})')
    if ("on_above" in lamp) == bool(lamp.get("on_in")):
        found.append(
            ': a lamp behind a relay needs either on_above (a level) or on_in (scenes, as ["exit", "medical"])'
        )
    return found


def serial_lights(
    lamps: Sequence[SerialPlace],
    ports: Mapping[str, PortTable],
    kinds: Mapping[str, object],
    envelope: Envelope,
    runtime_dir: Path,
) -> tuple[list[DmxSettings], list[RelaySettings]]:
    """Settings of the drivers for the lamps on serial ports, one for each port that carries lamps."""
    by_port: dict[str, list[SerialPlace]] = defaultdict(list)
    for lamp in lamps:
        if lamp.port:
            by_port[lamp.port].append(lamp)
    widgets: list[DmxSettings] = []
    boards: list[RelaySettings] = []
    for name, group in by_port.items():
        first = kinds[group[0].profile]
        if isinstance(first, Board):
            port = PortSettings(name, ports[name].device, first.baud)
            boards.append(RelaySettings(port, first, tuple(_relay_lamp(lamp) for lamp in group)))
        else:
            port = PortSettings(name, ports[name].device, _WIDGET_BAUD)
            fixtures = tuple(_dmx_lamp(lamp, kinds[lamp.profile]) for lamp in group)
            widgets.append(DmxSettings(port, fixtures, envelope, runtime_dir / f"dmx-{name}.kept"))
    return widgets, boards


_WIDGET_BAUD = 115200
"""A widget on USB takes any."""


def _dmx_lamp(lamp: SerialPlace, kind: object) -> DmxLamp:
    assert isinstance(kind, Fixture)
    return DmxLamp(lamp.name, kind, lamp.channel or 1, lamp.lowest)


def _relay_lamp(lamp: SerialPlace) -> RelayLamp:
    return RelayLamp(lamp.name, lamp.channel or 1, lamp.on_above, lamp.on_in, lamp.normally_closed)
