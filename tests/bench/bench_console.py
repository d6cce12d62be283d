"""What a key costs at the console: `python -m tests.bench.bench_console [ROUNDS]`.

A real room, its daemon and its journal; the console in a tmux of its own. Beside it, key by key in the same run, two
Textual applications of a few lines: one counts keys, the floor under anything drawn with Textual; one does what
the console promises and no more: it sends the key to another process, which commits a row to SQLite as the journal
does and answers, and then shows the count. That is the floor under a key that is on disk before it is shown.

1. From a key sent into tmux to the row that says "noted", which is shown when the record is on disk and its effects are
   out; the floors: to the row that shows the count. Target: p50 at most 1.5 times the first floor, p99 at most 100 ms.
2. From the start of the process to the first whole screen. Target: at most 1.5 times the floor.
3. A console left alone in a running session: share of a core, and proportional set size. Target: 1 %, 60 MB.
"""

from __future__ import annotations

import asyncio
import os
import pty
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from controller.places import runtime_dir
from tests.console.tmux import PYTHON, RUN, Tmux
from tests.whole.room import whole_room
from tests.whole.test_crash import begin

ROUNDS, WARM_UP, STARTS, IDLE_S = 200, 10, 7, 20.0
GAP_S = 0.7
"""Digits that follow each other sooner are one run, in which only the first acts at once. Nine of them in turn."""

MINIMAL = """
from textual.app import App
from textual.widgets import Static
class Counting(App):
    ENABLE_COMMAND_PALETTE = False
    count = 0
    def compose(self):
        yield Static("ready", id="count")
    def on_key(self, event):
        self.count += 1
        self.query_one("#count", Static).update(f"pressed {self.count}.")
Counting().run(mouse=False)
"""

COMMITTED = """
import asyncio, os, sqlite3, sys
from textual.app import App
from textual.widgets import Static
FILE, SOCKET = sys.argv[1:]
async def serve():
    rows = sqlite3.connect(FILE, isolation_level=None)
    rows.execute("PRAGMA journal_mode = WAL")
    rows.execute("PRAGMA synchronous = FULL")
    rows.execute("CREATE TABLE pressed (seq INTEGER PRIMARY KEY, key TEXT)")
    async def answer(reader, writer):
        while line := await reader.readline():
            rows.execute("BEGIN")
            seq = rows.execute("INSERT INTO pressed (key) VALUES (?)", (line.decode(),)).lastrowid
            rows.execute("COMMIT")
            writer.write(b"%d\\n" % seq)
        os._exit(0)
    await (await asyncio.start_unix_server(answer, SOCKET)).serve_forever()
class Counting(App):
    ENABLE_COMMAND_PALETTE = False
    def compose(self):
        yield Static("starting", id="count")
    async def on_mount(self):
        while not os.path.exists(SOCKET):
            await asyncio.sleep(0.05)
        self.reader, self.writer = await asyncio.open_unix_connection(SOCKET)
        self.answers = asyncio.create_task(self.listen())
        self.query_one("#count", Static).update("ready")
    async def listen(self):
        while line := await self.reader.readline():
            self.query_one("#count", Static).update(f"pressed {line.decode().strip()}.")
    def on_key(self, event):
        self.writer.write(event.key.encode() + b"\\n")
if os.fork() == 0:
    asyncio.run(serve())
Counting().run(mouse=False)
"""


