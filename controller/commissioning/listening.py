"""Listening to a broker for devices that speak of themselves, and looking which are plugged in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path

from controller.broker import BrokerLink, BrokerSettings
from controller.commissioning.found import FILTERS
from controller.files import ConfigError

CONNECT_S = 5.0
_KEPT = 20
_BY_ID = (Path("/dev/serial/by-id"), Path("/dev/input/by-id"))


class NoBroker(Exception):
    """The broker cannot be reached; says why."""


async def hear_devices(settings: BrokerSettings, seconds: float) -> dict[str, list[bytes]]:
    """What is said where devices announce themselves. Asks Shellies what they are; moves nothing. Raises NoBroker."""
    link = BrokerLink(settings)
    said: dict[str, list[bytes]] = {}
    asked: set[str] = set()

    def heard(topic: str, payload: bytes, _retained: bool, _at: float) -> None:
        said.setdefault(topic, []).append(payload)
        del said[topic][:-_KEPT]
        prefix, _, word = topic.rpartition("/")
        if word == "online" and "/" not in prefix and prefix not in asked:
            asked.add(prefix)
            question = {"id": 1, "src": f"stillroom/discover/{prefix}", "method": "Shelly.GetStatus"}
            link.publish(f"{prefix}/rpc", json.dumps(question))

    for topics in FILTERS:
        link.subscribe(topics, heard, own=False)
    try:
        await connect(link)
        link.publish("shellies/command", "announce")
        await asyncio.sleep(seconds)
    finally:
        await link.close()
    return said


async def connect(link: BrokerLink) -> None:
    """Start a link and wait until it stands. Raises NoBroker."""
    loop = asyncio.get_running_loop()
    came: asyncio.Future[str] = loop.create_future()

    def changed(up: bool, why: str) -> None:
        if not came.done():
            came.set_result("" if up else why)

    link.start(changed)
    try:
        async with asyncio.timeout(CONNECT_S):
            why = await came
    except TimeoutError:
        why = f"no answer from {link.settings.host}:{link.settings.port}"
    if why:
        raise NoBroker(why)


def plugged_in(folders: Iterable[Path] = _BY_ID) -> list[str]:
    """Serial adapters and keyboards, by the names that survive an unplug."""
    found = [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())]
    return [str(path) for path in found if "/input/" not in str(path) or path.name.endswith("-event-kbd")]


def broker_place(text: str) -> tuple[str, int]:
    """Host and port in HOST[:PORT]. Raises ConfigError."""
    host, _, port = text.partition(":")
    if not host or (port and not port.isdigit()):
        raise ConfigError([f'"{text}" is no HOST[:PORT]; like 192.168.1.10 or broker.local:1883'])
    return host, int(port or 1883)
