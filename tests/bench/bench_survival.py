"""How long the room is silent when its sound is struck: `python -m tests.bench.bench_survival`.

Every trial of the engine is heard, not asked for: silence and the place in the music are measured in what was captured.
mpd stands beside it where it is installed, started anew at once as a service manager would. At the end, what the engine
and its warden take of the memory, beside an engine alone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from controller import clock
from controller.messages import Cue, Piece
from tests.measure_audio import analyse
from tests.sound.room import RATE, EngineProcess, noise, place_of, play, sheet, tone, wait

TRIALS = 5
SECONDS = 240.0


def heard_after(samples: np.ndarray, struck: int) -> tuple[float, int]:
    """Seconds without sound after the frame at which it was struck, and the frame at which it is back."""
    by_ten_ms = np.abs(samples[struck:])[: (len(samples) - struck) // 480 * 480].reshape(-1, 480).max(axis=1) > 1e-3
    silent = int(np.argmin(by_ten_ms))
    back = silent + int(np.argmax(by_ten_ms[silent:]))
    return (back - silent) / 100, struck + back * 480


def lost(piece: Piece, samples: np.ndarray, struck: int, back: int) -> float:
    """Seconds of the piece between what was heard last and first."""
    quiet = struck + int(np.argmin(np.abs(samples[struck:]).reshape(-1)[: 5 * RATE] > 1e-3))
    ended = quiet - RATE // 2
    before = place_of(piece, samples[ended - RATE // 2 : ended]) + 1.0
    settled = back + round(1.2 * RATE)
    return place_of(piece, samples[settled : settled + RATE // 2]) - 1.2 - before


def strike_engine(number: signal.Signals, directory: Path, piece: Piece) -> tuple[list[float], list[float]]:
    """Silence and music lost, by trial."""
    room = EngineProcess(directory, watched=True).start()
    link = room.link()
    room.tell(link, sheet(Cue(id=1, start_s=0, length_s=SECONDS - 1, piece=piece)), play())
    link.until("piece_started")
    strikes = []
    for _ in range(TRIALS):
        link.read_for(3.5)
        pid = room.engine_pid
        strikes.append(clock.boottime())
        os.kill(pid, number)
        link = room.link_anew(pid)
    link.read_for(3.0)
    room.stop()
    heard = room.heard()
    silences, losses = [], []
    for struck in strikes:
        silence, back = heard_after(heard.samples[:, 0], heard.frame_at(struck))
        silences.append(silence)
        losses.append(lost(piece, heard.samples[:, 0], heard.frame_at(struck), back))
    return silences, losses


class Mpd:
    """mpd, which keeps its place every 10 s here (120 by default), started anew as soon as it is gone.

    It is asked and not heard: its null output leaves no capture with a clock.
    """

    def __init__(self, directory: Path, piece: Piece) -> None:
        self._directory = directory
        (directory / "playlists").mkdir(parents=True)
        self._conf = directory / "mpd.conf"
        self._conf.write_text(
            f"""music_directory "{Path(piece.path).parent}"
playlist_directory "{directory}/playlists"
db_file "{directory}/db"
state_file "{directory}/state"
state_file_interval "10"
bind_to_address "{directory}/socket"
audio_output {{
    type "null"
    name "null"
}}
"""
        )
        self._piece = Path(piece.path).name
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._process = subprocess.Popen(["mpd", "--no-daemon", str(self._conf)], stderr=subprocess.DEVNULL)
        while not self.ask("status"):
            wait(0.01)

    def ask(self, command: str) -> dict[str, str]:
        """One command; {} while nobody answers."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as link:
            link.settimeout(2)
            link.connect(str(self._directory / "socket"))
            file = link.makefile("rwb")
            file.readline()
            file.write(command.encode() + b"\n")
            file.flush()
            answer = {}
            for line in file:
                key, _, value = line.decode().strip().partition(": ")
                if key == "OK" or key.startswith("ACK"):
                    return answer | {"": key}
                answer[key] = value
        return {}

    def elapsed(self) -> float:
        """Seconds of the piece that it says it has played; -1 while it does not play."""
        status = self.ask("status")
        return float(status.get("elapsed", -1)) if status.get("state") == "play" else -1.0

    def strike(self) -> tuple[float, float]:
        """kill -9, started anew at once: seconds until it plays, and music lost (negative: repeated)."""
        assert self._process is not None
        before = self.elapsed()
        struck = clock.boottime()
        self._process.kill()
        self._process.wait()
        self.start()
        while self.elapsed() < 0 and clock.boottime() - struck < 10:
            wait(0.005)
        return clock.boottime() - struck, self.elapsed() - before

    def trials(self) -> tuple[list[float], list[float]]:
        """All of them."""
        self.start()
        self.ask("update")
        wait(1.0)
        self.ask(f'add "{self._piece}"')
        self.ask("play")
        results = []
        for _ in range(TRIALS):
            wait(14.0)
            results.append(self.strike())
        assert self._process is not None
        self._process.terminate()
        self._process.wait()
        return [took for took, _ in results], [gone for _, gone in results]