class Watched:
    """A tmux session under a control client: keys go in without a process each, and every output is seen at once."""

    def __init__(self, tmux: Tmux) -> None:
        self.tmux = tmux
        self._client = subprocess.Popen(
            ["tmux", "-S", tmux.socket, "-C", "attach"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self._heard = b""
        time.sleep(0.5)
        self._read(0.2)

    def press(self, key: str, told: Sequence[str], within_s: float = 5.0) -> float:
        """Seconds from the key to an output that holds all of `told`. Raises TimeoutError."""
        assert self._client.stdin is not None
        self._read(0.0)
        self._heard = b""
        began = time.monotonic()
        self._client.stdin.write(f"send-keys {key}\n".encode())
        while not all(word.encode() in self._heard for word in told):
            self._read(within_s)
            if time.monotonic() - began > within_s:
                raise TimeoutError(f"{key}: {told} was not shown")
        return time.monotonic() - began

    def _read(self, wait_s: float) -> None:
        assert self._client.stdout is not None
        while select.select([self._client.stdout], [], [], wait_s)[0]:
            self._heard += os.read(self._client.stdout.fileno(), 65536)
            wait_s = 0.0

    def close(self) -> None:
        self._client.terminate()
        self._client.communicate()
        self.tmux.close()


def floor(where: Path, name: str, programme: str) -> Tmux:
    """One of the small applications in a tmux of its own."""
    app = where / f"{name}.py"
    app.write_text(programme, encoding="utf-8")
    command = f"{PYTHON} {app} {where / name}.db {where / name}.sock"
    return Tmux(where / name, where, size=(100, 30), command=command)


def first_paint(command: list[str], told: bytes) -> float:
    """Seconds from the start of a process on a fresh terminal to the first output that holds `told`."""
    began = time.monotonic()
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="80", LINES="24")
        os.execv(command[0], command)
    seen = b""
    while told not in seen and time.monotonic() - began < 20:
        if select.select([terminal], [], [], 0.1)[0]:
            seen += os.read(terminal, 65536)
    took = time.monotonic() - began
    os.kill(child, 9)
    os.waitpid(child, 0)
    os.close(terminal)
    assert told in seen
    return took


def cpu_s(pid: int) -> float:
    """Time on a core of a process's threads so far, to the nanosecond: a console at rest uses few whole ticks."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text(encoding="utf-8").split()[0]) for thread in threads) / 1e9


def pss_mb(pid: int) -> float:
    """Proportional set size."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def keys(console: Watched, floors: Sequence[Watched], labels: Sequence[str], rounds: int) -> None:
    """The first figure."""
    took: list[list[float]] = [[], [], []]
    for at in range(-WARM_UP, rounds):
        digit = (at % len(labels)) + 1
        count = (f"pressed {at + WARM_UP + 1}.",)
        told = (("noted ", f" {digit} {labels[digit - 1]}"), count, count)
        for one, words, kept in zip((console, *floors), told, took, strict=True):
            kept.append(one.press(str(digit), words) * 1000)
            time.sleep(GAP_S / 3)
    (p50, p99), *least = (_percentiles(kept[WARM_UP:]) for kept in took)
    print(f"key to noted and repainted   p50 {p50:5.1f} ms   p99 {p99:5.1f} ms   ({rounds} keys)")
    for what, (floor50, floor99) in zip(("floor: key to a count", "floor: key to disk and shown"), least, strict=True):
        print(f"{what:<28} p50 {floor50:5.1f} ms   p99 {floor99:5.1f} ms   ratio of p50 {p50 / floor50:.2f}")


def starts(where: Path) -> None:
    """The second figure."""
    ours, theirs = [], []
    for _ in range(STARTS):
        ours.append(first_paint([PYTHON, "-c", RUN.format(str(where), "AB")], b"RUNNING"))
        theirs.append(first_paint([PYTHON, "-c", MINIMAL], b"ready"))
    paint, least = statistics.median(ours), statistics.median(theirs)
    print(f"first paint                  {paint:.2f} s   floor {least:.2f} s   ratio {paint / least:.2f}")


def idle(console: Watched) -> None:
    """The third figure."""
    pid = console.tmux.pid()
    time.sleep(3.0)
    before, began = cpu_s(pid), time.monotonic()
    time.sleep(IDLE_S)
    share = (cpu_s(pid) - before) / (time.monotonic() - began)
    print(f"left alone at 100x30         {share:.2%} of a core   PSS {pss_mb(pid):.1f} MB")


def _percentiles(values: list[float]) -> tuple[float, float]:
    return statistics.median(values), sorted(values)[min(len(values) - 1, round(0.99 * len(values)))]


async def main(rounds: int) -> None:
    """Start the room, measure, print."""
    print("load", " ".join(f"{load:.1f}" for load in os.getloadavg()))
    with tempfile.TemporaryDirectory(prefix="bench") as where:
        async with whole_room(Path(where) / "room") as room, room.client() as client:
            await begin(client, minutes=20)
            runtime, labels = runtime_dir(room.state_dir), [label for _, label in client.status.marks]
            console = Tmux(Path(where) / "ours", runtime, size=(100, 30))
            floors = [floor(Path(where), "counting", MINIMAL), floor(Path(where), "committed", COMMITTED)]
            await asyncio.to_thread(console.wait, lambda: "RUNNING" in console.screen())
            for one in floors:
                await asyncio.to_thread(one.wait, lambda one=one: "ready" in one.screen())
            watched = [Watched(one) for one in (console, *floors)]
            try:
                await asyncio.to_thread(idle, watched[0])
                await asyncio.to_thread(keys, watched[0], watched[1:], labels, rounds)
                await asyncio.to_thread(starts, runtime)
            finally:
                for one in watched:
                    one.close()
    print("load", " ".join(f"{load:.1f}" for load in os.getloadavg()))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
