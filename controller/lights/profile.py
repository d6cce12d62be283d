"""A device profile: how one kind of lamp is spoken to over MQTT. A new kind of lamp is a new file, no Python.

Levels are perceived brightness 0..1 everywhere inside; only a profile knows what a device makes of it.
"""

from __future__ import annotations

import tomllib
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from controller.payloads import TOKEN
from controller.validation import Table

_TOPIC_TOKENS = frozenset({"name", "base"})
_UNITS_IN_A_SECOND = {"s": 1.0, "100ms": 10.0, "500ms": 2.0, "ms": 1000.0}


def _only_tokens(text: str, allowed: frozenset[str]) -> str:
    unknown = set(TOKEN.findall(text)) - allowed
    if unknown:
        known = ", ".join("{" + token + "}" for token in sorted(allowed))
        raise ValueError(f"unknown placeholder {{{sorted(unknown)[0]}}}; there are {known}")
    return text


class _Topic(Table):
    topic: str = Field(min_length=1)
    """May hold {name}, the device's name there, and {base}, the bridge's prefix."""

    @field_validator("topic")
    @classmethod
    def _topic_tokens(cls, topic: str) -> str:
        return _only_tokens(topic, _TOPIC_TOKENS)


class Command(_Topic):
    """The one message that moves the lamp. It must say where to: a lamp told only *how* goes where it likes."""

    payload: str
    """Holds {level}, or {switch} for what is only on or off; {transition} where the device fades by itself."""

    @field_validator("payload")
    @classmethod
    def _payload_tokens(cls, payload: str) -> str:
        _only_tokens(payload, _TOPIC_TOKENS | {"level", "transition", "switch"})
        if ("{level}" in payload) == ("{switch}" in payload):
            raise ValueError("every command must carry an explicit {level} (or {switch}, for what is only on or off)")
        return payload


class Wake(_Topic):
    """For a lamp that a level alone does not light: sent after a command while it is not known to burn."""

    payload: str


class Level(Table):
    """The device's own scale. `min` is its darkest that is still on; the room is never made black."""

    min: float
    max: float
    whole: bool = True
    """Whether the device takes whole numbers only."""
    curve: Literal["perceived", "luminance"] = "perceived"
    """"perceived": the device's scale follows the eye. "luminance": half the number is half the light (CIE 1976 L*)."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min >= self.max:
            raise ValueError("min must be below max")
        return self


class Switch(Table):
    """What is only on or off follows the light: on above one level, off below another, never part of a fade."""

    on: str = "ON"
    """What {switch} is filled with."""
    off: str = "OFF"
    on_above: float = Field(default=0.35, ge=0, le=1)
    off_below: float = Field(default=0.25, ge=0, le=1)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.off_below >= self.on_above:
            raise ValueError("off_below must lie below on_above, or the switch would chatter")
        return self


class Colour(Table):
    """The colour temperature of its white."""

    topic: str = ""
    """The command's topic where empty."""
    payload: str
    """Holds {colour}. With {level} it takes the command's place; without, brightness and colour go apart, in turns."""
    unit: Literal["mired", "kelvin"]
    min: float = Field(gt=0)
    max: float = Field(gt=0)
    """Both in the device's unit."""

    @field_validator("payload")
    @classmethod
    def _payload_tokens(cls, payload: str) -> str:
        _only_tokens(payload, _TOPIC_TOKENS | {"level", "transition", "colour"})
        if "{colour}" not in payload:
            raise ValueError("it must carry {colour}")
        return payload

    @field_validator("topic")
    @classmethod
    def _topic_tokens(cls, topic: str) -> str:
        return _only_tokens(topic, _TOPIC_TOKENS)

    @property
    def apart(self) -> bool:
        """Whether brightness and colour must not be asked for in one message."""
        return "{level}" not in self.payload

    def to_device(self, kelvin: float) -> int:
        """The device's number, within its range."""
        value = 1e6 / kelvin if self.unit == "mired" else kelvin
        return round(min(self.max, max(self.min, value)))

    def nearest(self, kelvin: float) -> float:
        """The kelvin that the device makes of it."""
        value = self.to_device(kelvin)
        return 1e6 / value if self.unit == "mired" else float(value)


