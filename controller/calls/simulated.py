"""A support desk that is not there: for the demo and the tests."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from controller.broker import BrokerLink, BrokerSettings
from controller.messages import PROTOCOL

_BY = "desk (simulated)"
_AGAIN_S = 0.5


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
