"""The preflight's checks, made: each beside the loop, each with an answer, and watched for what changes after it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import json
import logging
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from controller.clock import boottime, clock_synchronised
from controller.commissioned import commissioning_report
from controller.config import Room, find_programme, load_room
from controller.files import ConfigError
from controller.messages import Act, Effect, LampView, PreflightLine, PreflightUsed, Probe, Probed, SoundView
from controller.nightly import verb_json
from controller.places import runtime_dir
from controller.session.probing import BREATH_S
from controller.session.state import State
from controller.sound.calibration import LUFS_OVER_DBFS, QUIETER_FOR_SIDES_DB, BusLevels
from controller.sound.card_controls import find_moves
from controller.sound.check import Play
from controller.sound.tone_link import NotHeard, play_tone
from controller.tasks import cancel

log = logging.getLogger(__name__)

LEAST_FREE_BYTES = 1024 * 1024 * 1024
"""As the nightly self-test asks for."""

LINK_S = 3.0
"""A link that was only just begun may take its time."""

ECHO_S = 12.0
"""The slowest lamps that are sold confirm within a few seconds; this is after the move's own end."""

NEAR = 0.03
"""Of the level: less than half of the move."""

SIDE_S = 1.5
SIDE_FADE_S = 0.6
"""Each side of a bus sounds for so long, and comes and goes by a ramp."""

STALLED_S = 10.0
"""A disk that did not answer for so long is too slow, whatever it says later."""

WATCH_S = 5.0
CARD_LOOKS = 12
"""The card's own volumes are asked of other programs: once a minute."""

MOST_TOLD = 3

Values = dict[str, str | int | float]

T = TypeVar("T")


class Unwell(Exception):
    """What a check found: a code, and its values."""

    def __init__(self, code: str, /, **values: str | int | float) -> None:
        super().__init__(code)
        self.code = code
        self.values: Values = dict(values)


@dataclass(frozen=True)
class Links:
    """What the daemon sees of its links; each is asked when it is looked at."""

    sound: Callable[[], SoundView]
    broker: Callable[[], bool]
    lamps: Callable[[], tuple[LampView, ...]]
    waiting_s: Callable[[], float]
    """How long the oldest record has waited for the disk."""


