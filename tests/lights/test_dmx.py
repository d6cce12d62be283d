"""DMX fixtures behind a simulated widget on a real pty."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from controller.clock import RoomClock, SimulatedClock, boottime
from controller.config import load_profile
from controller.lights.dmx import DmxLamp, DmxLights, DmxSettings, frame
from controller.lights.fader import Envelope
from controller.lights.fixture import Fixture
from controller.lights.simulated_serial import SimulatedWidget, frames_per_second
from controller.messages import Act, DeviceBack, DeviceLost, FadeLight, LampChanged, LampView, Point
from controller.serial_port import PortSettings, _SerialDevice
from tests.waiting import until

SLEW = 1.0
"""Faster than the product's, so that the tests are."""
ENVELOPE = Envelope(slew_per_s=SLEW)
GOLDEN = bytes.fromhex("7e 06 19 00 00 0a 00 00 00 7e e7" + " 00" * 18 + " e7")


def fixture(name: str) -> Fixture:
    found = load_profile(Path(f"devices/{name}.toml"))
    assert isinstance(found, Fixture)
    return found


LINEAR = Fixture.model_validate(
    {
        "profile": 1,
        "kind": "dmx-fixture",
        "name": "linear",
        "power_on": 0.05,
        "signal_lost": "hold",
        "channels": [{"at": 1, "role": "level", "fine": 2}],
    }
)
"""Sixteen bits that follow the eye, so that a test can read the level back."""


@dataclass
class Room:
    lights: DmxLights
    widget: SimulatedWidget
    clock: RoomClock = field(default_factory=RoomClock)
    posted: list[Act] = field(default_factory=list)
    seq: int = 0

    def fade(self, start: float, end: float, takes: float, *, swift: bool = False, kelvin: float | None = None) -> None:
        now = self.clock.now()
        self.seq += 1
        first, last = Point(level=start, t=now, kelvin=kelvin), Point(level=end, t=now + takes, kelvin=kelvin)
        self.lights.apply(FadeLight(lamp="left", start=first, end=last, swift=swift), self.seq)

    def view(self) -> LampView:
        return self.lights.view(self.clock.now())[0]

    def told(self) -> list[str]:
        return [f"{act.kind} {act.name}" for act in self.posted if isinstance(act, DeviceLost | DeviceBack)]

    def shown(self, since: float = 0.0) -> list[tuple[float, float]]:
        return [(f.at, (f.slots[0] * 256 + f.slots[1]) / 65535) for f in self.widget.frames if f.at >= since]

    def steepest(self, since: float = 0.0) -> float:
        """The largest change within a tenth of a second, as a rate; a single frame's own lateness is no jump."""
        shown = self.shown(since)
        return max(
            (abs(b - a) / 0.1 for i, (t, a) in enumerate(shown) for u, b in shown[i + 1 : i + 6] if u - t <= 0.1),
            default=0.0,
        )


@asynccontextmanager
async def dmx_room(
    folder: Path, kind: Fixture = LINEAR, *, plugged: bool = True, lowest: float | None = None
) -> AsyncIterator[Room]:
    widget = SimulatedWidget(folder / "widget")
    if plugged:
        widget.plug()
    settings = DmxSettings(
        PortSettings("dmx", widget.device), (DmxLamp("left", kind, 1, lowest),), ENVELOPE, folder / "dmx.kept"
    )
    clock = RoomClock()
    room = Room(DmxLights(settings, clock), widget, clock)
    await room.lights.start(room.posted.append)
    try:
        yield room
    finally:
        await room.lights.close()
        await room.lights.close()
        widget.unplug()


@dataclass
class PaperPort:
    """Takes frames at once."""

    frames: list[bytes] = field(default_factory=list)

    def write(self, data: bytes) -> None:
        self.frames.append(data)


@asynccontextmanager
async def paper_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[DmxLights, PaperPort, SimulatedClock]]:
    """No widget and no time: the test turns the port's wheel."""
    clock, port = SimulatedClock(), PaperPort()
    monkeypatch.setattr("controller.lights.dmx.boottime", clock.now)
    settings = DmxSettings(PortSettings("dmx", ""), (DmxLamp("left", LINEAR, 1),), ENVELOPE, folder / "kept")
    lights = DmxLights(settings, clock)
    monkeypatch.setattr(lights._port, "hand_over", lambda function, *arguments: function(*arguments))
    lights.opened(port)  # type: ignore[arg-type]
    yield lights, port, clock
    await lights.close()


