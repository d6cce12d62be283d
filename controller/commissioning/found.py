"""Devices that speak of themselves on a broker: what each kind of announcement says. Pure: topics and payloads in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from controller.payloads import dig, document_of

Ability = Literal["colour", "dimmed", "switched", "button", "unknown"]
"""What a device can do, as far as rooms care: white of a colour temperature, dimmed, on and off, a button."""

Said = Mapping[str, Sequence[bytes]]
"""What was heard: topic to payloads, the newest last."""

FILTERS = (
    "+/bridge/devices",
    "tasmota/discovery/+/config",
    "shellies/announce",
    "shellies/+/online",
    "+/online",
    "+/status/+",
    "stillroom/discover/#",
    "homeassistant/+/+/config",
    "homeassistant/+/+/+/config",
    "wled/+/status",
)
"""Where devices and bridges speak of themselves. The last level but one of the seventh is a Shelly's prefix."""


@dataclass(frozen=True, slots=True)
class Found:
    """A device that spoke of itself. `family`: how profiles' names begin that speak its way; `device` and `base`: what
    a room file calls it; `topics`: its command and state topic, where it said them.
    """

    family: str
    device: str
    ability: Ability
    maker: str = ""
    model: str = ""
    base: str = ""
    title: str = ""
    topics: tuple[str, str] = ("", "")
    remarks: tuple[str, ...] = ()


def devices_in(said: Said) -> list[Found]:
    """Every device that can be told from what was heard, each once."""
    found = [*_zigbee(said), *_tasmota(said), *_shelly_one(said), *_shelly_two(said), *_wled(said)]
    known = {(each.family, each.device) for each in found}
    covered = {each.device for each in found}
    for each in _home_assistant(said):
        levels = each.topics[0].split("/")
        spoken_for = any(device in levels or each.topics[0].startswith(f"{device}/") for device in covered)
        if (each.family, each.device) not in known and not spoken_for:
            known.add((each.family, each.device))
            found.append(each)
    return found


def _documents(said: Said, pattern: str) -> Iterator[tuple[re.Match[str], Any]]:
    for topic, payloads in said.items():
        match = re.fullmatch(pattern, topic)
        if match:
            for payload in payloads:
                yield match, document_of(payload)


def _zigbee(said: Said) -> Iterator[Found]:
    """zigbee2mqtt: one retained list, with what every device exposes."""
    for match, devices in _documents(said, r"([^/]+)/bridge/devices"):
        for device in _list(devices):
            definition = dig(device, "definition")
            name = dig(device, "friendly_name")
            if not isinstance(definition, dict) or not isinstance(name, str):
                continue
            ability = _exposed(_list(definition.get("exposes")))
            if ability != "unknown":
                yield Found(
                    "zigbee2mqtt",
                    name,
                    ability,
                    maker=str(definition.get("vendor", "")),
                    model=str(definition.get("model", "")),
                    base=match[1],
                    title=str(definition.get("description", "")),
                )


def _exposed(exposes: Iterable[Any]) -> Ability:
    found: Ability = "unknown"
    for each in exposes:
        kind = dig(each, "type")
        if kind == "light":
            features = [dig(feature, "name") for feature in _list(dig(each, "features"))]
            return "colour" if "color_temp" in features else "dimmed" if "brightness" in features else "switched"
        if kind == "switch":
            found = "switched"
        elif dig(each, "name") == "action" and found == "unknown":
            found = "button"
    return found


def _tasmota(said: Said) -> Iterator[Found]:
    """Tasmota: `lt_st` 2 and 5 have warm and cool white; `rl` has a 1 for a relay, a 2 for a light."""
    for _, told in _documents(said, r"tasmota/discovery/[^/]+/config"):
        name = dig(told, "t")
        if not isinstance(name, str):
            continue
        light = dig(told, "lt_st") or 0
        ability: Ability = "unknown"
        if light:
            ability = "colour" if light in (2, 5) else "dimmed"
        elif 1 in _list(dig(told, "rl")):
            ability = "switched"
        elif dig(told, "so.73") == 1:
            ability = "button"
        if ability != "unknown":
            remarks = []
            if dig(told, "ft") not in (None, "%prefix%/%topic%/"):
                remarks.append(f"its FullTopic is {dig(told, 'ft')}; the profile needs %prefix%/%topic%/")
            model, title = str(dig(told, "md") or ""), str(dig(told, "dn") or "")
            yield Found("tasmota", name, ability, model=model, title=title, remarks=tuple(remarks))


_GEN1: dict[str, Ability] = {
    "SHBDUO": "colour", "SHDM": "dimmed", "SHVIN": "dimmed", "SHBTN": "button", "SHIX3": "button",
    "SHPLG": "switched", "SHSW": "switched",
}  # fmt: skip
"""What the first generation's model codes begin with."""


