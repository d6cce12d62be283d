"""Buttons that are not there: a keypad and a line-writing key behind real ptys, and contacts on imagined lines."""

from __future__ import annotations

import threading

from controller.inputs.keyboard import EV_KEY, EV_MSC, EV_SYN, EVENT, MSC_SCAN
from controller.serial_port import Line, OpenPort, PortSettings
from controller.serial_pty import PtyDevice


class SimulatedKeypad(PtyDevice):
    """An input device that sends `struct input_event`; it cannot be grabbed."""

    def key(self, code: int, value: int = 1, scan: int | None = None) -> None:
        """A key is pressed (1), held (2) or released (0)."""
        events = [] if scan is None else [(EV_MSC, MSC_SCAN, scan)]
        events += [(EV_KEY, code, value), (EV_SYN, 0, 0)]
        self.send(b"".join(EVENT.pack(0, 0, *event) for event in events))


class SimulatedWriter(PtyDevice):
    """A device that writes a line for each press."""

    def write(self, text: str) -> None:
        """Say so much, line ends as given."""
        self.send(text.encode())


class SimulatedContacts:
    """Control lines, which a pty has not: `opener` gives a port whose lines stand as `closed` says.

    The port's device must exist all the same; any file will do.
    """

    def __init__(self, **closed: bool) -> None:
        self.closed = dict(closed)
        self.opened_with: PortSettings | None = None
        self._gone = threading.Event()

    def unplug(self) -> None:
        """From now on every look at it fails."""
        self._gone.set()

    def plug(self) -> None:
        """It can be opened again."""
        self._gone.clear()

    def opener(self, settings: PortSettings) -> OpenPort:
        """For `WiredButtons`."""
        self.check()
        self.opened_with = settings
        return self

    def check(self) -> None:
        """Nothing, while it is there."""
        if self._gone.is_set():
            raise OSError("it was unplugged")

    def line(self, line: Line) -> bool:
        """How the line stands."""
        self.check()
        return self.closed.get(line, False)

    def read(self, within_s: float) -> bytes:
        """Nothing comes."""
        return b""

    def write(self, data: bytes) -> None:
        """Nobody listens."""

    def close(self) -> None:
        """Nothing is held."""