def test_a_frame_is_the_golden_frame() -> None:
    slots = bytearray(24)
    slots[0], slots[4], slots[5] = 10, 126, 231
    assert frame(bytes(slots)) == GOLDEN
    assert len(frame(bytes(512))) == 518
    assert frame(bytes(512))[:5] == bytes((0x7E, 6, 1, 2, 0))


async def test_the_golden_frame_reaches_the_widget_and_is_read_by_its_length(tmp_path: Path) -> None:
    plain = {"profile": 1, "kind": "dmx-fixture", "name": "p", "power_on": 0.0, "signal_lost": "hold"}
    fixed = [{"at": 1, "role": "fixed", "value": 10}, {"at": 5, "role": "fixed", "value": 126}]
    fixed += [{"at": 6, "role": "fixed", "value": 231}, {"at": 7, "role": "level"}]
    async with dmx_room(tmp_path, Fixture.model_validate({**plain, "channels": fixed})) as room:
        await until(lambda: len(room.widget.frames) >= 3)
        assert {f.message for f in room.widget.frames} == {GOLDEN}
        assert room.widget.damaged == 0


async def refresh(room: Room, seconds: float) -> tuple[float, float, float]:
    """Mean rate, and the lowest and highest rate over any second."""
    await until(lambda: bool(room.widget.frames))
    first = len(room.widget.frames)
    await asyncio.sleep(seconds)
    frames = room.widget.frames[first:]
    begin, rates = 0, []
    for end, last in enumerate(frames):
        while last.at - frames[begin].at > 1.0:
            begin += 1
            rates.append((end - begin) / (last.at - frames[begin].at))
    return frames_per_second(frames), min(rates), max(rates)


async def test_the_widget_is_refreshed_forty_times_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with paper_room(tmp_path, monkeypatch) as (lights, port, clock):
        lights.apply(FadeLight(lamp="left", start=Point(level=0.05, t=0.0), end=Point(level=0.8, t=5.0)), 1)
        ends = clock.now() + 5.0
        while clock.now() < ends:
            clock.advance_to(clock.now() + max(lights.turn(port), 0.001))  # type: ignore[arg-type]
        assert len(port.frames) == pytest.approx(200, abs=1)


@pytest.mark.proof
async def test_the_widget_is_refreshed_about_forty_times_a_second_for_a_minute(tmp_path: Path) -> None:
    async with dmx_room(tmp_path) as room:
        room.fade(0.05, 0.8, 60)
        mean, least, most = await refresh(room, 60.0)
        print(f"DMX refresh over 60 s: mean {mean:.2f} Hz, any second {least:.1f} to {most:.1f} Hz")
        assert 38.0 <= mean <= 42.0


async def test_a_fade_is_rendered_frame_by_frame_inside_the_envelope(tmp_path: Path) -> None:
    async with dmx_room(tmp_path) as room:
        begun = boottime()
        room.fade(0.05, 1.0, 0.0)  # a jump is asked for; the ceiling is 0.8
        await until(lambda: room.view().state == "confirmed")
        assert room.view().confirmed == pytest.approx(0.8, abs=0.001)
        assert boottime() - begun >= (0.8 - 0.05) / SLEW - 0.1
        assert room.steepest() <= SLEW * 1.3
        assert all(0.0499 <= level <= 0.801 for _, level in room.shown())
        levels = [level for _, level in room.shown()]
        assert all(b >= a for a, b in pairwise(levels))
        assert [act.lamp for act in room.posted if isinstance(act, LampChanged)] == ["left"]


