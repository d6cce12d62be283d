"""A device profile: how one kind of lamp is spoken to over MQTT. A new kind of lamp is a new file, no Python.

Levels are perceived brightness 0..1 everywhere inside; only a profile knows what a device makes of it.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_TOKEN = re.compile(r"\{([a-z_]+)\}")
_TOPIC_TOKENS = frozenset({"name", "base"})
_PAYLOAD_TOKENS = frozenset({"name", "base", "level", "transition"})
_UNITS_IN_A_SECOND = {"s": 1.0, "100ms": 10.0, "ms": 1000.0}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _only_tokens(text: str, allowed: frozenset[str]) -> str:
    unknown = set(_TOKEN.findall(text)) - allowed
    if unknown:
        known = ", ".join("{" + token + "}" for token in sorted(allowed))
        raise ValueError(f"unknown placeholder {{{sorted(unknown)[0]}}}; there are {known}")
    return text


def _fill(text: str, values: dict[str, str]) -> str:
    return _TOKEN.sub(lambda match: values.get(match[1], match[0]), text)


class _Topic(_Part):
    topic: str = Field(min_length=1)

    @field_validator("topic")
    @classmethod
    def _topic_tokens(cls, topic: str) -> str:
        return _only_tokens(topic, _TOPIC_TOKENS)


class Command(_Topic):
    """The one message that moves the lamp. It must carry `{level}`: a lamp told only *how* goes where it likes."""

    payload: str

    @field_validator("payload")
    @classmethod
    def _payload_tokens(cls, payload: str) -> str:
        _only_tokens(payload, _PAYLOAD_TOKENS)
        if "{level}" not in payload:
            raise ValueError("every command must carry an explicit {level}")
        return payload


class Level(_Part):
    """The device's own scale. `min` is its darkest that is still on; the room is never made black.

    `curve`: "perceived" where the device's scale already follows the eye, "luminance" where it is proportional to
    light, which the CIE 1976 lightness turns into what the eye sees.
    """

    min: float
    max: float
    whole: bool = True
    curve: Literal["perceived", "luminance"] = "perceived"

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min >= self.max:
            raise ValueError("min must be below max")
        return self

    def to_device(self, level: float) -> float:
        """The device's number for a perceived level."""
        share = min(1.0, max(0.0, level))
        value = self.min + (_luminance(share) if self.curve == "luminance" else share) * (self.max - self.min)
        return round(value) if self.whole else round(value, 4)

    def from_device(self, value: float) -> float:
        """The perceived level of a device's number."""
        share = min(1.0, max(0.0, (value - self.min) / (self.max - self.min)))
        return _lightness(share) if self.curve == "luminance" else share


