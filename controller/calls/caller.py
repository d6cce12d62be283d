"""The caller: a small process that owns the path of the support call, so that a dead daemon cannot swallow one.

Takes calls from anyone on its socket, writes them down, publishes them (QoS 1, nothing retained) and waits for the
support desk. Over the broker:

    stillroom/ROOM/call        {"protocol": 1, "call": ID, "level": ..., "room": ..., "utc": ..., "stage": ...,
                               "test": true}
    stillroom/ROOM/call/ack    {"call": ID, "by": "...", "level": ...}

The stage is "placed" or "stood_down"; the desk's answer may leave out the level. "test" stands in a test call alone:
nobody runs for it, and somebody answers it by name.

A desk must take a repeated id for the same call.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from controller.alone import serve_alone
from controller.broker import BrokerLink, BrokerSettings
from controller.calls import ladder
from controller.calls.ladder import CallState, Limits, Notice
from controller.calls.outbox import Outbox
from controller.calls.server import CallerServer, Message
from controller.clock import boot_id, boottime, utc_now, utc_text
from controller.messages import PROTOCOL, CallLevel, NotAMessage, Origin, from_plain, to_plain
from controller.one_line import one_line
from controller.places import make_dir
from controller.warden import NO_PAST, Heart, Past, keep_alive

_log = logging.getLogger(__name__)

_PATH_S = 2.0
_BEATS = 8
"""Signs of life between two words about the path."""

_SILENT_S = 2.0
"""A caller that has not stirred for so long is killed and started anew."""

_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class CallerSettings:
    """The room, where the socket and the outbox lie, the broker (a client id of the caller's own), and the limits."""

    room: str
    runtime_dir: Path
    state_dir: Path
    broker: BrokerSettings
    deliver_within_s: float = 5.0
    answer_within_s: float = 30.0


class Caller:
    """Rules from `ladder`, memory in `Outbox`, clients through `CallerServer`, the desk through `BrokerLink`."""

    def __init__(self, settings: CallerSettings) -> None:
        self._room = settings.room
        self._topic = f"stillroom/{settings.room}/call"
        self._limits = Limits(settings.deliver_within_s, settings.answer_within_s)
        self._boot = boot_id()
        self._calls: dict[str, CallState] = {}
        self._outbox = Outbox(settings.state_dir / "caller.db")
        self._link = BrokerLink(settings.broker)
        self._server = CallerServer(
            settings.runtime_dir / "caller.sock", greet=self._greeting, joined=self._joined, heard=self._command
        )
        self._untold: set[str] = set()
        """Calls that were stood down while the daemon was away: it is told when it is back, for its record."""
        self._publishing: set[Notice] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()

    async def run(self, stop: asyncio.Event, beat: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop`, calling `beat` all the time; raises OSError where the socket cannot be opened.

        Whatever it could not go on after is raised too: the next caller finds every call in the outbox.
        """
        await self._load()
        self._link.subscribe(f"{self._topic}/ack", self._on_ack, qos=1)
        self._link.start(self._path_changed)
        await self._server.start()
        steps = asyncio.create_task(self._steps(), name="caller")
        beats = asyncio.create_task(self._beats(beat), name="caller's heartbeat")
        asked = asyncio.create_task(stop.wait(), name="caller's end")
        try:
            await asyncio.wait((asked, steps, beats), return_when=asyncio.FIRST_COMPLETED)
            for task in (steps, beats):
                if task.done():  # neither ends by itself: without it this caller would only look alive
                    task.result()
        finally:
            for each in (asked, steps, beats):
                each.cancel()
            await self._server.close()
            await self._link.close()
            await asyncio.gather(asked, steps, beats, *self._tasks, return_exceptions=True)
            await self._outbox.close()

    async def _load(self) -> None:
        try:
            kept = await self._outbox.load()
        except sqlite3.Error as error:
            # A damaged outbox must not stand in the way of the next call: keep it aside and begin afresh.
            _log.error("the outbox cannot be read and is set aside: %s", error)
            kept = []
            with contextlib.suppress(sqlite3.Error):
                await self._outbox.set_aside()
        now = boottime()
        self._calls = {state.call: ladder.resumed(state, now, same_boot=boot == self._boot) for state, boot in kept}

    # What clients say

    def _command(self, message: Message) -> None:
        if "stand_down" in message:
            call = _name(message["stand_down"])
            by = _by(message)
            if not self._server.serves("daemon"):
                self._untold.add(call)
            test = message.get("test") is True
            state = ladder.stand_down(self._calls.get(call), call, by, boottime(), utc_text(utc_now()), test=test)
        elif "call" in message:
            call = _name(message["call"])
            level = _level(message.get("level", "assist"))
            origin = _origin(message.get("origin"))
            test = message.get("test") is True
            state = ladder.place(self._calls.get(call), call, level, boottime(), utc_text(utc_now()), origin, test=test)
        else:
            raise ValueError("neither call nor stand_down")
        self._calls[call] = state
        self._begin(self._answer(state))
        self._wake.set()

    async def _answer(self, state: CallState) -> None:
        """Say that it was taken as soon as it is on disk; meanwhile it is on its way."""
        durable = await self._outbox.save(state, self._boot)
        report = self._report(self._calls[state.call])
        self._server.push(report if durable else {**report, "durable": False})

    # What the broker and the desk say

    def _path_changed(self, up: bool, why: str) -> None:
        if not up:
            _log.warning("call path lost: %s", why)
        self._server.push({"path": self._path()})
        self._wake.set()

    def _on_ack(self, _topic: str, payload: bytes, retained: bool, _at: float) -> None:
        try:
            answer = json.loads(payload)
            call, by = answer["call"], _by(answer)
            level = _level(answer["level"]) if "level" in answer else None
        except (ValueError, TypeError, KeyError, AttributeError):
            _log.warning("an answer was not understood")
            return
        known = self._calls.get(call) if isinstance(call, str) else None
        if known is not None and not retained:
            self._change(known, ladder.acknowledged(known, call, level, by))

    # What time does

    async def _steps(self) -> None:
        while True:
            self._wake.clear()
            now = boottime()
            for known in tuple(self._calls.values()):
                self._change(known, ladder.passed(known, now, self._limits))
                self._publish_due(self._calls[known.call], now)
            due = min(self._deadlines(), default=now + _PATH_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(_PATH_S, max(0.01, due - boottime()))):
                    await self._wake.wait()

    def _deadlines(self) -> Iterator[float]:
        for state in self._calls.values():
            waits = state.notice in self._publishing or not self._link.connected
            if waits and state.publish_at is not None:
                yield ladder.next_deadline(ladder.trying(state, boottime()), self._limits)
            else:
                yield ladder.next_deadline(state, self._limits)

    def _publish_due(self, state: CallState, now: float) -> None:
        due = state.publish_at is not None and now >= state.publish_at
        if due and self._link.connected and state.notice not in self._publishing:
            self._publishing.add(state.notice)
            self._calls[state.call] = ladder.trying(state, now)
            self._begin(self._publish(state))

    async def _publish(self, state: CallState) -> None:
        notice = state.notice
        payload = {
            "protocol": PROTOCOL,
            "call": state.call,
            "level": state.level,
            "room": self._room,
            "utc": state.utc,
            "stage": "placed" if state.open else "stood_down",
            **_tested(state),
        }
        try:
            delivered = await self._link.publish_confirmed(self._topic, json.dumps(payload))
        finally:
            self._publishing.discard(notice)
        if delivered:
            known = self._calls[state.call]
            self._change(known, ladder.confirmed(known, notice, boottime(), self._limits))
        self._wake.set()

    async def _beats(self, beat: Callable[[], None]) -> None:
        while True:
            for _ in range(_BEATS):
                beat()
                await asyncio.sleep(_PATH_S / _BEATS)
            self._server.push({"path": self._path()})

    # Keeping and telling

    def _change(self, known: CallState, state: CallState) -> None:
        if state == known:
            return
        self._calls[state.call] = state
        self._begin(self._save(state))
        if (state.stage, state.by, state.level) != (known.stage, known.by, known.level):
            _log.info("call %s (%s): %s", state.call, state.level, state.stage)
            self._server.push(self._report(state))
        self._wake.set()

    async def _save(self, state: CallState) -> None:
        await self._outbox.save(state, self._boot)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _greeting(self) -> list[Message]:
        hello: Message = {"protocol": PROTOCOL, "server": "caller", "room": self._room, "path": self._path()}
        return [hello, *(self._report(s) for s in self._calls.values() if s.open or s.call in self._untold)]

    def _joined(self, client: str) -> None:
        if client == "daemon":
            self._untold.clear()

    def _path(self) -> str:
        return "ok" if self._link.connected else "lost"

    def _report(self, state: CallState) -> Message:
        return {
            "call": state.call,
            "level": state.level,
            "stage": state.stage,
            "by": state.by,
            "utc": state.utc,
            "placed_at": state.placed_at,
            "boot": self._boot,
            "origin": to_plain(state.origin),
            **_tested(state),
        }


def keep_caller(settings: CallerSettings) -> None:
    """Be the warden of the room's caller until SIGTERM or SIGINT: a call gets through although its process hung.

    Raises SystemExit where the room's caller is watched already.
    """
    keep_alive("caller", settings.runtime_dir, partial(run_caller, settings), silent_s=_SILENT_S)


def run_caller(settings: CallerSettings, heart: Heart | None = None, _past: Past = NO_PAST) -> None:
    """Run the caller until SIGTERM or SIGINT; raises RuntimeError when this room's caller is running already."""
    make_dir(settings.state_dir)
    taken = "the caller of this room is running already"
    serve_alone(settings.state_dir / "caller.lock", taken, lambda: Caller(settings).run, heart.beat if heart else None)


def _tested(state: CallState) -> Message:
    return {"test": True} if state.test else {}


def _name(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME or not value.isprintable():
        raise ValueError("a call's id is a text of 1 to 64 characters")
    return value


def _by(message: Message) -> str:
    """Who says it: a line that every client can be told, whatever a desk wrote there."""
    return " ".join(one_line(str(message.get("by") or "")).split())[:_LONGEST_NAME]


def _level(value: object) -> CallLevel:
    if value not in ("assist", "emergency"):
        raise ValueError("level is assist or emergency")
    return value


def _origin(value: object) -> Origin:
    try:
        return from_plain(Origin, value)
    except NotAMessage:  # a call counts more than the form that it comes in
        return Origin(path="caller")
