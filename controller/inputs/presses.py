"""When a press counts. Pure: time is an argument."""

from __future__ import annotations

from math import inf

_KEPT_LOW = 10.0
"""A battery that was low is well again only so many percent above."""

_FIRST = 1
"""The number that a device gives its first event since it was started."""

_AWAKE_S = 10.0
"""A device that sleeps is awake for less: one that tells an event again later than this stays awake."""


class Presses:
    """One button's memory: a press that is told again, or held down, counts once until it has been quiet.

    A device that sleeps may wake to number every press as its first. So one that has connected anew since its first
    event was heard counts, unless it is known to be one that stays awake and tells its last event again and again.

    `count`: the device's own number of the last event that was heard of it before; None for none. `tells_again`:
    whether that is known of it.
    """

    def __init__(self, again_after_s: float, count: object = None, *, tells_again: bool = False) -> None:
        self._again_after_s = again_after_s
        self._last: dict[str, float] = {}
        self._count = count
        self._heard = inf
        self._connected = False
        self.tells_again = tells_again

    def counts(self, press: str, now: float, count: object = None) -> bool:
        """Whether this one counts. `count`: the device's own number of the event, the same when it is told again."""
        if count is not None and count == self._count and self._is_told_again(now):
            return False
        self.know(count)
        self._heard = now
        before = self._last.get(press, -inf)
        self._last[press] = now
        return now - before >= self._again_after_s

    def know(self, count: object) -> None:
        """The device's counter has come to this number, by what was no press, or is over; None: it does not say."""
        self._count = count if count is not None else self._count
        self._connected = False

    def connected(self) -> None:
        """The device has connected just now: it may have been started anew, or have woken."""
        self._connected = True

    def unheard(self) -> None:
        """Nothing was heard of the device for a while: it may have connected anew meanwhile."""
        self._heard = inf

    def _is_told_again(self, now: float) -> bool:
        if self._connected:
            return self._count != _FIRST or self.tells_again
        self._heard = min(self._heard, now)
        self.tells_again = self.tells_again or now - self._heard >= _AWAKE_S
        return True


class Steady:
    """A contact without its bouncing."""

    def __init__(self, steady_s: float) -> None:
        self._steady_s = steady_s
        self._value: bool | None = None
        self._seen: bool | None = None
        self._since = 0.0

    def settle(self, seen: bool, now: float) -> bool | None:
        """The contact's new value, once it has lasted; None where it is what it was."""
        if seen is not self._seen:
            self._seen, self._since = seen, now
        if seen is self._value or now - self._since < self._steady_s:
            return None
        self._value = seen
        return seen


class Charge:
    """Whether a battery is low; says so the first time, and at changes."""

    def __init__(self, low_below: float) -> None:
        self._low_below = low_below
        self._low: bool | None = None

    def changed(self, percent: float) -> bool | None:
        """True or False where it is low or well and was not known to be, None where nothing changed."""
        low = percent < self._low_below + (_KEPT_LOW if self._low else 0.0)
        if low is self._low:
            return None
        self._low = low
        return low
