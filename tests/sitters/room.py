"""A real daemon with sitters, in a process of its own or in this one; no sound engine, broker or caller beside it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from controller.config import load_room
from controller.console.client import Client
from controller.daemon import Daemon
from controller.messages import Reply
from controller.places import runtime_dir
from controller.sitters.register import Register
from tests.waiting import PATIENCE_S, patiently, until

PINS = {"AB": "0739154826", "CD": "0462857193", "EF": "0918273645"}
ROOM = """
format = 1
name = "room-1"

[broker]
port = 9

[preflight]
required = false

[sitters]
wrong_pins = 3
lockout_s = 60
"""


@dataclass
class StaffedDaemon:
    """`stillroom run` in a directory."""

    state_dir: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What the daemon said."""
        return self.state_dir / "daemon.log"

    def start(self) -> None:
        """Until it is ready."""
        with self.log.open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "controller", "run", str(self.state_dir / "room.toml"),
                 "--state", str(self.state_dir)],
                stdout=subprocess.PIPE, stderr=said, env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"

    def kill(self, number: int = signal.SIGKILL) -> None:
        """kill -9, and wait until it is gone."""
        assert self.process is not None and self.process.stdout is not None
        self.process.send_signal(number)
        self.process.wait()
        self.process.stdout.close()
        self.process = None

    async def restart(self, client: Client) -> None:
        """Killed, started anew, and found again by a console that has noticed."""
        self.kill()
        await until(lambda: not client.connected)
        self.start()
        await until(lambda: client.connected)


@asynccontextmanager
async def console(state_dir: Path, name: str = "console-a", person: str | None = None) -> AsyncIterator[Client]:
    """A console's link that is up."""
    async with Client(runtime_dir(state_dir), console=name, person=person) as client:
        await client.ready(PATIENCE_S)
        yield client


async def sign_on(client: Client, who: str, pin: str = "", **more: str) -> Reply:
    """With the right PIN, or another."""
    return await client.sign_on(who, pin or PINS[who], **more)  # type: ignore[arg-type]


def furnish(state_dir: Path, *, sitters: bool = True) -> Path:
    """A room file, and a register in which AB, CD and EF stand."""
    room = state_dir / "room.toml"
    room.write_text(ROOM, encoding="utf-8")
    if sitters:
        kept = Register(state_dir).file
        kept.touch(mode=0o600)
        kept.write_bytes(_register())
    return room


@cache
def _register() -> bytes:
    """Hashed once: that takes its time, and is meant to."""
    with tempfile.TemporaryDirectory() as where:
        register = Register(Path(where))
        for initials, pin in PINS.items():
            register.keep(initials, pin)
        return register.file.read_bytes()


@asynccontextmanager
async def daemon_here(state_dir: Path, *, sitters: bool = True) -> AsyncIterator[None]:
    """The same daemon in this process, for what needs no kill."""
    daemon = Daemon(load_room(furnish(state_dir, sitters=sitters)), state_dir)
    opened = asyncio.Event()
    running = asyncio.create_task(daemon.run(opened.set))
    await patiently(opened.wait())
    try:
        yield
    finally:
        daemon.stop()
        await patiently(running)


@contextmanager
def staffed_daemon(state_dir: Path) -> Iterator[StaffedDaemon]:
    """A daemon in a process of its own."""
    furnish(state_dir)
    daemon = StaffedDaemon(state_dir)
    daemon.start()
    try:
        yield daemon
    finally:
        if daemon.process is not None:
            daemon.kill(signal.SIGTERM)
