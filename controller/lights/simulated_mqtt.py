"""Lamps that are not there, behind a broker that is: they speak any device profile, and misbehave as real ones do."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from controller.broker import BrokerLink, BrokerSettings
from controller.clock import boottime
from controller.lights.dialect import Dialect
from controller.lights.profile import Announce, Availability, Profile, StateReport
from controller.payloads import TOKEN, dig, document_of

_SAMPLE_S = 0.05


@dataclass(frozen=True, slots=True)
class Heard:
    """A command that reached a lamp: when (CLOCK_BOOTTIME), and what it asked for; None for what it did not say."""

    t: float
    level: float | None = None
    seconds: float = 0.0
    """Of this fade; of one from dark to full for a device that counts in speed."""
    kelvin: float | None = None


@dataclass(frozen=True, slots=True)
class _Ramp:
    """A straight fade in the device's own numbers. `own`: nobody asked for it by our command."""

    t: float
    start: float
    ends: float
    end: float
    own: bool = False

    def at(self, t: float) -> float:
        if t >= self.ends:
            return self.end
        return self.start + (self.end - self.start) * max(0.0, t - self.t) / (self.ends - self.t)


@dataclass
class SimulatedLamp:
    """One lamp: what it was told and what it showed. Levels are perceived; it fades straight in its own numbers.

    Its misbehaviours can be switched on: `reachable` off (commands get lost without a word), `echoes` off (it obeys,
    and nothing is reported), `ignores_transition`, `jumps_when_combined` (brightness and colour in one message),
    `remembers` (a bridge repeats the old level when the lamp's power comes back).
    """

    dialect: Dialect
    reachable: bool = True
    echoes: bool = True
    ignores_transition: bool = False
    jumps_when_combined: bool = False
    remembers: bool = False
    commands: list[Heard] = field(default_factory=list)
    kelvin: float | None = None
    _ramps: list[_Ramp] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The device's name at its bridge."""
        return self.dialect.name

    @property
    def level(self) -> float:
        """What it shows now."""
        return self._perceived(self._number_at(boottime()))

    @property
    def target(self) -> float:
        """Where it is going."""
        return self._perceived(self._ramps[-1].end)

    def move(self, level: float, seconds: float, *, own: bool = False) -> None:
        """Fade to `level`; the fade that was under way ends where it is. `own`: of itself, or by another hand."""
        now = boottime()
        number = 0.0 if level <= 0 else float(self.dialect.scale.to_device(level))
        start = self._number_at(now) if self._ramps and seconds > 0 else number
        self._ramps.append(_Ramp(now, start, now + seconds, number, own))

    def obey(self, heard: Heard) -> None:
        """Do what a command says."""
        self.commands.append(heard)
        if heard.kelvin is not None:
            self.kelvin = heard.kelvin
        if heard.level is None:
            return
        seconds = heard.seconds
        transition, scale = self.dialect.profile.transition, self.dialect.profile.level
        if transition.of == "sweep" and scale is not None:
            apart = abs(self._number_at(heard.t) - self.dialect.scale.to_device(heard.level))
            seconds *= apart / (scale.max - scale.min)
        jumps = self.ignores_transition or (self.jumps_when_combined and heard.kelvin is not None)
        self.move(heard.level, 0.0 if jumps else seconds)

    def levels(self) -> tuple[float, float]:
        """The lowest and the highest level that it has shown."""
        shown = [self._perceived(number) for ramp in self._ramps for number in (ramp.start, ramp.end)]
        return min(*shown, self.level), max(shown)

    def largest_jump(self, within_s: float = 1.0, since: float = 0.0) -> float:
        """The largest change within so many seconds that commands caused, after boot time `since`."""
        now, largest = boottime(), 0.0
        begins = [ramp.t for ramp in self._ramps if ramp.own] or [self._ramps[0].t]
        for index, begin in enumerate(begins):
            end = begins[index + 1] - 1e-6 if index + 1 < len(begins) else now
            low = max(begin, since)
            if low >= end:
                continue
            times = [low + k * _SAMPLE_S for k in range(int((end - low) / _SAMPLE_S) + 1)]
            shown = [self._perceived(self._number_at(t)) for t in [*times, end]]
            width = max(1, round(within_s / _SAMPLE_S))
            for k in range(len(shown)):
                window = shown[k : k + width + 1]
                largest = max(largest, max(window) - min(window))
        return largest

    def _number_at(self, t: float) -> float:
        for ramp in reversed(self._ramps):
            if ramp.t <= t:
                return ramp.at(t)
        return self._ramps[0].start

    def _perceived(self, number: float) -> float:
        return 0.0 if number <= 0 else self.dialect.scale.from_device(number)


