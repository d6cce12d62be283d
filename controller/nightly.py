"""The nightly checks: our own verbs in processes of the lowest priority, and what this daemon sees of its links."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller.clock import boottime
from controller.journal.chain import ROOM
from controller.journal.keeping import KeepingSettings
from controller.journal.reading import list_sessions
from controller.messages import Act, BackedUp, Check, Checked, Retention, Trouble, from_plain
from controller.tasks import cancel
from controller.wording import refusal

MOST_TOLD = 20
LEAST_FREE_BYTES = 1024 * 1024 * 1024
"""A full card takes a session's record with it; a gigabyte is weeks of records (our judgement)."""

PATIENCE_S = 20.0
"""A check that is made up for is made right after the daemon has started."""

END_S = 3.0
"""A process that has not ended so long after it was told to is killed; one that hangs even then is left."""

_IDLE = ("nice", "-n", "19", "ionice", "-c", "3")
_AWAITED = ("nice", "-n", "5")


class Nightly:
    """The checks of one room. `sound` and `broker`: whether the engine's heartbeat and the broker are there."""

    def __init__(
        self,
        state_dir: Path,
        sound: Callable[[], bool],
        broker: Callable[[], bool],
        keeping: KeepingSettings | None = None,
    ) -> None:
        self._state_dir = state_dir
        self._keeping = keeping or KeepingSettings()
        self._sound = sound
        self._broker = broker

    async def job(self, check: Check) -> Act:
        """Do what the night has come to, and give what is to be recorded of it; raises as `check`."""
        match check:
            case "backup":
                return await self._backup()
            case "retention":
                return await self._retention()
            case _:
                return await self.check(check)

    async def check(self, check: Check) -> Checked:
        """Make a check; waits for its processes. Raises OSError or ValueError where one cannot be run."""
        looked_at, troubles = await (self._library() if check == "library_check" else self._self())
        return Checked(check=check, looked_at=looked_at, count=len(troubles), troubles=tuple(troubles[:MOST_TOLD]))

    async def _backup(self) -> BackedUp:
        place = str(self._keeping.backup_to)
        words = ["--same-disk"] if self._keeping.same_disk else []
        return from_plain(BackedUp, await verb_json(self._state_dir, "journal", "backup", place, "--no-record", *words))

    async def _retention(self) -> Retention | Checked:
        """What the rule takes; the rules and the files have the last word when it is recorded."""
        rule = self._keeping.retention
        assert rule is not None
        words = [f"--programme={name}={days:g}" for name, days in rule.programmes.items()]
        words += [f"--days={rule.days:g}"] if rule.days is not None else []
        found = await verb_json(self._state_dir, "journal", "retention", "--dry-run", *words)
        if not found["clock_sure"]:
            raise ValueError(refusal("clock_unsure", {}))
        over = from_plain(Retention, found["retention"])
        return over if over.removed else Checked(check="retention", looked_at=int(found["looked_at"]))

    async def _library(self) -> tuple[int, list[Trouble]]:
        found = await verb_json(self._state_dir, "library", "check")
        problems = [Trouble(code="file", name=str(it["path"]), why=str(it["why"])) for it in found["problems"]]
        return len(found["pieces"]) + len(problems), problems

    async def _self(self) -> tuple[int, list[Trouble]]:
        troubles = []
        await self._settled()
        if not self._sound():
            troubles.append(Trouble(code="sound"))
        if not self._broker():
            troubles.append(Trouble(code="broker"))
        free = shutil.disk_usage(self._state_dir).free
        if free < LEAST_FREE_BYTES:
            troubles.append(Trouble(code="disk", name=f"{free // 1024**2} MiB"))
        sessions = await asyncio.to_thread(list_sessions, self._state_dir)
        books = [ROOM, *(info.session for info in sessions[-1:])]
        for book in await verb_json(self._state_dir, "journal", "verify", *books):
            if not book["ok"]:
                troubles.append(Trouble(code="journal", name=str(book["book"]), why=str(book["why"])))
        return 3 + len(books), troubles

    async def _settled(self) -> None:
        """Links that were only just begun may take their time."""
        until = boottime() + PATIENCE_S
        while not (self._sound() and self._broker()) and boottime() < until:
            await asyncio.sleep(0.2)


async def verb_json(state_dir: Path, *words: str, awaited: bool = False) -> Any:
    """What one of our verbs says with --json, in a process of its own. Raises ValueError where that is no JSON.

    `awaited`: somebody waits for it; without, it takes what nobody else wants.
    """
    command = [
        *(_AWAITED if awaited else _IDLE),
        sys.executable,
        "-m",
        "controller",
        *words,
        "--json",
        "--state",
        str(state_dir),
    ]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    try:
        said, error = await process.communicate()
    finally:
        if process.returncode is None:  # we were stopped: a session begins
            ending = asyncio.ensure_future(_end(process))
            while not ending.done():  # told once more to stop, we still see to it
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({ending})
    if not said.strip():
        last = error.decode(errors="replace").strip().splitlines()
        raise ValueError(f"{' '.join(words[:2])}: {last[-1] if last else f'exit {process.returncode}'}")
    return json.loads(said)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Let it end, or kill it."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        if not await _over(process):
            process.kill()
            await _over(process)


async def _over(process: asyncio.subprocess.Process) -> bool:
    """Whether it ends within its time."""
    # `asyncio.timeout` loses its way in a task that is being cancelled, as ours is here, on the oldest Python of ours.
    waiting = asyncio.ensure_future(process.wait())
    over, _ = await asyncio.wait({waiting}, timeout=END_S)
    await cancel(waiting)
    return bool(over)
