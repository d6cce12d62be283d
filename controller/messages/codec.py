"""Messages to JSON and back, checked by pydantic."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")

_adapters: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    adapter = _adapters.get(kind)
    if adapter is None:
        adapter = _adapters[kind] = TypeAdapter(kind)
    return adapter


def prepare(*kinds: Any) -> None:
    """Build the schemas of these now; each takes some tens of milliseconds when it is first needed."""
    for kind in kinds:
        _adapter(kind)


def encode(value: object, kind: Any = None) -> bytes:
    """JSON bytes of a message; keys in the order of the fields, so equal values give equal bytes."""
    return _adapter(kind or type(value)).dump_json(value)


def decode(kind: type[T], data: bytes | str) -> T:
    """The message in `data`; raises `pydantic.ValidationError` where it is not one."""
    result: T = _adapter(kind).validate_json(data)
    return result


def to_plain(value: object) -> Any:
    """The message as dicts, lists and numbers, for a JSON line."""
    return _adapter(type(value)).dump_python(value, mode="json")


def from_plain(kind: type[T], value: object) -> T:
    """The message out of dicts, lists and numbers; raises `pydantic.ValidationError`."""
    result: T = _adapter(kind).validate_python(value)
    return result


def plain_fields(act: Any, hidden: Collection[str] = ()) -> dict[str, str | int | float]:
    """An act's plain values by their names, codes of a list with spaces between; never its words or its kind."""
    plain: dict[str, str | int | float] = {}
    for one in fields(act):
        value = getattr(act, one.name)
        if one.name in ("kind", "text", *hidden):
            continue
        if isinstance(value, tuple) and value and all(isinstance(part, str) for part in value):
            value = " ".join(value)
        if isinstance(value, str | int | float):
            plain[one.name] = int(value) if isinstance(value, bool) else value
    return plain
