"""The warden: a small process that outlives its work, watches it, and starts it anew when it dies or hangs.

It forks: what was imported by then all lives have at once and share, and what the work alone needs each imports for
itself. The work says that it is alive over `NAME.heart`, a datagram socket in the runtime directory; `NAME.life` there
lets one warden and one life run at a time. A warden that dies takes nothing with it: the work goes on, and the next
warden finds it by the lock and adopts it as it is.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, NoReturn

from controller.boot import boottime
from controller.places import make_dir

_BEAT = struct.Struct("<id?")
"""Process, CLOCK_BOOTTIME, whether all is well."""

_LOOK_S = 0.1
_END_S = 3.0
"""What does not end when asked is killed after so long."""

_SHORT_LIFE_S = 2.0
_DELAYS_S = (0.0, 0.0, 0.3, 1.0)
"""Wait before a new life, by the number of short ones before it."""

_WARDEN, _LIFE = 0, 1
"""Bytes of the lock file."""


class Past(NamedTuple):
    """What a life is told of the one before. `why`: "" for none, hung, killed, crashed, or ended without being asked.

    `alive_at`: CLOCK_BOOTTIME of its last sign of life. `falls`: how many lives in a row were short.
    """

    why: str = ""
    alive_at: float | None = None
    falls: int = 0


NO_PAST = Past()


class Heart:
    """The living side. `beat` never waits and never raises, whatever has become of the warden."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._pid = os.getpid()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def beat(self, well: bool = True) -> None:
        """Be alive. One that is not `well` for long is ended like one that is silent."""
        with contextlib.suppress(OSError):
            self._socket.sendto(_BEAT.pack(self._pid, boottime(), well), self._path)


Live = Callable[[Heart, Past], None]
"""The work: beats while it is well, returns when it is told to end by SIGTERM."""


class _Life:
    """A process that is watched: a child of this warden, or one that another warden left."""

    def __init__(self, pid: int, ours: bool) -> None:
        self.pid = pid
        self.handle = os.pidfd_open(pid)
        self.born = self.alive_at = boottime()
        self.silent = 0.0
        """Seconds of watching without a good sign of life: neither suspend nor a stopped warden counts."""
        self.begun = not ours
        self._ours = ours

    def send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.handle, number)

    def wait(self, seconds: float) -> bool:
        """Whether it is over within so long."""
        return bool(select.select([self.handle], [], [], seconds)[0])

    def bury(self) -> str:
        """After its end: why it ended, as a code."""
        os.close(self.handle)
        if not self._ours:
            return "ended"
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if status in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT):
            return "killed"
        return "crashed" if status else "ended"


class _Warden:
    def __init__(self, name: str, runtime_dir: Path, live: Live, silent_s: float, starting_s: float) -> None:
        self._name = name
        self._live = live
        self._silent_s, self._starting_s = silent_s, starting_s
        self._path = runtime_dir / f"{name}.heart"
        self._hearts = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            make_dir(runtime_dir)
            self._lock = os.open(runtime_dir / f"{name}.life", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if not self._locked(_WARDEN):
                raise SystemExit(f"this room's {name} is running already")
            self._path.unlink(missing_ok=True)
            self._hearts.bind(str(self._path))
            self._path.chmod(0o600)
        except OSError as error:
            raise SystemExit(f"{runtime_dir}: {error.strerror or error}") from None
        self._ending = False
        self._woken, self._wakes = socket.socketpair()
        for end in (self._woken, self._wakes):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)

    def _end(self, _number: int, _frame: object) -> None:
        self._ending = True

    def _locked(self, byte: int) -> bool:
        try:
            fcntl.lockf(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except OSError:
            return False
        return True

    def run(self) -> None:
        """Keep a life until told to end; then end it in order."""
        life = self._adopted() or self._born(Past())
        falls = 0
        while True:
            why, last = self._watch(life), life
            if self._ending:
                break
            falls = falls + 1 if last.alive_at - last.born < _SHORT_LIFE_S else 0
            self._say(f"{why} and is started anew")
            self._pause(_DELAYS_S[min(falls, len(_DELAYS_S) - 1)])
            if self._ending:
                break
            life = self._born(Past(why, last.alive_at, falls))
        self._path.unlink(missing_ok=True)

    def _adopted(self) -> _Life | None:
        """The life that another warden left, if it lives."""
        while not self._locked(_LIFE):
            # One that has only just begun has not written its number yet; one that ends just now has none any more.
            with contextlib.suppress(ValueError, ProcessLookupError):
                life = _Life(int(os.pread(self._lock, 16, 0)), ours=False)
                self._say(f"{life.pid} lives already and is watched")
                return life
            self._pause(_LOOK_S)
            if self._ending:
                raise SystemExit
        fcntl.lockf(self._lock, fcntl.LOCK_UN, 1, _LIFE)
        return None

    def _born(self, past: Past) -> _Life:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._be(past)
        return _Life(pid, ours=True)

    def _be(self, past: Past) -> NoReturn:
        """The child's whole life."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for end in (self._woken, self._wakes, self._hearts):
                end.close()
            fcntl.lockf(self._lock, fcntl.LOCK_EX, 1, _LIFE)
            os.pwrite(self._lock, f"{os.getpid():<15}\n".encode(), 0)
            self._live(Heart(self._path), past)
            status = 0
        except SystemExit as told:
            print(told, file=sys.stderr)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            with contextlib.suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def _watch(self, life: _Life) -> str:
        """Until its end, which may be ours to bring about; returns why it ended."""
        hung = False
        while not self._ending and not hung:
            looked = boottime()
            # Not woken by every beat: an end and an order are heard at once, hearts at the next look.
            ready, _, _ = select.select([life.handle, self._woken.fileno()], [], [], _LOOK_S)
            if life.handle in ready:
                life.alive_at = boottime()
                return life.bury()
            if not self._heard(life):
                life.silent += min(boottime() - looked, 2 * _LOOK_S)
            hung = life.silent > (self._silent_s if life.begun else self._starting_s)
        if self._ending:
            life.send(signal.SIGTERM)
            if life.wait(_END_S):
                return life.bury()
        life.send(signal.SIGKILL)
        while not life.wait(5.0):
            self._say(f"{life.pid} cannot be killed")
        life.bury()
        return "hung"

    def _heard(self, life: _Life) -> bool:
        """Whether there was a good sign of life."""
        good = False
        while True:
            try:
                pid, at, well = _BEAT.unpack(self._hearts.recv(64))
            except (BlockingIOError, struct.error):
                break
            if pid == life.pid:
                life.alive_at = at
                good = good or well
        if good:
            life.silent, life.begun = 0.0, True
        return good

    def _say(self, words: str) -> None:
        with contextlib.suppress(OSError):
            print(f"{self._name} {words}", file=sys.stderr, flush=True)

    def _pause(self, seconds: float) -> None:
        if seconds and not self._ending:
            select.select([self._woken], [], [], seconds)


def keep_alive(name: str, runtime_dir: Path, live: Live, *, silent_s: float, starting_s: float = 5.0) -> None:
    """Be the warden of `live` until SIGTERM or SIGINT; a life that is silent for `silent_s` is killed.

    `starting_s` is its time up to the first sign of life. To be called while this process has one thread. Raises
    SystemExit where this directory has a warden of the name.
    """
    warden = _Warden(name, runtime_dir, live, silent_s, starting_s)
    # What is imported by now is never looked at by the lives' collections, and so stays shared with them.
    gc.collect()
    gc.freeze()
    warden.run()
