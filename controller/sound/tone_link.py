"""How a sound check reaches the engine: one short connection for each tone, so that nothing hangs on its life."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller.messages import line_of
from controller.sound.calibration import BusLevels
from controller.sound.check import Play
from controller.sound.protocol import PlayTone, greeting
from controller.sound.settings import SOCKET

_ANSWER_S = 3.0


class NotHeard(Exception):
    """The tone cannot sound: no engine, no device, a session; says which."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What an engine says of itself. `lost`: why its device does not play."""

    output: str
    lost: str
    session: str


def look_at_engine(runtime_dir: Path) -> Engine | None:
    """The engine that runs here, if one does. Raises NotHeard where one does not answer."""
    try:
        report = _talk(runtime_dir, None, "report")
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except (OSError, ValueError) as error:
        raise NotHeard(f"the sound engine does not answer: {error}") from None
    return Engine(report["output"], report["lost"], report["session"])


def play_tone(runtime_dir: Path, bus: BusLevels, step: Play, fade_s: float, for_s: float) -> None:
    """Let the tone sound on `bus` as a step of the check says. Raises NotHeard."""
    tone = PlayTone(
        tone=bus.name,
        channels=bus.channels,
        ceiling_dbfs=bus.ceiling_dbfs,
        left_dbfs=step.left_dbfs,
        right_dbfs=step.right_dbfs,
        fade_s=fade_s,
        for_s=for_s,
    )
    try:
        answer = _talk(runtime_dir, line_of(tone), "tone")
    except (OSError, ValueError) as error:
        raise NotHeard(f"the sound engine does not answer: {error}") from None
    if answer["refused"] == "session":
        raise NotHeard("a session has begun: its sound is left alone")
    if answer["refused"]:
        raise NotHeard("the sound engine runs with an older room file: restart it")


def _talk(runtime_dir: Path, said: bytes | None, until: str) -> dict[str, Any]:
    """The first answer that is, or has, `until`. Raises OSError, or ValueError with what the engine objects to."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(_ANSWER_S)
        link.connect(str(runtime_dir / SOCKET))
        link.sendall(greeting(role="check") + (said or b""))
        with link.makefile("rb") as lines:
            for data in lines:
                message: dict[str, Any] = json.loads(data)
                if "error" in message:
                    raise ValueError(message["error"])
                if until in message or message.get("event") == until:
                    return message
    raise ValueError("it hung up")
