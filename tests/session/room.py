"""A room on paper: the rules driven by hand, with a simulated clock and an obedient planner."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from controller.arc.programme import Programme, parse_programme
from controller.arc.shelves import Pool
from controller.messages import (
    Act,
    Dose,
    Effect,
    Fact,
    Input,
    Opened,
    Origin,
    Piece,
    Planned,
    Replan,
    RoomRules,
    Start,
    Timer,
)
from controller.planning import make_plan
from controller.session.deadlines import next_deadline
from controller.session.state import State, opening
from controller.session.step import step

PLAYLISTS = Path(__file__).parents[2] / "playlists"
RULES = RoomRules(room="room-1", lamps=("lamp-1", "lamp-2"), buses=("speakers", "headphones"))


@cache
def _sources() -> tuple[str, ...]:
    found: dict[str, None] = {}
    for file in sorted(PLAYLISTS.glob("*.toml")):
        programme = parse_programme(file.read_text())
        found |= dict.fromkeys(phase.source for phase in programme.phases)
        found |= dict.fromkeys(one.source for one in programme.sets)
    return tuple(found)


def pool(pieces: int = 30, seconds: float = 300.0) -> dict[str, list[Piece]]:
    """Pieces for every source of every shipped programme; lengths differ, so that plans can fit."""
    return {
        name: [
            Piece(path=f"/music/{name}/{i}.flac", title=f"{name} {i}", duration_s=seconds * (0.4 + (i * 7 % 11) / 7))
            for i in range(pieces)
        ]
        for name in _sources()
    }


def pool_of(_programme: Programme) -> Pool:
    """The same pieces, as a room gives them to its planner."""
    return Pool(pool())


@dataclass
class PaperRoom:
    """State, time and everything that followed."""

    state: State = field(default_factory=lambda: opening(RULES, 1000.0))
    now: float = 1000.0
    seq: int = 0
    effects: list[Effect] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    pool: dict[str, list[Piece]] = field(default_factory=pool)
    copies: list[Piece] = field(default_factory=list)

    def act(self, act: Act, *participants: str, console: str = "console-a") -> list[Effect]:
        """One Input, and the planner's answer where it is asked."""
        if not isinstance(act, Opened):  # which says how much of the time since the last record counts
            self.settle()
        person = "AB" if self.state.duty.signs_on else None
        origin = Origin(person=person, console=console, path="socket")
        return self._take(Input(act=act, participants=participants, origin=origin))

    def settle(self) -> None:
        """A Timer for every deadline that has come."""
        for _ in range(100):
            deadline = next_deadline(self.state)
            if deadline is None or deadline > self.now:
                return
            self._take(Input(act=Timer()))
        raise AssertionError(f"deadlines do not settle: {next_deadline(self.state)} at {self.now}")

    def _take(self, given: Input) -> list[Effect]:
        outcome = step(self.state, given, self.now, self.seq + 1)
        self.seq += 1
        self.state = outcome.state
        self.effects += outcome.effects
        self.facts += outcome.facts
        for effect in outcome.effects:
            if isinstance(effect, Replan):
                made = make_plan(self.state, effect, Pool(self.pool, self.copies), self.now)
                self._take(Input(act=Planned(plan=effect.plan, cues=made.cues, short_s=made.short_s)))
        return list(outcome.effects)

    def wait(self, seconds: float) -> None:
        """Let time pass, deadline by deadline."""
        end = self.now + seconds
        while (deadline := next_deadline(self.state)) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.settle()
        self.now = end

    @staticmethod
    def programme_text(programme: str) -> str:
        """The file of a shipped programme."""
        return (PLAYLISTS / f"{programme}.toml").read_text()

    def start(
        self, programme: str = "psilocybin-25mg", *participants: str, minutes: float | None = None, text: str = ""
    ) -> None:
        """Open the room and a session in it."""
        self.act(Opened(rules=RULES))
        text = text or self.programme_text(programme)
        self.act(
            Start(
                programme=programme,
                participants=participants or ("C-0412",),
                programme_text=text,
                session="s1",
                seed=1,
                minutes=minutes,
            )
        )

    def dosed(self, programme: str = "psilocybin-25mg", minutes: float | None = None) -> None:
        """A session in which the ingestion was just logged."""
        self.start(programme, minutes=minutes)
        self.wait(60.0)
        self.act(Dose(amount=25, unit="mg"), "C-0412")

    def codes(self) -> list[str]:
        """Codes of all facts so far."""
        return [fact.code for fact in self.facts]