async def test_a_widget_pulled_and_put_back_is_told_once_and_restored_by_a_fade(tmp_path: Path) -> None:
    async with dmx_room(tmp_path, LINEAR.model_copy(update={"signal_lost": "power_on", "power_on": 0.7})) as room:
        room.fade(0.2, 0.2, 0)
        await until(lambda: room.view().state == "confirmed")
        room.widget.unplug()
        await until(lambda: room.view().state == "lost")
        room.fade(0.2, 0.6, 0)
        room.fade(0.6, 0.3, 0)  # only the latest wish counts
        room.widget.plug()
        back = boottime()
        await until(lambda: room.view().state == "confirmed" and room.shown()[-1][1] < 0.301)
        assert room.told() == ["device_lost port.dmx", "device_back port.dmx"]
        shown = room.shown(back)
        assert shown[0][1] == pytest.approx(0.7, abs=0.03)  # from what the lamp does without a signal
        assert shown[-1][1] == pytest.approx(0.3, abs=0.001)
        assert room.steepest(back) <= SLEW * 1.3


class _StallingPort(_SerialDevice):
    """One that takes nothing for a moment, as a busy USB bus makes it."""

    stalls = False

    def write(self, data: bytes) -> None:
        if type(self).stalls:
            type(self).stalls = False
            raise OSError("it takes nothing any more")
        super().write(data)


async def test_a_widget_that_stalls_but_never_lost_its_power_goes_on_from_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.serial_port._SerialDevice", _StallingPort)
    async with dmx_room(tmp_path, LINEAR.model_copy(update={"signal_lost": "power_on", "power_on": 1.0})) as room:
        room.fade(0.2, 0.2, 0)
        await until(lambda: room.view().state == "confirmed" and room.shown()[-1][1] < 0.201)
        stalled, _StallingPort.stalls = boottime(), True
        await until(lambda: "device_back port.dmx" in room.told() and len(room.shown(stalled)) > 10)
        assert max(level for _, level in room.shown(stalled)) < 0.21


async def test_no_lamp_counts_as_confirmed_before_the_widget_has_taken_its_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.serial_port._SerialDevice", _StallingPort)
    _StallingPort.stalls = True
    async with dmx_room(tmp_path) as room:
        room.fade(0.3, 0.3, 0)
        await until(lambda: any(isinstance(act, LampChanged) for act in room.posted))
    kinds = [act.kind for act in room.posted]
    assert kinds == ["device_lost", "device_back", "lamp_changed"]


async def test_a_widget_that_is_not_there_at_the_start_is_said_and_taken_up_when_it_comes(tmp_path: Path) -> None:
    async with dmx_room(tmp_path, plugged=False) as room:
        room.fade(0.3, 0.3, 0)
        await until(lambda: bool(room.posted))
        assert room.view().state == "lost"
        room.widget.plug()
        await until(lambda: room.view().state == "confirmed")
        assert room.told() == ["device_lost port.dmx", "device_back port.dmx"]


async def test_a_program_that_starts_again_begins_from_what_the_widget_goes_on_sending(tmp_path: Path) -> None:
    async with dmx_room(tmp_path) as room:
        room.fade(0.05, 0.6, 0)
        await until(lambda: room.view().state == "confirmed")
    async with dmx_room(tmp_path) as room:
        room.fade(0.3, 0.3, 0)
        await until(lambda: len(room.widget.frames) > 3)
        assert room.shown()[0][1] == pytest.approx(0.6, abs=0.03)
        assert room.steepest() <= SLEW * 1.3


async def test_a_program_that_was_held_up_goes_on_in_small_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with paper_room(tmp_path, monkeypatch) as (lights, port, clock):
        start, end = Point(level=0.05, t=clock.now()), Point(level=0.8, t=clock.now() + 2)
        lights.apply(FadeLight(lamp="left", start=start, end=end), 1)
        for held_up in (0.0, 0.15, 0.6, 20.0):
            clock.advance_to(clock.now() + held_up)
            for _ in range(10):
                clock.advance_to(clock.now() + lights.turn(port))  # type: ignore[arg-type]
        for _ in range(40):
            clock.advance_to(clock.now() + lights.turn(port))  # type: ignore[arg-type]
    levels = [int.from_bytes(frame[5:7]) / 65535 for frame in port.frames]
    assert max(abs(b - a) for a, b in pairwise(levels)) <= SLEW * 0.1 + 0.001
    assert levels[-1] == pytest.approx(0.8, abs=0.001)


