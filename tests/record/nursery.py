"""Daemons without the half second of imports: a process that has imported all, and forks one at each line it reads.

    python -m tests.record.nursery ROOM.toml STATE_DIR [--synchronous NORMAL|OFF]

Each is the whole daemon as `stillroom run` runs it, in a process of its own that can be killed; `--synchronous` is
the mistake that the power cuts are there to find.
"""

from __future__ import annotations

import gc
import logging
import os
import sqlite3
import sys
from pathlib import Path

from controller.config import load_room
from controller.daemon import run_daemon
from controller.journal import store


def forget_to_wait(synchronous: str) -> None:
    connect = store.connect_writing

    def careless(file: Path) -> sqlite3.Connection:
        connection = connect(file)
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        return connection

    store.connect_writing = careless


def main(room_file: Path, state_dir: Path, flags: list[str]) -> None:
    if "--synchronous" in flags:
        forget_to_wait(flags[flags.index("--synchronous") + 1])
    logging.basicConfig(level=logging.WARNING)
    room = load_room(room_file)
    gc.freeze()
    for line in sys.stdin:
        if line.strip() == "start":
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    os.close(0)
                    run_daemon(room, state_dir)
                    status = 0
                finally:
                    os._exit(status)
            print(pid, flush=True)
        else:
            print(os.waitstatus_to_exitcode(os.waitpid(int(line), 0)[1]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
