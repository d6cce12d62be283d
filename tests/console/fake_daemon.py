"""A room that speaks the console's protocols with a scripted Status: daemon, caller and sound sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from controller.clock import boottime, utc_now, utc_text
from controller.messages import (
    PROTOCOL,
    Alarm,
    Booking,
    BusView,
    Call,
    CallView,
    ClosedSession,
    DueView,
    Hold,
    Input,
    LampView,
    LogEntry,
    LookedUp,
    LookUp,
    Note,
    ParticipantView,
    Pause,
    PhaseView,
    PreflightLine,
    PreflightView,
    Quiet,
    ReleaseView,
    Reply,
    Resume,
    SoundView,
    StandDown,
    Status,
    Telemetry,
    TrackView,
    from_plain,
    to_plain,
)

_TELEMETRY = Telemetry.__struct_fields__


def demo_status() -> Status:
    """A psilocybin session two and a half hours in, all well."""
    phases = (
        ("arrival", "Arrival", -20, 0), ("settle", "Settle", 0, 20), ("ascent", "Ascent", 20, 66),
        ("peak", "Peak", 66, 190), ("descent", "Descent", 190, 350), ("return", "Return", 350, 460),
    )  # fmt: skip
    curve = (
        (-20, 0.12), (0, 0.15), (20, 0.18), (40, 0.4), (66, 0.7), (100, 0.88), (130, 0.95), (160, 0.85), (190, 0.78),
        (240, 0.6), (300, 0.4), (350, 0.25), (400, 0.18), (460, 0.12),
    )  # fmt: skip
    light = ((-20, 0.4), (0, 0.25), (20, 0.15), (66, 0.05), (190, 0.05), (230, 0.1), (350, 0.2), (460, 0.3))
    readings = {"systolic": 128.0, "diastolic": 82.0, "pulse": 76.0}
    log = (
        ("2026-03-03T13:41:10.000Z", "note", {}, "AB", "console-3f2a", "asked for water, sat up"),
        ("2026-03-03T13:33:52.000Z", "volume", {"bus": "speakers", "step_db": -1.5}, "AB", "console-3f2a", ""),
        ("2026-03-03T13:30:00.000Z", "phase_entered", {"phase": "peak", "title": "Peak"}, "", "", ""),
        ("2026-03-03T13:25:07.000Z", "mark", {"code": "crying"}, "AB", "console-3f2a", ""),
        ("2026-03-03T13:12:07.000Z", "vitals", readings, "AB", "console-3f2a", ""),
        ("2026-03-03T13:12:01.000Z", "vitals_due", {"participant": "P-017"}, "", "", ""),
        ("2026-03-03T12:44:20.000Z", "light_scene", {"scene": "arc"}, "", "", ""),
        ("2026-03-03T12:40:11.000Z", "light", {"scene": "exit"}, "AB", "console-3f2a", ""),
        ("2026-03-03T12:24:00.000Z", "phase_entered", {"phase": "ascent", "title": "Ascent"}, "", "", ""),
        ("2026-03-03T12:23:54.000Z", "dose", {"amount": 25.0, "unit": "mg", "witness": "CD"}, "AB", "console-3f2a", ""),
    )  # fmt: skip
    return Status(
        room="room-2", state="running", session="2026-03-03-room-2-1", programme="psilocybin-25",
        programme_title="Psilocybin 25 mg", phase="peak",
        phases=tuple(PhaseView(code=c, title=t, start_s=a * 60.0, end_s=b * 60.0) for c, t, a, b in phases),
        intensity=tuple((m * 60.0, v) for m, v in curve),
        light_curve=tuple((m * 60.0, v) for m, v in light),
        marks=(
            ("spoke", "spoke"), ("crying", "crying"), ("touch", "touch"), ("bathroom", "bathroom"), ("drink", "drink"),
            ("cold", "cold"), ("anxious", "anxious"), ("nausea", "nausea"), ("onset", "onset noticed"),
        ),
        due=(
            DueView(code="vitals", in_s=250.0, participant="P-017"),
            DueView(code="release", in_s=5.53 * 3600, participant="P-017"),
        ),
        log=tuple(
            LogEntry(seq=90 - at, utc=utc, kind=kind, values=values, who=who, console=console, text=text)
            for at, (utc, kind, values, who, console, text) in enumerate(log)
        ),
        sets=(("calm", "Calm"), ("evocative", "Evocative"), ("grounding", "Grounding")), grounding=True,
        landing_minutes=30.0, dose_parts=("dose", "booster"), leads="P-017",
        release=(
            ReleaseView(
                participant="P-017", earliest_t=50_000.0 + 5.53 * 3600,
                criteria=(("oriented", "knows who, where and when", True), ("steady", "walks steadily", None)),
            ),
        ),
        projected_end_t=50_000.0 + 460 * 60.0 - 8886.0 + 720.0, booked_end_t=50_000.0 + 460 * 60.0 - 8886.0,
        preflight=PreflightView(required=True),
        t=50_000.0, utc="2026-03-03T13:52:06.000Z", arc_s=8886.0,
        participants=(ParticipantView(code="P-017", t_plus_s=8886.0, doses=1, last_dose=81),),
        track=TrackView(
            title="Spiegel im Spiegel", artist="Pärt", path="spiegel.flac", position_s=243.0, duration_s=584.0,
            next_title="Symphony No. 3, II", next_in_s=341.0,
        ),
        light=(
            LampView(lamp="lamp-1", target=0.08, confirmed=0.08, state="confirmed"),
            LampView(lamp="lamp-2", target=0.08, confirmed=0.08, state="confirmed"),
        ),
        sound=SoundView(
            state="ok", transport="play", rms_dbfs=-24.0, peak_dbfs=-12.0, output="hw:0",
            buses=(
                BusView(bus="speakers", level_db=-7.0, rms_dbfs=-24.0),
                BusView(bus="headphones", level_db=-3.0, rms_dbfs=-20.0),
            ),
        ),
    )  # fmt: skip


def with_alarm(status: Status, code: str, priority: Any, **values: Any) -> Status:
    """The status with one more alarm."""
    alarm = Alarm(code=code, priority=priority, since_t=status.t, values=values)
    return replace(status, alarms=(*status.alarms, alarm))


def with_bookings(status: Status) -> Status:
    """The status with the room booked for half an hour from now, and for the next day."""
    now = datetime.fromisoformat(status.utc)
    bookings = []
    for booking_id, ahead in ((31, timedelta(minutes=30)), (34, timedelta(hours=24))):
        at = now + ahead
        booking = Booking(
            id=booking_id, programme="psilocybin-25mg", participants=(f"C-04{booking_id}",), at=f"{at:%Y-%m-%dT%H:%M}",
            zone="UTC", starts_unix=at.timestamp(), length_s=30_000.0,
            told=("preflight",) if booking_id == 31 else (),
        )  # fmt: skip
        bookings.append(booking)
    return replace(status, bookings=tuple(bookings))


def moved(status: Status, by_s: float) -> Status:
    """The session so much later: clocks, position, countdowns, and a level of sound that is never quite the same."""
    track, sound = status.track, status.sound
    swing = 6.0 * math.sin(status.t)
    return replace(
        status, t=status.t + by_s, arc_s=status.arc_s + by_s,
        utc=utc_text(datetime.fromisoformat(status.utc) + timedelta(seconds=by_s)),
        participants=tuple(replace(one, t_plus_s=(one.t_plus_s or 0.0) + by_s) for one in status.participants),
        due=tuple(replace(item, in_s=item.in_s - by_s) for item in status.due),
        track=replace(track, position_s=track.position_s + by_s) if track else None,
        sound=replace(sound, buses=tuple(replace(bus, rms_dbfs=-24.0 + swing) for bus in sound.buses)),
    )  # fmt: skip


def looked_up(asked: LookUp) -> LookedUp:
    """Two sessions that are over, and what stands in either."""
    if not asked.session:
        told = (("20261119T080000Z-77aa", "2026-11-19T08:00:00.000Z", "P-011", ""),
                ("20261112T080000Z-31bc", "2026-11-12T08:04:00.000Z", "P-009", "EF"))  # fmt: skip
        return LookedUp(id=asked.id, sessions=tuple(
            ClosedSession(session=name, opened_utc=utc, length_s=27_000.0, programme="psilocybin-25mg",
                          participants=(code,), signed_by=signed)
            for name, utc, code, signed in told
        ))  # fmt: skip
    day = asked.session[:8]
    stamp = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    entries = (
        LogEntry(seq=411, utc=f"{stamp}T15:30:02.000Z", kind="end", who="AB"),
        LogEntry(seq=398, utc=f"{stamp}T14:41:10.000Z", kind="note", text="Marie asks for her coat", who="AB"),
        LogEntry(seq=371, utc=f"{stamp}T13:12:07.000Z", kind="vitals",
                 values={"systolic": 128, "diastolic": 82, "pulse": 76}, who="CD"),
        LogEntry(seq=212, utc=f"{stamp}T10:25:07.000Z", kind="mark", values={"code": "crying"}, who="AB"),
    )  # fmt: skip
    return LookedUp(id=asked.id, entries=entries, opened_utc=f"{stamp}T08:00:00.000Z", opened_t=50.0, length_s=27_000.0)


def with_preflight(status: Status, people: tuple[str, ...] = ("C-0412",), **stages: str) -> Status:
    """The status of an idle room half way through its preflight; `stages` by check, "__" for a dot."""
    given = {
        "engine": "green", "broker": "green", "disk": "green", "clock": "green", "commissioning": "green",
        "card": "green", "library": "red", "lights": "green", "sound.speakers": "green", "sound.headphones": "open",
        "keys": "open", "call": "open", "sitter": "green", "participants": "green",
        **{f"touch.{code}": "open" for code in people}, "limits": "open",
        **{check.replace("__", "."): stage for check, stage in stages.items()},
    }  # fmt: skip
    told: dict[str, tuple[str, dict[str, Any]]] = {
        "library": ("library_unwell", {"count": 3, "first": "moss.flac: the file is not there"}),
    }
    lines = tuple(
        PreflightLine(
            check=check, stage=stage, t=status.t, seq=40 + at, by="AB" if check == "sitter" else "",  # type: ignore[arg-type]
            code=told.get(check, ("no_answer", {}))[0] if stage == "red" else "",
            values=told.get(check, ("", {}))[1] if stage == "red" else {},
        )
        for at, (check, stage) in enumerate(given.items())
    )  # fmt: skip
    view = PreflightView(required=True, programme="psilocybin-25mg", participants=people, lines=lines)
    return replace(status, state="idle", session="", phases=(), preflight=view)


@dataclass
class FakeRoom:
    """Serves the sockets asked for; remembers everything that came; moves its Status a little as rules would."""

    runtime_dir: Path
    status: Status = field(default_factory=demo_status)
    inputs: list[Input] = field(default_factory=list)
    hellos: list[dict[str, Any]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    directs: list[dict[str, Any]] = field(default_factory=list)
    refusals: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    still: bool = False
    """Let no time pass."""
    moves: bool = False
    """Let time pass in the session, with a meter that dances."""
    silent: bool = False
    """Take everything, answer nothing, as a hung daemon does."""
    late_s: float = 0.0
    """Answer so much later, as on a slow disk."""
    protocol: int = PROTOCOL

    def __post_init__(self) -> None:
        self._servers: dict[str, asyncio.Server] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._writers: dict[str, set[asyncio.StreamWriter]] = {"daemon": set(), "caller": set(), "sound": set()}
        self._answers: dict[str, Reply] = {}
        self._seq = 100

    async def start(self, *names: str) -> None:
        """Serve "daemon", "caller" and "sound", or those named."""
        talks: dict[str, Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]] = {
            "daemon": self._daemon, "caller": self._caller, "sound": self._sound,
        }  # fmt: skip
        for name in names or tuple(talks):
            path = self.runtime_dir / f"{name}.sock"
            path.unlink(missing_ok=True)
            self._servers[name] = await asyncio.start_unix_server(self._kept(name, talks[name]), str(path))
        if "daemon" in (names or talks):
            self._spawn(self._telemetry())

    def _kept(self, name: str, talk: Any) -> Any:
        async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            self._writers[name].add(writer)
            try:
                with contextlib.suppress(OSError, asyncio.CancelledError):
                    await talk(reader, writer)
            finally:
                self._writers[name].discard(writer)
                self._tasks.discard(task)
                writer.close()

        return run

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self, *names: str) -> None:
        """Die, as far as named."""
        for name in names or tuple(self._servers):
            server = self._servers.pop(name, None)
            if server is not None:
                server.close()
            for writer in list(self._writers[name]):
                writer.close()
            (self.runtime_dir / f"{name}.sock").unlink(missing_ok=True)
        if not self._servers:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0.01)

    def push(self, **changed: Any) -> None:
        """Change the Status and tell every console."""
        self.status = replace(self.status, **changed)
        self._tell("daemon", {"status": to_plain(self.status)})

    def caller_says(self, message: dict[str, Any]) -> None:
        """Push a line to everybody who listens to the caller."""
        self._tell("caller", message)

    def _tell(self, name: str, message: dict[str, Any]) -> None:
        if self.silent and name == "daemon":
            return
        for writer in list(self._writers[name]):
            writer.write(_line(message))

    async def _telemetry(self) -> None:
        while "daemon" in self._servers:
            await asyncio.sleep(0.5)
            if self.still:
                continue
            self.status = moved(self.status, 0.5) if self.moves else replace(self.status, t=self.status.t + 0.5)
            news = Telemetry(**{name: getattr(self.status, name) for name in _TELEMETRY})
            self._tell("daemon", {"telemetry": to_plain(news)})

    async def _daemon(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hellos.append(json.loads(await reader.readline()))
        if self.protocol != PROTOCOL:
            writer.write(_line({"error": "protocol", "server": self.protocol}))
            return
        if not self.silent:
            writer.write(_line({"protocol": PROTOCOL, "room": self.status.room}))
            writer.write(_line({"status": to_plain(self.status)}))
        while line := await reader.readline():
            message = json.loads(line)
            if self.silent:
                continue
            if "look_up" in message:
                writer.write(_line({"looked_up": to_plain(looked_up(from_plain(LookUp, message["look_up"])))}))
                continue
            given = from_plain(Input, message["input"])
            await asyncio.sleep(self.late_s)
            writer.write(_line({"reply": to_plain(self._answer(given))}))
            self._tell("daemon", {"status": to_plain(self.status)})

    def _answer(self, given: Input) -> Reply:
        if given.id in self._answers:
            return self._answers[given.id]
        self.inputs.append(given)
        if given.act.kind in self.refusals:
            code, values = self.refusals[given.act.kind]
            reply = Reply(id=given.id, refused=code, values=values)
        else:
            self._seq += 1
            reply = Reply(id=given.id, seq=self._seq, utc=utc_text(utc_now()))
            self._happen(given, reply)
        self._answers[given.id] = reply
        return reply

    def _happen(self, given: Input, reply: Reply) -> None:
        act = given.act
        changed: dict[str, Any] = {}
        match act:
            case Pause():
                changed["state"] = "paused"
            case Resume():
                still = self.status.hold and self.status.state == "paused"  # a pause ends first
                changed |= {"state": "running", "hold": still, "quiet": False}
            case Hold():
                changed["hold"] = True
            case Quiet():
                changed["quiet"] = True
            case Call():
                changed["call"] = CallView(call=act.call, level=act.level, stage="placed", seq=reply.seq)
            case StandDown():
                changed["call"] = replace(self.status.call, stage="stood_down")
            case _:
                pass
        values = {
            key: float(value) if isinstance(value, int) else value
            for key, value in to_plain(act).items()
            if key != "kind" and isinstance(value, str | int | float)
        }
        entry = LogEntry(
            seq=reply.seq, utc=reply.utc, kind=act.kind, values=values, who=given.origin.person or "",
            console=given.origin.console, text=act.text if isinstance(act, Note) else "",
        )  # fmt: skip
        self.status = replace(self.status, log=(entry, *self.status.log)[:40], **changed)

    async def _caller(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(_line({"path": "ok"}))
        while line := await reader.readline():
            message = json.loads(line)
            if "stand_down" in message:
                self.caller_says({"call": message["stand_down"], "stage": "stood_down", "by": message["by"]})
                continue
            self.calls.append(message)
            self.caller_says({"call": message["call"], "level": message["level"], "stage": "placed", "by": ""})

    async def _sound(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        while line := await reader.readline():
            message = json.loads(line)
            self.directs.append(message)
            writer.write(_line({"done": message["id"], "boottime": boottime()}))


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


async def serve_until_killed(runtime_dir: Path, inputs_file: Path) -> None:
    """For a console in another process: every Input goes to a file, one JSON object a line."""
    room = FakeRoom(runtime_dir, moves=True)
    await room.start()
    written = 0
    while True:
        await asyncio.sleep(0.02)
        news = [*room.inputs[written:]]
        written += len(news)
        with inputs_file.open("a", encoding="utf-8") as out:
            for given in news:
                out.write(json.dumps(to_plain(given)) + "\n")


if __name__ == "__main__":
    import sys

    asyncio.run(serve_until_killed(Path(sys.argv[1]), Path(sys.argv[2])))
