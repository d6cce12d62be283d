"""Room-file blocks for devices that were found, and how they get into a file without losing its comments."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tomlkit
from pydantic import BaseModel
from tomlkit.items import InlineTable

from controller.commissioning.found import Found
from controller.commissioning.nearest import nearest_on_wire, nearest_profile
from controller.files import ConfigError
from controller.inputs.kind import ButtonKind
from controller.one_line import one_line
from controller.room_file import replace_room_file, set_key


@dataclass(frozen=True, slots=True)
class Block:
    """A table for the room file: a lamp, a button or a port. `remark` stands above it for a person."""

    kind: Literal["lamp", "button", "port"]
    name: str
    table: Mapping[str, Any]
    remark: str = ""

    def text(self) -> str:
        """As it stands in a room file."""
        table = tomlkit.document()
        for key, value in self.table.items():
            table[key] = _inline(value) if isinstance(value, dict) else value
        place = "[[light.lamps]]" if self.kind == "lamp" else f"[{self.kind}s.{self.name}]"
        said = one_line(self.remark)  # by the device itself, perhaps
        return (f"# {said}\n" if said else "") + f"{place}\n{tomlkit.dumps(table)}"


def blocks_for(
    devices: Iterable[Found], wires: Iterable[str], profiles: Mapping[str, BaseModel], taken: Iterable[str] = ()
) -> tuple[list[Block], list[str]]:
    """Blocks for what can be used as it is, and a sentence for each device that cannot.

    `wires`: devices under /dev/serial/by-id and /dev/input/by-id. `taken`: names that the room file has already.
    """
    names = set(taken)
    blocks: list[Block] = []
    rest: list[str] = []
    for found in devices:
        match = nearest_profile(found, profiles)
        called = " ".join(filter(None, (found.maker, found.model or found.title))) or found.family
        if match is None:
            remarks = "; ".join(found.remarks) or "no shipped profile speaks of what it does"
            rest.append(f'{found.device} ({called}): {remarks}; see "Add a lamp that is not in the list"')
            continue
        if match.how == "copy":
            where = f"command topic {found.topics[0]}, state topic {found.topics[1] or 'unknown'}"
            more = "".join(f"; {remark}" for remark in found.remarks)
            rest.append(
                f"{found.device} ({called}): copy the profile {match.profile} and change its topics: {where}{more}"
            )
            continue
        name = _free(slug(found.device), names)
        table: dict[str, Any] = {"profile": match.profile, "device": match.device}
        if match.base:
            table["base"] = match.base
        remark = f"{called}; the profile names this model" if match.how == "model" else f"{called}; nearest profile"
        remark = "; ".join((remark, *found.remarks))
        profile = profiles[match.profile]
        if isinstance(profile, ButtonKind):
            blocks.append(Block("button", name, table | {"does": _does(profile)}, remark))
        else:
            blocks.append(Block("lamp", name, {"name": name} | table, remark))
    for wire in wires:
        blocks.append(_wired(wire, profiles, names))
    return blocks, rest


def _wired(wire: str, profiles: Mapping[str, BaseModel], names: set[str]) -> Block:
    profile = nearest_on_wire(Path(wire).name, profiles)
    if "/input/" in wire:
        kind = profiles.get(profile or "", profiles.get("button-keypad"))
        does = _does(kind) if isinstance(kind, ButtonKind) else {}
        name = _free("pedal" if profile == "button-foot-switch" else "keypad", names)
        return Block("button", name, {"profile": profile or "button-keypad", "device": wire, "does": does})
    if "dmx" in wire.lower():
        remark = 'a lamp on it: profile "dmx-…", port = its name, channel = its first channel'
        return Block("port", _free("dmx", names), {"device": wire}, remark)
    if profile is None:
        return Block("port", _free("port", names), {"device": wire}, "no profile names this adapter")
    remark = f'a lamp behind it: profile = "{profile}", port = its name, channel, and on_above or on_in'
    return Block("port", _free("relays", names), {"device": wire}, remark)


def _does(kind: ButtonKind) -> dict[str, str]:
    """One press to begin with: help."""
    press = "single" if "single" in kind.presses else next(iter(kind.presses))
    return {press: "call assist"}


def slug(text: str) -> str:
    """A name as room files want it."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "lamp"


def _free(wanted: str, names: set[str]) -> str:
    name, number = wanted, 2
    while name in names:
        name, number = f"{wanted[:36]}-{number}", number + 1
    names.add(name)
    return name


def add_blocks(path: Path, text: str, blocks: Iterable[Block]) -> str:
    """A room file's text with these blocks behind all that stands there.

    Raises ConfigError where the file writes its lamps, buttons or ports so that none can be added.
    """
    more = "".join(f"\n{block.text()}" for block in blocks)
    added = f"{text}\n{more}" if text and not text.endswith("\n") else text + more
    try:
        tomllib.loads(added)
    except tomllib.TOMLDecodeError:
        instead = "write them as [[light.lamps]], [buttons.NAME], [ports.NAME]"
        raise ConfigError([f"{path}: has lamps, buttons or ports in one line; {instead}"]) from None
    return added


def _inline(values: Mapping[str, Any]) -> InlineTable:
    table = tomlkit.inline_table()
    table.update(values)
    return table


def set_lowest(path: Path, lamp: str, number: float) -> None:
    """Write a lamp's lowest steady number into its room file, comments kept."""
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    for table in document["light"]["lamps"]:
        if table["name"] == lamp:
            set_key(table, "lowest", int(number) if number == int(number) else number)
    replace_room_file(path, tomlkit.dumps(document))


def write_copy(profile: Path, name: str, folder: Path, schema: str) -> Path:
    """Copy a profile under a new name, what was tried with the old one left out. Raises OSError where it is there."""
    document = tomlkit.parse(profile.read_text(encoding="utf-8"))
    document["name"] = name
    document["title"] = f"{name}, like {profile.stem}"
    document["models"] = []
    document["tested"] = []
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "profile.schema.json").write_text(schema, encoding="utf-8")
    target = folder / f"{name}.toml"
    with target.open("x", encoding="utf-8") as file:
        file.write(tomlkit.dumps(document))
    return target
