"""A relay board's profile: which bytes switch a channel, and how it is asked. A new board is a new file, no Python."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from controller.validation import Table

_HEX = re.compile(r"^[0-9A-F]{2}$")
_TOKENS = ("{channel}", "{sum}")
_LINE_END = re.compile(rb"[\r\n]+")


class Message(Table):
    """What is sent or expected: `hex` ("A0 {channel} 01 {sum}") or `text` ("relay on {channel}" and a return).

    `{channel}` is the channel's number as the board counts, `{sum}` the sum of the bytes before it, modulo 256.
    """

    hex: str = ""
    text: str = ""

    @field_validator("hex")
    @classmethod
    def _bytes(cls, value: str) -> str:
        for part in value.split():
            if part not in _TOKENS and not _HEX.match(part):
                raise ValueError(f'"{part}" is no byte; hex holds two digits 0-9 A-F each, {{channel}} and {{sum}}')
        return value

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.hex) == bool(self.text):
            raise ValueError("needs either hex or text")
        return self

    def bytes_for(self, channel: int) -> bytes:
        """The bytes, for a channel as the board counts."""
        if self.text:
            return self.text.replace("{channel}", _digit(channel)).encode("ascii")
        made = bytearray()
        for part in self.hex.split():
            if part == "{channel}":
                made.append(channel)
            else:
                made.append(sum(made) & 0xFF if part == "{sum}" else int(part, 16))
        return bytes(made)


class Asking(Table):
    """How a channel is asked for its state, and what it answers; the answers are looked for in what comes back.

    In text, any kind of line end is as good as another.
    """

    ask: Message
    on: Message
    off: Message
    of_all: bool = False
    """Whether the answer is about every channel: one `on` or `off` after the other, the first channel's first."""

    @model_validator(mode="after")
    def _alike(self) -> Self:
        if self.of_all and len(self.on.bytes_for(1)) != len(self.off.bytes_for(1)):
            raise ValueError("on and off must be equally long where the answer is about every channel")
        return self


class Board(Table):
    """One kind of relay board. Raises `pydantic.ValidationError` with everything that is wrong."""

    profile: Literal[1]
    """Version of the format."""
    kind: Literal["relay-board"]
    name: str
    title: str = ""
    models: tuple[str, ...] = ()
    """What can be bought that speaks like this."""
    tested: tuple[str, ...] = ()
    quirks: tuple[str, ...] = ()
    baud: int = Field(default=9600, ge=300, le=1_000_000)
    channels: int = Field(ge=1, le=64)
    first_channel: Literal[0, 1] = 1
    """The number that the board gives its first channel; a room file always counts from 1."""
    on: Message
    off: Message
    status: Asking | None = None

    def switch(self, channel: int, on: bool) -> bytes:
        """The bytes that switch a channel (1..channels)."""
        return (self.on if on else self.off).bytes_for(channel - 1 + self.first_channel)

    def ask(self, channel: int) -> bytes:
        """The bytes that ask for a channel's state; b"" where the board cannot be asked."""
        return self.status.ask.bytes_for(channel - 1 + self.first_channel) if self.status else b""

    def answer(self, channel: int, said: bytes) -> bool | None:
        """Whether the channel is on, after what the board said; None while it has not said."""
        if self.status is None:
            return None
        number = channel - 1 + self.first_channel
        on, off = self.status.on.bytes_for(number), self.status.off.bytes_for(number)
        if self.status.of_all:
            said = said[(channel - 1) * len(on) : channel * len(on)]
        if self.status.on.text:
            on, off, said = (_LINE_END.sub(b"\n", each) for each in (on, off, said))
        if on in said:
            return True
        return False if off in said else None


def _digit(channel: int) -> str:
    """A channel in a text command: one digit, and a letter from the eleventh on."""
    return str(channel) if channel < 10 else chr(ord("A") + channel - 10)
