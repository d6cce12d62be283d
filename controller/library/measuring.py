"""Many files measured at once, on the machine's cores and at its lowest priority: music may be playing beside it."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from controller.library.decoding import Processes
from controller.library.measure import Unmeasurable, digest_of, measure
from controller.library.measurement import Measurement

_LOWEST = 19


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of one file. `digest` "" where its content could not be read; `measured` False where it was known.

    `why` says what is wrong with the file, or with its content where there is a digest.
    """

    path: Path
    digest: str = ""
    measured: bool = False
    measurement: Measurement | None = None
    why: str = ""


def measure_all(paths: Sequence[Path], known: Collection[str]) -> Generator[Outcome]:
    """Measure each file whose digest is not `known`, as they get done; closing the iterator ends what is under way.

    Raises FileNotFoundError where there is no ffmpeg.
    """
    if not paths:
        return
    processes = Processes()
    # Each thread waits for an ffmpeg of its own, which inherits the thread's priority: the work is done by processes.
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="measure", initializer=_step_back) as pool:
        waiting = [pool.submit(_measure_one, path, known, processes) for path in paths]
        try:
            for future in as_completed(waiting):
                yield future.result()
        finally:
            processes.stop()
            pool.shutdown(wait=True, cancel_futures=True)


def _step_back() -> None:
    # Linux gives every thread a priority of its own; only this one steps back.
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST)


def _measure_one(path: Path, known: Collection[str], processes: Processes) -> Outcome:
    try:
        digest = digest_of(path)
    except Unmeasurable as problem:
        return Outcome(path=path, why=problem.why)
    if digest in known:
        return Outcome(path=path, digest=digest)
    try:
        return Outcome(path=path, digest=digest, measured=True, measurement=measure(path, processes))
    except Unmeasurable as problem:
        if problem.passing:
            return Outcome(path=path, why=problem.why)
        return Outcome(path=path, digest=digest, measured=True, why=problem.why)
