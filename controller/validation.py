"""Validation: the tables of files that people write, and every mistake in them at once.

Each is told with file, place, what, what is allowed, nearest name.
"""

from __future__ import annotations

import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from controller.files import did_you_mean

M = TypeVar("M", bound=BaseModel)

_WORDS = {
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be text, in quotation marks",
    "path_type": "must be a path, in quotation marks",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "tuple_type": "must be a list, in square brackets",
    "too_short": "must have at least {min_length}",
    "too_long": "must have at most {max_length}",
    "date_from_datetime_parsing": "must be a date, like 2026-12-01",
    "date_type": "must be a date, like 2026-12-01",
}
_LONGEST = 80
"""Of what was given so much is shown."""

_ONE_OF = frozenset(("str", "bool", "int"))
"""Where a key takes one of several kinds, a place ends in the kind that was tried."""

LOOKS = {
    r"^[a-z0-9-]+$": "small letters, digits and hyphens",
    r"^[a-z0-9.-]+$": "small letters, digits, dots and hyphens",
    r"^[A-Z]$": "one capital letter",
    r"^\S{1,8}$": "initials, at most 8 characters",
    r"^[0-9+() /.x-]{0,40}$": "a telephone number, at most 40 characters",
    r"^(auto|null|file:.+\.wav|device:.+)$": '"auto", "null", "device:NAME" or "file:PATH.wav"',
}
"""What the patterns of the tables ask for, in words."""


class Table(BaseModel):
    """A table of a file that people write: an unknown key is a mistake, and what was read stays as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def mistakes_in(path: Path, model: type[M], data: dict[str, Any]) -> tuple[M | None, list[str]]:
    """The model, or None and everything that is wrong with the data."""
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        found = _once([dict(entry) for entry in error.errors(include_url=False)])
        return None, [f"{path}: {_explain(model, entry)}" for entry in found if not _follows(entry, found)]


def _once(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One mistake where a key takes one of several kinds and got none: of the kind that it came nearest to."""
    kept: dict[tuple[Any, ...], dict[str, Any]] = {}
    for error in found:
        loc = error["loc"]
        tried = next((place for place, part in enumerate(loc) if part in _ONE_OF or "[" in str(part)), None)
        place = loc if tried is None else loc[:tried]
        error["loc"] = loc if tried is None else place + loc[tried + 1 :]
        key = (place, error["type"] if tried is None else "")
        if key not in kept or len(error["loc"]) > len(kept[key]["loc"]):
            kept[key] = error
    return list(kept.values())


def _follows(error: dict[str, Any], found: list[dict[str, Any]]) -> bool:
    """Whether a list counts as too short only because what stands in it has mistakes, which are told themselves."""
    loc = error["loc"]
    return error["type"] == "too_short" and any(other["loc"][: len(loc)] == loc != other["loc"] for other in found)


def _explain(model: type[BaseModel], error: dict[str, Any]) -> str:
    loc: tuple[str | int, ...] = tuple(error["loc"])
    kind = error["type"]
    place = _place(loc)
    if kind == "extra_forbidden":
        allowed = _keys_at(model, loc[:-1])
        where = f"{_place(loc[:-1])}: " if loc[:-1] else ""
        return f'{where}unknown key "{loc[-1]}"{did_you_mean(str(loc[-1]), allowed)}'
    if kind == "missing":
        return f"{place}: is missing"
    if kind == "literal_error":
        expected = error["ctx"]["expected"]
        if str(error["input"]) == expected:
            return f"{place}: must be {expected}, without quotation marks"
        allowed = [text.strip().strip("'") for text in expected.replace(" or ", ", ").split(",")]
        near = did_you_mean(str(error["input"]), allowed)
        every = f" (allowed: {', '.join(allowed)})" if "did you mean" in near else ""
        return f'{place}: "{_short(str(error["input"]))}" is not allowed{near}{every}'
    if kind == "value_error":
        return f"{place + ': ' if place else ''}{error['ctx']['error']}"
    given = error["input"]
    shown = f" (it is {_short(repr(given))})" if isinstance(given, str | int | float | bool) else ""
    if kind == "string_pattern_mismatch":
        return f"{place}: must be {LOOKS[error['ctx']['pattern']]}{shown}"
    if kind in _WORDS:
        return f"{place}: {_WORDS[kind].format(**error.get('ctx', {}))}{shown}"
    return f"{place}: {error['msg'][0].lower()}{error['msg'][1:]}{shown}"


def _short(given: str) -> str:
    """What was given, or its beginning."""
    return given if len(given) <= _LONGEST else f"{given[:_LONGEST]}…"


def _place(loc: Iterable[str | int]) -> str:
    text = ""
    for part in loc:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _keys_at(model: type[BaseModel], loc: Iterable[str | int]) -> list[str]:
    current: Any = model
    for part in loc:
        if isinstance(part, str) and isinstance(current, type) and issubclass(current, BaseModel):
            info = current.model_fields.get(part)
            current = _inner(info.annotation) if info else None
    if isinstance(current, type) and issubclass(current, BaseModel):
        return [info.alias or name for name, info in current.model_fields.items()]
    return []


def _inner(annotation: Any) -> Any:
    """The model inside Optional, tuple, list, dict and Annotated."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    origin = get_origin(annotation)
    if origin is None and not isinstance(annotation, types.UnionType):
        return None
    for argument in get_args(annotation):
        found = _inner(argument)
        if found is not None:
            return found
    return None
