"""How long a plan and a new plan take with 5,000 pieces, beside what Python needs to look at those pieces once.

python -m tests.bench.bench_planner
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from controller.arc.imagined import imagined_pool
from controller.arc.planner import PlanRequest, plan
from controller.arc.programme import Programme, parse_programme
from controller.arc.shelves import Pool
from controller.clock import boottime
from controller.messages import Limits, Piece

PROGRAMME = Path(__file__).parents[2] / "playlists" / "lsd-100ug.toml"
PIECES = 5000
SEEDS = 100
MOMENTS = 10


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """(wall, process) milliseconds."""
    wall, cpu = boottime(), time.process_time()
    work()
    return (boottime() - wall) * 1e3, (time.process_time() - cpu) * 1e3


def show(what: str, found: list[tuple[float, float]], floor: float) -> None:
    """One line: medians and 99th percentiles by the wall and by process time, and the ratio to the floor."""
    wall, cpu = sorted(pair[0] for pair in found), sorted(pair[1] for pair in found)
    last = min(len(found) - 1, int(len(found) * 0.99))
    middle = len(found) // 2
    print(
        f"{what:<46} p50 {wall[middle]:7.2f}  p99 {wall[last]:7.2f} ms   process p50 {cpu[middle]:7.2f}  "
        f"p99 {cpu[last]:7.2f} ms   {cpu[middle] / floor:5.1f} x floor"
    )


def request(programme: Programme, pool: Pool, seed: int) -> PlanRequest:
    """At ingestion."""
    waits = frozenset(phase.code for phase in programme.phases if phase.wait_for)
    return PlanRequest(programme=programme, pool=pool, arc_s=0.0, phase=1, timeline_s=100.0, waits=waits, seed=seed)


def later(first: PlanRequest, share: float) -> PlanRequest:
    """The same session after this share of it, planned."""
    cues = plan(first).cues
    passed = share * first.programme.arc_end_s
    now = first.timeline_s + passed
    phase = next(i for i in range(len(first.programme.phases)) if passed < first.programme.end_s(i))
    played = frozenset(cue.piece.path for cue in cues if cue.start_s <= now)
    return replace(first, arc_s=passed, phase=phase, timeline_s=now, cues=cues, played=played)


CHANGES: dict[str, Callable[[PlanRequest], PlanRequest]] = {
    "nothing changed": lambda r: r,
    "skip": lambda r: replace(r, cut=True),
    "hold": lambda r: replace(r, held=True),
    "phase 20 min longer": lambda r: replace(
        r, programme=r.programme.with_minutes(r.phase, r.programme.phases[r.phase].minutes + 20)
    ),
    "limits changed": lambda r: replace(r, limits=Limits(no_vocals=True)),
    "go to the last phase": lambda r: replace(
        r, cut=True, phase=len(r.programme.phases) - 1, arc_s=r.programme.start_s(len(r.programme.phases) - 1)
    ),
    "next set": lambda r: replace(r, set_code=r.programme.sets[0].code, set_until_s=r.timeline_s + 1800.0),
}


def look_once(pieces: list[Piece]) -> float:
    """The least that choosing among pieces can be: sort them, and add their lengths."""
    return sum(piece.duration_s for piece in sorted(pieces, key=lambda piece: piece.duration_s))


def one_folder(programme: Programme, pool: Pool) -> tuple[Programme, Pool]:
    """The worst case: every phase draws on one folder with all the pieces."""
    pieces: list[Piece] = [piece for shelf in pool.shelves.values() for piece in shelf.pieces]
    music = programme.phases[0].music.model_copy(update={"folder": "all"})
    phases = tuple(
        phase if phase.source == "silence" else phase.model_copy(update={"music": music}) for phase in programme.phases
    )
    return programme.model_copy(update={"phases": phases}), Pool({"all": pieces})


def measure(title: str, programme: Programme, pool: Pool, floor: float) -> None:
    """Plans of whole sessions, and new plans in the middle of them."""
    fresh = [timed(lambda seed=seed: plan(request(programme, pool, seed))) for seed in range(SEEDS)]  # type: ignore[misc]
    show(f"{title}: plan of the whole session", fresh, floor)
    every: list[tuple[float, float]] = []
    for what, change in CHANGES.items():
        found = []
        for seed in range(SEEDS // MOMENTS):
            for moment in range(MOMENTS):
                changed = change(later(request(programme, pool, seed), (moment + 0.5) / MOMENTS))
                found.append(timed(lambda changed=changed: plan(changed)))  # type: ignore[misc]
        show(f"{title}: again, {what}", found, floor)
        every += found
    show(f"{title}: again, all of these", every, floor)


def main() -> None:
    """Print the figures."""
    programme = parse_programme(PROGRAMME.read_text(encoding="utf-8"))
    hours = programme.arc_end_s / 3600
    made = imagined_pool(programme, PIECES)
    pieces = [piece for shelf in made.shelves.values() for piece in shelf.pieces]
    floor = sorted(timed(lambda: look_once(pieces))[1] for _ in range(50))[25]
    print(f"{programme.name}, {hours:.0f} h, {len(pieces)} pieces; floor: sorting and adding them once, {floor:.2f} ms")
    measure("folders", programme, made, floor)
    measure("one folder", *one_folder(programme, made), floor)
    show("a pool made ready", [timed(lambda: Pool({"all": pieces}).by_path) for _ in range(20)], floor)
    rehearsed: list[tuple[float, float]] = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall, _ = timed(
            lambda: subprocess.run(
                [sys.executable, "-m", "controller", "rehearse", programme.name], check=True, stdout=subprocess.DEVNULL
            )
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        rehearsed.append((wall, 1e3 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)))
    show(f"stillroom rehearse {programme.name}, in all", rehearsed, floor)


if __name__ == "__main__":
    main()
