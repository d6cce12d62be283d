"""The support call as the console sees it: placed on two ways at once, and never shown further along than it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from msgspec.structs import replace

from controller.clock import boottime
from controller.lines import Link
from controller.messages import PROTOCOL, CallLevel, CallStage, CallView, Origin, to_plain

REACH_S = 1.0
"""A call that neither the daemon nor the caller has taken by then counts as not delivered."""

PLACED_S = 10.0
"""A call that was taken but not sent on by then counts as not delivered."""

_STAGES: tuple[str, ...] = get_args(CallStage)


@dataclass
class _Own:
    """A call that this console placed."""

    call: str
    level: CallLevel
    origin: Origin
    born: float
    since_t: float
    reached_daemon: bool = False


@dataclass(frozen=True)
class _Heard:
    stage: CallStage
    by: str
    level: CallLevel


class CallDesk:
    """Holds the link to the caller, hands it this console's calls until it answers, and merges what is known."""

    def __init__(self, runtime_dir: Path, console: str, changed: Callable[[], None]) -> None:
        self.path_state = "unknown"
        """ok, lost or unknown, as the caller last said."""
        self._own: _Own | None = None
        self._heard: dict[str, _Heard] = {}
        self._changed = changed
        self.link = Link(
            runtime_dir / "caller.sock",
            {"protocol": PROTOCOL, "client": console},
            opened=self._opened,
            heard=self._line,
            closed=self._closed,
        )

    @property
    def reachable(self) -> bool:
        """Whether the caller's socket is open."""
        return self.link.up

    def place(self, call: str, level: CallLevel, origin: Origin, since_t: float) -> None:
        """Hand a call to the caller, now or as soon as it can be reached."""
        if self._own is not None and self._own.call == call:
            self._own.level, self._own.born, self._own.reached_daemon = level, boottime(), False
            self._heard.pop(call, None)
        else:
            self._own = _Own(call, level, origin, boottime(), since_t)
        self._send()

    def daemon_took(self, call: str) -> None:
        """The daemon has written the call down."""
        if self._own is not None and self._own.call == call:
            self._own.reached_daemon = True
            self._changed()

    def caller_stage(self, call: str) -> CallStage | None:
        """What the caller last said about a call."""
        heard = self._heard.get(call)
        return heard.stage if heard else None

    def stand_down(self, call: str, by: str) -> None:
        """Tell the caller that nobody needs to come; the daemon is told apart from this."""
        self.link.write({"stand_down": call, "by": by})
        self.forget(call)

    def forget(self, call: str) -> None:
        """The call is over: do not hand it on any more."""
        if self._own is not None and self._own.call == call:
            self._own = None

    def view(self, daemon: CallView, daemon_up: bool) -> CallView:
        """The call that stands open, as far along as somebody has truly said."""
        own = self._current(daemon, daemon_up)
        if own is None:
            if not daemon_up and self.link.up:
                return self._newest_open(daemon)
            heard = self._heard.get(daemon.call)
            if heard is None or not self.link.up:
                return daemon
            stage: CallStage = "stood_down" if daemon.stage == "stood_down" else heard.stage
            return replace(daemon, stage=stage, by=heard.by or daemon.by)
        mine = CallView(call=own.call, level=own.level, stage="placed", since_t=own.since_t)
        heard = self._heard.get(own.call)
        if heard is not None and (self.link.up or not daemon_up):
            mine = replace(mine, stage=heard.stage, by=heard.by)
        elif daemon.call == own.call and daemon.level == own.level:
            mine = replace(mine, stage=daemon.stage, by=daemon.by, seq=daemon.seq)
        return replace(mine, stage=self._honest(mine.stage, own, daemon_up))

    def _newest_open(self, daemon: CallView) -> CallView:
        """With the daemon away: the open call that the caller named last, whoever placed it."""
        for call, heard in reversed(self._heard.items()):
            if heard.stage != "stood_down":
                since_t = daemon.since_t if daemon.call == call else 0.0
                return CallView(call=call, level=heard.level, stage=heard.stage, by=heard.by, since_t=since_t)
        return replace(daemon, stage="stood_down") if daemon.call in self._heard else daemon

    def _current(self, daemon: CallView, daemon_up: bool) -> _Own | None:
        """The call of this console, unless it is over or has become part of somebody else's."""
        own = self._own
        if own is None:
            return None
        same = daemon.call == own.call
        if same and daemon.level == "emergency":
            own.level = "emergency"
        over = same and daemon.stage == "stood_down"
        merged = not same and daemon_up and own.reached_daemon and daemon.stage != "stood_down"
        if over or merged:
            self._own = None
        return self._own

    def _honest(self, stage: CallStage, own: _Own, daemon_up: bool) -> CallStage:
        if stage != "placed":
            return stage
        age = boottime() - own.born
        reached = own.reached_daemon or own.call in self._heard
        nobody_there = not reached and not daemon_up and not self.link.up
        if nobody_there or (not reached and age > REACH_S) or age > PLACED_S:
            return "not_delivered"
        return stage

    def _send(self) -> None:
        own = self._own
        if own is not None:
            self.link.write({"call": own.call, "level": own.level, "origin": to_plain(own.origin)})

    def _opened(self) -> None:
        self._send()  # also what it had taken: its disk may not have
        self._changed()

    def _closed(self) -> None:
        self.path_state = "unknown"
        self._changed()

    def _line(self, message: dict[str, Any]) -> None:
        if message.get("path") in ("ok", "lost"):
            self.path_state = str(message["path"])
        if "call" in message and message.get("stage") in _STAGES and message.get("test") is not True:
            self._hear(str(message["call"]), message)
        self._changed()

    def _hear(self, call: str, message: dict[str, Any]) -> None:
        level: CallLevel = "emergency" if message.get("level") == "emergency" else "assist"
        own = self._own
        stood_down = message["stage"] == "stood_down"
        if own is not None and own.call == call and own.level == "emergency" != level and not stood_down:
            # Somebody coming for the assist is not yet somebody coming for the emergency.
            return
        self._heard[call] = _Heard(message["stage"], str(message.get("by") or ""), level)
        if stood_down:
            self.forget(call)
