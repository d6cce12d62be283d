"""What the buttons' process is told of its room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from controller.broker import BrokerSettings
from controller.inputs.actions import Action
from controller.inputs.kind import ButtonKind
from controller.serial_port import PortSettings


@dataclass(frozen=True, slots=True)
class Button:
    """A button of the room: its name here, its kind, what it is called where it hangs, and what its presses do.

    `device`: its name at the bridge, or its file in /dev/input/by-id. `port`: its serial port. `channel` counts from 1.
    """

    name: str
    kind: ButtonKind
    does: Mapping[str, Action]
    device: str = ""
    base: str = ""
    port: PortSettings | None = None
    channel: int = 1

    @property
    def tokens(self) -> dict[str, str]:
        """What its topics are filled with."""
        channel = self.channel - 1 + self.kind.first_channel
        return {"name": self.device, "base": self.base or self.kind.base, "channel": str(channel)}


@dataclass(frozen=True, slots=True)
class ButtonSettings:
    """The room, where the sockets lie, the broker (a client id of the buttons' own), and the buttons."""

    room: str
    runtime_dir: Path
    broker: BrokerSettings
    buttons: tuple[Button, ...]
    simulated: bool = False
    """Keyboards are simulated ones, which cannot be grabbed."""
