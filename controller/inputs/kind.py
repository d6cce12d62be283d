"""A button's profile: how a kind of button says that it was pressed. A new kind is a new file, no Python."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from controller.payloads import TOKEN
from controller.validation import Table

_SCAN = re.compile(r"^scan 0x([0-9a-f]+)$")
_TOKENS = ("base", "channel", "name")

Press = Annotated[str, Field(pattern=r"^[a-z0-9-]+$", max_length=20)]


class _Part(Table):
    @field_validator("*")
    @classmethod
    def _known_tokens(cls, value: object) -> object:
        for token in TOKEN.findall(value) if isinstance(value, str) else ():
            if token not in _TOKENS:
                raise ValueError(f"unknown placeholder {{{token}}}; there are {{base}}, {{channel}}, {{name}}")
        return value


class Reach(_Part):
    """Where it is said that the button, or the bridge before it, can be reached: a bare word, or a JSON `key`."""

    topic: str
    key: str = ""
    online: str = "online"
    offline: str = "offline"


class Battery(_Part):
    """Where the charge is said, in percent: a JSON `field`, or "" for the bare number. `topic` "": the own one."""

    topic: str = ""
    field: str = ""
    low_below: float = Field(default=20.0, gt=0, lt=100)


class Mqtt(_Part):
    """A button behind MQTT. Retained messages are never presses.

    `each`: path of a list of events in the message; "" where the message is the event. `field`: path of the word that
    says what was done. `only`: paths that must hold these values. `count`: path of a number that stays the same when an
    event is told again.
    """

    topic: str
    each: str = ""
    field: str
    only: dict[str, str] = Field(default={})
    count: str = ""
    battery: Battery | None = None
    availability: tuple[Reach, ...] = ()


class Contact(_Part):
    """A contact between a line that is driven and one that is read; closed, the line is asserted."""

    line: Literal["cts", "dsr"]
    drive: Literal["rts", "dtr"]
    steady_s: float = Field(default=0.03, ge=0.01, le=1.0)
    """A change counts when it has lasted this long."""


class SerialLine(_Part):
    """A device that writes a line of text for each press."""

    baud: int = Field(default=9600, ge=300, le=1_000_000)


class ButtonKind(_Part):
    """One kind of button. Raises `pydantic.ValidationError` with everything that is wrong."""

    profile: Literal[1]
    """Version of the format."""
    kind: Literal["button"]
    name: str
    title: str = ""
    models: tuple[str, ...] = ()
    """What can be bought that speaks like this."""
    tested: tuple[str, ...] = ()
    quirks: tuple[str, ...] = ()
    base: str = ""
    first_channel: Literal[0, 1] = 1
    """The number that the device gives its first key; a room file always counts from 1."""
    again_after_s: float = Field(default=0.7, ge=0.0, le=5.0)
    """The same press counts again once it has been quiet for this long."""
    presses: dict[Press, tuple[int | str, ...]] = Field(min_length=1)
    """What it can say: the name in a room file, and the device's own words for it (key codes or "scan 0x…" of a
    keyboard)."""
    mqtt: Mqtt | None = None
    contact: Contact | None = None
    serial: SerialLine | None = None
    keyboard: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Self:
        ways = (self.mqtt, self.contact, self.serial, self.keyboard or None)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("needs exactly one of [mqtt], [contact], [serial] and keyboard = true")
        if self.contact is not None and set(self.presses) - {"open", "closed"}:
            raise ValueError("a contact's presses are open and closed")
        words = [word for words in self.presses.values() for word in words]
        if len(words) != len(set(words)):
            raise ValueError("one word stands for two presses")
        if self.keyboard:
            for word in words:
                if isinstance(word, str) and not _SCAN.match(word):
                    raise ValueError(f'"{word}" is no key: a key is its code (30) or its scan code ("scan 0x70004")')
        return self

    @property
    def on_port(self) -> bool:
        """Whether it hangs on a serial port."""
        return self.contact is not None or self.serial is not None

    def press_of(self, word: object) -> str | None:
        """The press that a word of the device stands for."""
        return next((press for press, words in self.presses.items() if word in words), None)


def scan_word(code: int) -> str:
    """A scan code as a profile writes it."""
    return f"scan 0x{code:x}"