class Probes:
    """The checks of one room. Every method runs on the loop's thread; nothing here waits on it."""

    def __init__(self, room: Room, state_dir: Path, links: Links) -> None:
        self._room = room
        self._state_dir = state_dir
        self._links = links
        self._post: Callable[[Act], None] = lambda act: None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._lines: tuple[PreflightLine, ...] = ()
        self._programme = ""
        self._watch: asyncio.Task[None] | None = None
        self._looks: dict[str, asyncio.Future[Any]] = {}
        self._tone = asyncio.Lock()
        self._session = ""

    async def start(self, post: Callable[[Act], None]) -> None:
        """Take effects from now on; `post` reaches the rules."""
        self._post = post
        self._watch = asyncio.create_task(self._watch_files())

    async def close(self) -> None:
        """Break off what is being looked at; twice is fine."""
        await cancel(*self._tasks.values(), self._watch)

    def apply(self, effect: Effect, seq: int) -> None:
        """Begin a check; one of the same name that is under way is broken off."""
        if not isinstance(effect, Probe):
            return
        if effect.check in self._tasks:
            self._tasks[effect.check].cancel()
        task = asyncio.get_running_loop().create_task(self._probe(effect))
        self._tasks[effect.check] = task
        task.add_done_callback(lambda done: self._forget(effect.check, done))

    def follow(self, state: State) -> None:
        """A session that is open ends all checks, and takes up the preflight that was made for it."""
        self._lines = () if state.in_session else state.preflight.lines
        self._programme = state.preflight.programme
        if not state.in_session:
            self._session = ""
            return
        for task in self._tasks.values():
            task.cancel()
        if state.preflight.programme and self._session != state.session:
            self._session = state.session
            asyncio.get_running_loop().call_soon(self._post, PreflightUsed(session=state.session))

    def _forget(self, check: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(check) is task:
            del self._tasks[check]

    # --- making one -------------------------------------------------------------------------------------------

    async def _probe(self, probe: Probe) -> None:
        check, _, bus = probe.check.partition(".")
        try:
            if check == "sound":
                await self._play(probe, bus)
                return
            checks: dict[str, Callable[[Probe], Awaitable[str]]] = {
                "engine": self._engine,
                "broker": self._broker,
                "disk": self._disk,
                "clock": self._clock,
                "commissioning": self._commissioning,
                "card": self._card,
                "library": self._library,
                "lights": self._lights,
            }
            mark = await checks[check](probe)
        except Unwell as why:
            self._say(probe, why.code, {**probe.values, **why.values})
        except Exception as error:  # a check that cannot be made is not well
            log.exception("the preflight's %s could not be made", probe.check)
            self._say(probe, "not_made", {**probe.values, "why": str(error)})
        else:
            self._say(probe, values=probe.values, mark=mark)

    def _say(self, probe: Probe, code: str = "", values: Values | None = None, mark: str = "") -> None:
        found = Probed(check=probe.check, number=probe.number, well=not code, code=code, values=values or {}, mark=mark)
        self._post(found)

    async def _look(self, check: str, look: Callable[[], T]) -> T:
        """What is found on the disk. Raises Unwell where that takes too long.

        A disk that stalls keeps the thread that waits for it, and other work needs threads too: so each check has one,
        whoever asks again, and however often.
        """
        try:
            async with asyncio.timeout(STALLED_S):
                while (before := self._looks.get(check)) is not None and not before.done():
                    await asyncio.wait({before})
                self._looks[check] = asyncio.get_running_loop().run_in_executor(None, look)
                return await asyncio.shield(self._looks[check])
        except TimeoutError:
            raise Unwell("late") from None

    async def _mark(self, check: str, programme: str) -> str:
        return await self._look(check, partial(self._mark_of, check, programme))

    async def _engine(self, _probe: Probe) -> str:
        if not await _within(LINK_S, lambda: self._links.sound().state == "ok"):
            raise Unwell("no_answer")
        if self._links.sound().output.startswith("null"):
            raise Unwell("no_device")
        return ""

    async def _broker(self, _probe: Probe) -> str:
        if not await _within(LINK_S, self._links.broker):
            raise Unwell("no_answer")
        return ""

    async def _disk(self, probe: Probe) -> str:
        free = await self._look(probe.check, partial(_write_and_look, self._state_dir))
        if free < LEAST_FREE_BYTES:
            raise Unwell("disk_short", free=f"{free // 1024**2} MiB")
        if not await _within(LINK_S, lambda: self._links.waiting_s() < 1.0):
            raise Unwell("late")
        return ""

    async def _clock(self, _probe: Probe) -> str:
        if not clock_synchronised():
            raise Unwell("clock_unsynchronised")
        return ""

    async def _commissioning(self, probe: Probe) -> str:
        mark = await self._mark(probe.check, probe.programme)
        try:
            now = await self._look(probe.check, partial(load_room, self._room.path))
        except ConfigError as error:
            raise Unwell("room_file_wrong", why=error.mistakes[0]) from None
        if now.table != self._room.table:
            raise Unwell("room_file_changed")
        if not now.table.light.lamps:
            return mark
        standing = await self._look(probe.check, partial(commissioning_report, self._state_dir, now))
        if standing.state != "signed":
            raise Unwell(f"commissioning_{standing.state}", changed=", ".join(standing.changed))
        if standing.report is not None and standing.report.troubled:
            raise Unwell("commissioning_troubled", name=", ".join(standing.report.troubled))
        return mark

    async def _card(self, probe: Probe) -> str:
        await self._look_at_card()
        return await self._mark(probe.check, probe.programme)

    async def _look_at_card(self) -> None:
        sound = self._room.table.sound
        moves = await asyncio.to_thread(find_moves, sound.card, sound.output, runtime_dir(self._state_dir))
        if moves:
            raise Unwell("card_moved", count=len(moves), first=moves[0])

    async def _library(self, probe: Probe) -> str:
        wanted = ("--programme", probe.programme, "--room", str(self._room.path))
        found = await verb_json(self._state_dir, "library", "check", *wanted, awaited=True)
        if problems := found["problems"]:
            first = f"{Path(problems[0]['path']).name}: {problems[0]['why']}"
            raise Unwell("library_unwell", count=len(problems), first=first)
        return await self._mark(probe.check, probe.programme)

    async def _lights(self, probe: Probe) -> str:
        await asyncio.sleep(BREATH_S)

        def silent() -> list[str]:
            return [lamp.lamp for lamp in self._links.lamps() if not _answers(lamp)]

        if not await _within(ECHO_S, lambda: not silent()):
            names = silent()
            more = f" and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else ""
            raise Unwell("no_echo", name=f"{', '.join(names[:MOST_TOLD])}{more}")
        return ""

    async def _play(self, probe: Probe, name: str) -> None:
        """Left, then right, quieter than the music will be; says so as soon as the first can be heard."""
        table = next(bus for bus in self._room.table.sound.buses if bus.name == name)
        bus = table.levels()
        tone = gentle_tone_dbfs(bus, self._room.table.sound.target_lufs)
        async with self._tone:
            try:
                await self._let_sound(bus, Play(name, left_dbfs=tone))
                self._say(probe, values={"dbfs": round(tone, 1)})
                await asyncio.sleep(SIDE_S)
                await self._let_sound(bus, Play(name, right_dbfs=tone))
                await asyncio.sleep(SIDE_S)
                await self._let_sound(bus, Play(name))
            except NotHeard as why:
                self._say(probe, "not_played", {"why": str(why)})

    async def _let_sound(self, bus: BusLevels, step: Play) -> None:
        # It ends by itself a little later, whatever becomes of us.
        await asyncio.to_thread(play_tone, runtime_dir(self._state_dir), bus, step, SIDE_FADE_S, SIDE_S + 1.0)

    # --- what holds no longer ---------------------------------------------------------------------------------

    async def _watch_files(self) -> None:
        for looks in itertools.count(1):
            await asyncio.sleep(WATCH_S)
            for line in self._lines:
                if line.stage != "green" or not line.mark:
                    continue
                try:
                    mark = await self._mark(line.check, self._programme)
                    if mark != line.mark:
                        raise Unwell("changed")
                    if line.check == "card" and looks % CARD_LOOKS == 0:
                        await self._look_at_card()
                except Unwell as why:
                    self._post(Probed(check=line.check, number=line.seq, well=False, code=why.code, values=why.values))
                except Exception:  # what cannot be looked at now is looked at again
                    log.exception("what the preflight's %s holds for could not be looked at", line.check)

    def _mark_of(self, check: str, programme: str) -> str:
        """A digest of the files that a check holds for, by their sizes and times; "" for a check of no files."""
        files = {
            "library": [self._state_dir / "library.db", self._state_dir / "library.db-wal"],
            "commissioning": [self._room.path, self._state_dir / "commissioning" / f"{self._room.name}.json"],
            "card": [self._room.path],
        }.get(check, [])
        if check == "library":
            with contextlib.suppress(ConfigError):
                files.append(find_programme(programme))
        return hashlib.sha256(json.dumps([_facts_of(file) for file in files]).encode()).hexdigest()[:16]


def gentle_tone_dbfs(bus: BusLevels, target_lufs: float) -> float:
    """The tone's RMS on a bus: ten decibels below the music that it will carry, and well below its ceiling."""
    music = target_lufs - LUFS_OVER_DBFS + bus.level_db
    return min(music - QUIETER_FOR_SIDES_DB, bus.loudest_tone_dbfs)


def _answers(lamp: LampView) -> bool:
    return lamp.state == "confirmed" and (lamp.confirmed is None or abs(lamp.confirmed - lamp.target) <= NEAR)


def _facts_of(file: Path) -> tuple[str, int, int]:
    """Name, size and time of a file; an empty one is as good as none."""
    try:
        found = file.stat()
    except OSError:
        return file.name, 0, 0
    return (file.name, found.st_size, found.st_mtime_ns) if found.st_size else (file.name, 0, 0)


def _write_and_look(state_dir: Path) -> int:
    """Write a file beside the record and wait until it is on disk; gives the free bytes. Raises OSError."""
    probe = state_dir / "preflight.probe"
    try:
        with probe.open("wb") as file:
            file.write(os.urandom(4096))
            file.flush()
            os.fsync(file.fileno())
    finally:
        probe.unlink(missing_ok=True)
    return shutil.disk_usage(state_dir).free


async def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold within so long."""
    until = boottime() + seconds
    while not holds():
        if boottime() >= until:
            return False
        await asyncio.sleep(0.1)
    return True
