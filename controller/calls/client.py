"""The daemon's side of the caller: hands calls over, and tells the rules how far they have come."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller.clock import Clock, boot_id
from controller.messages import (
    PROTOCOL,
    Act,
    CallChanged,
    CallView,
    DeviceBack,
    DeviceLost,
    Effect,
    Origin,
    PlaceCall,
    from_plain,
    line_of,
    to_plain,
)
from controller.tasks import cancel

_log = logging.getLogger(__name__)

_GRACE_S = 2.0
"""After the start, until a caller that is not there is trouble."""
_RETRY_S = 0.5
_SILENCE_S = 6.0
"""Three of the caller's heartbeats."""
_ANSWER_S = 5.0
"""A call that the caller has not taken by then is not delivered."""
_ORIGIN = Origin(console="daemon", path="room")


@dataclass
class _Pending:
    effect: PlaceCall
    overdue: asyncio.TimerHandle | None


class CallerClient:
    """Makes `PlaceCall` real. Posts `CallChanged` at changes, and `DeviceLost("caller")` for the caller or its path."""

    def __init__(self, runtime_dir: Path, clock: Clock) -> None:
        self._socket = runtime_dir / "caller.sock"
        self._clock = clock
        self._boot = boot_id()
        self._post: Callable[[Act], None] = lambda act: None
        self._pending: dict[str, _Pending] = {}
        self._seqs: dict[str, int] = {}
        self._known: dict[str, CallChanged] = {}
        self._newest = ""
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None
        self._grace: asyncio.TimerHandle | None = None
        self._trouble = "there is no caller"
        self._lost = False

    async def start(self, post: Callable[[Act], None]) -> None:
        """Connect, and keep connecting."""
        self._post = post
        loop = asyncio.get_running_loop()
        self._grace = loop.call_later(_GRACE_S, self._end_grace)
        self._task = loop.create_task(self._keep(), name="caller's client")

    def apply(self, effect: Effect, seq: int) -> None:
        """Hand a call, its escalation or its stand-down over, now or as soon as the caller is there.

        An older seq for the same call is ignored.
        """
        if not isinstance(effect, PlaceCall) or seq < self._seqs.get(effect.call, seq):
            return
        self._seqs[effect.call] = seq
        self._settle(effect.call)
        overdue = None
        if not effect.stood_down:
            overdue = asyncio.get_running_loop().call_later(_ANSWER_S, self._not_taken, effect)
        self._pending[effect.call] = _Pending(effect, overdue)
        self._hand_over(effect)

    async def close(self) -> None:
        """Let go of the caller, which goes on without us; twice is fine."""
        if self._grace is not None:
            self._grace.cancel()
        for call in tuple(self._pending):
            self._settle(call)
        task, self._task = self._task, None
        await cancel(task)

    def view(self) -> CallView:
        """The newest call that the caller told of; `call` is "" before any."""
        newest = self._known.get(self._newest)
        if newest is None:
            return CallView()
        return CallView(
            call=newest.call, level=newest.level, stage=newest.stage, by=newest.by, since_t=newest.placed_t or 0.0
        )

    # The link

    async def _keep(self) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(str(self._socket))
            except OSError:
                self._say("there is no caller")
            else:
                await self._talk(reader, writer)
            await asyncio.sleep(_RETRY_S)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        why = "the caller is gone"
        try:
            writer.write(line_of({"protocol": PROTOCOL, "client": "daemon"}))
            hello = await self._read(reader)
            if hello.get("protocol") != PROTOCOL:
                why = f"the caller speaks protocol {hello.get('protocol')}, not {PROTOCOL}"
                return
            self._writer = writer
            for pending in tuple(self._pending.values()):
                self._hand_over(pending.effect)
            self._heard(hello)
            while True:
                self._heard(await self._read(reader))
        except TimeoutError:
            why = "the caller does not answer"
        except (OSError, ValueError, EOFError) as error:
            _log.debug("caller: %r", error)
        except Exception:  # whoever is told must not end the way to help with a fault of its own
            _log.exception("what the caller said could not be taken")
        finally:
            self._writer = None
            writer.close()
            if self._task is not None:
                self._say(why)

    async def _read(self, reader: asyncio.StreamReader) -> dict[str, Any]:
        async with asyncio.timeout(_SILENCE_S):
            line = await reader.readline()
        if not line:
            raise EOFError
        message = json.loads(line)
        if not isinstance(message, dict):
            raise ValueError("not an object")
        return message

    def _hand_over(self, effect: PlaceCall) -> None:
        if self._writer is None:
            return
        if effect.stood_down:
            message: dict[str, Any] = {"stand_down": effect.call, "by": effect.by}
        else:
            message = {"call": effect.call, "level": effect.level, "origin": to_plain(_ORIGIN)}
        if effect.test:
            message["test"] = True
        self._writer.write(line_of(message))

    # What it says

    def _heard(self, message: dict[str, Any]) -> None:
        if message.get("path") == "ok":
            self._say("")
        elif message.get("path") == "lost":
            self._say("the call path is broken")
        if "call" in message:
            changed = self._read_change(message)
            pending = self._pending.get(changed.call)
            if pending is not None and _answers(changed, pending.effect):
                self._settle(changed.call)
            self._tell(changed)

    def _read_change(self, message: dict[str, Any]) -> CallChanged:
        placed_at = message.get("placed_at")
        placed_t = None
        if isinstance(placed_at, int | float) and message.get("boot") == self._boot:
            placed_t = self._clock.room_time(float(placed_at))
        said = {key: message.get(key) for key in ("call", "level", "stage", "by")}
        return from_plain(CallChanged, {**said, "placed_t": placed_t, "test": message.get("test") is True})

    def _tell(self, changed: CallChanged) -> None:
        before = self._known.get(changed.call)
        self._known[changed.call] = changed
        if not changed.test:
            self._newest = changed.call
        if before is None or (before.level, before.stage, before.by) != (changed.level, changed.stage, changed.by):
            self._post(changed)

    def _settle(self, call: str) -> None:
        pending = self._pending.pop(call, None)
        if pending is not None and pending.overdue is not None:
            pending.overdue.cancel()

    def _not_taken(self, effect: PlaceCall) -> None:
        """The caller has not answered: say so, and keep the call for when it does."""
        self._tell(CallChanged(call=effect.call, level=effect.level, stage="not_delivered", test=effect.test))

    def _end_grace(self) -> None:
        self._grace = None
        self._say(self._trouble)

    def _say(self, trouble: str) -> None:
        self._trouble = trouble
        if trouble and not self._lost and self._grace is None:
            self._lost = True
            self._post(DeviceLost(name="caller", why=trouble))
        elif not trouble and self._lost:
            self._lost = False
            self._post(DeviceBack(name="caller"))


def _answers(changed: CallChanged, effect: PlaceCall) -> bool:
    if effect.stood_down or changed.stage == "stood_down":
        return changed.stage == "stood_down"
    return changed.level in (effect.level, "emergency")
