"""The ways that a press takes past the daemon: a call to the caller, a pause to the sound engine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from controller.lines import Link, ask_once
from controller.messages import PROTOCOL, CallLevel, Origin, to_plain

_log = logging.getLogger(__name__)

_ENGINE_TRY_S = 1.0
_ENGINE_TRIES = 5


@dataclass(frozen=True, slots=True)
class _Open:
    level: CallLevel
    origin: Origin
    taken: bool
    """Whether the caller has said that it has it on its disk, on this level."""
    stands: bool = False
    """Whether the caller has said that it stands."""
    again: bool = False
    """Whether it was pressed for again since the caller last said so: it may have been over by then."""


class CallPath:
    """The link to the caller: hands calls over until they are taken, now or as soon as the caller is there.

    A press while a call stands is the same call again, never a second one at the support desk. Where it stands no
    more, and we have not heard of that yet, the press is a call of its own.
    """

    def __init__(self, runtime_dir: Path) -> None:
        self._open: dict[str, _Open] = {}
        self.link = Link(
            runtime_dir / "caller.sock",
            {"protocol": PROTOCOL, "client": "buttons"},
            opened=self._opened,
            heard=self._heard,
            closed=lambda: None,
        )

    def place(self, level: CallLevel, origin: Origin) -> tuple[str, CallLevel]:
        """Call at once; returns the call's id and the level that it stands at now."""
        call = next(reversed(self._open), None) or str(uuid4())
        known = self._open.get(call)
        if known is not None and "emergency" in (known.level, level):
            level = "emergency"
        taken = known is not None and known.taken and known.level == level
        stands = known is not None and known.stands
        self._open[call] = _Open(level, origin, taken, stands, again=stands)
        self._send(call)
        return call, level

    def _send(self, call: str) -> None:
        known = self._open[call]
        self.link.write({"call": call, "level": known.level, "origin": to_plain(known.origin)})

    def _opened(self) -> None:
        for call, known in tuple(self._open.items()):
            if known.again or not known.taken:
                self._send(call)

    def _heard(self, message: dict[str, Any]) -> None:
        if message.get("test") is True:  # a press is never part of a test
            return
        call, stage = message.get("call"), message.get("stage")
        if not isinstance(call, str) or not isinstance(stage, str):
            return
        known = self._open.pop(call, None)
        if stage == "stood_down":
            if known is not None and known.again:
                self.place(known.level, known.origin)
            return
        level: CallLevel = "emergency" if message.get("level") == "emergency" else "assist"
        if known is not None and known.level == "emergency" != level:
            self._open[call] = known  # the caller has yet to hear that it is an emergency now
        else:
            taken = message.get("durable") is not False
            self._open[call] = _Open(level, known.origin if known else Origin(path="caller"), taken, stands=True)


async def pause_engine(runtime_dir: Path, act_id: str, origin: Origin, fade_s: float | None = None) -> bool:
    """Have the sound engine pause by itself, which tells the daemon later; False where it cannot be reached.

    `fade_s`: the longest that its fade may take, where the room's own is too long.
    """
    hello = {"protocol": PROTOCOL, "role": "console"}
    message = {"direct": "pause", "id": act_id, "origin": to_plain(origin), "fade_s": fade_s}
    for _ in range(_ENGINE_TRIES):
        with contextlib.suppress(OSError, TimeoutError, ValueError, json.JSONDecodeError):
            await ask_once(runtime_dir / "sound.sock", hello, message, "done", _ENGINE_TRY_S)
            return True
        await asyncio.sleep(0.2)
    _log.error("the sound engine did not take a pause")
    return False
