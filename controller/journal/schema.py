"""Stored bytes back to a Record, whatever schema they were written in. Old bytes are never rewritten."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from controller.messages import RECORD_SCHEMA, Record, decode, from_plain

Plain = dict[str, Any]

UPCASTS: Mapping[int, Callable[[Plain], Plain]] = {}
"""From a schema's number to the function that makes its records those of the next schema."""

_CURRENT = b'"schema_version":%d}' % RECORD_SCHEMA


def read_body(body: bytes) -> Record:
    """The Record in a stored body, without its free text; raises ValueError where it cannot be read."""
    if type(body) is not bytes:  # a damaged file may hold anything in its place
        raise ValueError("it holds no record where one should be")
    if body.endswith(_CURRENT):
        return decode(Record, body)
    plain = json.loads(body)
    version = plain.get("schema_version", 1) if isinstance(plain, dict) else None
    if type(version) is not int or version < min(UPCASTS, default=RECORD_SCHEMA):
        raise ValueError("it is no record of any version")
    while version < RECORD_SCHEMA:
        plain = UPCASTS[version](plain)
        version += 1
        plain["schema_version"] = version
    if version > RECORD_SCHEMA:
        raise ValueError(f"record schema {version} is newer than this version reads ({RECORD_SCHEMA})")
    return from_plain(Record, plain)
