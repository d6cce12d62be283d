"""The daemon's driver for the sound engine: commands out, events in, the link made again whenever it breaks."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller.clock import Clock
from controller.messages import (
    PROTOCOL,
    Act,
    BusView,
    DeviceBack,
    DeviceLost,
    Dropout,
    Effect,
    EngineReported,
    EngineRestarted,
    FadeBus,
    FadeMusic,
    FillerChanged,
    Input,
    Origin,
    Pause,
    PieceEnded,
    PieceStarted,
    PlayCues,
    PostInput,
    Resume,
    SetTransport,
    SoundView,
    TrackView,
    from_plain,
    line_of,
    target,
)
from controller.sound.protocol import LINE_BYTES, KeptDirectAct, command_lines, greeting
from controller.sound.settings import SOCKET

_SILENCE_S = 2.0
"""Without telemetry for so long the engine counts as lost."""

_BACKOFF_S = (0.05, 0.1, 0.1, 0.2, 0.3, 0.5, 1.0)

_GRACE_S = 1.5
"""An engine that its warden restarts is back within this, and tells itself why it was away."""

_BEGIN_S = 3.0
"""A daemon that starts beside its engine gives it so long."""


class SoundClient:
    """Sends effects while the link is up; what is not sent is asked for anew when the engine reports.

    After a connect it posts, in this order: direct acts that nobody has on record, what was played meanwhile,
    `EngineReported`, and `DeviceBack("sound")` where it had been lost. It is lost, `DeviceLost("sound")`, when
    telemetry was gone for 2 s, or the link, and no engine came back within a moment.
    """

    def __init__(self, runtime_dir: Path, clock: Clock) -> None:
        self._path = runtime_dir / SOCKET
        self._clock = clock
        self._post: Callable[[Act], None] = lambda _act: None
        self._post_input: PostInput | None = None
        self._task: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._engine = ""
        self._session = ""
        self._seen_direct = 0
        self._waiting: list[dict[str, Any]] | None = None
        """Events that came before the report."""
        self._seqs: dict[str, int] = {}
        self._told: bool | None = None
        """The last thing posted about the link: back (True) or lost (False)."""
        self._output_lost = False
        self._place_lost = False
        self._seen: dict[str, Any] = {}
        self._events_done: dict[int, bool] = {}

    async def start(self, post: Callable[[Act], None], post_input: PostInput | None = None) -> None:
        """Keep a link from now on. Without `post_input` direct acts and events are not waited for until on record."""
        self._post = post
        self._post_input = post_input
        self._task = asyncio.create_task(self._keep_link(), name="sound link")

    async def close(self) -> None:
        """Hang up; the engine plays on."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def apply(self, effect: Effect, seq: int) -> None:
        """Send an effect of the sound's own; others, older ones, and all while the link is down are dropped."""
        if not isinstance(effect, PlayCues | SetTransport | FadeMusic | FadeBus):
            return
        if self._writer is None or self._waiting is not None or seq < self._seqs.get(target(effect), -1):
            return
        self._seqs[target(effect)] = seq
        if isinstance(effect, PlayCues | SetTransport):
            self._session = effect.session
        for data in command_lines(effect, seq, self._session, self._seen_direct):
            self._writer.write(data)

    def timeline_now(self) -> float:
        """Where the sound timeline is, by the last telemetry and the clock since."""
        seen = self._seen
        return float(seen.get("timeline_s", 0.0)) + (self._since() if seen.get("moving") else 0.0)

    def view(self) -> tuple[SoundView, TrackView | None]:
        """The sound and the piece as last heard, brought up to now."""
        seen = self._seen
        if self._told is not True or self._writer is None or not seen:
            return SoundView(output=str(seen.get("output", "")), timeline_s=self.timeline_now()), None
        buses = tuple(
            BusView(bus=name, level_db=bus["level_db"], rms_dbfs=bus["rms_dbfs"]) for name, bus in seen["buses"].items()
        )
        sound = SoundView(
            state="ok",
            transport=seen["transport"],
            rms_dbfs=max((bus.rms_dbfs for bus in buses), default=-120.0),
            peak_dbfs=max((bus["peak_dbfs"] for bus in seen["buses"].values()), default=-120.0),
            buses=buses,
            filler=seen["filler"],
            late_blocks=seen["late_blocks"],
            output=seen["output"],
            timeline_s=self.timeline_now(),
        )
        return sound, self._track()

    def _track(self) -> TrackView | None:
        seen = self._seen
        cue, coming = seen.get("cue"), seen.get("next") or {}
        if not cue:
            return None
        since = self._since() if seen["moving"] else 0.0
        return TrackView(
            title=cue["title"],
            artist=cue["artist"],
            path=cue["path"],
            position_s=min(cue["position_s"] + since, cue["duration_s"]),
            duration_s=cue["duration_s"],
            next_title=coming.get("title", ""),
            next_in_s=max(0.0, coming["in_s"] - since) if coming else None,
        )

    def _since(self) -> float:
        """Seconds since the last telemetry."""
        clock = self._clock
        return max(0.0, clock.boottime_at(clock.now()) - float(self._seen.get("boottime", 0.0)))

    async def _keep_link(self) -> None:
        tries, gone = 0, self._clock.now()
        while True:
            patience = _BEGIN_S if self._told is None else _GRACE_S
            try:
                why = await self._talk()
                tries, gone = 0, self._clock.now()
            except TimeoutError:
                why, patience = "the engine does not answer", 0.0
            except Exception as error:  # whatever the other side says: the link is made again
                why = str(error) or type(error).__name__
            self._writer = None
            left = gone + patience - self._clock.now()
            if left <= 0 and self._told is not False:
                self._told = False
                self._post(DeviceLost(name="sound", why=why))
            wait = _BACKOFF_S[min(tries, len(_BACKOFF_S) - 1)]
            await asyncio.sleep(min(wait, left) if left > 0 else wait)
            tries += 1

    async def _talk(self) -> str:
        """One connection; returns why it ended."""
        reader, writer = await asyncio.open_unix_connection(self._path, limit=2 * LINE_BYTES)
        try:
            self._waiting = []
            self._output_lost = False
            self._events_done = {}
            self._seqs = {}
            writer.write(greeting(role="daemon"))
            async with asyncio.timeout(_SILENCE_S):
                hello = json.loads(await reader.readline() or b"{}")
            if hello.get("protocol") != PROTOCOL:
                return f"it speaks protocol {hello.get('protocol')}, this daemon {PROTOCOL}"
            self._writer = writer
            while True:
                async with asyncio.timeout(_SILENCE_S):
                    data = await reader.readline()
                if not data:
                    return "the engine is gone"
                self._hear(json.loads(data))
        finally:
            self._writer = None
            writer.transport.abort()

    def _hear(self, message: dict[str, Any]) -> None:
        kind = message.get("event")
        if kind == "telemetry":
            self._seen = message
            self._troubled(message["trouble"])
        elif kind == "report":
            self._reported(message)
        elif kind and self._waiting is not None:
            self._waiting.append(message)
        elif kind:
            self._happened(message)
        elif "error" in message:
            raise ValueError(message["error"])

    def _troubled(self, why: str) -> None:
        """Post that the engine cannot write down where it is, or can again."""
        if bool(why) != self._place_lost:
            self._place_lost = bool(why)
            self._post(DeviceLost(name="place", why=why) if why else DeviceBack(name="place"))

    def _reported(self, report: dict[str, Any]) -> None:
        fresh = report["engine"] != self._engine
        self._engine = report["engine"]
        for plain in report["direct"]:
            kept = from_plain(KeptDirectAct, plain)
            # After a new link every act is handed over again: a repeated id is recorded once.
            if self._waiting is not None or kept.number > self._seen_direct:
                self._direct(kept)
        self._seen_direct = report["direct_count"]
        was_lost, self._output_lost = self._output_lost, bool(report["lost"])
        if self._waiting is None:
            if was_lost and not self._output_lost:  # where the timeline stood meanwhile it is behind what we think
                self._post_report(report)
            return
        events, self._waiting = self._waiting, None
        self._session = report["session"] or ("" if fresh else self._session)
        for event in events:
            self._happened(event)
        self._post_report(report)
        if self._told is not True:
            self._told = True
            self._post(DeviceBack(name="sound"))
        if report["lost"]:
            self._post(DeviceLost(name="sound.output", why=report["lost"]))

    def _post_report(self, report: dict[str, Any]) -> None:
        self._post(
            EngineReported(
                session=report["session"],
                plan=report["plan"],
                transport=report["transport"],
                timeline_s=report["timeline_s"],
                output=report["output"],
                filler=report["filler"],
            )
        )

    def _direct(self, kept: KeptDirectAct) -> None:
        at = self._clock.room_time(kept.boottime)
        act = Pause(direct_t=at) if kept.act.direct == "pause" else Resume(direct_t=at)
        origin = Origin(person=kept.act.origin.person, console=kept.act.origin.console, path="engine")
        self._record(Input(id=kept.act.id, origin=origin, act=act), {"ack_direct": [kept.act.id]})

    def _happened(self, event: dict[str, Any]) -> None:
        """Hand an event over, and acknowledge it when it and all before it are on record."""
        number = event["n"]
        self._events_done[number] = False
        act = self._act_of(event)
        given = Input(id=event["id"], origin=Origin(path="engine"), act=act)
        if self._post_input is None:
            self._post(act)
            self._event_done(number)
        else:
            self._post_input(given, lambda _reply: self._event_done(number))

    def _act_of(self, event: dict[str, Any]) -> Act:
        match event["event"]:
            case "piece_started":
                return PieceStarted(
                    cue=event["cue"],
                    title=event["title"],
                    path=event["path"],
                    at_t=self._clock.room_time(event["boottime"]),
                    frame=event["frame"],
                    session=event["session"],
                )
            case "piece_ended":
                return PieceEnded(
                    cue=event["cue"],
                    title=event["title"],
                    why=event["why"],
                    played_s=event["played_s"],
                    session=event["session"],
                )
            case "filler":
                return FillerChanged(on=event["on"], why=event["why"], title=event["title"])
            case "dropout":
                return Dropout(lost_s=event["lost_s"], why=event["why"], title=event["title"])
            case "restarted":
                return EngineRestarted(why=event["why"], silent_s=event["silent_s"])
            case "output" if "lost" in event:
                return DeviceLost(name="sound.output", why=event["lost"])
            case "output":
                return DeviceBack(name="sound.output")
            case other:
                raise ValueError(f"unknown event {other}")

    def _event_done(self, number: int) -> None:
        self._events_done[number] = True
        newest = 0
        for key in sorted(self._events_done):
            if not self._events_done[key]:
                break
            newest = key
            del self._events_done[key]
        if newest:
            self._say({"ack_events": newest})

    def _record(self, given: Input, acknowledgement: dict[str, Any]) -> None:
        if self._post_input is None:
            self._post(given.act)
            self._say(acknowledgement)
        else:
            self._post_input(given, lambda _reply: self._say(acknowledgement))

    def _say(self, message: dict[str, Any]) -> None:
        if self._writer is not None:
            self._writer.write(line_of(message))
