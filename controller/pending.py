"""Records on their way to the disk, and the effects that wait for them: written down first, then done.

Where the disk does not answer within `LATE_S` the effects are done all the same, the room is told that the journal is
late, and nobody is told that the record is noted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from controller.clock import Clock
from controller.messages import Act, DeviceBack, DeviceLost, Effect, Listener, Reply, target

log = logging.getLogger(__name__)

LATE_S = 2.0
"""An effect waits no longer than this for its record."""

_AGAIN_S = 0.25
"""While it is late, the disk is looked at again after this."""


@dataclass
class Pending:
    """A record on its way to the disk, and the effects that wait for it."""

    book: str
    seq: int
    order: int
    since: float
    effects: list[Effect]
    reply: Reply
    listeners: list[Listener] = field(default_factory=list)
    utc: str = ""
    released: bool = False
    late: bool = False
    """It has waited for the disk for `LATE_S`, and the room was told."""
    on_disk: bool = False


class Queue:
    """What is pending, the oldest first. `do(effect, order)` makes an effect real, `post` takes an act of the room."""

    def __init__(self, clock: Clock, do: Callable[[Effect, int], None], post: Callable[[Act], None]) -> None:
        self._clock = clock
        self._do = do
        self._post = post
        self._queue: deque[Pending] = deque()
        self._late: tuple[int, int] | None = None
        self._watch: asyncio.TimerHandle | None = None

    @property
    def holds_effects(self) -> bool:
        """Whether something is to be done as soon as its record is on disk."""
        return any(pending.effects and not pending.released for pending in self._queue)

    def unwritten(self) -> list[Pending]:
        """Those that are not on disk yet."""
        return [pending for pending in self._queue if not pending.on_disk]

    def waiting_s(self) -> float:
        """How long the oldest has waited for the disk."""
        return self._clock.now() - self._queue[0].since if self._queue else 0.0

    def append(self, pending: Pending) -> None:
        """Let the effects of a record wait that was handed to the journal."""
        self._queue.append(pending)
        if self._watch is None:
            self._watch = asyncio.get_running_loop().call_later(LATE_S, self._look_for_late)

    def written(self, pending: Pending) -> None:
        """Take it that this record is on disk: do what waited for it in its turn, and answer who asked."""
        pending.on_disk = True
        while self._queue and self._queue[0].on_disk:
            done = self._queue.popleft()
            self.release(done)
            for listener in done.listeners:
                listener(done.reply)
            done.listeners.clear()
        if self._late is not None and not any(pending.late for pending in self._queue):
            first, last = self._late
            self._late = None
            self._post(DeviceBack(name="journal", late_from=first, late_to=last))

    def overtake(self, urgent: Pending) -> None:
        """Act at once; what is queued for the same targets is no longer wanted."""
        targets = {target(effect) for effect in urgent.effects}
        for queued in self._queue:
            if queued is not urgent and not queued.released:
                queued.effects = [effect for effect in queued.effects if target(effect) not in targets]
        self.release(urgent)

    def release(self, pending: Pending) -> None:
        """Do its effects, once. One that fails must not keep the others from the room."""
        if pending.released:
            return
        pending.released = True
        for effect in pending.effects:
            try:
                self._do(effect, pending.order)
            except Exception:
                log.exception("%s could not be done", target(effect))

    def close(self) -> None:
        """Look at the disk no more."""
        if self._watch is not None:
            self._watch.cancel()

    def _look_for_late(self) -> None:
        """`LATE_S` without the disk: the room goes on, and everybody is told that nothing is being noted."""
        self._watch = None
        now = self._clock.now()
        late = [pending for pending in self._queue if now - pending.since >= LATE_S - 0.01]
        fresh = [pending for pending in late if not pending.late]
        for pending in fresh:
            pending.late = True
            self.release(pending)
        if fresh:
            first = self._late is None
            self._late = (self._late[0] if self._late else fresh[0].seq, fresh[-1].seq)
            if first:
                self._post(DeviceLost(name="journal", why="late"))
        if self._queue and self._watch is None:
            oldest = self._queue[0]
            wait = _AGAIN_S if oldest.late else max(0.05, oldest.since + LATE_S - now)
            self._watch = asyncio.get_running_loop().call_later(wait, self._look_for_late)
