"""A real engine in its own process, spoken to over its own socket, and the music it plays."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
import numpy.typing as npt
import soundfile

from controller import clock
from controller.messages import Cue, Effect, Piece, PlayCues, SetTransport, encode, line_of
from controller.sound import protocol
from controller.sound.settings import Bus, SoundSettings
from tests.playing import Playing
from tests.waiting import PATIENCE_S

RATE = 48_000

_CODE = """
import sys
if sys.argv[3] == "watched":
    from controller.sound.__main__ import main
    main()
else:
    from controller.messages import decode
    from controller.sound.engine import run_engine
    from controller.sound.settings import SoundSettings
    run_engine(decode(SoundSettings, sys.argv[2]))
"""

SPEAKERS = (("speakers", 1, 2, -1.0),)
BOTH = (("speakers", 1, 2, -1.0), ("headphones", 3, 4, -1.0))


def wait(seconds: float) -> None:
    """Let real time pass."""
    Event().wait(seconds)


def tone(path: Path, hertz: float, seconds: float, amplitude: float = 0.1, rate: int = RATE) -> Piece:
    """A sine, faded over 10 ms at both ends of the file."""
    t = np.arange(int(seconds * rate)) / rate
    edge = np.clip(np.minimum(t, seconds - t) / 0.01, 0, 1)
    one = amplitude * np.sin(2 * np.pi * hertz * t) * np.sin(np.pi / 2 * edge)
    soundfile.write(path, np.stack([one, one], axis=1), rate)
    return Piece(path=str(path), title=path.name, duration_s=seconds)


def noise(path: Path, seconds: float, rate: int = RATE, seed: int = 7) -> Piece:
    """Soft noise whose every place is unlike any other, to be found by correlation."""
    raw = np.random.default_rng(seed).standard_normal(int(seconds * rate))
    one = 0.1 * np.convolve(raw, np.hanning(31) / 15, "same")
    soundfile.write(path, np.stack([one, one], axis=1), rate)
    return Piece(path=str(path), title=path.name, duration_s=seconds)


def play(transport: str = "play", fade_s: float = 0.0, session: str = "s1") -> SetTransport:
    """A transport for the session of the tests."""
    return SetTransport(session=session, transport=transport, fade_s=fade_s)  # type: ignore[arg-type]


def sheet(*cues: Cue, plan: int = 1, session: str = "s1") -> PlayCues:
    """A cue sheet for the session of the tests."""
    return PlayCues(session=session, plan=plan, cues=cues)


class Link:
    """One connection to the engine."""

    def __init__(self, path: Path, role: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._socket.settimeout(PATIENCE_S)
        self._file = self._socket.makefile("rb")
        self._socket.sendall(protocol.greeting(role=role))
        self.greeting = self.next()
        self.heard: list[dict] = []

    def next(self) -> dict:
        """The next message."""
        return json.loads(self._file.readline() or b"{}")

    def until(self, kind: str, seconds: float = PATIENCE_S, **words: object) -> dict:
        """Read on to an event with these words."""
        deadline = clock.boottime() + seconds
        while clock.boottime() < deadline:
            message = self.next()
            self.heard.append(message)
            if (message.get("event") == kind or kind in message) and all(
                message.get(key) == value for key, value in words.items()
            ):
                return message
        raise AssertionError(f"no {kind} {words} within {seconds} s")

    def read_for(self, seconds: float) -> list[dict]:
        """Everything that is said within some seconds."""
        deadline = clock.boottime() + seconds
        said: list[dict] = []
        while clock.boottime() < deadline:
            said.append(self.next())
        self.heard += said
        return said

    def send(self, message: dict) -> None:
        """Say something."""
        self._socket.sendall(line_of(message))

    def send_raw(self, data: bytes) -> None:
        """Say it as it is."""
        self._socket.sendall(data)

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()


@dataclass
class Heard:
    """The capture: samples (frames, channels), and when they were played."""

    samples: npt.NDArray[np.float64]
    playing: Playing

    def frame_at(self, boottime: float) -> int:
        """The frame that was played at a CLOCK_BOOTTIME."""
        return self.playing.frame_at(boottime)


class EngineProcess:
    """The engine of one room, started, killed and started again; `watched` by a warden, or alone."""

    def __init__(
        self,
        directory: Path,
        buses: tuple = SPEAKERS,
        output: str | None = None,
        *,
        watched: bool = False,
        environment: dict[str, str] | None = None,
        before: str = "",
    ) -> None:
        self._watched = watched
        self._environment = {"MALLOC_ARENA_MAX": "2", **(environment or os.environ)}  # as controller.sound.__main__
        self._code = before + _CODE
        self.directory = directory
        self.wav = directory / "heard.wav"
        self.output = output or f"file:{self.wav}"
        self._buses = buses
        self._process: subprocess.Popen[bytes] | None = None
        self._links: list[Link] = []
        self.seq = 0

    @property
    def pid(self) -> int:
        """The process: the warden of a watched engine."""
        assert self._process is not None
        return self._process.pid

    @property
    def engine_pid(self) -> int:
        """The engine that a warden watches."""
        return int((self.directory / "sound.life").read_text())

    def start(self) -> EngineProcess:
        """Start and wait for the socket."""
        path = self.directory / "sound.sock"
        path.unlink(missing_ok=True)
        buses = tuple(Bus(name=n, channels=(a, b), ceiling_dbfs=c) for n, a, b, c in self._buses)
        settings = SoundSettings(room="test", runtime_dir=self.directory, output=self.output, buses=buses)
        arguments = [sys.executable, "-c", self._code, str(self.directory), encode(settings).decode()]
        arguments.append("watched" if self._watched else "alone")
        self._process = subprocess.Popen(arguments, env=self._environment, start_new_session=True)
        deadline = clock.boottime() + PATIENCE_S
        while clock.boottime() < deadline and self._process.poll() is None:
            if path.exists():
                try:
                    Link(path, "console").close()
                except OSError:
                    pass
                else:
                    return self
            wait(0.01)
        raise AssertionError("the engine does not start")

    def link_anew(self, dead: int, role: str = "daemon", seconds: float = PATIENCE_S) -> Link:
        """Connect to the engine that took the place of a process."""
        deadline = clock.boottime() + seconds
        while clock.boottime() < deadline:
            wait(0.02)
            if self.engine_pid != dead:
                with contextlib.suppress(OSError):
                    return self.link(role)
        raise AssertionError("no new engine")

    def link(self, role: str = "daemon") -> Link:
        """Connect."""
        link = Link(self.directory / "sound.sock", role)
        self._links.append(link)
        return link

    def tell(self, link: Link, *effects: Effect, session: str = "s1", seen_direct: int = 0) -> None:
        """Send effects as the daemon does."""
        for effect in effects:
            self.seq += 1
            for data in protocol.command_lines(effect, self.seq, session, seen_direct):  # type: ignore[arg-type]
                link.send_raw(data)

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """End it as the service does."""
        for link in self._links:
            link.close()
        self._links.clear()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(PATIENCE_S)
        if self._process is not None and self._watched:
            # An engine whose warden was killed plays on.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
                wait(0.6)
                os.killpg(self._process.pid, signal.SIGKILL)

    def heard(self) -> Heard:
        """What was captured so far."""
        samples, rate = soundfile.read(self.wav, dtype="float64", always_2d=True)
        assert rate == RATE
        return Heard(samples, Playing.of(self.wav))


def amplitude(samples: npt.NDArray[np.float64], hertz: float, window: int = 2_400) -> npt.NDArray[np.float64]:
    """Amplitude of one sine over time: one value per window of 50 ms (whole periods of any multiple of 20 Hz)."""
    count = len(samples) // window
    turn = np.exp(-2j * np.pi * hertz / RATE * np.arange(count * window))
    return np.asarray(2 * np.abs((samples[: count * window] * turn).reshape(count, window).mean(axis=1)))


def place_of(piece: Piece, samples: npt.NDArray[np.float64]) -> float:
    """Where in the piece these samples are from, in seconds."""
    from scipy.signal import correlate

    whole, rate = soundfile.read(piece.path, dtype="float64", always_2d=True)
    assert rate == RATE
    return int(np.argmax(correlate(whole[:, 0], samples, mode="valid", method="fft"))) / RATE


def gain_of(piece: Piece, samples: npt.NDArray[np.float64]) -> float:
    """How loud a stretch of the piece is heard, as a factor."""
    return _found(piece, samples)[0]


def beside(piece: Piece, samples: npt.NDArray[np.float64]) -> float:
    """What is heard beside the piece, in dBFS RMS."""
    gain, model = _found(piece, samples)
    return float(20 * np.log10(np.sqrt(np.mean((samples - gain * model) ** 2)) + 1e-9))


def _found(piece: Piece, samples: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
    first = round(place_of(piece, samples) * RATE)
    whole, _ = soundfile.read(piece.path, dtype="float64", always_2d=True, start=first, frames=len(samples))
    model = whole[:, 0]
    return float(np.vdot(model, samples) / np.vdot(model, model)), model
