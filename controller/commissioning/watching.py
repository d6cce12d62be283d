"""Everything that a room's devices say, live and in words. Only listens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from controller.broker import BrokerLink
from controller.clock import boottime, utc_now
from controller.config import Room
from controller.inputs.counts import Counts
from controller.inputs.hearing import Hearer
from controller.inputs.mqtt import MqttButtons
from controller.inputs.settings import Button
from controller.lights.dialect import Dialect, Reports, announced_name
from controller.lights.profile import Announce, Availability, Profile, StateReport
from controller.lights.simulated_mqtt import understand
from controller.payloads import document_of, read_word

_LOOK_S = 0.5
_SAME = 0.005

Say = Callable[[str], None]


class Watch:
    """One line for each change: levels with the time since the last command, loss and return, batteries, presses."""

    def __init__(self, room: Room, state_dir: Path, say: Say) -> None:
        self._room = room
        self._say = say
        self._told: dict[str, float] = {}
        self._level: dict[str, float] = {}
        self._words: dict[str, str] = {}
        self._link = BrokerLink(room.broker("watch"))
        buttons = room.buttons(state_dir / "run").buttons
        told, link = _Told(self._tell, self._change), BrokerLink(room.broker("watch-buttons"))
        self._buttons = MqttButtons(buttons, link, told, Counts())

    async def run(self, seconds: float | None = None) -> None:
        """Watch for so long, or until cancelled."""
        for lamp in self._room.table.light.lamps:
            profile = self._room.profiles[lamp.profile]
            if isinstance(profile, Profile):
                self._listen(lamp.name, Dialect(profile, lamp.device, lamp.base, floor=self._floor, lowest=lamp.lowest))
        self._link.start(lambda up, why: self._change("broker", "is there" if up else f"is lost: {why}"))
        self._buttons.start()
        deadline = None if seconds is None else boottime() + seconds
        try:
            while deadline is None or boottime() < deadline:
                for name, port in self._room.table.ports.items():
                    there = Path(port.device).exists()
                    self._change(f"port {name}", "is plugged in" if there else f"is not there: {port.device}")
                await asyncio.sleep(_LOOK_S)
        finally:
            await self._buttons.close()
            await self._link.close()

    @property
    def _floor(self) -> float:
        return self._room.table.light.floor

    def _listen(self, name: str, dialect: Dialect) -> None:
        reports = Reports(dialect)
        for topic, report in dialect.states:
            self._link.subscribe(topic, partial(self._on_state, name, reports, report))
        for topic in dialect.command_topics:
            self._link.subscribe(topic, partial(self._on_command, name, dialect))
        for topic, how in dialect.availability:
            self._link.subscribe(topic, partial(self._on_reach, name, how))
        for topic, announce in dialect.announce:
            self._link.subscribe(topic, partial(self._on_announce, name, dialect, announce))

    def _tell(self, name: str, words: str) -> None:
        self._say(f"{utc_now().astimezone():%H:%M:%S}  {name:<16} {words}")

    def _change(self, name: str, words: str) -> None:
        """Said once, until something else is true."""
        if self._words.get(name) != words:
            self._words[name] = words
            self._tell(name, words)

    def _on_state(
        self, name: str, reports: Reports, report: StateReport, topic: str, payload: bytes, retained: bool, at: float
    ) -> None:
        document = document_of(payload)
        battery = document.get("battery") if isinstance(document, dict) else None
        if isinstance(battery, int | float):
            self._change(f"{name} battery", f"{battery:.0f} %")
        level = reports.take(report, payload)
        if level is None:
            return
        told = self._told.pop(name, None)
        if told is None and abs(self._level.get(name, -1.0) - level) < _SAME:
            return
        self._level[name] = level
        echo = "" if told is None or retained else f", {at - told:.2f} s after it was told"
        was = "was last said to be" if retained else "is"
        self._tell(name, f"{was} at {level * 100:.0f} %{echo}" if level > 0 else f"{was} off{echo}")

    def _on_command(self, name: str, dialect: Dialect, topic: str, payload: bytes, retained: bool, at: float) -> None:
        if not payload or (topic, payload.decode("utf-8", "replace")) in dialect.questions:
            return
        if retained:
            self._tell(name, f"has a RETAINED command on {topic}: it is carried out at every reconnection")
            return
        self._told[name] = at
        if (topic, payload.decode("utf-8", "replace")) == dialect.wake:
            self._tell(name, "is told to be lit")
            return
        heard = understand(dialect, payload)
        if heard is not None and heard.level is not None:
            self._tell(
                name, f"is told {heard.level * 100:.0f} %" + (f" in {heard.seconds:g} s" if heard.seconds else "")
            )

    def _on_reach(self, name: str, how: Availability, topic: str, payload: bytes, _retained: bool, _at: float) -> None:
        word = read_word(payload, how.key)
        whose = "its bridge" if how.scope == "bridge" else "it"
        if word == how.offline:
            self._change(name, f"is lost: {whose} is offline")
        elif word == how.online and self._words.get(name, "").startswith("is lost"):
            self._change(name, f"is back: {whose} is online")

    def _on_announce(
        self, name: str, dialect: Dialect, announce: Announce, _topic: str, payload: bytes, retained: bool, _at: float
    ) -> None:
        if not retained and announced_name(announce, payload) in ("", dialect.name):
            self._tell(name, "has come back: it joined again")


class _Told(Hearer):
    """What buttons say, in words."""

    def __init__(self, tell: Callable[[str, str], None], change: Callable[[str, str], None]) -> None:
        self._tell = tell
        self._change = change

    def pressed(self, button: Button, press: str) -> None:
        """Never carried out: only said."""
        self._tell(button.name, f"was pressed: {press}")

    def settled(self, button: Button, closed: bool) -> None:
        """How a contact stands."""
        self._change(button.name, "is closed" if closed else "is open")

    def reached(self, button: Button, why: str) -> None:
        """Lost or back."""
        self._change(button.name, f"is lost: {why}" if why else "can be reached")

    def charged(self, button: Button, low: bool, percent: float) -> None:
        """Its battery."""
        self._tell(button.name, f"has {percent:.0f} % of its battery" + (", which is low" if low else ""))
