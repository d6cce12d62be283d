"""The sound engine's figures, mpd's beside them where it is the reference: `python -m tests.bench.bench_sound`.

The mixer at full speed; a command from the socket to the mixer's output and to the capture; two decks with the limiter
on, what they and the daemon take. Beside them mpd, which crosses the same tones, pauses, and plays the same file into
nothing; where it is missing that is said. At what a device adds, a step is sent through a sink of PulseAudio's own.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from controller.clock import boottime
from controller.messages import Cue, FadeBus, Piece
from controller.sound import protocol
from tests.bench.beside import NO_MPD, device_buffer, mpd_crossfade, mpd_pause, power_lost
from tests.measure_audio import find_clicks
from tests.sound.long_run import run_hours
from tests.sound.room import RATE, EngineProcess, Link, amplitude, noise, play, sheet, tone, wait

COMMANDS = 200
STEADY_S = 24.0

ROOM = """format = 1
name = "bench"
[sound]
output = "null"
[[sound.buses]]
name = "speakers"
channels = [1, 2]
ceiling_dbfs = -3.0
[broker]
port = 1
"""


def mixer_speed(directory: Path) -> None:
    """How many times real time."""
    found = run_hours(directory, 0.25, 180.0, 0.0)
    print(f"mixer at full speed            {found.times_real_time:6.0f} x real time   {asdict(found)}")


def crossfade(directory: Path) -> None:
    """Eight seconds from one tone to another, of what the room heard: beside sine and cosine, and above 3 kHz."""
    room = EngineProcess(directory).start()
    try:
        link = room.link()
        low, high = (tone(directory / f"{hertz}.flac", hertz, 14.0, 0.1, 44_100) for hertz in (440.0, 660.0))
        cues = [
            Cue(id=1, start_s=0, piece=low, length_s=10.0, fade_out_s=8.0),
            Cue(id=2, start_s=2, piece=high, length_s=12.0, fade_in_s=8.0),
        ]
        room.tell(link, sheet(*cues), play())
        begun = link.until("piece_started", cue=2)["frame"]
        link.until("piece_ended", cue=1, seconds=12.0)
        wait(0.5)
    finally:
        room.stop()
    part = room.heard().samples[begun : begun + 8 * RATE, 0]
    into = (np.arange(160) + 0.5) / 160 * np.pi / 2
    off = [
        20 * np.log10(amplitude(part, hertz) / 0.1 / wanted)
        for hertz, wanted in ((440, np.cos(into)), (660, np.sin(into)))
    ]
    # Each tone within 26 dB of the other's level; below that its neighbour's side lobes are measured.
    worst = max(np.abs(off[0][:152]).max(), np.abs(off[1][8:]).max())
    spectrum = np.fft.rfft(part * np.hanning(len(part)))
    above = np.fft.rfftfreq(len(part), 1 / RATE) > 3_000
    residual = 10 * np.log10(2 * (np.abs(spectrum[above]) ** 2).sum() / (np.hanning(len(part)) ** 2).sum() / len(part))
    clicks = len(find_clicks(part, RATE))
    print(
        f"8 s crossfade, 44.1 kHz files  within {worst:.3f} dB of equal power   {clicks} clicks   "
        f"{residual:.0f} dBFS above 3 kHz   to reach 0.05 / 0 / -80"
    )
    print(f"  both tones together          {power_lost(part, 440.0, 660.0):+.3f} dB at worst against equal power")
    (directory / "music").mkdir()
    long = [tone(directory / "music" / f"{hertz}.flac", hertz, 24.0, 0.1, 44_100) for hertz in (440.0, 660.0)]
    (directory / "mpd").mkdir()
    print(f"  mpd, its own crossfade       {mpd_crossfade(directory / 'mpd', long[0], long[1], (440.0, 660.0))}")


def latency(directory: Path) -> None:
    """Milliseconds from a command on the socket to the first sample that differs, by the capture's own clock."""
    room = EngineProcess(directory).start()
    try:
        link = room.link()
        piece = tone(directory / "tone.flac", 1_000.0, COMMANDS * 0.35 + 10, 0.5)
        room.tell(link, sheet(Cue(id=1, start_s=0, piece=piece, length_s=piece.duration_s - 1)), play())
        link.until("piece_started")
        wait(0.5)
        chance = random.Random(1)
        asked = []
        for number in range(COMMANDS):
            asked.append(boottime())
            room.tell(link, FadeBus(bus="speakers", level_db=-3.0 * (number % 2), fade_s=0.0))
            wait(0.25 + 0.06 * chance.random())
        link.read_for(0.6)
        late = link.until("telemetry")["late_blocks"]
    finally:
        room.stop()
    heard = room.heard()
    found = []
    for at in asked:
        part = heard.samples[heard.frame_at(at) - 480 : heard.frame_at(at) + 9_600, 0]
        # A tone of 48 frames: what differs from one period before has begun to fade.
        hits = np.flatnonzero(np.abs(part[48:] - part[:-48]) > 2.5 / 32_768)
        found.append((hits[0] + 48 - 480) / 48 if len(hits) else np.inf)
    p50, p99 = np.percentile(found, [50, 99])
    print(
        f"command -> mixer's output      p50 {p50:5.1f} ms   p99 {p99:5.1f} ms   to reach 40 / 80   late blocks {late}"
    )
    (directory / "music").mkdir()
    (directory / "mpd").mkdir()
    print(f"  mpd, pause -> silence        {mpd_pause(directory / 'mpd', copy_to(directory / 'music', piece))}")
    print(f"  the device's own buffer      {device_buffer(directory)}")


