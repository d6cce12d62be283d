"""Which profile a device that was found is nearest to, by what the profiles themselves say they cover. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from controller.commissioning.found import Ability, Found
from controller.inputs.kind import ButtonKind
from controller.lights.board import Board
from controller.lights.profile import Profile

_WORD = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True)
class Match:
    """A profile for a device. `how`: it names this model; or it covers devices of this kind; or it has to be copied
    and its topics changed. `device` and `base` as a room file says them with this profile.
    """

    profile: str
    how: str
    device: str
    base: str = ""


def nearest_profile(found: Found, profiles: Mapping[str, BaseModel]) -> Match | None:
    """The nearest of these profiles; None where none speaks the device's way."""
    scored = []
    family = _SPOKEN.get(found.family, found.family)
    for name, profile in profiles.items():
        speaks = name.removeprefix("button-").startswith(family)
        if speaks and isinstance(profile, Profile | ButtonKind):
            score = _score(found, profile)
            if score is not None:
                scored.append((score, name, profile))
    if not scored:
        return None
    score, name, profile = max(scored, key=lambda each: (each[0], each[1]))
    how = "model" if score >= _NAMED else "kind"
    if found.topics[0] and isinstance(profile, Profile):
        places = _places(profile, found)
        if places is None or found.remarks:
            return Match(name, "copy", found.device)
        return Match(name, how, *places)
    base = found.base if found.base != getattr(profile, "base", "") else ""
    return Match(name, how, found.device, base)


_NAMED = 100
_SPOKEN = {"shelly-gen2": ("shelly-gen2", "shelly-gen3")}
"""Families whose later generations speak alike."""


def _score(found: Found, profile: Profile | ButtonKind) -> int | None:
    if _ability(profile) != found.ability:
        return None
    words = [word.lower() for text in (*profile.models, profile.title) for word in _WORD.findall(text)]
    score = 0
    if found.model and found.model.lower() in words:
        score += _NAMED
    if found.maker.strip() and found.maker.lower().split()[0] in words:
        score += 10
    return score + ("other" in words) + ("any" in words)


def _ability(profile: Profile | ButtonKind) -> Ability:
    if isinstance(profile, ButtonKind):
        return "button"
    return "switched" if profile.switch else "colour" if profile.colour else "dimmed"


def _places(profile: Profile, found: Found) -> tuple[str, str] | None:
    """The name and prefix that make the profile's topics those that the device said; None where none do."""
    pattern = (
        re.escape(profile.command.topic).replace(r"\{base\}", "(?P<base>.+)").replace(r"\{name\}", "(?P<name>[^/]+)")
    )
    match = re.fullmatch(pattern, found.topics[0])
    if match is None:
        return None
    name, base = match["name"], match.groupdict().get("base", "")
    states = {report.topic.replace("{base}", base).replace("{name}", name) for report in profile.state}
    if found.topics[1] and found.topics[1] not in states:
        return None
    return name, "" if base == profile.base else base


def nearest_on_wire(device: str, profiles: Mapping[str, BaseModel]) -> str | None:
    """The relay board or button whose models have a word of this device's name under /dev/…/by-id."""
    words = {word for word in re.split(r"[_\W]+", device.lower()) if len(word) > 3 and word not in _PLAIN}
    for name, profile in profiles.items():
        if isinstance(profile, Board) or (isinstance(profile, ButtonKind) and profile.keyboard):
            said = {word.lower() for text in (*profile.models, profile.title) for word in re.split(r"[_\W]+", text)}
            if words & said:
                return name
    return None


_PLAIN = frozenset({"serial", "uart", "port0", "if00", "event", "board", "relay", "type", "types", "keyboard"})