def worst_gap(directory: Path) -> float:
    """Longest silence, in seconds, of a list with every kind of broken file in it."""
    good = tone(directory / "good.flac", 440.0, 20.0)
    (directory / "text.mp3").write_text("words\n" * 500)
    (directory / "empty.ogg").touch()
    (directory / "folder.flac").mkdir()
    (directory / "chance.mp3").write_bytes(np.random.default_rng(3).bytes(200_000))
    whole = Path(good.path).read_bytes()
    (directory / "short.flac").write_bytes(whole[: len(whole) // 20])
    names = ["missing.flac", "text.mp3", "empty.ogg", "folder.flac", "chance.mp3", "short.flac"]
    cues = [Cue(id=0, start_s=0, length_s=1.5, piece=good)]
    for number, name in enumerate(names, start=1):
        piece = Piece(path=str(directory / name), title=name, duration_s=20.0)
        cues.append(Cue(id=number, start_s=2.0 * number - 0.5, length_s=2.0, piece=piece))
    cues.append(Cue(id=9, start_s=2.0 * len(names) + 1.5, length_s=2.0, piece=good))
    room = EngineProcess(directory).start()
    link = room.link()
    room.tell(link, sheet(*cues), play())
    link.until("piece_started", cue=9, seconds=30)
    link.read_for(1.0)
    room.stop()
    return analyse(room.wav, silence_db=-65).longest_silence_ms / 1000


def memory_of(*pids: int) -> float:
    """PSS in MB."""
    return sum(
        int(line.split()[1])
        for pid in pids
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        if line.startswith("Pss:")
    ) / 1000  # fmt: skip


def memory(directory: Path, piece: Piece, *, watched: bool) -> float:
    """PSS of an engine that plays, with its warden or alone."""
    room = EngineProcess(directory, output="null", watched=watched).start()
    link = room.link()
    room.tell(link, sheet(Cue(id=1, start_s=0, length_s=20, piece=piece)), play())
    link.until("piece_started")
    link.read_for(3.0)
    found = memory_of(*({room.pid, room.engine_pid} if watched else {room.pid}))
    room.stop()
    return found


def tell(what: str, values: list[float], unit: str = "s") -> None:
    """One line of the table."""
    print(f"  {what:<44} median {statistics.median(values):6.2f} {unit}   worst {max(values, key=abs):6.2f} {unit}")


def main() -> int:
    """Run everything in a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="survival-") as name:
        directory = Path(name)
        piece = noise(directory / "noise.flac", SECONDS)

        def fresh(sub: str) -> Path:
            (directory / sub).mkdir()
            return directory / sub

        print(f"{TRIALS} trials each; capture of the engine's output")
        for number, limit in ((signal.SIGKILL, 1.0), (signal.SIGSTOP, 2.0)):
            silences, losses = strike_engine(number, fresh(number.name), piece)
            tell(f"engine, {number.name}: silence (at most {limit})", silences)
            tell(f"engine, {number.name}: music lost (at most 0.5)", losses)
        if shutil.which("mpd"):
            took, gone = Mpd(fresh("mpd"), piece).trials()
            tell("mpd, SIGKILL, started at once: plays again", took)
            tell("mpd, SIGKILL: music lost (below 0: repeated)", gone)
        else:
            print("  mpd is not installed: nothing to compare with (apt install mpd)")
        print(f"  broken list: longest silence (at most 1.0)   {worst_gap(fresh('broken')):6.2f} s")
        alone = memory(fresh("alone"), piece, watched=False)
        both = memory(fresh("both"), piece, watched=True)
        print(f"  PSS playing: engine alone {alone:.1f} MB, with its warden {both:.1f} MB, ratio {both / alone:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