def _shelly_one(said: Said) -> Iterator[Found]:
    announced: set[str] = set()
    for _, told in _documents(said, "shellies/announce"):
        name, model = dig(told, "id"), str(dig(told, "model") or "")
        if not isinstance(name, str) or dig(told, "gen") or name in announced:
            continue
        announced.add(name)
        ability: Ability = next((can for code, can in _GEN1.items() if model.startswith(code)), "unknown")
        remark = () if ability != "unknown" else (f"model {model}: no shipped profile speaks of it",)
        yield Found("shelly-gen1", name, ability, maker="Shelly", model=model, remarks=remark)
    for match, _ in _documents(said, r"shellies/([^/]+)/online"):
        if match[1] not in announced:
            announced.add(match[1])
            yield Found("shelly-gen1", match[1], "unknown", maker="Shelly", remarks=("it did not say its model",))


def _shelly_two(said: Said) -> Iterator[Found]:
    """From the second generation on: the parts that it tells of (`light:0`, `cct:0`, `switch:0`, `input:0`)."""
    parts: dict[str, set[str]] = {}
    for match, _ in _documents(said, r"([^/]+)/online"):
        parts.setdefault(match[1], set())
    for match, _ in _documents(said, r"([^/]+)/status/([a-z]+:\d+)"):
        parts.setdefault(match[1], set()).add(match[2])
    for match, told in _documents(said, r"stillroom/discover/(.+)/rpc"):
        result = dig(told, "result")
        if isinstance(result, dict):
            parts.setdefault(match[1], set()).update(key for key in result if ":" in key)
    kinds: tuple[tuple[str, Ability], ...] = (
        ("cct:0", "colour"), ("light:0", "dimmed"), ("switch:0", "switched"), ("input:0", "button"),
    )  # fmt: skip
    for name, has in parts.items():
        ability: Ability = next((can for part, can in kinds if part in has), "unknown")
        if has and ability != "unknown":
            yield Found("shelly-gen2", name, ability, maker="Shelly")


def _wled(said: Said) -> Iterator[Found]:
    for match, _ in _documents(said, r"(wled/[^/]+)/status"):
        yield Found("wled", match[1], "dimmed", maker="WLED")


_SHORT = {
    "cmd_t": "command_topic", "stat_t": "state_topic", "bri_scl": "brightness_scale",
    "sup_clrm": "supported_color_modes",
    "dev": "device", "mf": "manufacturer", "mdl": "model", "p": "platform", "sw": "sw_version", "cmps": "components",
    "clr_temp_cmd_t": "color_temp_command_topic", "bri_cmd_t": "brightness_command_topic",
}  # fmt: skip
"""Home Assistant's abbreviations, as far as they matter here."""


def _home_assistant(said: Said) -> Iterator[Found]:
    for match, told in _documents(said, r"homeassistant/([^/]+)/(?:[^/]+/)?([^/]+)/config"):
        if not isinstance(told, dict):
            continue
        whole = _long(told)
        if match[1] == "device":
            parts = whole.get("components", {})
            for key, part in parts.items() if isinstance(parts, dict) else ():
                if isinstance(part, dict):
                    shared = {
                        key: whole[key] for key in ("device", "~", "state_topic", "command_topic") if key in whole
                    }
                    yield from _entity(str(_long(part).get("platform", "")), key, shared | _long(part))
        else:
            yield from _entity(match[1], match[2], whole)


def _entity(kind: str, key: str, told: dict[str, Any]) -> Iterator[Found]:
    if kind not in ("light", "switch"):
        return
    ability: Ability = "switched"
    if kind == "light":
        modes = _list(told.get("supported_color_modes"))
        coloured = "color_temp" in modes or "color_temp_command_topic" in told
        dimmed = told.get("brightness") or "brightness_command_topic" in told or "brightness" in modes
        ability = "colour" if coloured else "dimmed" if dimmed else "switched"
    stem = str(told.get("~", ""))
    command, state = (_whole_topic(str(told.get(name, "")), stem) for name in ("command_topic", "state_topic"))
    remarks = []
    if kind == "light" and told.get("schema") != "json":
        remarks.append(f"it speaks schema {told.get('schema', 'default')}, not json")
    scale = told.get("brightness_scale", 255)
    if scale != 255:
        remarks.append(f"its brightness goes to {scale}: set level.max in your copy")
    device = told.get("device")
    device = _long(device) if isinstance(device, dict) else {}
    family = "esphome" if "esphome" in str(device.get("sw_version", "")).lower() else "home-assistant-json"
    yield Found(
        family,
        key,
        ability,
        maker=str(device.get("manufacturer", "")),
        model=str(device.get("model", "")),
        title=str(told.get("name") or device.get("name") or key),
        topics=(command, state),
        remarks=tuple(remarks),
    )


def _list(told: Any) -> list[Any]:
    """What should be a list: whoever may speak on a broker may say anything."""
    return told if isinstance(told, list) else []


def _long(told: Mapping[str, Any]) -> dict[str, Any]:
    return {_SHORT.get(key, key): value for key, value in told.items()}


def _whole_topic(topic: str, stem: str) -> str:
    if topic.startswith("~"):
        return stem + topic[1:]
    return topic[:-1] + stem if topic.endswith("~") else topic
