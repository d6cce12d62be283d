"""A broker of one's own: a real mosquitto on a free loopback port, for the demo and the tests."""

from __future__ import annotations

import contextlib
import getpass
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from threading import Event

from controller.broker import BrokerSettings
from controller.clock import boottime

_START_S = 5.0
_STOP_S = 2.0


class PrivateBroker:
    """mosquitto with a temporary configuration in `directory`: loopback only, no persistence, no password.

    `start` raises `FileNotFoundError` when mosquitto is not installed and `RuntimeError` when it does not come up.
    Its port is chosen at the first start and kept over restarts.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return None if self._process is None else self._process.pid

    def settings(self, client_id: str) -> BrokerSettings:
        """How a client of that name reaches it."""
        return BrokerSettings("127.0.0.1", self.port, client_id)

    def configuration(self) -> str:
        """What mosquitto is told."""
        return (
            f"listener {self.port} 127.0.0.1\n"
            "allow_anonymous true\n"
            "persistence false\n"
            "set_tcp_nodelay true\n"
            f"user {getpass.getuser()}\n"
            "log_dest stdout\n"
        )

    def start(self) -> None:
        """Start it and wait until it listens; nothing to do when it runs."""
        if self._process is not None:
            return
        self.port = self.port or _free_port()
        self.directory.mkdir(parents=True, exist_ok=True)
        configuration = self.directory / "mosquitto.conf"
        configuration.write_text(self.configuration(), encoding="utf-8")
        with (self.directory / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(
                [_mosquitto(), "-c", str(configuration)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_it_listens()

    def stop(self) -> None:
        """End it; twice is fine."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def freeze(self) -> None:
        """Let it hang: connections stay open, nothing is answered."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen broker go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """Kill it if it runs, and start it again on the same port."""
        self.kill()
        self.start()

    def _wait_until_it_listens(self) -> None:
        assert self._process is not None
        deadline = boottime() + _START_S
        pause = Event()
        while boottime() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=0.5):
                return
            pause.wait(0.005)
        self.kill()
        raise RuntimeError(f"mosquitto does not start: see {self.directory / 'mosquitto.log'}")


def _mosquitto() -> str:
    # Debian puts it into /usr/sbin, which is not on every user's path.
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise FileNotFoundError("mosquitto is not installed")
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
