"""One serial port on a thread of its own: opened exclusively, and again whenever it is back after an unplug.

Everything that is done with the port happens on that thread; the loop is only told whether it is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import select
import termios
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import serial

_log = logging.getLogger(__name__)

_WRITE_S = 0.5
"""A write to an unplugged adapter can block for ever."""
_RETRY_S = 0.25
_AFTER_TROUBLE_S = 0.5
_JOIN_S = 2.0

Line = Literal["cts", "dsr"]


@dataclass(frozen=True, slots=True)
class PortSettings:
    """A port's name in the room, its device (a name that survives an unplug) and what it stands at when it is opened.

    `dtr` and `rts` are set before the port is opened: raising them later restarts some boards.
    """

    name: str
    device: str
    baud: int = 9600
    dtr: bool = False
    rts: bool = False


class OpenPort(Protocol):
    """What a user of a port may do with it, on the port's thread. Everything raises OSError when it is gone."""

    def write(self, data: bytes) -> None:
        """All of it, within half a second."""
        ...

    def read(self, within_s: float) -> bytes:
        """What has come, as soon as anything has; b"" when nothing came in time."""
        ...

    def line(self, line: Line) -> bool:
        """Whether a control line is asserted."""
        ...

    def check(self) -> None:
        """Nothing, while it is there."""
        ...

    def close(self) -> None:
        """Let go of it; never raises."""
        ...


class PortUser(Protocol):
    """What is done with a port while it is open."""

    def opened(self, port: OpenPort) -> None:
        """It has just been opened."""
        ...

    def turn(self, port: OpenPort) -> float:
        """Do what is due; returns the seconds until there is something to do again."""
        ...


class _SerialDevice:
    """pyserial, with all its ways of failing made one."""

    def __init__(self, settings: PortSettings) -> None:
        self._device = Path(settings.device)
        self._serial = serial.Serial()
        self._serial.port = settings.device
        self._serial.baudrate = settings.baud
        self._serial.timeout = 0
        self._serial.write_timeout = _WRITE_S
        self._serial.exclusive = True
        self._serial.dtr = settings.dtr
        self._serial.rts = settings.rts
        with _as_os_error():
            self._serial.open()
        self._poll = select.poll()
        self._poll.register(self._serial.fileno(), select.POLLIN)

    def write(self, data: bytes) -> None:
        with _as_os_error():
            self._serial.write(data)

    def read(self, within_s: float) -> bytes:
        if not self._poll.poll(within_s * 1000.0):
            return b""
        with _as_os_error():
            return bytes(self._serial.read(4096))

    def line(self, line: Line) -> bool:
        with _as_os_error():
            return bool(self._serial.cts if line == "cts" else self._serial.dsr)

    def check(self) -> None:
        gone = select.POLLHUP | select.POLLERR | select.POLLNVAL
        if any(event & gone for _, event in self._poll.poll(0)) or not self._device.exists():
            raise OSError("it was unplugged")

    def close(self) -> None:
        with contextlib.suppress(OSError, termios.error):
            self._serial.reset_output_buffer()  # else the kernel may wait half a minute for what nobody takes
        with contextlib.suppress(OSError, termios.error):
            self._serial.close()


@contextlib.contextmanager
def _as_os_error() -> Iterator[None]:
    try:
        yield
    except termios.error as error:
        raise OSError(*error.args) from None
    except serial.SerialTimeoutException:
        raise OSError("it takes nothing any more") from None


def open_serial(settings: PortSettings) -> OpenPort:
    """The port, opened exclusively. Raises OSError."""
    return _SerialDevice(settings)


class SerialPort:
    """Keeps one port open for `user`. `changed(up, why)` comes on the loop's thread, once per change."""

    def __init__(
        self,
        settings: PortSettings,
        user: PortUser,
        changed: Callable[[bool, str], None],
        opener: Callable[[PortSettings], OpenPort] = open_serial,
    ) -> None:
        self._settings = settings
        self._user = user
        self._changed = changed
        self._opener = opener
        self._stop = threading.Event()
        self._wake = threading.Event()
        self.unplugged = False
        """Whether its device was away at some time since it was last open, and so perhaps without power."""
        self._up: bool | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to open it, for as long as it takes."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name=f"port {self._settings.name}", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Take the user's next turn now; from any thread."""
        self._wake.set()

    def hand_over(self, function: Callable[..., None], *arguments: object) -> None:
        """Call this on the loop's thread; from any thread."""
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(function, *arguments)

    async def close(self) -> None:
        """Let go of the port; twice is fine."""
        self._stop.set()
        self._wake.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.to_thread(thread.join, _JOIN_S)

    # On the port's thread

    def _run(self) -> None:
        while not self._stop.is_set():
            wait = _RETRY_S
            port: OpenPort | None = None
            try:
                port = self._open()
                self._user.opened(port)
                self.unplugged = False
                self._tell(True, "")
                self._serve(port)
            except OSError as error:
                self._tell(False, error.strerror or str(error))
            except Exception:
                _log.exception("port %s", self._settings.name)
                self._tell(False, "a fault of the program")
                wait = _AFTER_TROUBLE_S
            finally:
                if port is not None:
                    port.close()
            self.unplugged = self.unplugged or not self._present()
            self._stop.wait(wait)

    def _present(self) -> bool:
        return Path(self._settings.device).exists()

    def _open(self) -> OpenPort:
        if not self._present():
            raise OSError("it is not plugged in")
        return self._opener(self._settings)

    def _serve(self, port: OpenPort) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            port.check()
            wait = self._user.turn(port)
            if wait > 0.0:
                self._wake.wait(wait)

    def _tell(self, up: bool, why: str) -> None:
        if up is self._up:
            return
        self._up = up
        if not up:
            _log.warning("port %s: %s", self._settings.name, why)
        self.hand_over(self._changed, up, why)
