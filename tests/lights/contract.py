"""What every lights driver promises, whatever it speaks: a test class of a driver derives from `LightContract`.

The class gives a fixture `rig`: a started driver, and a hand on the far side of its wire. Lamps begin at 30 %. A rig
may have as many lamps as it likes; each promise is checked on all of them at once.

    class TestMyLights(LightContract):
        @pytest.fixture
        async def rig(self) -> AsyncIterator[Rig]: ...
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from controller.clock import Clock
from controller.messages import Act, DeviceBack, DeviceLost, FadeLight, LampTakenOver, LampView, Point
from tests.waiting import until

START = 0.3

LATE = 1.3
"""A loaded machine hands a command on a quarter of a second late; the next one then follows the sooner."""


class FarSide(Protocol):
    """The lamps themselves, as a person in the room sees them."""

    def shown(self, lamp: str) -> float:
        """The perceived level that it shows now."""
        ...

    def steepest(self, lamp: str) -> float:
        """The largest change within any one second that our sending caused."""
        ...

    def commands(self, lamp: str) -> int:
        """How many commands have reached it."""
        ...

    async def unplug(self) -> None:
        """Nothing reaches any lamp, and the driver can know it."""
        ...

    async def replug(self) -> None:
        """They can be reached again, and show what they showed."""
        ...

    async def meddle(self, lamp: str, level: float) -> bool:
        """Something else sets a lamp. False: of such a lamp nothing can be heard."""
        ...

    async def retained(self) -> list[str]:
        """What a client that comes later still finds of our commands."""
        ...


@dataclass
class Rig:
    """A started driver. `posted` are its acts, `names` the lost and back names that an unplugging brings, each once."""

    lights: Any
    clock: Clock
    far: FarSide
    lamps: tuple[str, ...]
    names: tuple[str, ...]
    posted: list[Act]
    slew_per_s: float
    step: float = 0.02
    """The largest single step that a lamp's own scale forces on it."""
    followers: tuple[str, ...] = ()
    """Lamps that are only on or off."""
    seq: int = field(default=0)

    def fade(self, lamp: str, start: float, end: float, takes: float, *, swift: bool = False) -> FadeLight:
        """Ask for a fade from now on."""
        now = self.clock.now()
        effect = FadeLight(lamp=lamp, start=Point(level=start, t=now), end=Point(level=end, t=now + takes), swift=swift)
        self.seq += 1
        self.lights.apply(effect, self.seq)
        return effect

    def view(self, lamp: str) -> LampView:
        """What consoles are shown of a lamp."""
        return next(view for view in self.lights.view(self.clock.now()) if view.lamp == lamp)

    def told(self, kind: type) -> list[Any]:
        """The acts of one kind, in order."""
        return [act for act in self.posted if isinstance(act, kind)]

    @property
    def dimmed(self) -> tuple[str, ...]:
        """The lamps that take part in fades."""
        return tuple(lamp for lamp in self.lamps if lamp not in self.followers)

    async def settled(self, level: float) -> None:
        """Wait until every lamp that dims shows `level` and nothing is under way."""

        def there() -> bool:
            return all(
                abs(self.far.shown(lamp) - level) <= self.step and self.view(lamp).state == "confirmed"
                for lamp in self.dimmed
            )

        try:
            await until(there)
        except TimeoutError:
            shown = {lamp: (round(self.far.shown(lamp), 3), self.view(lamp).state) for lamp in self.dimmed}
            raise AssertionError(f"not at {level}: {shown}") from None

    async def rested(self) -> dict[str, int]:
        """Wait until nothing more is on its way; how many commands have reached each lamp."""
        sent: dict[str, int] = {}
        while sent != (sent := {lamp: self.far.commands(lamp) for lamp in self.lamps}):
            await asyncio.sleep(0.3)
        return sent


