"""The daemon's driver against a real engine, and its simulated twin by the same rules."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.clock import RoomClock, SimulatedClock
from controller.messages import (
    Act,
    Cue,
    DeviceBack,
    DeviceLost,
    EngineReported,
    EngineRestarted,
    FadeBus,
    Input,
    Pause,
    Piece,
    PieceEnded,
    PieceStarted,
    Reply,
)
from controller.sound.client import SoundClient
from controller.sound.simulated import SimulatedSound
from tests.sound.room import EngineProcess, play, sheet
from tests.waiting import promised, until

Start = Callable[..., EngineProcess]


def cue(piece: Piece, number: int, start_s: float, length_s: float) -> Cue:
    return Cue(id=number, start_s=start_s, length_s=length_s, piece=piece)


def kinds(acts: list[Act]) -> list[str]:
    return [act.kind for act in acts]


class Daemon:
    """Takes acts and Inputs as a runner does: a repeated id is answered and not done again."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.inputs: list[Input] = []
        self.on_record = True
        self.unanswered: list[Callable[[Reply], None]] = []

    def post(self, act: Act) -> None:
        self.acts.append(act)

    def post_input(self, given: Input, listener: Callable[[Reply], None]) -> None:
        if given.id not in {known.id for known in self.inputs}:
            self.inputs.append(given)
            self.acts.append(given.act)
        if self.on_record:
            listener(Reply(id=given.id))
        else:
            self.unanswered.append(listener)


async def test_the_daemon_hears_what_was_done_without_it_before_the_engine_reports(
    engine: Start, music: dict[str, Piece]
) -> None:
    room = await asyncio.to_thread(engine, output="null")
    clock = RoomClock(offset_s=1_000.0)
    first = Daemon()
    client = SoundClient(room.directory, clock)
    await client.start(first.post, first.post_input)
    await until(lambda: DeviceBack(name="sound") in first.acts)
    assert kinds(first.acts) == ["engine_reported", "device_back"]
    client.apply(sheet(cue(music["low"], 1, 0, 4), cue(music["high"], 2, 4, 16)), 1)
    client.apply(play(), 2)
    client.apply(FadeBus(bus="speakers", level_db=-6.0, fade_s=0.0), 3)
    client.apply(FadeBus(bus="speakers", level_db=0.0, fade_s=0.0), 2)
    await until(lambda: any(isinstance(act, PieceStarted) for act in first.acts))
    await until(lambda: client.view()[0].buses and client.view()[0].buses[0].level_db == -6.0)
    sound, track = client.view()
    assert sound.state == "ok"
    assert track is not None
    assert track.title == "low.flac"
    assert track.next_title == "high.flac"
    started = next(act for act in first.acts if isinstance(act, PieceStarted))
    assert client.timeline_now() == pytest.approx(clock.now() - started.at_t, abs=0.03)
    await client.close()
    # Nobody listens: one piece goes over into the next, and a console presses pause.
    await asyncio.sleep(max(0.0, started.at_t + 4.3 - clock.now()))
    console = await asyncio.to_thread(room.link, "console")
    pressed_t = clock.now()
    console.send({"direct": "pause", "id": "key", "origin": {"console": "tty1", "person": "AB"}})
    await asyncio.to_thread(console.until, "done")
    done_t = clock.now()
    second = Daemon()
    second.on_record = False
    client = SoundClient(room.directory, clock)
    await client.start(second.post, second.post_input)
    await until(lambda: DeviceBack(name="sound") in second.acts)
    assert kinds(second.acts)[0] == "pause"
    assert sorted(kinds(second.acts)[1:3]) == ["piece_ended", "piece_started"]
    assert kinds(second.acts)[3:] == ["engine_reported", "device_back"]
    pressed = second.inputs[0]
    assert isinstance(pressed.act, Pause)
    assert (pressed.id, pressed.origin.path, pressed.origin.person) == ("key", "engine", "AB")
    assert pressed.act.direct_t is not None and pressed_t - 0.05 <= pressed.act.direct_t <= done_t + 0.05
    report = next(act for act in second.acts if isinstance(act, EngineReported))
    assert (report.session, report.transport) == ("s1", "pause")
    # It dies before anything is on record: the next one hears it all again, and then it is done with.
    await client.close()
    third = Daemon()
    client = SoundClient(room.directory, clock)
    await client.start(third.post, third.post_input)
    await until(lambda: DeviceBack(name="sound") in third.acts)
    assert [given.id for given in third.inputs] == [given.id for given in second.inputs]
    while (await asyncio.to_thread(room.link("console").until, "report"))["direct"]:
        await asyncio.sleep(0.1)
    await client.close()
    fourth = Daemon()
    client = SoundClient(room.directory, clock)
    await client.start(fourth.post, fourth.post_input)
    await until(lambda: DeviceBack(name="sound") in fourth.acts)
    assert kinds(fourth.acts) == ["engine_reported", "device_back"]
    await client.close()
    await client.close()


