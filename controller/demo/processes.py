"""The processes of a simulated room: started together and again, ended together, and nothing else touched."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from controller.clock import boottime

VERBS = ("sound", "caller", "buttons", "run")
"""In the order in which they start: what must outlive the daemon is there before it."""

STOP_S = 4.0

_PAUSE = threading.Event()
"""Never set."""


class RoomProcesses:
    """The processes of one room, each in a session of its own: a Ctrl-C at the terminal is ours."""

    def __init__(self, room_file: Path, state_dir: Path) -> None:
        self._room_file = room_file
        self._state_dir = state_dir
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, verb: str) -> subprocess.Popen[bytes]:
        """Start one of `VERBS`, or another; its log goes to a file in the state directory."""
        with (self._state_dir / f"{verb}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "controller", verb, str(self._room_file), "--state", str(self._state_dir)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._running[verb] = process
        self._started.append(process)
        return process

    def start_all(self) -> None:
        """Start everything."""
        for verb in VERBS:
            self.start(verb)

    def running(self, verb: str) -> subprocess.Popen[bytes]:
        """The process of a verb. Raises KeyError where it was not started."""
        return self._running[verb]

    def dead(self) -> dict[str, int]:
        """What ended by itself, with its exit status."""
        return {verb: code for verb, process in self._running.items() if (code := process.poll()) is not None}

    def log_tail(self, verb: str, lines: int = 12) -> str:
        """The end of a process's log."""
        text = (self._state_dir / f"{verb}.log").read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def stop_all(self) -> None:
        """End everything in reverse order; what does not end is killed. Twice is fine."""
        deadline = boottime() + STOP_S
        self._running.clear()
        while self._started:
            process = self._started.pop()
            # Its whole group: a process that a warden watched outlives a warden that was killed.
            _send(process, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.2, deadline - boottime()))
            while _send(process, 0) and boottime() < deadline:
                process.poll()
                _PAUSE.wait(0.02)
            _send(process, signal.SIGKILL)
            process.wait()


def _send(process: subprocess.Popen[bytes], number: int) -> bool:
    """Send a signal to a process and all that it left in its group; False if there is none."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    return True
