"""What this boot of the machine counts: the seconds since, which nobody can set, and its name. Takes no memory."""

from __future__ import annotations

import time


def boottime() -> float:
    """Seconds since this machine booted, suspend included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    """The kernel's random name of this boot."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as name:
        return name.read().strip()
