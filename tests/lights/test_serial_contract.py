"""DMX fixtures and a relay follower, together in one rig, keep what every lights driver promises."""

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
FOLLOWER = "plug"
SLEW = 0.5


class Far:
    """Widget and board; a level is read back from the bytes."""

    def __init__(self, widget: SimulatedWidget, board: SimulatedBoard) -> None:
        self.widget = widget
        self.board = board

    def _levels(self, lamp: str) -> list[tuple[float, float]]:
        at = CHANNELS[lamp] - 1
        return [(f.at, (f.slots[at] * 256 + f.slots[at + 1]) / 65535) for f in self.widget.frames]

    def shown(self, lamp: str) -> float:
        if lamp == FOLLOWER:
            return float(self.board.on[0])
        levels = self._levels(lamp)
        return levels[-1][1] if levels else START

    def steepest(self, lamp: str) -> float:
        levels = self._levels(lamp)
        return max(abs(b - a) for t, a in levels for u, b in levels if 0 <= u - t <= 1.0)

    def commands(self, lamp: str) -> int:
        """Frames come all the time; a command is one that says something else."""
        if lamp == FOLLOWER:
            return len(self.board.switched)
        return sum(a != b for (_, a), (_, b) in pairwise(self._levels(lamp)))

    async def unplug(self) -> None:
        self.widget.unplug()
        self.board.unplug()

    async def replug(self) -> None:
        self.widget.plug()
        self.board.plug()

    async def meddle(self, lamp: str, level: float) -> bool:
        if lamp == FOLLOWER:
            self.board.turn(1, level > 0.5)
        return lamp == FOLLOWER

    async def retained(self) -> list[str]:
        return []


class TestSerialLights(LightContract):
    @pytest.fixture
    async def rig(self, tmp_path: Path) -> AsyncIterator[Rig]:
        board_kind = kind("relay-kmtronic")
        widget, board = SimulatedWidget(tmp_path / "widget"), SimulatedBoard(tmp_path / "board", board_kind)
        widget.plug()
        board.plug()
        clock = RoomClock()
        at_start = LINEAR.model_copy(update={"power_on": START})
        fixtures = tuple(DmxLamp(lamp, at_start, channel) for lamp, channel in CHANNELS.items())
        dmx = DmxSettings(PortSettings("dmx", widget.device), fixtures, Envelope(slew_per_s=SLEW), tmp_path / "kept")
        relays = RelaySettings(
            PortSettings("relays", board.device), board_kind, (RelayLamp(FOLLOWER, 1, on_above=0.35),)
        )
        lamps = (*CHANNELS, FOLLOWER)
        lights = LightRig([DmxLights(dmx, clock), RelayLights(relays, clock)], lamps)
        posted: list[Act] = []
        await lights.start(posted.append)
        yield Rig(
            lights=lights,
            clock=clock,
            far=Far(widget, board),
            lamps=lamps,
            names=("port.dmx", "port.relays"),
            posted=posted,
            slew_per_s=SLEW,
            step=0.001,
            followers=(FOLLOWER,),
        )
        await lights.close()
        widget.unplug()
        board.unplug()
