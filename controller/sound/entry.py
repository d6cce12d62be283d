"""The first thing the engine's process does, before anything imports numpy."""

from __future__ import annotations

import os
import sys


def prepare_process() -> None:
    """One thread for numpy's libraries, and a quick hand-over of the interpreter. Twice is fine."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    # The mixer gets the interpreter back within half a millisecond, whatever another thread is doing.
    sys.setswitchinterval(0.0005)
