"""What the sound engine is measured beside: mpd, heard through its own fifo; and a device, by a step through it."""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from controller.clock import boottime
from controller.messages import Piece
from tests.sound.pulse import Pulse
from tests.sound.room import RATE, amplitude, wait

NO_MPD = "mpd not installed (apt install mpd mpc): no reference"
FADE_S = 8


class Mpd:
    """mpd that plays a directory into a fifo, and everything that came out of it, with the time at which it came."""

    def __init__(self, directory: Path, music: Path) -> None:
        self._socket, fifo = directory / "socket", directory / "fifo"
        os.mkfifo(fifo)
        (directory / "mpd.conf").write_text(
            f'music_directory "{music}"\ndb_file "{directory}/db"\nbind_to_address "{self._socket}"\n'
            f'audio_output {{\n type "fifo"\n name "fifo"\n path "{fifo}"\n format "{RATE}:16:2"\n}}\n',
            encoding="utf-8",
        )
        self.came: list[tuple[float, bytes]] = []
        # Opened for both, so that neither side waits for the other, nor sees an end.
        self._fifo = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        command = ["mpd", "--no-daemon", str(directory / "mpd.conf")]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        deadline = boottime() + 10
        while not self._socket.exists() and boottime() < deadline:
            wait(0.05)
        self.ask("update", "--wait")

    def ask(self, *words: str) -> None:
        """One command of `mpc`."""
        subprocess.run(["mpc", "--host", str(self._socket), *words], check=True, stdout=subprocess.DEVNULL)

    def pause(self) -> float:
        """Pause over a connection that is open already; returns when that was asked."""
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self._socket))
            link.recv(100)
            asked = boottime()
            link.sendall(b"pause 1\n")
            link.recv(100)
        return asked

    def heard(self) -> np.ndarray:
        """All of it, the left channel."""
        raw = b"".join(data for _, data in self.came)
        return np.frombuffer(raw[: len(raw) // 4 * 4], "<i2").reshape(-1, 2)[:, 0] / 32_768

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(10)
        self._over.set()
        self._thread.join()
        os.close(self._fifo)

    def _read(self) -> None:
        while not self._over.is_set():
            try:
                self.came.append((boottime(), os.read(self._fifo, 65_536)))
            except BlockingIOError:
                wait(0.0005)


@contextmanager
def playing(directory: Path, *pieces: Piece) -> Iterator[Mpd | None]:
    """mpd with these pieces in its list; None where it is not installed."""
    if not (shutil.which("mpd") and shutil.which("mpc")):
        yield None
        return
    mpd = Mpd(directory, Path(pieces[0].path).parent)
    try:
        for piece in pieces:
            mpd.ask("add", Path(piece.path).name)
        yield mpd
    finally:
        mpd.close()


def power_lost(part: np.ndarray, low: float, high: float) -> float:
    """By how many dB the power of two tones of 0.1 together is off at worst while they cross: 0 at equal power."""
    power = sum((amplitude(part, hertz) / 0.1) ** 2 for hertz in (low, high))
    off = 10 * np.log10(power)
    return float(off[np.abs(off).argmax()])


def mpd_crossfade(directory: Path, low: Piece, high: Piece, hertz: tuple[float, float]) -> str:
    """Its own crossfade of the two tones, as its fifo gave them; they last long enough for it to cross them at all."""
    with playing(directory, low, high) as mpd:
        if mpd is None:
            return NO_MPD
        mpd.ask("crossfade", str(FADE_S))
        mpd.ask("play")
        mpd.ask("seek", str(int(low.duration_s - FADE_S - 4)))
        wait(FADE_S + 7.0)
        heard = mpd.heard()
    both = [amplitude(heard, one) > 0.002 for one in hertz]
    crossing = np.flatnonzero(both[0] & both[1])
    if len(crossing) < 20:
        return "mpd did not cross the two"
    part = heard[int(crossing[0]) * 2_400 : int(crossing[-1] + 1) * 2_400]
    return f"both together {power_lost(part, *hertz):+.1f} dB at worst against equal power"


def mpd_pause(directory: Path, piece: Piece, trials: int = 15) -> str:
    """From `pause` to the last sample that came out of the fifo."""
    with playing(directory, piece) as mpd:
        if mpd is None:
            return NO_MPD
        mpd.ask("play")
        took, hard = [], 0
        for _ in range(trials):
            wait(0.7)
            asked = mpd.pause()
            wait(0.4)
            last = max(at for at, data in mpd.came if data.strip(b"\0"))
            took.append(max(0.0, last - asked) * 1e3)
            hard += int(np.abs(mpd.heard()[-480:]).max() > 0.05)
            mpd.ask("play")
    return f"p50 {statistics.median(took):5.1f} ms   worst {max(took):5.1f} ms, a hard cut in {hard} of {trials}"


_LOOP = """
import sys, threading
import numpy, sounddevice
from controller.clock import boottime
blocks, told = 0, threading.Event()
def fill(out, frames, time, status):
    global blocks
    out[:] = 0.5 if blocks >= 100 else 0.0
    if blocks == 100:
        print(boottime(), time.outputBufferDacTime - time.currentTime, flush=True)
        told.set()
    blocks += 1
card = {"samplerate": 48000, "blocksize": 960, "channels": 2, "latency": 0.1, "dtype": "float32"}
with sounddevice.OutputStream(**card, callback=fill) as s:
    told.wait(10)
    print(s.latency, flush=True)
    threading.Event().wait(1.0)
"""


def device_buffer(directory: Path) -> str:
    """What a device adds: as PortAudio says it, and by a step through PulseAudio's null sink to its monitor."""
    if not (shutil.which("pulseaudio") and shutil.which("parec")):
        return "PulseAudio not installed (apt install pulseaudio pulseaudio-utils): no device to measure"
    pulse = Pulse(directory / "pulse")
    pulse.start()
    try:
        command = [
            "parec",
            "-d",
            "room.monitor",
            "--format=float32le",
            "--rate=48000",
            "--channels=2",
            "--latency-msec=5",
        ]
        recorder = subprocess.Popen(command, env=pulse.environment, stdout=subprocess.PIPE)
        assert recorder.stdout is not None
        stepped: list[float] = []

        def listen() -> None:
            while data := os.read(recorder.stdout.fileno(), 16_384):  # type: ignore[union-attr]
                if not stepped and np.abs(np.frombuffer(data[: len(data) // 4 * 4], "<f4")).max(initial=0.0) > 0.25:
                    stepped.append(boottime())

        listener = threading.Thread(target=listen)
        listener.start()
        said = subprocess.run(
            [sys.executable, "-c", _LOOP],
            env=pulse.environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        recorder.terminate()
        listener.join()
        recorder.wait()
        recorder.stdout.close()
        lines = said.stdout.split()
        if len(lines) != 3 or not stepped:
            return f"no sound device could be opened ({said.stderr.strip().splitlines()[-1:] or 'nothing was heard'})"
        at, ahead, latency = (float(word) for word in lines)
    finally:
        pulse.close()
    return (
        f"PortAudio says {latency * 1e3:.0f} ms ({ahead * 1e3:.0f} ms at the step); "
        f"a step came out of the sink's monitor {(stepped[0] - at) * 1e3:.0f} ms after it was handed over"
    )