class SimulatedLamps:
    """Lamps of one profile, or a bridge with all its lamps, as a client of a real broker.

    They answer commands and questions, say whether they can be reached, and announce themselves, all as the profile
    says; a bridge's own trap, that ON without a brightness is full brightness, included.
    """

    def __init__(
        self, settings: BrokerSettings, profile: Profile, names: tuple[str, ...], base: str = "", level: float = 0.3
    ) -> None:
        self.lamps = {name: SimulatedLamp(Dialect(profile, name, base)) for name in names}
        self._profile = profile
        for lamp in self.lamps.values():
            lamp.remembers = profile.echo.from_memory
            lamp.move(level if profile.switch is None else 0.0, 0.0, own=True)
        self._bridge = [
            each for each in next(iter(self.lamps.values())).dialect.availability if each[1].scope == "bridge"
        ]
        will = (self._bridge[0][0], _word(self._bridge[0][1], up=False)) if self._bridge else None
        self._link = BrokerLink(settings, will=will)

    @property
    def connected(self) -> bool:
        """Whether its own link is up."""
        return self._link.connected

    async def start(self) -> None:
        """Connect in the background, and say so on the broker."""
        for lamp in self.lamps.values():
            for topic in {*lamp.dialect.command_topics, *(topic for topic, _ in lamp.dialect.questions)}:
                self._link.subscribe(topic, partial(self._on_message, lamp), own=False)
        self._link.start(self._on_link)

    async def close(self) -> None:
        """Go offline in an orderly way; twice is fine."""
        for topic, how in self._bridge:
            self._link.publish(topic, _word(how, up=False), retain=True)
        await self._link.close()

    def cut_power(self, name: str) -> None:
        """The lamp is dark and silent, and that is noticed."""
        lamp = self.lamps[name]
        lamp.reachable = False
        lamp.move(0.0, 0.0, own=True)
        self.set_available(name, False)

    def restore_power(self, name: str) -> None:
        """The lamp comes back at full brightness, while a bridge still believes in the old level."""
        lamp = self.lamps[name]
        told = [heard.level for heard in lamp.commands if heard.level is not None]
        lamp.reachable = True
        lamp.move(1.0, 0.0, own=True)
        self.set_available(name, True)
        if not lamp.remembers:
            self._report(lamp, lamp.level)
        elif told:
            self._report(lamp, told[-1])
        self.announce(name)

    def set_available(self, name: str, available: bool) -> None:
        """What is said of the lamp's reach."""
        for topic, how in self.lamps[name].dialect.availability:
            if how.scope == "lamp":
                self._link.publish(topic, _word(how, up=available), retain=True)

    def announce(self, name: str) -> None:
        """The lamp has joined again, for whatever reason."""
        for topic, announce in self.lamps[name].dialect.announce:
            self._link.publish(topic, _announcement(announce, name))

    def meddle(self, name: str, level: float) -> None:
        """Something else sets the lamp, and it says so."""
        lamp = self.lamps[name]
        lamp.move(level, 0.0, own=True)
        self._report(lamp, level)

    def _on_link(self, up: bool, _why: str) -> None:
        if not up:
            return
        for topic, how in self._bridge:
            self._link.publish(topic, _word(how, up=True), retain=True)
        for name, lamp in self.lamps.items():
            self.set_available(name, lamp.reachable)
            if lamp.reachable and not lamp.remembers:
                self._report(lamp, lamp.level)

    def _on_message(self, lamp: SimulatedLamp, topic: str, payload: bytes, _retained: bool, _at: float) -> None:
        if not lamp.reachable:
            return
        dialect = lamp.dialect
        if (topic, payload.decode()) in dialect.questions:
            if lamp.echoes:
                for where, report in dialect.states:
                    self._say(lamp, lamp.level, where, report)
            return
        heard = understand(dialect, payload) if (topic, payload.decode()) != dialect.wake else None
        if heard is not None:
            lamp.obey(heard)
            self._report(lamp, lamp.target)

    def _report(self, lamp: SimulatedLamp, level: float) -> None:
        """Say the level, and on or off, in as many messages as it takes."""
        if lamp.echoes:
            said: set[str] = set()
            for topic, report in lamp.dialect.states:
                says = {"level"} if report.paths else set()
                says |= {"on"} if report.on is not None else set()
                if says - said:
                    said |= says
                    self._say(lamp, level, topic, report)

    def _say(self, lamp: SimulatedLamp, level: float, topic: str, report: StateReport) -> None:
        document: Any = {}
        if report.on is not None:
            document = _put(document, report.on, report.on_value if level > 0 else _opposite(report.on_value))
        if report.paths and self._profile.switch is None:
            number = lamp.dialect.scale.to_device(level) if level > 0 else 0
            document = _put(document, report.paths[-1], number)
        self._link.publish(topic, document if isinstance(document, str) else json.dumps(document))