class LightContract:
    """The promises."""

    async def test_every_lamp_reaches_its_level_and_is_right_when_asked_in_mid_fade(self, rig: Rig) -> None:
        fades = {lamp: rig.fade(lamp, START, 0.5, 2.0) for lamp in rig.lamps}
        await asyncio.sleep(1.0)
        for lamp in rig.dimmed:
            into = min(1.0, (rig.clock.now() - fades[lamp].start.t) / 2.0)
            assert rig.view(lamp).target == pytest.approx(START + 0.2 * into, abs=0.05)
        await rig.settled(0.5)
        for lamp in rig.dimmed:
            assert rig.view(lamp).target == pytest.approx(0.5)
        sent = await rig.rested()
        late = rig.fade(rig.lamps[0], 0.5, 0.5, 0.0)
        rig.lights.apply(late, rig.seq)
        rig.lights.apply(FadeLight(lamp=rig.lamps[0], start=Point(level=0.8, t=0), end=Point(level=0.8, t=1)), 0)
        await asyncio.sleep(0.3)
        assert rig.view(rig.lamps[0]).target == (1.0 if rig.lamps[0] in rig.followers else pytest.approx(0.5))
        assert {lamp: rig.far.commands(lamp) for lamp in rig.lamps} == sent, "the same wish again was sent again"

    async def test_no_lamp_exceeds_the_slew_whatever_is_asked(self, rig: Rig) -> None:
        for lamp in rig.dimmed:
            rig.fade(lamp, START, 0.8, 0.0)
        await asyncio.sleep(1.2)
        for lamp in rig.dimmed:
            rig.fade(lamp, 0.8, 0.0, 0.0)
        await asyncio.sleep(1.7)
        steepest = {lamp: round(rig.far.steepest(lamp), 3) for lamp in rig.dimmed}
        assert max(steepest.values()) <= rig.slew_per_s * LATE + rig.step, steepest
        assert max(steepest.values()) > rig.step, "nothing moved"

    async def test_only_the_latest_wish_outlives_an_unplugging_and_it_is_told_once(self, rig: Rig) -> None:
        for lamp in rig.lamps:
            rig.fade(lamp, START, START, 0.0)
        await rig.settled(START)
        await rig.far.unplug()
        await until(lambda: len(rig.told(DeviceLost)) >= len(rig.names))
        assert all(rig.view(lamp).state == "lost" for lamp in rig.lamps)
        sent = {lamp: rig.far.commands(lamp) for lamp in rig.lamps}
        for level in (0.75, 0.1, 0.6, 0.4):
            for lamp in rig.lamps:
                rig.fade(lamp, START, level, 0.0)
        await asyncio.sleep(0.5)
        assert {lamp: rig.far.commands(lamp) for lamp in rig.lamps} == sent
        await rig.far.replug()
        await until(lambda: len(rig.told(DeviceBack)) >= len(rig.names))
        await rig.settled(0.4)
        assert sorted(act.name for act in rig.told(DeviceLost)) == sorted(rig.names)
        assert sorted(act.name for act in rig.told(DeviceBack)) == sorted(rig.names)
        for lamp in rig.dimmed:
            assert rig.far.steepest(lamp) <= rig.slew_per_s * LATE + rig.step

    async def test_it_says_so_once_when_something_else_drives_a_lamp_and_leads_it_back(self, rig: Rig) -> None:
        for lamp in rig.lamps:
            rig.fade(lamp, START, START, 0.0)
        await rig.settled(START)
        await asyncio.sleep(0.6)  # an echo may still be on its way
        heard = [lamp for lamp in rig.lamps if await rig.far.meddle(lamp, 1.0)]
        if not heard:
            pytest.skip("of such a lamp nothing can be heard")
        await until(lambda: {act.lamp for act in rig.told(LampTakenOver)} >= set(heard))
        await rig.settled(START)
        assert sorted(act.lamp for act in rig.told(LampTakenOver)) == sorted(heard)

    async def test_nothing_stays_behind_and_closing_twice_is_fine(self, rig: Rig) -> None:
        for lamp in rig.lamps:
            rig.fade(lamp, START, 0.35, 0.0)
        await rig.settled(0.35)
        await rig.lights.close()
        await rig.lights.close()
        assert await rig.far.retained() == []
