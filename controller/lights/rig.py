"""All the lamps of a room as one driver, whatever each of them hangs on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from controller.messages import Act, Effect, LampView


class LampDriver(Protocol):
    """What makes `FadeLight` real for some of the room's lamps; ignores those of others."""

    async def start(self, post: Callable[[Act], None]) -> None:
        """Take effects from now on."""
        ...

    def apply(self, effect: Effect, seq: int) -> None:
        """Do it; never blocks, never raises."""
        ...

    async def close(self) -> None:
        """Leave the lamps as they are; twice is fine."""
        ...

    def view(self, now: float) -> tuple[LampView, ...]:
        """Its lamps."""
        ...


class LightRig:
    """Tells every driver everything, and shows the lamps in the room's order."""

    def __init__(self, drivers: Sequence[LampDriver], order: Sequence[str]) -> None:
        self._drivers = tuple(drivers)
        self._order = {lamp: place for place, lamp in enumerate(order)}

    async def start(self, post: Callable[[Act], None]) -> None:
        """Start them all."""
        for driver in self._drivers:
            await driver.start(post)

    def apply(self, effect: Effect, seq: int) -> None:
        """Hand it to whom it concerns."""
        for driver in self._drivers:
            driver.apply(effect, seq)

    async def close(self) -> None:
        """Close them all, the last one first; twice is fine."""
        for driver in reversed(self._drivers):
            await driver.close()

    def view(self, now: float) -> tuple[LampView, ...]:
        """Every lamp, in the room's order."""
        views = [view for driver in self._drivers for view in driver.view(now)]
        return tuple(sorted(views, key=lambda view: self._order[view.lamp]))
