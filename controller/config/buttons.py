"""The room file's buttons: where each hangs, and what its presses do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator

from controller.config.mqtt import topic_mistakes
from controller.config.serial import PortTable, lasting_device
from controller.files import did_you_mean
from controller.inputs.actions import ACTIONS, parse_action
from controller.inputs.kind import ButtonKind
from controller.inputs.settings import Button
from controller.serial_port import PortSettings
from controller.validation import Table


class ButtonTable(Table):
    """One button: its profile in devices/, where it hangs, and what each of its presses does."""

    profile: str
    does: Annotated[dict[str, Annotated[str, Field(examples=list(ACTIONS))]], Field(min_length=1)]
    """What each of its presses does, by the press's name in the profile."""
    device: str = ""
    """Its name at the bridge, or its file in /dev/input/by-id."""
    base: str = ""
    port: str = ""
    """The serial port that it hangs on."""
    channel: Annotated[int, Field(ge=1, le=64)] = 1
    """Which key of a device with several, counted from 1."""

    @field_validator("does")
    @classmethod
    def _known(cls, does: dict[str, str]) -> dict[str, str]:
        for text in does.values():
            if parse_action(text) is None:
                raise ValueError(f'"{text}" is nothing that a button can do{did_you_mean(text, ACTIONS)}')
        return does


def button_mistakes(
    path: Path, data: Mapping[str, Any], lamps: Iterable[Mapping[str, Any]], kinds: Mapping[str, object]
) -> list[str]:
    """What is wrong with the buttons' places and presses, each a whole sentence."""
    buttons, ports = data.get("buttons", {}), data.get("ports", {})
    mistakes: list[str] = []
    known = [str(port) for port in ports] if isinstance(ports, dict) else []
    lit = {str(lamp["port"]) for lamp in lamps if "port" in lamp}
    users: dict[tuple[str, str], str] = {}
    for name, button in buttons.items() if isinstance(buttons, dict) else ():
        if not isinstance(button, dict):
            continue
        where, kind = f"{path}: buttons.{name}", kinds.get(str(button.get("profile")))
        if kind is None:
            continue
        if not isinstance(kind, ButtonKind):
            mistakes.append(f'{where}.profile: "{button["profile"]}" is a lamp, not a button')
            continue
        does = button.get("does", {})
        for press in does if isinstance(does, dict) else ():
            if press not in kind.presses:
                near = did_you_mean(press, kind.presses)
                mistakes.append(f'{where}.does: "{kind.name}" has no press "{press}"{near}')
        for key, needed in (("port", kind.on_port), ("device", not kind.on_port)):
            if needed and not button.get(key):
                mistakes.append(f"{where}.{key}: is missing")
            elif key in button and not needed:
                mistakes.append(f'{where}.{key}: "{kind.name}" has a {"device" if key == "port" else "port"} instead')
        if kind.mqtt is not None:
            mistakes += topic_mistakes(where, button)
        port = button.get("port")
        if kind.on_port and isinstance(port, str):
            if port not in known:
                mistakes.append(f'{where}.port: there is no port "{port}"{did_you_mean(port, known)}')
            if port in lit:
                mistakes.append(f'{where}.port: "{port}" carries lamps; a button needs a port of its own')
            use = kind.contact.line if kind.contact else "text"
            clash = [other for (at, how), other in users.items() if at == port and ("text" in (how, use) or how == use)]
            if clash:
                mistakes.append(f'{where}.port: {clash[0]} hangs on "{port}" already')
            users[port, use] = name
        if kind.keyboard and isinstance(device := button.get("device"), str) and device:
            try:
                lasting_device(device)
            except ValueError as error:
                mistakes.append(f"{where}.device: {error}")
    return mistakes


def buttons_of(
    tables: Mapping[str, ButtonTable], ports: Mapping[str, PortTable], kinds: Mapping[str, object]
) -> tuple[Button, ...]:
    """The room's buttons, for their process."""
    found = []
    for name, table in tables.items():
        kind = kinds[table.profile]
        assert isinstance(kind, ButtonKind)
        does = {press: action for press, text in table.does.items() if (action := parse_action(text))}
        port = PortSettings(table.port, ports[table.port].device) if table.port else None
        found.append(Button(name, kind, does, device=table.device, base=table.base, port=port, channel=table.channel))
    return tuple(found)
