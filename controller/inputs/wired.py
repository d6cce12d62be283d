"""Buttons on wires: contacts on a serial port's control lines, and devices that write a line for each press."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

from controller.clock import boottime
from controller.inputs.hearing import Hearer
from controller.inputs.presses import Presses, Steady
from controller.inputs.settings import Button
from controller.serial_port import OpenPort, PortSettings, SerialPort, open_serial

POLL_S = 1.0 / 80.0
"""Control lines are looked at so often; a pressed button makes contact for a tenth of a second at least."""
_READ_S = 0.1
_LONGEST_LINE = 64

Opener = Callable[[PortSettings], OpenPort]


class WiredButtons:
    """Every button on a serial port; contacts may share a port's two lines."""

    def __init__(self, buttons: tuple[Button, ...], hearer: Hearer, opener: Opener = open_serial) -> None:
        by_port: dict[str, list[Button]] = defaultdict(list)
        for button in buttons:
            if button.kind.on_port and button.port is not None:
                by_port[button.port.name].append(button)
        self._users = [
            (_Contacts if group[0].kind.contact else _Writer)(group, hearer, opener) for group in by_port.values()
        ]

    def start(self) -> None:
        """Open the ports, for as long as it takes."""
        for user in self._users:
            user.port.start()

    async def close(self) -> None:
        """Twice is fine."""
        for user in self._users:
            await user.port.close()


class _PortUser(ABC):
    """What hangs on one port. `opened` and `turn` run on the port's thread."""

    def __init__(self, buttons: list[Button], hearer: Hearer, opener: Opener, settings: PortSettings) -> None:
        self.buttons = buttons
        self.hearer = hearer
        self.port = SerialPort(settings, self, self._changed, opener)

    def _changed(self, up: bool, why: str) -> None:
        for button in self.buttons:
            self.hearer.reached(button, "" if up else why)

    @abstractmethod
    def opened(self, port: OpenPort) -> None:
        """The port is there."""

    @abstractmethod
    def turn(self, port: OpenPort) -> float:
        """Look at it; returns the seconds until it is looked at again."""


class _Contacts(_PortUser):
    def __init__(self, buttons: list[Button], hearer: Hearer, opener: Opener) -> None:
        drives = {button.kind.contact.drive for button in buttons if button.kind.contact}
        assert buttons[0].port is not None
        super().__init__(buttons, hearer, opener, replace(buttons[0].port, dtr="dtr" in drives, rts="rts" in drives))
        self._presses = {button.name: Presses(button.kind.again_after_s) for button in buttons}
        self._steady: dict[str, Steady] = {}
        self._first: set[str] = set()

    def opened(self, port: OpenPort) -> None:
        """Nothing is known of the contacts."""
        self._steady = {b.name: Steady(b.kind.contact.steady_s) for b in self.buttons if b.kind.contact}
        self._first = set(self._steady)

    def turn(self, port: OpenPort) -> float:
        """Look at every contact."""
        now = boottime()
        for button in self.buttons:
            assert button.kind.contact is not None
            closed = self._steady[button.name].settle(port.line(button.kind.contact.line), now)
            if closed is not None:
                self.port.hand_over(self._settled, button, closed, button.name in self._first)
                self._first.discard(button.name)
        return POLL_S

    def _settled(self, button: Button, closed: bool, first: bool) -> None:
        """On the loop's thread. What stood so when the port was opened counts for calls and fire alone."""
        self.hearer.settled(button, closed)
        press = "closed" if closed else "open"
        action = button.does.get(press)
        if first and not (action is not None and action.urgent):
            return
        if self._presses[button.name].counts(press, boottime()):
            self.hearer.pressed(button, press)


class _Writer(_PortUser):
    def __init__(self, buttons: list[Button], hearer: Hearer, opener: Opener) -> None:
        button = buttons[0]
        assert button.port is not None and button.kind.serial is not None
        super().__init__(buttons, hearer, opener, replace(button.port, baud=button.kind.serial.baud))
        self._presses = {button.name: Presses(button.kind.again_after_s) for button in buttons}
        self._rest = b""

    def opened(self, port: OpenPort) -> None:
        """Half a line of before is none."""
        self._rest = b""

    def turn(self, port: OpenPort) -> float:
        """Wait for a line."""
        *lines, self._rest = (self._rest + port.read(_READ_S)).replace(b"\r", b"\n").split(b"\n")
        self._rest = self._rest[-_LONGEST_LINE:]
        for line in lines:
            self.port.hand_over(self._line, line.decode("utf-8", "replace").strip())
        return 0.0

    def _line(self, line: str) -> None:
        for button in self.buttons:
            press = button.kind.press_of(line)
            if press is not None and self._presses[button.name].counts(press, boottime()):
                self.hearer.pressed(button, press)
