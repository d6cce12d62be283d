"""Foot switches and keypads that the kernel takes for keyboards: read by-id, and grabbed so that they type nothing.

A pedal that types letters into whatever has the focus would call support at the console.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path

from controller.clock import boottime
from controller.inputs.hearing import Hearer
from controller.inputs.kind import scan_word
from controller.inputs.presses import Presses
from controller.inputs.settings import Button
from controller.serial_port import Line, OpenPort, PortSettings, SerialPort

EVENT = struct.Struct("@llHHi")
"""`struct input_event` (linux/input.h): seconds, microseconds, type, code, value."""

EV_SYN, EV_KEY, EV_MSC, MSC_SCAN = 0, 1, 4, 4
"""linux/input-event-codes.h."""
_EVIOCGRAB = 0x40044590
_PRESSED = 1
"""A key's value: 0 released, 1 pressed, 2 repeated because it is held."""
_READ_S = 0.1

Grab = Callable[[int], None]


def grab(fd: int) -> None:
    """Have the keyboard for ourselves. Raises OSError where somebody else has."""
    fcntl.ioctl(fd, _EVIOCGRAB, 1)


def leave(fd: int) -> None:
    """For a simulated keyboard, which the kernel does not know."""


class _Keyboard:
    """An input device as an open port that is only read."""

    def __init__(self, settings: PortSettings, grabbing: Grab) -> None:
        self._device = Path(settings.device)
        self._fd = os.open(settings.device, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            grabbing(self._fd)
        except OSError as error:
            os.close(self._fd)
            why = "another program has grabbed it" if error.errno == errno.EBUSY else f"not grabbed: {error.strerror}"
            raise OSError(why) from None
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)

    def read(self, within_s: float) -> bytes:
        if not self._poll.poll(within_s * 1000.0):
            return b""
        try:
            return os.read(self._fd, 64 * EVENT.size)
        except BlockingIOError:
            return b""

    def check(self) -> None:
        gone = select.POLLHUP | select.POLLERR | select.POLLNVAL
        if any(event & gone for _, event in self._poll.poll(0)) or not self._device.exists():
            raise OSError("it was unplugged")

    def write(self, data: bytes) -> None:
        raise OSError("a keyboard is not written to")

    def line(self, line: Line) -> bool:
        raise OSError("a keyboard has no control lines")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._fd)


def open_keyboard(settings: PortSettings, grabbing: Grab = grab) -> OpenPort:
    """The input device, grabbed. Raises OSError."""
    return _Keyboard(settings, grabbing)


class Keyboards:
    """Every button that is a keyboard."""

    def __init__(self, buttons: tuple[Button, ...], hearer: Hearer, grabbing: Grab = grab) -> None:
        self._readers = [_Reader(button, hearer, grabbing) for button in buttons if button.kind.keyboard]

    def start(self) -> None:
        """Open and grab them, for as long as it takes."""
        for reader in self._readers:
            reader.port.start()

    async def close(self) -> None:
        """Let go of them; twice is fine."""
        for reader in self._readers:
            await reader.port.close()


class _Reader:
    """One keyboard. `opened` and `turn` run on its own thread."""

    def __init__(self, button: Button, hearer: Hearer, grabbing: Grab) -> None:
        self._button = button
        self._hearer = hearer
        self._presses = Presses(button.kind.again_after_s)
        self._rest = b""
        self._scan: int | None = None
        settings = PortSettings(button.name, button.device)
        self.port = SerialPort(settings, self, self._changed, partial(open_keyboard, grabbing=grabbing))

    def _changed(self, up: bool, why: str) -> None:
        self._hearer.reached(self._button, "" if up else why)

    def opened(self, port: OpenPort) -> None:
        """Half an event of before is none."""
        self._rest, self._scan = b"", None

    def turn(self, port: OpenPort) -> float:
        """Wait for events."""
        data = self._rest + port.read(_READ_S)
        whole = len(data) // EVENT.size * EVENT.size
        self._rest = data[whole:]
        for _, _, kind, code, value in EVENT.iter_unpack(data[:whole]):
            if kind == EV_MSC and code == MSC_SCAN:
                self._scan = value & 0xFFFFFFFF
            elif kind == EV_KEY and value == _PRESSED:
                self.port.hand_over(self._pressed, code, self._scan)
            elif kind == EV_SYN:
                self._scan = None
        return 0.0

    def _pressed(self, code: int, scan: int | None) -> None:
        kind = self._button.kind
        press = kind.press_of(code) or (kind.press_of(scan_word(scan)) if scan is not None else None)
        if press is not None and self._presses.counts(press, boottime()):
            self._hearer.pressed(self._button, press)
