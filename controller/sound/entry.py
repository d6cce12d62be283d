"""The first thing the engine's process does, before anything imports numpy."""

from __future__ import annotations

import contextlib
import os
import sys

NICE = -10
"""Asked for; a machine that does not grant it plays all the same."""


def prepare_process() -> None:
    """One thread for numpy's libraries, a quick hand-over of the interpreter, a better nice value. Twice is fine."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    # The mixer gets the interpreter back within half a millisecond, whatever another thread is doing.
    sys.setswitchinterval(0.0005)
    # All threads, not the mixer's alone: it waits for whichever of them holds the interpreter.
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
