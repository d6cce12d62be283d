"""A real daemon with nothing around it: no engine, no broker, no lamps; only the record matters here."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from controller.console.client import Client
from controller.journal.reading import list_sessions, read_records, room_file, verify
from controller.messages import Reply, Start
from controller.places import runtime_dir
from tests.waiting import PATIENCE_S, until


class DaemonAlone:
    """What `stillroom run` runs, in a process of its own, as often as a test wants it."""

    def __init__(self, work: Path, state_dir: Path, more: str, environment: Mapping[str, str], flags: tuple[str, ...]):
        with socket.socket() as probe:  # a port on which nobody listens
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        work.mkdir(parents=True, exist_ok=True)
        self.state_dir = state_dir
        self.room_file = work / "room.toml"
        self.room_file.write_text(
            f'format = 1\nname = "alone"\n\n[broker]\nport = {port}\n\n[preflight]\nrequired = false\n\n{more}\n'
        )
        self.log = work / "run.log"
        self.environment = {**os.environ, **environment}
        self.flags = flags
        self.pid = 0
        self._nursery: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """A new daemon; the first one takes the imports' half second."""
        if self._nursery is None:
            command = [sys.executable, "-m", "tests.record.nursery", str(self.room_file), str(self.state_dir)]
            command += self.flags
            with self.log.open("ab") as log:
                self._nursery = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=self.environment, text=True
                )
        self.pid = int(self._ask("start"))

    def end(self, number: int = signal.SIGTERM) -> int:
        """End it, and wait until it is gone; its exit status."""
        pid, self.pid = self.pid, 0
        os.kill(pid, number)
        return int(self._ask(str(pid)))

    def close(self) -> None:
        """Nothing is left of it."""
        if self.pid:
            self.end(signal.SIGKILL)
        if self._nursery is not None:
            self._nursery.communicate()
            self._nursery = None

    def _ask(self, line: str) -> str:
        assert self._nursery is not None
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(line + "\n")
        self._nursery.stdin.flush()
        return self._nursery.stdout.readline()

    def client(self, console: str = "c1") -> Client:
        return Client(runtime_dir(self.state_dir), console=console, person="T")


@asynccontextmanager
async def daemon_alone(
    work: Path,
    state_dir: Path,
    more: str = "",
    environment: Mapping[str, str] | None = None,
    flags: tuple[str, ...] = (),
) -> AsyncIterator[DaemonAlone]:
    """A daemon that runs; `more` goes into its room file, `environment` to its process, `flags` to the nursery."""
    daemon = DaemonAlone(work, state_dir, more, environment or {}, flags)
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.close()


async def begin(client: Client, programme: str = "demo") -> str:
    """Open a session; its name."""
    await client.ready(PATIENCE_S)
    reply = await client.send(Start(programme=programme, participants=("D-001",), seed=3))
    assert not reply.refused, reply
    await until(lambda: client.status.session)
    return client.status.session


def assert_kept(state_dir: Path, noted: list[Reply]) -> int:
    """Every acknowledged record is there under its number and once, and both chains are whole; how many there are."""
    (info,) = list_sessions(state_dir)
    found = verify(info.file)
    assert found.ok, found
    room = verify(room_file(state_dir))
    assert room.ok, room
    ids = [record.input.id for record, _ in read_records(info.file)]
    assert len(ids) == len(set(ids)), "an act was recorded twice"
    for reply in noted:
        assert ids[reply.seq - 1] == reply.id, f"acknowledged record {reply.seq} is gone"
    return len(ids)