def understand(dialect: Dialect, payload: bytes) -> Heard | None:
    """What a lamp makes of a command, by its profile; None for what it does not understand."""
    profile = dialect.profile
    found: dict[str, Any] = {}
    for template in (profile.command.payload, profile.colour.payload if profile.colour else ""):
        found |= {token: value for token, value in _read(_names(template, dialect), payload).items() if value != ""}
    now = boottime()
    if profile.switch is not None:
        word = str(found.get("switch", "")).lower()
        return None if not word else Heard(now, level=1.0 if word == profile.switch.on.lower() else 0.0)
    level: float | None = None
    if isinstance(found.get("level"), int | float):
        number = float(found["level"])
        assert profile.level is not None
        if not 0 <= number <= profile.level.max:
            return None
        level = 0.0 if number == 0 else dialect.scale.from_device(number)
    elif isinstance(document := document_of(payload), dict) and "state" in document and "colour" not in found:
        level = 0.0 if document["state"] == "OFF" else 1.0  # ON without a brightness
    kelvin = None
    if profile.colour is not None and "colour" in found:
        kelvin = float(found["colour"]) if profile.colour.unit == "kelvin" else 1e6 / float(found["colour"])
    if level is None and kelvin is None:
        return None
    return Heard(now, level, _seconds(profile, float(found.get("transition", 0.0))), kelvin)


def _seconds(profile: Profile, number: float) -> float:
    units = {"s": 1.0, "100ms": 10.0, "500ms": 2.0, "ms": 1000.0, "none": 1.0}[profile.transition.unit]
    return number / units


def _read(template: str, payload: bytes) -> dict[str, Any]:
    """The values that stand in `payload` where `template` has its placeholders."""
    if not template.lstrip().startswith("{"):
        pattern = "".join(
            f"(?P<{part[1:-1]}>.+?)" if TOKEN.fullmatch(part) else re.escape(part)
            for part in re.split(r"(\{[a-z_]+\})", template)
        )
        match = re.fullmatch(pattern, payload.decode("utf-8", "replace"))
        return {key: _plain(value) for key, value in match.groupdict().items()} if match else {}
    document = document_of(payload)
    marked = json.loads(re.sub(r'"?\{([a-z_]+)\}"?', r'"\\u0000\1"', template))
    return {token: value for token, path in _marks(marked, "") if (value := dig(document, path)) is not None}


def _marks(document: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(document, str) and document.startswith("\0"):
        return [(document[1:], path)]
    if not isinstance(document, dict):
        return []
    return [mark for key, value in document.items() for mark in _marks(value, f"{path}.{key}" if path else key)]


def _plain(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _names(text: str, dialect: Dialect) -> str:
    return text.replace("{name}", dialect.name).replace("{base}", dialect.base)


def _put(document: Any, path: str, value: Any) -> Any:
    """The document with a value at a dotted path; the bare value for the path ""."""
    if not path:
        return value if isinstance(value, str) else json.dumps(value)
    here = document
    *way, last = path.split(".")
    for key in way:
        here = here.setdefault(key, {})
    here[last] = value
    return document


def _opposite(word: str | bool | int) -> str | bool | int:
    if isinstance(word, bool):
        return not word
    opposites: dict[str | int, str | int] = {"ON": "OFF", "on": "off", "1": "0", 1: 0}
    return opposites.get(word, "")


def _word(how: Availability, *, up: bool) -> bytes:
    word = how.online if up else how.offline
    return json.dumps({how.key: word}).encode() if how.key else word.encode()


def _announcement(announce: Announce, name: str) -> str:
    document: dict[str, Any] = {}
    if announce.key:
        _put(document, announce.key, announce.value)
    if announce.name_key:
        _put(document, announce.name_key, name)
    return json.dumps(document)