class Transition(_Part):
    """How the device fades by itself. `unit` "none": it does not, and every command is a step."""

    unit: Literal["s", "ms", "100ms", "none"]
    min: float = 0.0
    max: float = 0.0
    """Both in the device's unit."""
    whole: bool = False

    @property
    def longest_s(self) -> float:
        """The longest fade that the device can make."""
        return 0.0 if self.unit == "none" else self.max / _UNITS_IN_A_SECOND[self.unit]

    def to_device(self, seconds: float) -> float:
        """The device's number for a fade; whole units are rounded up, so that no fade becomes a step."""
        if self.unit == "none":
            return 0.0
        value = min(self.max, max(self.min, seconds * _UNITS_IN_A_SECOND[self.unit]))
        return float(-(-value // 1)) if self.whole else round(value, 2)

    def in_seconds(self, value: float) -> float:
        """Seconds of a device's number."""
        return 0.0 if self.unit == "none" else value / _UNITS_IN_A_SECOND[self.unit]


class StateReport(_Topic):
    """Where the lamp says how it is, and how to ask it. Keys are dotted paths into the JSON that arrives."""

    level: str
    on: str = ""
    on_value: str | bool = "ON"
    ask_topic: str = ""
    ask_payload: str = ""
    echo_within_s: float = Field(default=3.0, gt=0)
    """A command that has no echo by then is unconfirmed."""

    @field_validator("ask_topic")
    @classmethod
    def _ask_tokens(cls, topic: str) -> str:
        return _only_tokens(topic, _TOPIC_TOKENS)


class Availability(_Topic):
    """Where it is said that the lamp, or the bridge before it, can be reached: bare word, or a JSON `key`."""

    scope: Literal["lamp", "bridge"] = "lamp"
    key: str = ""
    online: str = "online"
    offline: str = "offline"


class Announce(_Topic):
    """Where it is said that a lamp has come back, perhaps from a power cut."""

    key: str = ""
    value: str = ""
    name_key: str = ""


class Rate(_Part):
    """The most that the device and its bridge take: seconds between commands to one lamp, and through one bridge."""

    lamp_interval_s: float = Field(gt=0)
    bridge_interval_s: float = Field(default=0.0, ge=0)


@dataclass(frozen=True, slots=True)
class Topics:
    """A profile's topics for one lamp."""

    command: str
    state: str
    ask: str
    availability: tuple[tuple[str, Availability], ...]
    announce: str


class Profile(_Part):
    """One kind of lamp. Raises `pydantic.ValidationError` with everything that is wrong."""

    profile: Literal[1] = 1
    """Version of the format."""
    kind: Literal["mqtt-lamp"] = "mqtt-lamp"
    name: str
    title: str = ""
    base: str = ""
    """The bridge's topic prefix where the room file names none."""
    tested: tuple[str, ...] = ()
    quirks: tuple[str, ...] = ()
    power_on: float = Field(ge=0, le=1)
    """Perceived level at which it comes back after a power cut."""
    command: Command
    level: Level
    transition: Transition
    state: StateReport
    availability: tuple[Availability, ...] = ()
    announce: Announce | None = None
    rate: Rate

    @model_validator(mode="after")
    def _transition_is_sent(self) -> Self:
        if ("{transition}" in self.command.payload) != (self.transition.unit != "none"):
            raise ValueError('command.payload must hold {transition} exactly when transition.unit is not "none"')
        return self

    @cached_property
    def tolerance(self) -> float:
        """How far an echo may be from what was sent: two of the device's own steps, at least 1 %."""
        return max(0.01, 2.0 / (self.level.max - self.level.min)) if self.level.whole else 0.01

    def topics(self, name: str, base: str = "") -> Topics:
        """All topics of the device called `name` behind `base`."""
        values = {"name": name, "base": base or self.base}
        return Topics(
            command=_fill(self.command.topic, values),
            state=_fill(self.state.topic, values),
            ask=_fill(self.state.ask_topic, values),
            availability=tuple((_fill(each.topic, values), each) for each in self.availability),
            announce=_fill(self.announce.topic, values) if self.announce else "",
        )

    def payload(self, level: float, transition_s: float, name: str = "", base: str = "") -> str:
        """The command's bytes for a perceived level that is to be reached in so many seconds."""
        values = {
            "level": _number(self.level.to_device(level)),
            "transition": _number(self.transition.to_device(transition_s)),
            "name": name,
            "base": base or self.base,
        }
        return _fill(self.command.payload, values)

    def read_level(self, payload: bytes) -> float | None:
        """The perceived level in a state message; None where it says nothing about it."""
        document = _document(payload)
        if self.state.on:
            on = _dig(document, self.state.on)
            if on is not None and on != self.state.on_value:
                return 0.0
        value = _dig(document, self.state.level)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return self.level.from_device(value)


def read_word(payload: bytes, key: str) -> str:
    """The word in an availability message: under `key` in JSON, or the bare text."""
    value = _dig(_document(payload), key) if key else None
    return value if isinstance(value, str) else payload.decode("utf-8", "replace").strip()


def announced_name(announce: Announce, payload: bytes) -> str | None:
    """The device that a message announces; "" where the topic itself says it, None where it announces nothing."""
    document = _document(payload)
    if announce.key and str(_dig(document, announce.key)) != announce.value:
        return None
    if not announce.name_key:
        return ""
    name = _dig(document, announce.name_key)
    return name if isinstance(name, str) else None


def load_profile(text: str) -> Profile:
    """The profile in a TOML text; raises `tomllib.TOMLDecodeError` or `pydantic.ValidationError`."""
    return Profile.model_validate(tomllib.loads(text))


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _document(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return None


def _dig(document: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(document, dict):
            return None
        document = document.get(key)
    return document


# CIE 15:2004, lightness L* with L = 100 L*: the eye's scale, linear in the dark end.


def _luminance(lightness: float) -> float:
    shade = lightness * 100
    return float(((shade + 16) / 116) ** 3) if shade > 8 else shade / 903.3


def _lightness(luminance: float) -> float:
    return float(116 * luminance ** (1 / 3) - 16) / 100 if luminance > 8 / 903.3 else luminance * 9.033
