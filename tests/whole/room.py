"""A whole room in processes, for tests: what the demo starts, and a hand on each process."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from controller.broker_private import PrivateBroker
from controller.calls.simulated import SimulatedDesk
from controller.console.client import Client
from controller.demo.processes import RoomProcesses
from controller.demo.room import LAMPS, lamp_profile, prepare_music, write_room_file
from controller.lights.simulated_mqtt import SimulatedLamps
from controller.places import runtime_dir


@dataclass
class WholeRoom:
    """A running room. `wav` is what it sounds like."""

    state_dir: Path
    room_file: Path
    wav: Path
    broker: PrivateBroker
    bridge: SimulatedLamps
    desk: SimulatedDesk
    processes: RoomProcesses
    environment: dict[str, str]
    """The daemon's own, beside the test's."""

    def client(self, console: str = "test") -> Client:
        """A console's link."""
        return Client(runtime_dir(self.state_dir), console=console, person="T")

    def kill_daemon(self) -> None:
        """kill -9, and wait until it is gone."""
        process = self.processes.running("run")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def start_daemon(self) -> None:
        """`stillroom run` again."""
        with patch.dict(os.environ, self.environment):
            self.processes.start("run")


@asynccontextmanager
async def whole_room(
    state_dir: Path, more: str = "", environment: dict[str, str] | None = None, *, preflight: bool = False
) -> AsyncIterator[WholeRoom]:
    """A room with a broker, lamps, a desk, an engine that captures, a caller and a daemon; `more` in its file.

    `preflight`: no session begins without one.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    music = prepare_music(state_dir)
    broker = PrivateBroker(state_dir / "broker")
    broker.start()
    bridge = SimulatedLamps(broker.settings("test-bridge"), lamp_profile(), tuple(LAMPS.values()))
    desk = SimulatedDesk(broker.settings("test-desk"), 0.5)
    wav = state_dir / "room.wav"
    room_file = write_room_file(state_dir, music, broker.port, f"file:{wav}", None)
    text = room_file.read_text(encoding="utf-8")
    if preflight:
        text = text.replace("[preflight]\nrequired = false", "[preflight]\nrequired = true")
    room_file.write_text(text + more, encoding="utf-8")
    processes = RoomProcesses(room_file, state_dir)
    try:
        await bridge.start()
        await desk.start()
        room = WholeRoom(state_dir, room_file, wav, broker, bridge, desk, processes, environment or {})
        processes.start("sound")
        processes.start("caller")
        room.start_daemon()
        yield room
    finally:
        processes.stop_all()
        await bridge.close()
        await desk.close()
        broker.stop()
