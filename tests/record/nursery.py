"""Daemons without the half second of imports: a process that has imported all, and forks one at each line it reads.

    python -m tests.record.nursery ROOM.toml STATE_DIR

Each is the whole daemon as `stillroom run` runs it, in a process of its own that can be killed.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from pathlib import Path

from controller.config import load_room
from controller.daemon import run_daemon
from controller.messages import Input, Reply, Status, Telemetry, prepare


def main(room_file: Path, state_dir: Path) -> None:
    logging.basicConfig(level=logging.WARNING)
    room = load_room(room_file)
    prepare(Input, Status, Telemetry, Reply)
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
    main(Path(sys.argv[1]), Path(sys.argv[2]))
