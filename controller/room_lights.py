"""A room's lamps as one driver: the same for the daemon and for a technician."""

from __future__ import annotations

from pathlib import Path

from controller.broker import BrokerLink
from controller.clock import Clock
from controller.config import Room
from controller.lights.dmx import DmxLights
from controller.lights.mqtt import MqttLights
from controller.lights.relays import RelayLights
from controller.lights.rig import LampDriver, LightRig


def make_lights(room: Room, run_dir: Path, link: BrokerLink, clock: Clock) -> LightRig:
    """Every lamp of the room behind its driver; the rig owns `link`."""
    widgets, boards = room.serial_lights(run_dir)
    drivers: list[LampDriver] = [MqttLights(room.lights(), link, clock)]
    drivers += [DmxLights(widget, clock) for widget in widgets]
    drivers += [RelayLights(board, clock) for board in boards]
    return LightRig(drivers, room.rules().lamps)