async def test_a_lamp_whose_lowest_byte_was_found_meanwhile_goes_on_from_the_byte_it_stands_at(tmp_path: Path) -> None:
    async with dmx_room(tmp_path, fixture("dmx-dimmer")) as room:
        room.fade(0.5, 0.5, 0)
        # The widget reads a frame a moment after it was sent.
        await until(lambda: room.view().state == "confirmed" and abs(room.widget.slot(1) - 133) <= 1)
        stood = room.widget.slot(1)
    async with dmx_room(tmp_path, fixture("dmx-dimmer"), lowest=117.0) as room:
        room.fade(0.6, 0.6, 0)
        await until(lambda: room.view().state == "confirmed" and abs(room.widget.slot(1) - 197) <= 1)
        levels = [stood, *(frame.slots[0] for frame in room.widget.frames)]
    assert max(abs(b - a) for a, b in pairwise(levels)) <= SLEW * 0.1 * 243 + 1


async def test_the_exit_light_is_faster_than_the_slew(tmp_path: Path) -> None:
    slow = Envelope(slew_per_s=0.02)
    widget = SimulatedWidget(tmp_path / "widget")
    widget.plug()
    port = PortSettings("dmx", widget.device)
    clock = RoomClock()
    lights = DmxLights(DmxSettings(port, (DmxLamp("left", LINEAR, 1),), slow, tmp_path / "kept"), clock)
    room = Room(lights, widget, clock)
    await lights.start(room.posted.append)
    room.fade(0.05, 0.4, 1.0, swift=True)
    begun = boottime()
    await until(lambda: room.view().confirmed is not None and room.view().confirmed >= 0.399)  # type: ignore[operator]
    assert boottime() - begun < 10.0, "by the slew it would be seventeen seconds"
    await lights.close()
    widget.unplug()


async def test_an_older_fade_is_ignored(tmp_path: Path) -> None:
    async with dmx_room(tmp_path) as room:
        room.fade(0.2, 0.2, 0)
        now = room.clock.now()
        room.lights.apply(FadeLight(lamp="left", start=Point(level=0.7, t=now), end=Point(level=0.7, t=now)), 0)
        room.lights.apply(FadeLight(lamp="other", start=Point(level=0.7, t=now), end=Point(level=0.7, t=now)), 9)
        assert room.view().target == pytest.approx(0.2)


def test_a_warm_and_cool_lamp_mixes_by_mired_and_keeps_its_level() -> None:
    lamp = fixture("dmx-warm-cool-white")
    assert lamp.render(1.0, 2700) == {0: 255, 1: 0}
    assert lamp.render(1.0, 6500) == {0: 0, 1: 255}
    both = lamp.render(1.0, 2 / (1 / 2700 + 1 / 6500))
    assert both[0] == both[1] == pytest.approx(128, abs=1)
    assert lamp.render(0.05) == {0: 1, 1: 0}  # never dark at the floor


def test_a_colour_lamp_is_warm_at_the_peak_and_daylight_for_medical_light() -> None:
    lamp = fixture("dmx-rgbw")
    warm, day = lamp.render(0.8, 2200), lamp.render(0.8, 6500)
    assert warm[0] > warm[2]
    assert day[2] > day[0]
    white = lamp.render(0.8, 4000)
    assert white[3] > 100 and max(white[0], white[1], white[2]) == 0


def test_a_fixture_with_a_fine_channel_has_sixteen_bits() -> None:
    assert LINEAR.render(1.0) == {0: 255, 1: 255}
    steps = {tuple(LINEAR.render(0.05 + i / 100000).values()) for i in range(100)}
    assert len(steps) > 50


def test_the_darkest_level_stands_where_the_dimmer_begins_to_burn() -> None:
    lamp = fixture("dmx-dimmer")
    assert lamp.render(0.001) == {0: 12}
    assert lamp.render(0.0) == {0: 0}


def test_the_rooms_floor_lies_at_the_lowest_byte_that_commissioning_found() -> None:
    lamp = fixture("dmx-dimmer")
    scale = lamp.scale(0.05, 117.0)  # a dimmer that is dark up to 46 %
    assert lamp.render(0.05, None, scale) == {0: 117}
    assert lamp.render(1.0, None, scale) == {0: 255}
    assert lamp.render(0.525, None, scale) == {0: 186}
