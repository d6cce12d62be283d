"""The only module, with `boot`, that reads a clock.

Sessions run on room time: CLOCK_BOOTTIME seconds plus an offset that carries a session over a reboot.
CLOCK_BOOTTIME counts through suspend and never steps; wall-clock time is kept beside it and steers nothing.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Protocol

from controller.boot import boot_id, boottime
from controller.messages import Stamp

__all__ = [
    "Clock", "RoomClock", "SimulatedClock", "boot_id", "boottime", "clock_synchronised", "sure_utc", "system_zone",
    "utc_now", "utc_text",
]  # fmt: skip

_libc = ctypes.CDLL(None, use_errno=True)

_UNSYNCHRONISED = 5
"""adjtimex's TIME_ERROR: the kernel's clock is not disciplined by anything (man 2 adjtimex)."""


def utc_now() -> datetime:
    """Wall-clock time, which may step."""
    return datetime.now(UTC)


def system_zone() -> tzinfo:
    """The time zone that this machine is set to."""
    from tzlocal import get_localzone  # half a megabyte, which few processes need

    return get_localzone()


def utc_text(moment: datetime) -> str:
    """ISO 8601 with milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock_synchronised() -> bool:
    """Whether the kernel believes that its wall clock is right."""
    timex = (ctypes.c_byte * 512)()
    return int(_libc.adjtimex(ctypes.byref(timex))) not in (_UNSYNCHRONISED, -1)


def sure_utc() -> datetime | None:
    """Wall-clock time where the kernel believes at this very moment that it is right; None where it does not."""
    return utc_now() if clock_synchronised() else None


class Clock(Protocol):
    """What the rest of the system asks of time."""

    def now(self) -> float:
        """Room time in seconds."""
        ...

    def stamp(self, t: float | None = None) -> Stamp:
        """The full stamp of now; `t` overrides the room time where the caller has read it already."""
        ...

    def boottime_at(self, t: float) -> float:
        """CLOCK_BOOTTIME at room time `t`."""
        ...

    def room_time(self, at_boottime: float) -> float:
        """Room time at CLOCK_BOOTTIME `at_boottime`."""
        ...


@dataclass
class RoomClock:
    """Room time on the real clock: CLOCK_BOOTTIME + `offset_s`."""

    offset_s: float = 0.0

    def __post_init__(self) -> None:
        self._boot_id = boot_id()

    def now(self) -> float:
        """Room time in seconds."""
        return boottime() + self.offset_s

    def stamp(self, t: float | None = None) -> Stamp:
        """The full stamp of now."""
        at = self.now() if t is None else t
        return Stamp(
            t=at,
            boottime=at - self.offset_s,
            boot_id=self._boot_id,
            utc=utc_text(utc_now()),
            synced=clock_synchronised(),
        )

    def boottime_at(self, t: float) -> float:
        """CLOCK_BOOTTIME at room time `t`."""
        return t - self.offset_s

    def room_time(self, at_boottime: float) -> float:
        """Room time at CLOCK_BOOTTIME `at_boottime`."""
        return at_boottime + self.offset_s

    def continue_from(self, last: Stamp) -> float | None:
        """Carry room time on from the last record; returns the outage in seconds, None where it cannot be known.

        Within one boot room time never stopped. After another boot the outage is the UTC between, if both ends were
        synchronised; otherwise room time goes on from the last record as if no time had passed.
        """
        if last.boot_id == self._boot_id:
            self.offset_s = last.t - last.boottime
            return self.now() - last.t
        outage: float | None = None
        if last.synced and clock_synchronised():
            outage = max(0.0, (utc_now() - datetime.fromisoformat(last.utc)).total_seconds())
        self.offset_s = last.t + (outage or 0.0) - boottime()
        return outage


@dataclass
class SimulatedClock:
    """A clock that moves only when it is told to; ships with the product for rehearsal, and serves the tests."""

    t: float = 0.0
    start_utc: datetime = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)

    def now(self) -> float:
        """Room time in seconds."""
        return self.t

    def advance_to(self, t: float) -> None:
        """Jump forward; time never goes back."""
        self.t = max(self.t, t)

    def stamp(self, t: float | None = None) -> Stamp:
        """The full stamp of now."""
        at = self.t if t is None else t
        utc = datetime.fromtimestamp(self.start_utc.timestamp() + at, UTC)
        return Stamp(t=at, boottime=at, boot_id="simulated", utc=utc_text(utc), synced=True)

    def boottime_at(self, t: float) -> float:
        """The simulated boot began at room time 0."""
        return t

    def room_time(self, at_boottime: float) -> float:
        """The simulated boot began at room time 0."""
        return at_boottime
