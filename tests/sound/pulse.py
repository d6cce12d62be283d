"""A private PulseAudio server with one silent sink, and what is heard there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt

from controller import clock
from tests.sound.room import RATE, wait
from tests.waiting import PATIENCE_S

_SINK = "module-null-sink sink_name=room norewinds=1 rate=48000"


class Pulse:
    """The server; `environment` leads a process to it and to no other."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700)
        self._directory = directory
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PULSE_", "DBUS_"))}
        self.environment = {**kept, "XDG_RUNTIME_DIR": str(directory), "HOME": str(directory)}
        self._server: subprocess.Popen[bytes] | None = None
        self._recorder: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._server is not None
        return self._server.pid

    def start(self) -> None:
        """Start the server with its sink."""
        command = [
            "pulseaudio",
            "-n",
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--log-target=stderr",
            "--log-level=error",
        ]
        command += ["-L", "module-native-protocol-unix", "-L", _SINK]
        self._server = subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL)
        deadline = clock.boottime() + PATIENCE_S
        while "room" not in self.control("list", "short", "sinks") and clock.boottime() < deadline:
            wait(0.05)

    def kill(self) -> None:
        """kill -9."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            (self._directory / "pulse" / "pid").unlink(missing_ok=True)

    def control(self, *words: str) -> str:
        """`pactl`."""
        return subprocess.run(
            ["pactl", *words], env=self.environment, capture_output=True, text=True, check=False
        ).stdout

    def unload(self) -> None:
        """Take the sink away."""
        self.control("unload-module", "module-null-sink")

    def load(self) -> None:
        """Put it back."""
        self.control("load-module", *_SINK.split())

    def record(self) -> None:
        """Begin to record what the sink plays."""
        self.finish()
        command = ["parec", "-d", "room.monitor", "--format=float32le", "--rate=48000", "--channels=2"]
        with (self._directory / "heard.f32").open("wb") as heard:
            self._recorder = subprocess.Popen([*command, "--latency-msec=20"], env=self.environment, stdout=heard)

    def finish(self) -> npt.NDArray[np.float64]:
        """End the recording: (frames,) of the left channel."""
        if self._recorder is None:
            return np.zeros(0)
        self._recorder.terminate()
        self._recorder.wait()
        self._recorder = None
        raw = np.fromfile(self._directory / "heard.f32", dtype="<f4")
        return np.asarray(raw[: len(raw) // 2 * 2].reshape(-1, 2)[:, 0], dtype=np.float64)

    def close(self) -> None:
        """End what was started."""
        self.finish()
        self.kill()


def sounding(heard: npt.NDArray[np.float64]) -> tuple[int, int]:
    """First and last frame that is not silent."""
    loud = np.flatnonzero(np.abs(heard) > 1e-4)
    assert len(loud) > RATE // 2, "nothing was heard"
    return int(loud[0]), int(loud[-1])
