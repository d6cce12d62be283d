"""Somebody else on the broker, in a process of their own: when was what published, as the wire carried it."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from controller.lights.dialect import Dialect, announced_name
from tests.waiting import PATIENCE_S, until

_CODE = """
import json, sys, time
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

def heard(_link, _data, message):
    at = time.clock_gettime(time.CLOCK_BOOTTIME)
    print(json.dumps([at, message.topic, message.payload.decode("utf-8", "replace"), bool(message.retain)]), flush=True)

link = paho.Client(CallbackAPIVersion.VERSION2, client_id="observer", protocol=paho.MQTTv5)
link.on_message = heard
link.on_subscribe = lambda *_: print("[]", flush=True)
link.connect("127.0.0.1", int(sys.argv[1]))
link.subscribe("#")
link.loop_forever()
"""


@dataclass(frozen=True)
class Published:
    """A message: CLOCK_BOOTTIME at which the broker handed it on."""

    t: float
    topic: str
    payload: str
    retained: bool


class Observer:
    """Everything that a broker hands on."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def ready(self) -> bool:
        """Whether it hears everything by now."""
        return "[]" in self._file.read_text()

    @property
    def heard(self) -> list[Published]:
        """In order. Retained messages of before are marked so."""
        lines = self._file.read_text().splitlines(keepends=True)
        return [Published(*said) for line in lines if line.endswith("\n") and (said := json.loads(line))]


def _started(file: Path, port: int) -> subprocess.Popen[bytes]:
    with file.open("w") as out:
        return subprocess.Popen([sys.executable, "-c", _CODE, str(port)], stdout=out)


@asynccontextmanager
async def observing(port: int, directory: Path) -> AsyncIterator[Observer]:
    """An observer, from when it hears everything."""
    file = directory / "observed"
    process = _started(file, port)
    try:
        observer = Observer(file)
        await until(lambda: observer.ready)
        yield observer
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, PATIENCE_S)


def led_after(heard: list[Published], dialect: Dialect, since: float) -> float:
    """Seconds from the first word of a lamp's return, as it went over the wire, to the first command to it.

    Infinite where none came. Questions are no commands.
    """
    says = {topic for topic, how in dialect.availability if how.scope == "lamp"}
    announced = dict(dialect.announce)

    def is_return(each: Published) -> bool:
        if each.topic in says:
            return True
        name = announced_name(announced[each.topic], each.payload.encode()) if each.topic in announced else None
        return name in ("", dialect.name)

    born = next((each.t for each in heard if each.t >= since and is_return(each)), math.inf)
    orders = [
        each.t
        for each in heard
        if each.t >= born
        and each.topic in dialect.command_topics
        and (each.topic, each.payload) not in dialect.questions
    ]
    return orders[0] - born if orders else math.inf
