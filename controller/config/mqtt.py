"""The room file's lamps behind MQTT: what only the lamp and its profile together can tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from controller.lights.profile import Profile


def mqtt_mistakes(path: Path, lamps: Iterable[Mapping[str, Any]], kinds: Mapping[str, object]) -> list[str]:
    """What is wrong with the lamps behind MQTT, each a whole sentence. `kinds`: the profiles that could be read."""
    mistakes: list[str] = []
    for place, lamp in enumerate(lamps, start=1):
        where = f"{path}: light.lamps[{place}]"
        kind = kinds.get(str(lamp.get("profile")))
        if not isinstance(kind, Profile):
            if kind is not None and "base" in lamp:
                mistakes.append(f'{where}.base: "{lamp["profile"]}" is not spoken to over MQTT: it has none')
            continue
        mistakes += topic_mistakes(where, lamp)
        if not kind.base and not lamp.get("base") and "{base}" in kind.model_dump_json():
            mistakes.append(f'{where}.base: is missing; "{kind.name}" cannot know the prefix of its topics')
        lowest = lamp.get("lowest")
        if not isinstance(lowest, int | float):
            continue
        if kind.level is None:
            mistakes.append(f'{where}.lowest: "{kind.name}" is only on or off')
        elif not kind.level.min <= lowest < kind.level.max:
            low, high = kind.level.min, kind.level.max
            mistakes.append(f"{where}.lowest: lies on the lamp's own scale, {low:g} to {high:g} (it is {lowest:g})")
    return mistakes


def topic_mistakes(where: str, table: Mapping[str, Any]) -> list[str]:
    """What in a device's name or prefix can be no part of a topic: a wildcard would be every device's."""
    return [
        f"{where}.{key}: is part of its topics, which cannot have + or # in them (it is {table[key]!r})"
        for key in ("device", "base")
        if isinstance(table.get(key), str) and set("+#") & set(table[key])
    ]
