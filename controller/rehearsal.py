"""A whole programme on a simulated clock: the same rules, planner and sound timeline, no device at all."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller.arc.imagined import imagined_pool
from controller.arc.programme import Programme
from controller.arc.shelves import Pool
from controller.clock import SimulatedClock
from controller.config import Room, find_programme, load_programme
from controller.lights.simulated import SimulatedLights
from controller.messages import (
    Act,
    Dose,
    Effect,
    End,
    Fact,
    FadeLight,
    FillerChanged,
    Input,
    Mark,
    Opened,
    PieceEnded,
    PieceStarted,
    PlaceCall,
    Planned,
    Replan,
    RoomRules,
    Start,
    Timer,
)
from controller.planning import make_plan
from controller.pool import read_library, resolve_sources
from controller.session.deadlines import next_deadline
from controller.session.onset import MARK as ONSET
from controller.session.state import State, opening
from controller.session.step import step
from controller.sound.simulated import SimulatedSound


@dataclass(frozen=True)
class Happening:
    """One line of the timeline: when (room time), what, and its values."""

    t: float
    what: str
    values: dict[str, Any]


@dataclass
class Rehearsal:
    """A simulated room. `timeline` fills as time is advanced."""

    rules: RoomRules
    pool: Pool
    timeline: list[Happening] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = SimulatedClock()
        self.state: State = opening(self.rules, 0.0)
        self.sound = SimulatedSound(self.clock)
        self.lights = SimulatedLights(self.clock)
        self._seq = 0
        self._inbox: deque[Input] = deque()

    async def open(self) -> None:
        """Start the simulated devices."""
        await self.lights.start(self.post)
        await self.sound.start(self.post)
        self.post(Opened(rules=self.rules))

    def post(self, act: Act, *participants: str) -> None:
        """One Input, and everything that follows from it at once."""
        self._inbox.append(Input(act=act, participants=participants))
        if len(self._inbox) > 1:
            return  # a device answered while we are at it: its turn comes
        while self._inbox:
            given = self._inbox[0]
            now = self.clock.now()
            self._seq += 1
            outcome = step(self.state, given, now, self._seq)
            self.state = outcome.state
            self._tell(given.act, outcome.facts, now)
            for effect in outcome.effects:
                self._do(effect)
            self._inbox.popleft()

    def advance(self, seconds: float) -> None:
        """Let time pass, from one thing that happens to the next."""
        end = self.clock.now() + seconds
        while True:
            times = (next_deadline(self.state), self.sound.next_event_t())
            coming = min((t for t in times if t is not None and t <= end), default=None)
            if coming is None:
                break
            self.clock.advance_to(coming)
            self.sound.advance_to(self.clock.now())
            deadline = next_deadline(self.state)
            if deadline is not None and deadline <= self.clock.now():
                self.post(Timer())
        self.clock.advance_to(end)
        self.sound.advance_to(end)

    def _do(self, effect: Effect) -> None:
        match effect:
            case Replan():
                made = make_plan(self.state, effect, self.pool, self.clock.now())
                self.post(Planned(plan=effect.plan, cues=made.cues, short_s=made.short_s))
            case FadeLight():
                self.lights.apply(effect, self._seq)
            case PlaceCall():
                return
            case _:
                self.sound.apply(effect, self._seq)

    def _tell(self, act: Act, facts: tuple[Fact, ...], now: float) -> None:
        match act:
            case PieceStarted():
                cue = next(cue for cue in self.state.cues if cue.id == act.cue)
                values = {"title": act.title, "minutes": round(cue.length_s / 60, 1), "gain_db": round(cue.gain_db, 1)}
                self.timeline.append(Happening(now, "piece", values))
            case PieceEnded(why=why) if why not in ("end", "cut"):
                self.timeline.append(Happening(now, "broken", {"title": act.title, "why": why}))
            case FillerChanged(on=True):
                self.timeline.append(Happening(now, "filler", {"why": act.why}))
            case Dose():
                self.timeline.append(Happening(now, "dose", {}))
        for fact in facts:
            values = dict(fact.values)
            if fact.code == "phase_entered":
                values["light"] = self.state.here.light[-1]
            self.timeline.append(Happening(now, fact.code, values))


async def _rehearse(programme: Programme, text: str, rules: RoomRules, pool: Pool, seed: int) -> Rehearsal:
    room = Rehearsal(rules, pool)
    people = tuple(f"R-{number:03d}" for number in range(1, programme.participants_least + 1))
    await room.open()
    room.post(
        Start(
            programme=programme.name,
            participants=people,
            programme_text=text,
            session="rehearsal",
            seed=seed,
        )
    )
    room.advance(programme.arrival_s)
    if programme.dose.shape != "none":
        room.post(Dose(part="start" if programme.dose.shape == "infusion" else "dose"), *people)
        if any(mark.code == ONSET for mark in programme.marks):
            room.post(Mark(code=ONSET))  # in its time, so that every phase is as long as it is booked
    while room.state.waiting_for != "end":
        room.advance(600.0)
    room.post(End())
    room.advance(rules.end_fade_s + 10.0)
    return room


def rehearse_programme(name: str, room: Room | None, state_dir: Path, seed: int, *, as_json: bool) -> int:
    """Rehearse and print the timeline; 1 when music was short or a source names nothing. Raises ConfigError."""
    path = find_programme(name)
    programme = load_programme(path)
    rules = room.rules() if room else RoomRules(room="rehearsal", lamps=("lamp",), buses=("speakers",))
    pool, mistakes = imagined_pool(programme), list[str]()
    if room:
        pool, mistakes = resolve_sources(programme, read_library(state_dir, room), path.parent)
        print("".join(f"{mistake}\n" for mistake in mistakes), end="", file=sys.stderr)
    found = asyncio.run(_rehearse(programme, path.read_text(encoding="utf-8"), rules, pool, seed))
    began = found.timeline[0].t
    dosed_at = next((happening.t for happening in found.timeline if happening.what == "dose"), began)
    if as_json:
        for happening in found.timeline:
            print(
                json.dumps({"t_plus_s": round(happening.t - dosed_at, 1), "what": happening.what, **happening.values})
            )
    else:
        _print_timeline(found.timeline, programme, dosed_at)
    return (
        1
        if mistakes or any(happening.what in ("music_short", "filler", "broken") for happening in found.timeline)
        else 0
    )


def _print_timeline(timeline: list[Happening], programme: Programme, dosed_at: float) -> None:
    minutes = programme.arc_end_s / 60
    print(f"{programme.title}: {minutes // 60:.0f} h {minutes % 60:02.0f} from ingestion")
    if not programme.reviewed:
        print("Not signed by a medical lead: every figure is a default.")
    for happening in timeline:
        seconds = happening.t - dosed_at
        sign, seconds = ("-", -seconds) if seconds < -0.5 else ("+", abs(seconds))
        clock = f"{sign}{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{int(seconds % 60):02d}"
        print(f"{clock:>9}  {_words(happening)}")


def _words(happening: Happening) -> str:
    values = happening.values
    match happening.what:
        case "phase_entered":
            return f"{values['title']}, light to {values['light']:.0%}"
        case "piece":
            return f"  plays {values['title']}, {values['minutes']:.1f} min, {values['gain_db']:+.1f} dB"
        case "vitals_due":
            return "  vitals due"
        case "music_short":
            return f"  WARNING: the library is short by {values['minutes']} min of music"
        case "filler":
            return f"  WARNING: the filler bed would sound ({values['why']})"
        case what:
            return "  " + what.replace("_", " ")
