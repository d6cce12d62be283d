"""How long a rehearsal of every shipped programme takes, beside the start of Python with the same imports.

python -m tests.bench.bench_rehearsal
"""

from __future__ import annotations

import statistics
import subprocess
import sys

from controller.clock import boottime
from controller.config import shipped

ROUNDS = 5


def timed(*arguments: str) -> float:
    """Median wall seconds of a command."""
    times = []
    for _ in range(ROUNDS):
        start = boottime()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        times.append(boottime() - start)
    return statistics.median(times)


def main() -> None:
    """Print each programme's rehearsal, the floor and the ratio."""
    floor = timed("-c", "import controller.__main__, controller.rehearsal.day")
    print(f"{'imports alone (floor)':<28} {floor:6.2f} s")
    for name in sorted(shipped("playlists")):
        seconds = timed("-m", "controller", "rehearse", name)
        print(f"{'rehearse ' + name:<28} {seconds:6.2f} s   {seconds / floor:4.1f} x floor")


if __name__ == "__main__":
    main()
