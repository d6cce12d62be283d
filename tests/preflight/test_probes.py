"""Each check of the preflight looks at the real thing, says what is wrong, and what holds no longer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest
from msgspec.structs import replace

from controller import probes
from controller.clock import boottime, utc_now
from controller.commissioned import DeviceFindings, Finding, sign_report
from controller.config import Room, load_room
from controller.demo.room import prepare_music, write_room_file
from controller.messages import Act, LampView, PreflightLine, Probe, Probed, SoundView
from controller.probes import Links, Probes, gentle_tone_dbfs
from controller.session.preflight import Preflight
from controller.session.state import opening
from controller.sound.calibration import CREST_DB, BusLevels
from controller.wording.preflight import WHYS
from tests.waiting import PATIENCE_S, patiently, until

GREEN = LampView(lamp="bed-left", target=0.4, confirmed=0.4, state="confirmed")


@dataclass
class Bench:
    """Probes with links that the test sets."""

    probes: Probes
    room: Room
    state_dir: Path
    heard: list[Probed] = field(default_factory=list)
    sound: SoundView = SoundView(state="ok", output="file:room.wav")
    broker: bool = True
    lamps: tuple[LampView, ...] = (GREEN,)
    waiting_s: float = 0.0

    def take(self, act: Act) -> None:
        assert isinstance(act, Probed)
        self.heard.append(act)

    async def found(self, check: str, **values: float) -> Probed:
        self.heard.clear()
        self.probes.apply(Probe(check=check, number=7, programme="demo", values=dict(values)), 1)
        await until(lambda: self.heard)
        assert (self.heard[0].check, self.heard[0].number) == (check, 7)
        assert not self.heard[0].code or self.heard[0].code in WHYS
        return self.heard[0]


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    for name, seconds in (("LINK_S", 0.1), ("ECHO_S", 0.1), ("BREATH_S", 0.05), ("WATCH_S", 0.05)):
        monkeypatch.setattr(probes, name, seconds)
    async with at_bench(tmp_path) as made:
        yield made


@asynccontextmanager
async def at_bench(state_dir: Path) -> AsyncIterator[Bench]:
    room = load_room(write_room_file(state_dir, prepare_music(state_dir), 1883, "null", None))
    made: Bench
    links = Links(
        sound=lambda: made.sound, broker=lambda: made.broker, lamps=lambda: made.lamps, waiting_s=lambda: made.waiting_s
    )
    made = Bench(Probes(room, state_dir, links), room, state_dir)
    await made.probes.start(made.take)
    try:
        yield made
    finally:
        await made.probes.close()


async def test_what_the_daemon_sees_of_its_links(bench: Bench) -> None:
    assert (await bench.found("engine")).well and (await bench.found("broker")).well
    bench.sound = SoundView(state="ok", output="null")
    assert (await bench.found("engine")).code == "no_device"
    bench.sound, bench.broker = SoundView(state="lost"), False
    assert (await bench.found("engine")).code == (await bench.found("broker")).code == "no_answer"


async def test_the_record_is_tried_by_writing_and_a_slow_or_full_disk_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await bench.found("disk")).well
    assert not list(bench.state_dir.glob("preflight*")), "nothing is left behind"
    bench.waiting_s = 3.0
    assert (await bench.found("disk")).code == "late"
    monkeypatch.setattr(probes, "LEAST_FREE_BYTES", 1 << 60)
    assert (await bench.found("disk")).code == "disk_short"
    bench.probes._state_dir = bench.state_dir / "gone"
    assert (await bench.found("disk")).code == "not_made"


async def test_a_disk_that_stalls_keeps_one_thread_however_often_it_is_asked(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = Event()
    waiting: list[Path] = []

    def stalled(state_dir: Path) -> int:
        waiting.append(state_dir)
        assert answers.wait(PATIENCE_S)
        return 1 << 60

    monkeypatch.setattr(probes, "STALLED_S", 0.2)
    monkeypatch.setattr(probes, "_write_and_look", stalled)
    for _ in range(5):
        assert (await bench.found("disk")).code == "late"
    for _ in range(40):  # somebody who is in a hurry
        bench.probes.apply(Probe(check="disk", number=7, programme="demo"), 1)
        await asyncio.sleep(0)
    await until(lambda: waiting)
    assert await patiently(asyncio.to_thread(boottime)), "there are threads for other work"
    assert len(waiting) == 1
    monkeypatch.setattr(probes, "STALLED_S", PATIENCE_S)
    bench.probes.apply(Probe(check="disk", number=7, programme="demo"), 1)
    bench.heard.clear()
    answers.set()
    await until(lambda: [told.well for told in bench.heard] == [True])
    assert len(waiting) == 2, "what a disk says so late is asked anew"


async def test_a_lamp_that_does_not_follow_is_named(bench: Bench) -> None:
    told = await bench.found("lights", to=0.4, back=0.3)
    assert told.well and told.values == {"to": 0.4, "back": 0.3}, "what is needed to put them back comes along"
    for lamp in (replace(GREEN, state="lost"), replace(GREEN, confirmed=0.3), replace(GREEN, state="unconfirmed")):
        bench.lamps = (GREEN, replace(lamp, lamp="bed-right"))
        told = await bench.found("lights", to=0.4, back=0.3)
        assert (told.code, told.values["name"], told.values["back"]) == ("no_echo", "bed-right", 0.3)


async def test_a_commissioning_counts_for_the_room_as_it_is(bench: Bench) -> None:
    assert (await bench.found("commissioning")).code == "commissioning_missing"
    well = [DeviceFindings(name=lamp.name, profile=lamp.profile, findings=()) for lamp in bench.room.table.light.lamps]
    sign_report(bench.state_dir, bench.room, well, "AB", utc_now())
    assert (await bench.found("commissioning")).well
    bad = replace_findings(well[0])
    sign_report(bench.state_dir, bench.room, [bad], "AB", utc_now())
    assert (await bench.found("commissioning")).code == "commissioning_troubled"
    text = bench.room.path.read_text()
    bench.room.path.write_text(text.replace("slew_per_s = 0.10", "slew_per_s = 0.05"))
    assert (await bench.found("commissioning")).code == "room_file_changed"
    bench.room.path.write_text(text + "\n[surprise]\n")
    assert (await bench.found("commissioning")).code == "room_file_wrong"


def replace_findings(device: DeviceFindings) -> DeviceFindings:
    failed = Finding(step="reach", verdict="failed", code="silent")
    return DeviceFindings(name=device.name, profile=device.profile, findings=(failed,))


async def test_the_music_of_this_programme_is_looked_at_and_a_change_is_noticed(bench: Bench) -> None:
    told = await bench.found("library")
    assert told.well and told.mark
    line = PreflightLine(check="library", stage="green", seq=9, mark=told.mark)
    state = opening(bench.room.rules(), 0.0)
    bench.probes.follow(replace(state, preflight=Preflight(programme="demo", lines=(line,))))
    bench.heard.clear()
    await asyncio.sleep(0.3)
    assert not bench.heard, "nothing changed"
    database = bench.state_dir / "library.db"
    database.write_bytes(database.read_bytes() + b"\0")
    await until(lambda: bench.heard)
    assert bench.heard[0] == Probed(check="library", number=9, well=False, code="changed")


async def test_a_card_that_was_turned_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await bench.found("card")).well
    monkeypatch.setattr(probes, "find_moves", lambda *_: ["alsa PCM: was 74%, is 90%", "alsa Master: was on, is off"])
    told = await bench.found("card")
    assert (told.code, told.values["count"]) == ("card_moved", 2)


async def test_a_card_that_is_turned_after_it_was_looked_at_is_told_too(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "CARD_LOOKS", 2)
    green = await bench.found("card")
    moves: list[str] = []
    monkeypatch.setattr(probes, "find_moves", lambda *_: moves)
    bench.heard.clear()
    bench.probes._lines = (PreflightLine(check="card", seq=3, stage="green", mark=green.mark),)
    await asyncio.sleep(0.3)
    assert bench.heard == []
    moves.append("alsa PCM: was 74%, is 90%")
    await until(lambda: bench.heard)
    told = bench.heard[0]
    assert (told.check, told.number, told.code) == ("card", 3, "card_moved")
    assert told.values == {"count": 1, "first": "alsa PCM: was 74%, is 90%"}


async def test_a_tone_that_cannot_sound_is_told(bench: Bench) -> None:
    told = await bench.found("sound.speakers")
    assert told.code == "not_played" and "engine" in str(told.values["why"])


def test_the_tone_is_softer_than_the_music_and_far_below_the_ceiling() -> None:
    for level_db, ceiling in ((0.0, -6.0), (-12.0, -20.0), (0.0, -45.0)):
        bus = BusLevels(name="speakers", channels=(1, 2), level_db=level_db, ceiling_dbfs=ceiling)
        tone = gentle_tone_dbfs(bus, -23.0)
        assert tone <= -23.0 + level_db - 10.0
        assert tone + CREST_DB < ceiling


async def test_a_look_that_fails_once_does_not_end_the_watch_over_what_was_green(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []

    def mark_of(_check: str, _programme: str) -> str:
        looks.append("look")
        if len(looks) == 1:
            raise OSError("too many open files")
        return "another"

    monkeypatch.setattr(bench.probes, "_mark_of", mark_of)
    bench.probes._lines = (PreflightLine(check="card", seq=3, stage="green", mark="one"),)
    await until(lambda: bench.heard, within=10.0)
    assert (bench.heard[0].check, bench.heard[0].code) == ("card", "changed")
