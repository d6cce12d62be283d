"""`stillroom demo`: starts a room, lives through a session in it, and says what it measured."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import tempfile
from pathlib import Path

from controller.broker_private import PrivateBroker
from controller.calls.simulated import SimulatedDesk
from controller.config import Room, find_programme, load_programme, load_room
from controller.console.client import Client
from controller.demo.processes import RoomProcesses
from controller.demo.room import LAMPS, lamp_profile, prepare_music, write_room_file
from controller.demo.summary import summarise
from controller.inputs.simulated import SimulatedWriter
from controller.lights.simulated_mqtt import SimulatedLamps
from controller.messages import Act, Dose, End, LogEntry, Mark, Note, StandDown, Start, Status
from controller.places import make_dir, runtime_dir
from controller.wording import alarm as alarm_words
from controller.wording import entry as entry_words

PARTICIPANT = "D-001"
READY_S = 20.0
DESK_DELAY_S = 2.0
RESTART_S = 3.0
"""What died is started again after so long, as a service manager would."""
MOST_RESTARTS = 10


class DemoFailed(Exception):
    """The room did not come up, or something in it died."""


class Demo:
    """One run of the demo."""

    def __init__(self, state_dir: Path, minutes: float, wav: Path | None, *, headless: bool) -> None:
        self.state_dir = state_dir
        self.minutes = minutes
        self.headless = headless
        self.wav = wav or state_dir / "room.wav"
        self._told: set[tuple[str, int, str]] = set()
        self._alarms: set[str] = set()
        self._done: set[str] = set()
        self._restarts: list[str] = []
        self._key = SimulatedWriter(state_dir / "wall-button")

    async def run(self) -> int:
        """Everything, from nothing to the summary; 0 when all is as it should be."""
        async with contextlib.AsyncExitStack() as stack:
            self._say("making the music (once)")
            music = await asyncio.to_thread(prepare_music, self.state_dir)
            broker = PrivateBroker(self.state_dir / "broker")
            stack.callback(broker.stop)
            await asyncio.to_thread(broker.start)
            bridge = SimulatedLamps(broker.settings("stillroom-demo-bridge"), lamp_profile(), tuple(LAMPS.values()))
            desk = SimulatedDesk(broker.settings("stillroom-demo-desk"), DESK_DELAY_S)
            for simulated in (bridge, desk):
                stack.push_async_callback(simulated.close)
                await simulated.start()
            self.wav.unlink(missing_ok=True)  # a capture would be continued
            stack.callback(self._key.unplug)
            self._key.plug()
            output = f"file:{self.wav}" if self.headless else "auto"
            capture = None if self.headless else self.wav
            room_file = write_room_file(self.state_dir, music, broker.port, output, capture, self._key.device)
            room = load_room(room_file)
            processes = RoomProcesses(room_file, self.state_dir)
            stack.callback(processes.stop_all)
            processes.start_all()
            client = Client(runtime_dir(self.state_dir), console="demo", person="demo")
            await stack.enter_async_context(client)
            try:
                await client.ready(READY_S)
            except TimeoutError:
                raise DemoFailed(f"the daemon did not come up:\n{processes.log_tail('run')}") from None
            await self._settled(client)
            finished = await self._live(client, processes)
            status = client.status
        # What is measured takes seconds: by now nothing runs that would miss the loop.
        return self._report(room, status, bridge, finished)

    async def _settled(self, client: Client) -> None:
        """Wait until sound, lamps and call path answer, so that the session begins in a whole room."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_S):
                while client.status.sound.state != "ok" or any(
                    lamp.state in ("lost", "unconfirmed") for lamp in client.status.light
                ):
                    await asyncio.sleep(0.1)
        self._told.update(map(_key, client.status.log))  # how the room came up is no part of the session
        if client.status.sound.output.startswith("null"):
            self._say("there is no sound device here: the session runs without being heard")

    async def _live(self, client: Client, processes: RoomProcesses) -> bool:
        """The session. False where the console was left before its end."""
        start = Start(programme="demo", participants=(PARTICIPANT,), minutes=self.minutes, seed=1)
        reply = await client.send(start)
        if reply.refused:
            raise DemoFailed(f"the session was refused: {reply.refused}")
        console = None if self.headless else await self._open_console()
        try:
            while client.status.state != "ended":
                await asyncio.sleep(0.1)
                self._tell(client.status)
                await self._start_again(processes)
                await self._play_along(client)
                if console is not None and console.returncode is not None:
                    return False
            self._tell(client.status)
            await asyncio.sleep(2.0 if self.headless else 5.0)
            self._tell(client.status)
            return True
        finally:
            if console is not None and console.returncode is None:
                console.terminate()
                await console.wait()

    async def _start_again(self, processes: RoomProcesses) -> None:
        """Whoever kills a program sees what the room does without it, and what it does afterwards."""
        for verb, status in processes.dead().items():
            self._restarts.append(verb)
            if len(self._restarts) > MOST_RESTARTS:
                raise DemoFailed(f"{verb} ended with status {status}:\n{processes.log_tail(verb)}")
            if self.headless:
                self._say(f"{verb} ended with status {status}; it is started again in {RESTART_S:.0f} s")
            await asyncio.sleep(RESTART_S)
            processes.start(verb)

    async def _open_console(self) -> asyncio.subprocess.Process:
        arguments = ["-m", "controller", "console", "--state", str(self.state_dir), "--person", "you"]
        return await asyncio.create_subprocess_exec(sys.executable, *arguments)

    async def _play_along(self, client: Client) -> None:
        """What people in the room would do; with a console open only what the arc cannot do without."""
        status = client.status
        arrival = status.phases[0].end_s - status.phases[0].start_s if status.phases else 0.0
        at = status.arc_s
        if status.phases and at >= -arrival * 0.05:
            await self._once(client, "dose", Dose(amount=25, unit="mg", witness="CD"), PARTICIPANT)
        if status.waiting_for == "end":
            await self._once(client, "end", End())
        if not self.headless or not status.phases:
            return
        length = status.phases[-1].end_s
        for share, name, act in (
            (0.15, "mark", Mark(code="spoke")),
            (0.40, "note", Note(text="asked for a blanket")),
        ):
            if at >= length * share:
                await self._once(client, name, act, PARTICIPANT)
        if at >= length * 0.50 and "call" not in self._done:
            self._done.add("call")
            self._key.write("P\n")
        if "call" in self._done and client.call.stage == "acknowledged":
            await self._once(client, "stand down", StandDown())

    async def _once(self, client: Client, name: str, act: Act, *participants: str) -> None:
        if name not in self._done and client.status.state != "ended":
            self._done.add(name)
            reply = await client.send(act, participants)
            if reply.refused == "not_reached":
                self._done.discard(name)  # the daemon was away
            elif reply.refused:
                self._say(f"{name} was refused: {reply.refused}")

    def _tell(self, status: Status) -> None:
        """One line for everything that happened since."""
        if not self.headless:
            return
        for entry in reversed(status.log):
            if _key(entry) not in self._told:
                self._told.add(_key(entry))
                kind, words = entry_words(entry)
                self._say(f"{self._clock(status)}  {kind:<10} {words}")
        standing = {alarm.code: alarm for alarm in status.alarms}
        for code in standing.keys() - self._alarms:
            self._say(f"{self._clock(status)}  alarm      {alarm_words(standing[code])}")
        self._alarms = set(standing)

    @staticmethod
    def _clock(status: Status) -> str:
        t_plus = status.participants[0].t_plus_s if status.participants else None
        return "T+ -:--" if t_plus is None else f"T+ {int(t_plus // 60)}:{int(t_plus % 60):02d}"

    def _say(self, line: str) -> None:
        print(line, flush=True)

    def _report(self, room: Room, status: Status, bridge: SimulatedLamps, finished: bool) -> int:
        programme = load_programme(find_programme("demo")).scaled(self.minutes)
        lamps = [bridge.lamps[device] for device in LAMPS.values()]
        slew = room.table.light.slew_per_s
        findings = summarise(self.state_dir, status.session, room, programme, self.wav, status.sound, lamps, slew)
        print()
        for finding in findings:
            unreached = not finished and finding.name.startswith(("phases", "light"))
            sign = "ok " if finding.good else "you" if finding.by_hand else "---" if unreached else "NOT"
            print(f"{sign}  {finding.name:<18} {finding.value}")
        if self._restarts:
            print(f"     {'started again':<18} {', '.join(self._restarts)}")
        if any(finding.by_hand for finding in findings):
            print("     you: moved by what was pressed at the console, not by the programme")
        stillroom = Path(sys.executable).with_name("stillroom")
        print(f"     {'record':<18} {stillroom} journal show {status.session} --state {self.state_dir}")
        print(f"     {'what was heard':<18} {self.wav}")
        if not finished:
            print("The console was left before the session's end; --- was not reached by then.")
            return 0
        return 0 if all(finding.good or finding.by_hand for finding in findings) else 1


def _key(entry: LogEntry) -> tuple[str, int, str]:
    return entry.utc, entry.seq, entry.kind


def run_demo(*, headless: bool, minutes: float, state: Path | None, wav: Path | None) -> int:
    """Run it; Ctrl-C ends everything it started and nothing else (exit status 130)."""
    state_dir = (state or Path(tempfile.mkdtemp(prefix="stillroom-demo-"))).resolve()
    make_dir(state_dir)
    demo = Demo(state_dir, minutes, wav.resolve() if wav else None, headless=headless)
    return asyncio.run(_until_stopped(demo))


async def _until_stopped(demo: Demo) -> int:
    """The demo, or its orderly end at the first Ctrl-C, SIGTERM or hang-up."""
    work = asyncio.create_task(demo.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, work.cancel)
    try:
        return await work
    except asyncio.CancelledError:
        print(f"\nStopped. What was recorded lies in {demo.state_dir}")
        return 128 + signal.SIGINT
    except (DemoFailed, RuntimeError, OSError) as error:
        print(f"The demo could not go on: {error}", file=sys.stderr)
        return 1
