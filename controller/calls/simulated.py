"""A caller and a support desk that are not there: for rehearsal, the demo and the tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from controller.broker import BrokerLink, BrokerSettings
from controller.calls import ladder
from controller.calls.ladder import CallState, Limits
from controller.clock import Clock
from controller.messages import PROTOCOL, Act, CallChanged, CallView, Effect, PlaceCall

_BY = "desk (simulated)"
_AGAIN_S = 0.5


class SimulatedCaller:
    """A caller whose every message arrives and whose desk answers at once; climbs the real ladder.

    Raises `RuntimeError` where it is used before its start.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._limits = Limits()
        self._calls: dict[str, CallState] = {}
        self._seqs: dict[str, int] = {}
        self._post: Callable[[Act], None] | None = None
        self._newest = CallView()

    async def start(self, post: Callable[[Act], None]) -> None:
        """Take effects from now on."""
        self._post = post

    def apply(self, effect: Effect, seq: int) -> None:
        """Place a call or stand it down; an older seq for the same call is ignored."""
        if self._post is None:
            raise RuntimeError("the caller was not started")
        if not isinstance(effect, PlaceCall) or seq < self._seqs.get(effect.call, seq):
            return
        self._seqs[effect.call] = seq
        now, utc = self._clock.now(), self._clock.stamp().utc
        known = self._calls.get(effect.call)
        if effect.stood_down:
            self._tell(known, ladder.stand_down(known, effect.call, effect.by, now, utc, test=effect.test))
            return
        state = ladder.place(known, effect.call, effect.level, now, utc, test=effect.test)
        self._tell(known, state)
        if state.stage == "placed":
            sent = ladder.confirmed(state, state.notice, now, self._limits)
            self._tell(state, sent)
            self._tell(sent, ladder.acknowledged(sent, state.call, state.level, _BY))

    async def close(self) -> None:
        """Nothing is held; twice is fine."""

    def view(self) -> CallView:
        """The newest call."""
        return self._newest

    def _tell(self, known: CallState | None, state: CallState) -> None:
        self._calls[state.call] = state
        if known is not None and (known.stage, known.level) == (state.stage, state.level):
            return
        changed = CallChanged(
            call=state.call,
            level=state.level,
            stage=state.stage,
            by=state.by,
            placed_t=state.placed_at,
            test=state.test,
        )
        if not state.test:
            self._newest = CallView(
                call=state.call, level=state.level, stage=state.stage, by=state.by, since_t=state.placed_at
            )
        if self._post is not None:
            self._post(changed)


class SimulatedDesk:
    """A support desk on a real broker: answers every call of `room` ("+": of all) after `delay_s`, unless stood down.

    `answering` off: it hears, and nobody answers.
    """

    def __init__(self, settings: BrokerSettings, delay_s: float = 3.0, by: str = _BY, room: str = "+") -> None:
        self._link = BrokerLink(settings)
        self._topic = f"stillroom/{room}/call"
        self._delay_s = delay_s
        self._by = by
        self._timers: dict[tuple[str, str], asyncio.TimerHandle] = {}
        self.answering = True
        self.heard: list[dict[str, Any]] = []
        """Every notice that arrived, repetitions included."""

    @property
    def connected(self) -> bool:
        """Whether its own link is up."""
        return self._link.connected

    async def start(self) -> None:
        """Connect in the background."""
        self._link.subscribe(self._topic, self._on_call, qos=1)
        self._link.start(lambda up, why: None)

    async def close(self) -> None:
        """Answer nothing any more; twice is fine."""
        for timer in self._timers.values():
            timer.cancel()
        await self._link.close()

    def _on_call(self, topic: str, payload: bytes, _retained: bool, _at: float) -> None:
        notice = json.loads(payload)
        self.heard.append(notice)
        call, level = str(notice["call"]), str(notice["level"])
        if notice["stage"] == "stood_down":
            for (known, _), timer in self._timers.items():
                if known == call:
                    timer.cancel()
        elif self.answering:
            loop = asyncio.get_running_loop()
            self._timers[call, level] = loop.call_later(self._delay_s, self._answer, topic, call, level)

    def _answer(self, topic: str, call: str, level: str) -> None:
        answer = {"protocol": PROTOCOL, "call": call, "level": level, "by": self._by}
        if not self._link.publish(f"{topic}/ack", json.dumps(answer), qos=1):
            again = asyncio.get_running_loop().call_later(_AGAIN_S, self._answer, topic, call, level)
            self._timers[call, level] = again
