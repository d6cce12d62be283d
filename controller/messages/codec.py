"""Messages to JSON and back, checked by msgspec."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

T = TypeVar("T")


class NotAMessage(ValueError):
    """What came is not what it should be; the text says where and why."""


class Tagged(msgspec.Struct, frozen=True, tag_field="kind"):
    """One of several messages that stand in the same place; its JSON says by `kind` which one it is."""

    @property
    def kind(self) -> str:
        """The word by which it is known in JSON, tables and wording."""
        return str(self.__struct_config__.tag)


def kind_of(message: type[Tagged]) -> str:
    """The `kind` of all messages of a type."""
    return str(message.__struct_config__.tag)


def encode(value: object) -> bytes:
    """JSON bytes of a message; keys in the order of the fields, so equal values give equal bytes."""
    return msgspec.json.encode(value, enc_hook=_plain)


def line_of(message: object) -> bytes:
    """A message, or a dict that holds some, as the line of JSON that goes over a socket."""
    return encode(message) + b"\n"


def decode(kind: type[T], data: bytes | str) -> T:
    """The message in `data`; raises `NotAMessage` where it is not one."""
    try:
        result: T = _decoder(cast(Any, kind)).decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotAMessage(str(error)) from error
    return result


def to_plain(value: object) -> Any:
    """The message as dicts, lists and numbers, for a JSON line."""
    return msgspec.json.decode(encode(value))


def from_plain(kind: type[T], value: object) -> T:
    """The message out of dicts, lists and numbers; raises `NotAMessage`."""
    try:
        return msgspec.convert(value, kind, dec_hook=_made)
    except msgspec.ValidationError as error:
        raise NotAMessage(str(error)) from error


def plain_fields(act: Any, hidden: Collection[str] = ()) -> dict[str, str | int | float]:
    """An act's plain values by their names, codes of a list with spaces between; never its words or its kind."""
    plain: dict[str, str | int | float] = {}
    for name in act.__struct_fields__:
        value = getattr(act, name)
        if name in ("text", *hidden):
            continue
        if isinstance(value, tuple) and value and all(isinstance(part, str) for part in value):
            value = " ".join(value)
        if isinstance(value, str | int | float):
            plain[name] = int(value) if isinstance(value, bool) else value
    return plain


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, dec_hook=_made)


def _plain(value: Any) -> Any:
    """What msgspec does not know: a path, and what was read from a file and can say itself in plain values."""
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} is no part of a message")


def _made(kind: Any, value: Any) -> Any:
    if issubclass(kind, Path):
        return kind(value)
    if hasattr(kind, "model_validate"):
        return kind.model_validate(value)
    raise TypeError(f"{kind.__name__} is no part of a message")
