"""DMX fixtures and a follower on each kind of relay board, in one rig, keep what every lights driver promises."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from controller.clock import RoomClock
from controller.lights.dmx import DmxLamp, DmxLights, DmxSettings
from controller.lights.fader import Envelope
from controller.lights.relays import RelayLamp, RelayLights, RelaySettings
from controller.lights.rig import LightRig
from controller.lights.simulated_serial import SimulatedBoard, SimulatedWidget
from controller.messages import Act
from controller.serial_port import PortSettings
from tests.lights.contract import START, LightContract, Rig
from tests.lights.test_dmx import LINEAR
from tests.lights.test_relays import kind

CHANNELS = {"left": 1, "right": 3}
BOARDS = ("relay-kmtronic", "relay-kmtronic-8", "relay-lcus", "relay-numato")
"""Each has one follower, called alike."""
SLEW = 0.5


class Far:
    """Widget and boards; a level is read back from the bytes."""

    def __init__(self, widget: SimulatedWidget, boards: dict[str, SimulatedBoard]) -> None:
        self.widget = widget
        self.boards = boards

    def _levels(self, lamp: str) -> list[tuple[float, float]]:
        at = CHANNELS[lamp] - 1
        return [(f.at, (f.slots[at] * 256 + f.slots[at + 1]) / 65535) for f in self.widget.frames]

    def shown(self, lamp: str) -> float:
        if lamp in self.boards:
            return float(self.boards[lamp].on[0])
        levels = self._levels(lamp)
        return levels[-1][1] if levels else START

    def steepest(self, lamp: str) -> float:
        levels = self._levels(lamp)
        return max(abs(b - a) for t, a in levels for u, b in levels if 0 <= u - t <= 1.0)

    def commands(self, lamp: str) -> int:
        """Frames come all the time; a command is one that says something else."""
        if lamp in self.boards:
            return len(self.boards[lamp].switched)
        return sum(a != b for (_, a), (_, b) in pairwise(self._levels(lamp)))

    async def unplug(self) -> None:
        for adapter in (self.widget, *self.boards.values()):
            adapter.unplug()

    async def replug(self) -> None:
        for adapter in (self.widget, *self.boards.values()):
            adapter.plug()

    async def meddle(self, lamp: str, level: float) -> bool:
        if lamp not in self.boards:
            return False
        self.boards[lamp].turn(1, level > 0.5)
        return kind(lamp).status is not None

    async def retained(self) -> list[str]:
        return []


class TestSerialLights(LightContract):
    @pytest.fixture
    async def rig(self, tmp_path: Path) -> AsyncIterator[Rig]:
        widget = SimulatedWidget(tmp_path / "widget")
        boards = {name: SimulatedBoard(tmp_path / name, kind(name)) for name in BOARDS}
        for adapter in (widget, *boards.values()):
            adapter.plug()
        clock = RoomClock()
        at_start = LINEAR.model_copy(update={"power_on": START})
        fixtures = tuple(DmxLamp(lamp, at_start, channel) for lamp, channel in CHANNELS.items())
        dmx = DmxSettings(PortSettings("dmx", widget.device), fixtures, Envelope(slew_per_s=SLEW), tmp_path / "kept")
        relays = [
            RelaySettings(PortSettings(name, board.device), kind(name), (RelayLamp(name, 1, on_above=0.35),))
            for name, board in boards.items()
        ]
        lamps = (*CHANNELS, *BOARDS)
        lights = LightRig([DmxLights(dmx, clock), *(RelayLights(each, clock) for each in relays)], lamps)
        posted: list[Act] = []
        await lights.start(posted.append)
        yield Rig(
            lights=lights,
            clock=clock,
            far=Far(widget, boards),
            lamps=lamps,
            names=("port.dmx", *(f"port.{name}" for name in BOARDS)),
            posted=posted,
            slew_per_s=SLEW,
            step=0.001,
            followers=BOARDS,
        )
        await lights.close()
        for adapter in (widget, *boards.values()):
            adapter.unplug()