async def test_an_engine_that_dies_is_lost_once_and_back_once(engine: Start, music: dict[str, Piece]) -> None:
    room = await asyncio.to_thread(engine, output="null")
    daemon = Daemon()
    client = SoundClient(room.directory, RoomClock())
    await client.start(daemon.post)
    await until(lambda: DeviceBack(name="sound") in daemon.acts)
    client.apply(sheet(cue(music["low"], 1, 0, 18)), 1)
    client.apply(play(), 2)
    await until(lambda: any(isinstance(act, PieceStarted) for act in daemon.acts))
    room.kill()
    await until(lambda: any(isinstance(act, DeviceLost) for act in daemon.acts))
    assert client.view()[0].state == "lost"
    client.apply(FadeBus(bus="speakers", level_db=-6.0, fade_s=0.0), 3)
    await asyncio.to_thread(room.start)
    await until(lambda: kinds(daemon.acts).count("device_back") == 2)
    assert kinds(daemon.acts).count("device_lost") == 1
    report = [act for act in daemon.acts if isinstance(act, EngineReported)][-1]
    assert (report.session, report.transport) == ("s1", "play")
    await until(lambda: client.view()[0].state == "ok")
    assert client.view()[0].buses[0].level_db == 0.0, "nothing is queued while the link is down"
    await client.close()


@pytest.mark.timed
async def test_an_engine_that_its_warden_restarts_is_one_record_with_the_reason(
    engine: Start, music: dict[str, Piece]
) -> None:
    room = await asyncio.to_thread(engine, output="null", watched=True)
    daemon = Daemon()
    client = SoundClient(room.directory, RoomClock())
    await client.start(daemon.post, daemon.post_input)
    await until(lambda: DeviceBack(name="sound") in daemon.acts)
    client.apply(sheet(cue(music["low"], 1, 0, 18)), 1)
    client.apply(play(), 2)
    await until(lambda: any(isinstance(act, PieceStarted) for act in daemon.acts))
    daemon.acts.clear()
    os.kill(room.engine_pid, signal.SIGKILL)
    await until(lambda: any(isinstance(act, EngineRestarted) for act in daemon.acts))
    assert sorted(kinds(daemon.acts)) == ["engine_reported", "engine_restarted"]
    (restarted,) = [act for act in daemon.acts if isinstance(act, EngineRestarted)]
    assert restarted.why == "killed"
    assert 0 < restarted.silent_s < promised(1.0)
    (report,) = [act for act in daemon.acts if isinstance(act, EngineReported)]
    assert (report.session, report.filler) == ("s1", False)
    await client.close()


async def test_an_engine_that_is_not_there_is_said_to_be_lost(tmp_path: Path) -> None:
    daemon = Daemon()
    client = SoundClient(tmp_path, RoomClock())
    await client.start(daemon.post)
    await until(lambda: daemon.acts)
    assert kinds(daemon.acts) == ["device_lost"]
    await client.close()


