"""JSON Schemas of the files that people write, for editors that complete and check TOML."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import Discriminator, TypeAdapter

from controller.arc.programme import Programme
from controller.config import PROFILE_KINDS, RoomTable

Kind = Literal["room", "profile", "programme"]


def schema_of(kind: Kind) -> dict[str, Any]:
    """The schema of one kind of file (JSON Schema, draft 2020-12)."""
    models: dict[Kind, Any] = {
        "room": RoomTable,
        "profile": Annotated[reduce(or_, PROFILE_KINDS.values()), Discriminator("kind")],
        "programme": Programme,
    }
    made = TypeAdapter(models[kind]).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": f"Stillroom {kind}"}