class Transition(Table):
    """How the device fades by itself."""

    unit: Literal["s", "ms", "100ms", "500ms", "none"]
    """"none": it cannot fade, and is moved in small steps."""
    of: Literal["change", "sweep"] = "change"
    """"change": the number is the length of this fade. "sweep": of one from dark to full, so it is a speed."""
    min: float = 0.0
    max: float = 0.0
    """Both in the device's unit."""
    whole: bool = False
    """Whether the device takes whole numbers only."""

    def to_device(self, seconds: float, share: float = 1.0) -> float:
        """The device's number for a fade over `share` of its scale; whole numbers are rounded up, to the slower."""
        if self.unit == "none":
            return 0.0
        length = seconds / max(share, 1e-3) if self.of == "sweep" else seconds
        value = min(self.max, max(self.min, length * _UNITS_IN_A_SECOND[self.unit]))
        return float(-(-round(value, 6) // 1)) if self.whole else round(value, 2)

    def takes_s(self, seconds: float, share: float = 1.0) -> float:
        """How long the device really takes when it is asked for so many seconds; 0 for one that cannot fade."""
        if self.unit == "none":
            return 0.0
        length = self.to_device(seconds, share) / _UNITS_IN_A_SECOND[self.unit]
        return length * share if self.of == "sweep" else length


class StateReport(_Topic):
    """Where the lamp says how it is. Keys are dotted paths into the JSON that arrives; "" is the whole of it."""

    level: str | tuple[str, ...] = ()
    """Where its brightness stands; the first of these that is there counts."""
    on: str | None = None
    """Where on and off stand, and the word for on."""
    on_value: str | bool | int = "ON"

    @property
    def paths(self) -> tuple[str, ...]:
        """Where its brightness may stand."""
        return (self.level,) if isinstance(self.level, str) else self.level

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.paths and self.on is None:
            raise ValueError("it must say where the level stands, or where on and off stand")
        return self


class Echo(Table):
    """What its reports are worth."""

    within_s: float = Field(default=3.0, gt=0)
    """A command that has no echo by then is unconfirmed."""
    from_memory: bool = False
    """Whether a bridge speaks for the lamp, and may repeat what it believed before the lamp's power was cut."""


class Ask(Table):
    """How to ask the lamp how it is."""

    topic: str | Annotated[tuple[str, ...], Field(min_length=1)]
    """Several, where it is asked for its level and for on and off apart."""
    payload: str = ""

    @field_validator("topic")
    @classmethod
    def _topic_tokens(cls, topic: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for each in (topic,) if isinstance(topic, str) else topic:
            _only_tokens(each, _TOPIC_TOKENS)
        return topic

    @property
    def topics(self) -> tuple[str, ...]:
        """Where the question is put."""
        return (self.topic,) if isinstance(self.topic, str) else self.topic


class Availability(_Topic):
    """Where it is said that the lamp, or the bridge before it, can be reached: bare word, or a JSON `key`."""

    scope: Literal["lamp", "bridge"] = "lamp"
    key: str = ""
    online: str = "online"
    offline: str = "offline"


class Announce(_Topic):
    """Where it is said that a lamp has come back, perhaps from a power cut."""

    key: str = ""
    """The message counts where this key has `value`; every message counts where it is empty."""
    value: str = ""
    name_key: str = ""
    """Where the device's name stands; empty where the topic itself says it."""


class PowerOn(Table):
    """What the lamp does when its power comes back."""

    level: float = Field(ge=0, le=1)
    """Perceived level at which it must be expected."""
    topic: str = ""
    payload: str = ""
    """The message that makes it come back gently, sent once by a technician; empty where it is set by hand."""
    how: str = ""
    """How to set it, in words."""

    @field_validator("topic", "payload")
    @classmethod
    def _tokens(cls, text: str) -> str:
        return _only_tokens(text, _TOPIC_TOKENS)


class Rate(Table):
    """The most that the device and its bridge take: seconds between commands to one lamp, and through one bridge."""

    lamp_interval_s: float = Field(gt=0)
    bridge_interval_s: float = Field(default=0.0, ge=0)
    """0 where every lamp is its own client of the broker."""


class Profile(Table):
    """One kind of lamp behind MQTT."""

    profile: Literal[1] = 1
    """Version of the format."""
    kind: Literal["mqtt-lamp"] = "mqtt-lamp"
    name: str
    """The file's own name, as room files say it."""
    title: str = ""
    models: tuple[str, ...] = ()
    """What can be bought that speaks like this."""
    base: str = ""
    """The bridge's topic prefix where the room file names none."""
    tested: tuple[str, ...] = ()
    """What was tried, and how."""
    quirks: tuple[str, ...] = ()
    """What a person has to know about it."""
    command: Command
    wake: Wake | None = None
    level: Level | None = None
    switch: Switch | None = None
    colour: Colour | None = None
    transition: Transition = Transition(unit="none")
    state: Annotated[tuple[StateReport, ...], Field(json_schema_extra={"minItems": 1})]
    echo: Echo = Echo()
    ask: Ask | None = None
    availability: tuple[Availability, ...] = ()
    announce: tuple[Announce, ...] = ()
    power_on: PowerOn
    rate: Rate

    @property
    def says_on(self) -> bool:
        """Whether it needs a message of its own to be lit, and says whether it is."""
        return self.wake is not None and any(report.on is not None for report in self.state)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.state:
            raise ValueError("a [[state]] must say where it reports: what is not confirmed is shown as unconfirmed")
        payload = self.command.payload
        for token, part in (("level", self.level), ("switch", self.switch)):
            if (f"{{{token}}}" in payload) != (part is not None):
                raise ValueError(f"there must be a [{token}] exactly when command.payload holds {{{token}}}")
        if ("{transition}" in payload) != (self.transition.unit != "none"):
            raise ValueError('command.payload must hold {transition} exactly when transition.unit is not "none"')
        if self.switch is not None and all(report.on is None for report in self.state):
            raise ValueError("a state must say where on and off stand")
        if self.level is not None and not any(report.paths for report in self.state):
            raise ValueError("a state must say where the level stands")
        if self.switch is not None and self.colour is not None:
            raise ValueError("what is only on or off has no colour")
        return self


def load_profile(text: str) -> Profile:
    """The profile in a TOML text; raises `tomllib.TOMLDecodeError` or `pydantic.ValidationError`."""
    return Profile.model_validate(tomllib.loads(text))
