"""The room of a rehearsal: simulated devices, and every record as the journal would have it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from controller.arc.shelves import Pool
from controller.clock import SimulatedClock
from controller.journal.chain import free_text
from controller.lights.simulated import SimulatedLights
from controller.messages import (
    Act,
    Effect,
    Fact,
    FadeLight,
    Input,
    Opened,
    Origin,
    PlaceCall,
    Planned,
    Probe,
    Record,
    Refused,
    RefusedAct,
    Replan,
    RoomRules,
    Start,
    Timer,
)
from controller.planning import make_plan
from controller.session.deadlines import next_deadline
from controller.session.state import State, opening
from controller.session.step import step
from controller.sound.simulated import SimulatedSound

REHEARSER = Origin(person="you", console="rehearsal")


@dataclass
class Rehearsal:
    """A simulated room. `records` (with their free text) and `reasons` fill as time is advanced.

    `reasons`: (room time, number of the plan, why it is as it is).
    """

    rules: RoomRules
    pool: Pool
    records: list[tuple[Record, str]] = field(default_factory=list)
    reasons: list[tuple[float, int, tuple[Fact, ...]]] = field(default_factory=list)
    first: State = field(init=False)
    """The state as the session's first record left it."""

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

    def do(self, act: Act, *participants: str) -> None:
        """An act of the person who rehearses."""
        self._take(Input(act=act, origin=REHEARSER, participants=participants))

    def post(self, act: Act) -> None:
        """An act of the room's own."""
        self._take(Input(act=act))

    def _take(self, given: Input) -> None:
        """One Input, and everything that follows from it at once."""
        self._inbox.append(given)
        if len(self._inbox) > 1:
            return  # a device answered while we are at it: its turn comes
        while self._inbox:
            self._rule(self._inbox[0])
            self._inbox.popleft()

    def _rule(self, given: Input) -> None:
        now = self.clock.now()
        fresh = isinstance(given.act, Start)
        seq = 1 if fresh else self._seq + 1
        effects: tuple[Effect, ...] = ()
        facts: tuple[Fact, ...] = ()
        try:
            outcome = step(self.state, given, now, seq)
        except Refused as refusal:
            refused = RefusedAct(act=given.act.kind, code=refusal.code, values=refusal.values)
            given = Input(act=refused, origin=given.origin)
        else:
            self.state, effects, facts = outcome.state, outcome.effects, outcome.facts
        self._seq = seq
        if fresh:
            self.records.clear()
            self.first = self.state
        record = Record(seq=seq, stamp=self.clock.stamp(now), input=given, effects=effects, facts=facts)
        self.records.append((record, free_text(given)))
        for effect in effects:
            self._do(effect)

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
                self.reasons.append((self.clock.now(), effect.plan, made.reasons))
                self.post(Planned(plan=effect.plan, cues=made.cues, short_s=made.short_s))
            case FadeLight():
                self.lights.apply(effect, self._seq)
            case PlaceCall() | Probe():
                return
            case _:
                self.sound.apply(effect, self._seq)
