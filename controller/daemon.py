"""The daemon: opened in order, closed in reverse, and put right from the journal in between."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import secrets
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from msgspec.structs import replace

from controller.arc.programme import Programme
from controller.arc.shelves import Pool
from controller.archiving import ArchiveDesk
from controller.as_run import AsRun, gather
from controller.booking import known_programme, prepare_booking
from controller.broker import BrokerLink
from controller.calls.client import CallerClient
from controller.clock import RoomClock, clock_synchronised, utc_now
from controller.config import Room, load_programme, shipped
from controller.config.record import MEGABYTE
from controller.inputs.client import ButtonsClient
from controller.journal.chain import ROOM
from controller.journal.recovery import Recovered, recover
from controller.journal.reserve import Reserve, is_full
from controller.journal.writer import Journal
from controller.messages import (
    AnswerPreflight,
    ArchiveAct,
    BeginPreflight,
    Book,
    ClockSynced,
    DeviceBack,
    DeviceLost,
    Erase,
    Input,
    JournalView,
    Listener,
    LogEntry,
    Opened,
    OverridePreflight,
    Refused,
    ReserveChanged,
    Start,
    Status,
    Telemetry,
    encode,
)
from controller.nightly import Nightly
from controller.pending import LATE_S
from controller.places import make_dir, runtime_dir
from controller.planning import planner_for
from controller.pool import RoomPool
from controller.probes import Links, Probes
from controller.records import look_up
from controller.restoring import Restored, last_entries, restore
from controller.room_lights import make_lights
from controller.runner import Runner
from controller.server import Server
from controller.session.blinding import check_codes
from controller.session.preflight import carried
from controller.sitters.desk import SignOnDesk
from controller.sitters.register import Register
from controller.sound.client import SoundClient
from controller.timetable.scheduler import RoomTimetable
from controller.views import Surroundings, status, telemetry

log = logging.getLogger(__name__)

CLOCK_CHECK_S = 10.0
RESERVE_CHECK_S = 5.0

ROOM_FIRST_S = 0.02
"""Consoles are told of a change after it is done; a disk that takes longer does not keep it from them."""

SWITCH_S = 0.0005
"""How long the loop waits at most for the planner's and the journal's threads to hand the interpreter over."""


class Daemon:
    """One room's daemon."""

    def __init__(self, room: Room, state_dir: Path) -> None:
        self._room = room
        self._state_dir = state_dir
        self._pools = RoomPool(state_dir, room)
        self._reserve = Reserve(state_dir, int(room.table.record.reserve_mb * MEGABYTE))
        self._record_fails = False
        self._as_run: AsRun | None = None
        self._starts: set[asyncio.Task[None]] = set()
        self._clock = RoomClock()
        self._stop = asyncio.Event()
        self._told = False
        self._telling: asyncio.TimerHandle | None = None

    def stop(self) -> None:
        """Close in good order; the session stays open in the journal and the music goes on."""
        self._stop.set()

    async def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop`. Raises OSError or JournalInUse where the room cannot be opened."""
        async with contextlib.AsyncExitStack() as stack:
            await self._open(stack)
            ready()
            gc.collect()
            gc.freeze()  # what was built to stay is not looked through at each full collection: 20 to 50 ms
            await self._stop.wait()

    async def _open(self, stack: contextlib.AsyncExitStack) -> None:
        run_dir = runtime_dir(self._state_dir)
        make_dir(run_dir)
        recovered = await asyncio.to_thread(self._recover)
        restored = restore(recovered, self._room.rules(), self._clock)
        await asyncio.to_thread(encode, restored.state)  # the first time costs a tenth of a second
        self._journal = Journal(
            self._state_dir, self._clock, self._journal_trouble, reserve=self._reserve, on_reserve=self._reserve_changed
        )
        stack.push_async_callback(self._journal.close)
        self._link = BrokerLink(self._room.broker("daemon"))
        self._sound = SoundClient(run_dir, self._clock)
        self._lights = make_lights(self._room, run_dir, self._link, self._clock)
        self._caller = CallerClient(run_dir, self._clock)
        nightly = Nightly(
            self._state_dir,
            lambda: self._sound.view()[0].state == "ok",
            lambda: self._link.answering,
            self._room.keeping(),
        )
        self._timetable = RoomTimetable(self._room.timetable(), nightly.job)
        self._archive = ArchiveDesk(self._state_dir, self._room.keeping().retention)
        stack.push_async_callback(self._archive.close)
        self._probes = Probes(self._room, self._state_dir, self._links())
        entries = await asyncio.to_thread(last_entries, self._state_dir, recovered)
        self.runner = self._make_runner(recovered, restored, entries)
        desk = SignOnDesk(Register(self._state_dir), lambda: self.runner.state.duty, self._take, self._clock.now)
        self._server = Server(
            run_dir / "daemon.sock", self._room.name, self._take, self._status, self._telemetry, desk,
            lambda asked: look_up(self._state_dir, asked),
        )  # fmt: skip
        stack.push_async_callback(self.runner.close)
        await self._probes.start(self.runner.post_act)  # a check that is asked for anew may be made at once
        stack.push_async_callback(self._probes.close)
        self._go_on(recovered, restored)
        await desk.start()
        stack.push_async_callback(desk.close)
        await self._server.start()
        stack.push_async_callback(self._server.close)
        await self._caller.start(self.runner.post_act)
        stack.push_async_callback(self._caller.close)
        await self._sound.start(self.runner.post_act, lambda given, heard: self._take(desk.vouched(given), heard))
        stack.push_async_callback(self._sound.close)
        await self._lights.start(self.runner.post_act)
        stack.push_async_callback(self._lights.close)
        await self._timetable.start(lambda act: self._take(Input(act=act), None))
        stack.push_async_callback(self._timetable.close)
        if self._room.table.buttons:
            buttons = ButtonsClient(run_dir)
            await buttons.start(self.runner.post)
            stack.push_async_callback(buttons.close)
        for watch in (self._watch_clock(), self._keep_reserve()):
            stack.callback(asyncio.create_task(watch).cancel)
        stack.callback(lambda: [start.cancel() for start in self._starts])

    def _go_on(self, recovered: Recovered, restored: Restored) -> None:
        """Begin where the record ends: say so, finish what a crash cut short, and tell of what is damaged."""
        opened = Opened(
            rules=self._room.rules(),
            outage_s=restored.outage_s,
            rebooted=restored.rebooted,
            unrecorded_s=recovered.unrecorded_s(self._clock.now()),
        )
        self.runner.post_act(opened)
        session = recovered.session
        if session is not None and not restored.state.in_session:
            self.runner.close_book(session.book)
        for reopened in recovered.reopened:
            self._journal.close_session(reopened)
        for book in (ROOM, *([session.book] if session else [])):
            self._archive.apply(Erase(book=book), 0)
        for damage in recovered.damaged:
            log.error("%s was damaged (%s) and is kept as %s", damage.book, damage.why, damage.kept_as)
            self.runner.post_act(damage.act)
        if session is not None and restored.unread:
            why = f"cannot be replayed from {restored.unread[0]}"
            self.runner.post_act(DeviceLost(name=f"journal.{session.book}", why=why))

    def _make_runner(self, recovered: Recovered, restored: Restored, entries: list[LogEntry]) -> Runner:
        books = [recovered.room] + ([recovered.session] if recovered.session else [])
        return Runner(
            restored.state,
            self._clock,
            self._journal,
            {
                "sound": self._sound,
                "lights": self._lights,
                "caller": self._caller,
                "timetable": self._timetable,
                "archive": self._archive,
                "preflight": self._probes,
            },
            planner_for(self._pool_of, self._clock.now),
            seqs={book.book: book.seq for book in books},
            replies=recovered.replies,
            entries=entries,
            prepare=self._prepare,
            on_change=self._changed,
        )

    def _waiting_s(self) -> float:
        return self.runner.waiting_s()

    def _links(self) -> Links:
        return Links(
            sound=lambda: self._sound.view()[0],
            broker=lambda: self._link.answering,
            lamps=lambda: self._lights.view(self._clock.now()),
            waiting_s=self._waiting_s,
        )

    # --- what the runner asks ---------------------------------------------------------------------------------

    def _take(self, given: Input, listener: Listener | None) -> None:
        if isinstance(given.act, ArchiveAct):
            self._archive.look_up(given, self.runner.book, lambda: self.runner.post(given, listener))
        elif isinstance(given.act, Start):
            task = asyncio.get_running_loop().create_task(self._take_start(given, given.act, listener))
            self._starts.add(task)
            task.add_done_callback(self._starts.discard)
        else:
            self.runner.post(given, listener)

    async def _take_start(self, given: Input, start: Start, listener: Listener | None) -> None:
        """Gather beside the loop what the session is to be run with, and let the rules see it then."""
        found = None
        try:
            found = await asyncio.to_thread(gather, start, self._room, self._pools, self._state_dir, software())
        except Exception:  # whoever asked is told that it was refused, and it is on record
            log.exception("what the session is to be run with cannot be gathered")
        self._as_run = found
        self.runner.post(given, listener)
        self._as_run = None

    def _pool_of(self, programme: Programme) -> Pool:
        path = shipped("playlists").get(programme.name)
        return self._pools.pool(programme, path.parent if path else None)

    def _prepare(self, given: Input) -> Input:
        """Fill in what a Start leaves to the room: the programme's text, the session's name, the seed, the preflight.

        So too a booking and a preflight; and refuse what only the outside can see is missing. Raises Refused.
        """
        act = given.act
        if isinstance(act, ArchiveAct):
            return self._archive.filled(given)
        if isinstance(act, Book):
            return replace(given, act=prepare_booking(act, self._room.timetable().zone, utc_now().timestamp()))
        if isinstance(act, OverridePreflight) and not given.why.strip():
            raise Refused("no_reason", what=act.kind)
        if isinstance(act, BeginPreflight):
            programme = load_programme(known_programme(act.programme))
            check_codes(programme, act.participants)
            least, most = programme.participants_least, programme.participants_most
            return replace(given, act=replace(act, least=least, most=most))
        if isinstance(act, AnswerPreflight) and act.check == "participants" and self.runner.state.preflight.programme:
            programme = load_programme(known_programme(self.runner.state.preflight.programme))
            check_codes(programme, tuple(act.value.split()))
        if not isinstance(act, Start):
            return given
        if self._record_fails or self.runner.waiting_s() >= LATE_S:
            raise Refused("not_recorded")
        least_free = self._room.table.record.least_free_mb * MEGABYTE
        if not self._reserve.there or shutil.disk_usage(self._state_dir).free < least_free:
            raise Refused("disk_full")
        known_programme(act.programme)
        run = self._as_run
        if run is None:
            raise Refused("bad_value", what="programme", why="it could not be read")
        self._journal.offer(run.by_digest)
        session = f"{utc_now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
        seed = act.seed if act.seed is not None else secrets.randbelow(2**31)
        filled = replace(
            act,
            programme_text=run.programme_text,
            session=session,
            seed=seed,
            software=software(),
            kept=run.kept,
        )
        return replace(given, act=carried(filled, self.runner.state.preflight))

    def _changed(self) -> None:
        """Once for all changes of this turn of the loop, and after what they do to the room unless the disk is slow."""
        loop = asyncio.get_running_loop()
        if self.runner.holds_effects:
            self._telling = self._telling or loop.call_later(ROOM_FIRST_S, self._tell)
        elif not self._told:
            self._told = True
            loop.call_soon(self._tell)

    def _tell(self) -> None:
        self._told = False
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        self._server.changed()
        self._timetable.follow(self.runner.state)
        self._probes.follow(self.runner.state)

    def _recover(self) -> Recovered:
        """What the journals hold; a full disk must not keep the room from opening."""
        try:
            return recover(self._state_dir)
        except (sqlite3.Error, OSError) as error:
            if not (is_full(error, self._state_dir) and self._reserve.give_up()):
                raise
        return recover(self._state_dir)

    def _reserve_changed(self) -> None:
        megabytes = round(self._reserve.size / MEGABYTE, 1)
        self.runner.post_act(ReserveChanged(there=self._reserve.there, megabytes=megabytes))

    async def _keep_reserve(self) -> None:
        """Hold room on the disk for the record, and take it again when there is some."""
        if not await asyncio.to_thread(self._reserve.hold):
            self._reserve_changed()
        while True:
            await asyncio.sleep(RESERVE_CHECK_S)
            if not self._reserve.there and await asyncio.to_thread(self._reserve.hold):
                self._reserve_changed()

    def _journal_trouble(self, why: str) -> None:
        self._record_fails = bool(why)
        self.runner.post_act(DeviceLost(name="journal", why=why) if why else DeviceBack(name="journal"))

    # --- what consoles are shown ------------------------------------------------------------------------------

    def _around(self) -> Surroundings:
        sound, track = self._sound.view()
        now = self._clock.now()
        return Surroundings(
            utc=self._clock.stamp(now).utc,
            sound=sound,
            track=track,
            lamps=self._lights.view(now),
            journal=JournalView(
                seq=self.runner.committed.get(self.runner.book, 0), late_s=round(self.runner.waiting_s(), 3)
            ),
            simulated=self._room.table.simulated,
        )

    def _status(self) -> Status:
        return status(self.runner.state, self._clock.now(), self._around(), self.runner.log)

    def _telemetry(self) -> Telemetry:
        return telemetry(self.runner.state, self._clock.now(), self._around())

    async def _watch_clock(self) -> None:
        """Say when the wall clock was set right: a Pi has no battery clock."""
        synced = clock_synchronised()
        ahead = utc_now().timestamp() - self._clock.now()
        while True:
            await asyncio.sleep(CLOCK_CHECK_S)
            offset = utc_now().timestamp() - self._clock.now() - ahead
            if (not synced and clock_synchronised()) or abs(offset) > 1.0:
                synced = clock_synchronised()
                ahead += offset
                self.runner.post_act(ClockSynced(offset_s=round(offset, 3)))


def software() -> str:
    """Name and version of this software."""
    return f"stillroom {version('stillroom')}"


async def _serve(room: Room, state_dir: Path, ready: Callable[[], None]) -> None:
    daemon = Daemon(room, state_dir)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, daemon.stop)
    await daemon.run(ready)


def run_daemon(room: Room, state_dir: Path, ready: Callable[[], None] = lambda: None) -> None:
    """Run until SIGTERM or SIGINT. The session, if any, stays open and the music goes on."""
    make_dir(state_dir)
    sys.setswitchinterval(SWITCH_S)
    asyncio.run(_serve(room, state_dir, ready))
