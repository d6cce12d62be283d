"""The daemon's side of the buttons: takes presses as Inputs, and tells the rules what has become of the buttons."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

from controller.clock import boottime
from controller.inputs.panel import SOCKET
from controller.lines import Link
from controller.messages import (
    PROTOCOL,
    Act,
    BatteryChanged,
    DeviceBack,
    DeviceLost,
    Fire,
    FireOver,
    Input,
    Origin,
    PostInput,
    from_plain,
)
from controller.tasks import cancel

_log = logging.getLogger(__name__)

_GONE_S = 3.0
"""Longer than a warden takes to start a panel anew: one that is not there by then is trouble."""
_SILENCE_S = 6.0
"""Three of the panel's heartbeats."""
_LOOK_S = 1.0


class ButtonsClient:
    """Posts every press once, and `DeviceLost("buttons")` for the process that hears them."""

    def __init__(self, runtime_dir: Path) -> None:
        self._post: PostInput = lambda given, noted: None
        self._lost: set[str] = set()
        self._low: set[str] = set()
        self._fires: set[str] = set()
        self._trouble = False
        self._heard_at = 0.0
        self._task: asyncio.Task[None] | None = None
        self._link = Link(
            runtime_dir / SOCKET,
            {"protocol": PROTOCOL, "client": "daemon"},
            opened=lambda: None,
            heard=self._heard,
            closed=lambda: None,
        )

    async def start(self, post: PostInput) -> None:
        """Connect, and keep connecting."""
        self._post = post
        self._heard_at = boottime()
        self._link.start()
        self._task = asyncio.get_running_loop().create_task(self._watch(), name="buttons' client")

    async def close(self) -> None:
        """Let go of the panel, which goes on without us; twice is fine."""
        task, self._task = self._task, None
        await cancel(task)
        await self._link.close()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            patience = _SILENCE_S if self._link.up else _GONE_S
            if boottime() - self._heard_at > patience and not self._trouble:
                self._trouble = True
                self._tell(DeviceLost(name="buttons", why=str(self._link.mismatch or "")))

    def _heard(self, message: dict[str, Any]) -> None:
        self._heard_at = boottime()
        if self._trouble:
            self._trouble = False
            self._tell(DeviceBack(name="buttons"))
        if "state" in message:
            self._take_state(message["state"])
        if "input" in message:
            given = from_plain(Input, message["input"])
            if isinstance(given.act, Fire):
                self._fires.add(given.act.contact)
            self._post(given, lambda _reply: self._noted(given.id))
            self._link.write({"took": given.id})

    def _noted(self, given_id: str) -> None:
        self._link.write({"noted": given_id})

    def _take_state(self, state: dict[str, Any]) -> None:
        """Post what differs from what is known; what a panel that was started anew has not heard yet stays so."""
        for name, standing in state["fires"].items():
            if standing is not (name in self._fires):
                self._fires ^= {name}
                self._tell(Fire(contact=name) if standing else FireOver(contact=name), f"button.{name}")
        for name, why in state["lost"].items():
            if bool(why) is not (name in self._lost):
                self._lost ^= {name}
                self._tell(DeviceLost(name=f"button.{name}", why=why) if why else DeviceBack(name=f"button.{name}"))
        for name, percent in state["low"].items():
            if (percent is not None) is not (name in self._low):
                self._low ^= {name}
                self._tell(BatteryChanged(name=f"button.{name}", low=percent is not None, percent=percent))

    def _tell(self, act: Act, console: str = "room") -> None:
        origin = Origin(console=console, path="room" if console == "room" else "button")
        self._post(Input(act=act, origin=origin), None)
