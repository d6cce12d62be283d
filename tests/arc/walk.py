"""A session on paper, as the planner sees it: time passes over a plan, and it is asked again."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller.arc.imagined import imagined_pool
from controller.arc.planner import Plan, PlanRequest, plan
from controller.arc.programme import Programme, parse_programme
from controller.arc.shelves import Pool
from controller.messages import Cue

PLAYLISTS = Path(__file__).parents[2] / "playlists"


def shipped(name: str) -> Programme:
    """A shipped programme."""
    return parse_programme((PLAYLISTS / f"{name}.toml").read_text(encoding="utf-8"))


def every_programme() -> list[str]:
    """The names of all shipped programmes that are for use with people."""
    return sorted(path.stem for path in PLAYLISTS.glob("*.toml") if path.stem != "demo")


@dataclass
class Walk:
    """Where a session stands: arc and timeline move together, but for `hold`."""

    programme: Programme
    pool: Pool
    seed: int = 1
    now: float = 0.0
    arc: float = 0.0
    held: bool = False
    also: dict[str, Any] = field(default_factory=dict)
    made: Plan = field(default_factory=lambda: Plan(cues=(), short_s=0.0, misses=()))
    heard: list[Cue] = field(default_factory=list)

    @classmethod
    def begin(cls, name: str = "psilocybin-25mg", seed: int = 1, pieces: int = 400, pool: Pool | None = None) -> Walk:
        """At ingestion, planned for the first time."""
        programme = shipped(name)
        walk = cls(programme, pool or imagined_pool(programme, pieces), seed)
        walk.plan()
        return walk

    @property
    def phase(self) -> int:
        """The phase in which the arc stands."""
        last = len(self.programme.phases) - 1
        return next((i for i in range(last) if self.arc < self.programme.end_s(i) - 1e-6), last)

    def plan(self, *, cut: bool = False, **also: Any) -> Plan:
        """Ask for a plan here; what is said of limits, sets and broken pieces stays said."""
        self.also |= also
        self.made = plan(
            PlanRequest(
                programme=self.programme,
                pool=self.pool,
                arc_s=self.arc,
                phase=self.phase,
                timeline_s=self.now,
                cues=self.made.cues,
                played=frozenset(cue.piece.path for cue in self.heard),
                held=self.held,
                cut=cut,
                seed=self.seed,
                **self.also,
            )
        )
        return self.made

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        ids = {cue.id for cue in self.heard}
        self.now += seconds
        self.arc += 0.0 if self.held else seconds
        self.heard += [cue for cue in self.made.cues if cue.start_s <= self.now and cue.id not in ids]

    def go(self, code: str) -> None:
        """To the beginning of a phase."""
        self.arc = self.programme.start_s(self.programme.index_of(code))

    def of(self, code: str) -> list[str]:
        """The paths of a phase's pieces, in order."""
        return [cue.piece.path for cue in self.made.cues if cue.phase == code]

    def playing(self) -> Cue:
        """The piece that sounds, the newer one in a crossfade."""
        return max((cue for cue in self.made.cues if cue.start_s <= self.now < cue.end_s), key=lambda cue: cue.start_s)


def gaps(cues: tuple[Cue, ...], start: float, end: float) -> list[tuple[float, float]]:
    """Stretches between start and end in which nothing plays."""
    found, place = [], start
    for cue in sorted(cues, key=lambda cue: cue.start_s):
        if cue.start_s > place + 1e-6:
            found.append((place, min(cue.start_s, end)))
        place = max(place, cue.end_s)
        if place >= end:
            break
    return [*found, (place, end)] if place < end - 1e-6 else found


def codes(made: Plan, code: str) -> list[dict[str, str | int | float]]:
    """The values of the reasons with a code."""
    return [reason.values for reason in made.reasons if reason.code == code]