def copy_to(directory: Path, piece: Piece) -> Piece:
    """The same piece in a directory of its own."""
    return replace(piece, path=shutil.copy(piece.path, directory))


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(one for child in children for one in family(int(child)))]


def pss_mb(pid: int) -> float:
    """Proportional set size of one process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def cost(pid: int) -> tuple[float, float]:
    """PSS in MB and CPU seconds so far, with the children."""
    pss = seconds = 0.0
    for one in family(pid):
        pss += pss_mb(one)
        stat = Path(f"/proc/{one}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        seconds += (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return pss, seconds


def steady(directory: Path, pieces: list[Piece], way: str) -> None:
    """Engine and daemon as a room runs them, two decks at once, hot enough that the limiter works."""
    (directory / "room.toml").write_text(ROOM, encoding="utf-8")
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(directory)}
    state = ["--state", str(directory / "state")]
    words = [
        [sys.executable, "-m", "controller", verb, str(directory / "room.toml"), *state] for verb in ("sound", "run")
    ]
    engine, daemon = (
        subprocess.Popen(one, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for one in words
    )
    try:
        deadline = boottime() + 90
        while not (sockets := list(directory.rglob("sound.sock"))) and boottime() < deadline:
            wait(0.1)
        wait(1.0)
        link = Link(sockets[0], "daemon")
        cues = [Cue(id=n + 1, start_s=0, piece=p, length_s=STEADY_S + 8, gain_db=14.0) for n, p in enumerate(pieces)]
        for number, effect in enumerate((sheet(*cues), play()), start=1):
            for data in protocol.command_lines(effect, number, "s1", 0):
                link.send_raw(data)
        link.until("piece_started")
        link.read_for(4.0)
        used = []
        for _ in range(3):
            before, started = cost(engine.pid)[1], boottime()
            link.read_for(STEADY_S / 3)
            mine, seconds = cost(engine.pid)
            used.append((seconds - before) / (boottime() - started) * 100)
        warden, theirs = pss_mb(engine.pid), pss_mb(daemon.pid)
        middle = statistics.median(used)
        print(f"two decks, {way:<18}  {middle:5.1f} % of a core, warden and all (to reach 8)")
        print(
            f"  memory                       {mine - warden + theirs:5.0f} MB PSS (to reach 120): "
            f"engine {mine - warden:.0f}, daemon {theirs:.0f}; the engine's warden {warden:.0f} beside"
        )
        link.close()
    finally:
        for process in (daemon, engine):
            process.terminate()
            process.wait(20)


def mpd(directory: Path, piece: Piece) -> None:
    """The reference: one file into nothing, by the clock."""
    if not (shutil.which("mpd") and shutil.which("mpc")):
        print(f"mpd                            {NO_MPD}")
        return
    music = Path(piece.path).parent
    socket = directory / "mpd.sock"
    (directory / "mpd.conf").write_text(
        f'music_directory "{music}"\ndb_file "{directory}/db"\nbind_to_address "{socket}"\n'
        'audio_output {\n type "null"\n name "null"\n sync "yes"\n}\n',
        encoding="utf-8",
    )
    server = subprocess.Popen(
        ["mpd", "--no-daemon", str(directory / "mpd.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = boottime() + 10
        while not socket.exists() and boottime() < deadline:
            wait(0.1)
        for words in (["update", "--wait"], ["add", Path(piece.path).name], ["play"]):
            subprocess.run(["mpc", "--host", str(socket), *words], check=True, stdout=subprocess.DEVNULL)
        wait(3.0)
        before, started = cost(server.pid)[1], boottime()
        wait(STEADY_S)
        pss, seconds = cost(server.pid)
        used = (seconds - before) / (boottime() - started) * 100
        print(f"mpd, one file, no fade         {used:5.1f} % of a core   PSS {pss:.0f} MB")
    finally:
        server.terminate()
        server.wait(10)


def main() -> None:
    """Print every figure."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for part in ("speed", "crossfade", "latency", "48", "44", "mpd", "music"):
            (directory / part).mkdir()
        studio = [noise(directory / "music" / f"{n}.flac", STEADY_S + 20) for n in (1, 2)]
        discs = [noise(directory / "music" / f"{n}.flac", STEADY_S + 20, 44_100) for n in (3, 4)]
        mixer_speed(directory / "speed")
        crossfade(directory / "crossfade")
        latency(directory / "latency")
        steady(directory / "48", studio, "48 kHz, limiter")
        steady(directory / "44", discs, "44.1 kHz, limiter")
        mpd(directory / "mpd", studio[0])


if __name__ == "__main__":
    main()