async def test_an_engine_that_cannot_write_down_where_it_is_says_so_and_when_it_can_again(engine: Start) -> None:
    room = await asyncio.to_thread(engine, output="null")
    daemon = Daemon()
    client = SoundClient(room.directory, RoomClock())
    await client.start(daemon.post)
    await until(lambda: DeviceBack(name="sound") in daemon.acts)
    in_the_way = room.directory / "anchor.new"

    def blocked() -> bool:
        with contextlib.suppress(FileExistsError):  # it is just being written
            in_the_way.mkdir()
        return in_the_way.is_dir()

    await until(blocked)
    client.apply(FadeBus(bus="speakers", level_db=-6.0, fade_s=0.0), 1)
    await until(lambda: DeviceLost(name="place", why="anchor.json: Is a directory") in daemon.acts)
    in_the_way.rmdir()
    client.apply(FadeBus(bus="speakers", level_db=-9.0, fade_s=0.0), 2)
    await until(lambda: DeviceBack(name="place") in daemon.acts)
    assert kinds(daemon.acts).count("device_lost") == 1
    await client.close()


@pytest.mark.parametrize("said", [b"[]\n", b"5\n", b'{"protocol": 1}\n[]\n', b'{"protocol": 1}\n{"event": "report"}\n'])
async def test_an_engine_that_talks_nonsense_is_lost_and_tried_again(tmp_path: Path, said: bytes) -> None:
    links = 0

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal links
        links += 1
        writer.write(said)
        writer.close()

    server = await asyncio.start_unix_server(talk, str(tmp_path / "sound.sock"))
    daemon = Daemon()
    client = SoundClient(tmp_path, RoomClock())
    await client.start(daemon.post)
    await until(lambda: links > 2)
    await client.close()
    server.close()


async def rehearse(until: float, *steps: tuple[float, object]) -> tuple[SimulatedSound, list[tuple[float, Act]]]:
    clock = SimulatedClock()
    sound = SimulatedSound(clock)
    told: list[tuple[float, Act]] = []
    await sound.start(lambda act: told.append((clock.now(), act)))
    waiting = list(steps)
    seq = 0
    while True:
        times = [t for t in (sound.next_event_t(), waiting[0][0] if waiting else None, until) if t is not None]
        t = min(times)
        clock.advance_to(t)
        sound.advance_to(t)
        while waiting and waiting[0][0] <= t:
            seq += 1
            sound.apply(waiting.pop(0)[1], seq)  # type: ignore[arg-type]
        if t >= until:
            return sound, told


PIECE = Piece(path="a.flac", title="a", duration_s=4_000.0)


async def test_a_rehearsal_starts_and_ends_pieces_at_their_exact_times() -> None:
    cues = sheet(cue(PIECE, 1, 0, 100), cue(PIECE, 2, 90, 3_000))
    sound, told = await rehearse(
        200.0, (10.0, cues), (10.0, play()), (30.0, play("pause", 2.0)), (50.0, play("play", 6.0))
    )
    events = [(t, act.kind) for t, act in told if isinstance(act, PieceStarted | PieceEnded)]
    # 18 seconds stood still: from the end of the fade at 32 until 50.
    assert events == [(10.0, "piece_started"), (118.0, "piece_started"), (128.0, "piece_ended")]
    assert sound.timeline_now() == pytest.approx(172.0)
    _, track = sound.view()
    assert track is not None
    assert track.position_s == pytest.approx(82.0)


async def test_a_rehearsed_stop_cuts_what_plays_when_its_fade_is_done() -> None:
    _, told = await rehearse(100.0, (0.0, sheet(cue(PIECE, 1, 0, 1_000))), (0.0, play()), (20.0, play("stop", 20.0)))
    t, act = told[-1]
    assert isinstance(act, PieceEnded)
    assert (t, act.why) == (40.0, "cut")
    assert act.played_s == pytest.approx(40.0)
