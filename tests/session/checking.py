"""A room before a session, whose preflight is made by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from controller.messages import (
    Act,
    AnswerPreflight,
    BeginPreflight,
    CallChanged,
    Effect,
    Fact,
    Input,
    Limits,
    Origin,
    PreflightLine,
    Probed,
    Refused,
    RunPreflight,
    Start,
)
from controller.session.preflight import KEYS, MACHINES, carried
from controller.session.state import State, opening
from controller.session.step import step
from tests.session.room import RULES, PaperRoom

ROOM = replace(RULES, preflight=True, card_measured=True, digest="a")


@dataclass
class Before:
    """A room before a session, and everything that was recorded in it."""

    state: State = field(default_factory=lambda: opening(ROOM, 1000.0))
    now: float = 1000.0
    seq: int = 0
    effects: list[Effect] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    told: list[tuple[Input, float, int]] = field(default_factory=list)

    def act(self, act: Act, person: str | None = "AB", console: str = "a", *whom: str) -> list[Effect]:
        given = Input(act=act, origin=Origin(person=person, console=console, path="socket"), participants=whom)
        outcome = step(self.state, given, self.now, self.seq + 1)
        self.seq += 1
        self.told.append((given, self.now, self.seq))
        self.state = outcome.state
        self.effects += outcome.effects
        self.facts += outcome.facts
        return list(outcome.effects)

    def refusal(self, act: Act, person: str | None = "AB") -> str:
        before = self.state
        with pytest.raises(Refused) as refused:
            self.act(act, person)
        assert self.state is before
        return refused.value.code

    def line(self, check: str) -> PreflightLine:
        return self.state.preflight.line(check)

    def stage(self, check: str) -> str:
        return self.line(check).stage

    def found(self, check: str, code: str = "", **values: str | float) -> None:
        line = self.line(check)
        act = Probed(check=check, number=line.seq, well=not code, code=code, values={**line.values, **values}, mark="m")
        self.act(act, None)

    def begin(self, *people: str) -> None:
        self.act(BeginPreflight(programme="psilocybin-25mg", participants=people))

    def all_well(self) -> None:
        """A preflight in which everything is green."""
        self.begin("C-0412")
        for check in MACHINES:
            self.found(check)
        for bus in ROOM.buses:
            self.act(RunPreflight(check=f"sound.{bus}"))
            self.found(f"sound.{bus}")
            self.act(AnswerPreflight(check=f"sound.{bus}", value="heard"))
        for key in KEYS:
            self.act(AnswerPreflight(check="keys", value=key))
        self.answered("Kim")
        self.act(AnswerPreflight(check="touch", value="none"))
        self.act(AnswerPreflight(check="limits", limits=Limits()))

    def answered(self, by: str) -> None:
        call = self.state.preflight.call
        for stage in ("placed", "sent", "acknowledged"):
            by_now = by if stage == "acknowledged" else ""
            self.act(CallChanged(call=call, level="assist", stage=stage, by=by_now, test=True), None)  # type: ignore[arg-type]

    def start(self, *people: str) -> Start:
        text = PaperRoom.programme_text("psilocybin-25mg")
        act = Start(programme="psilocybin-25mg", participants=people or ("C-0412",), programme_text=text, session="s1")
        return carried(act, self.state.preflight)
