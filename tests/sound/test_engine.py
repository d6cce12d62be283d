"""The engine as it is: its own process, real libVLC, real time, and what the room heard."""

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from controller import clock
from controller.messages import Cue, FadeBus, FadeMusic, Piece, line_of
from tests.measure_audio import analyse, find_silences
from tests.sound.room import BOTH, RATE, EngineProcess, amplitude, place_of, play, sheet, wait
from tests.waiting import QUIET, promised

Start = Callable[..., EngineProcess]


def lay(piece: Piece, number: int, start_s: float, length_s: float, fade_s: float = 0.0, **more: float) -> Cue:
    words = {"fade_in_s": fade_s, "fade_out_s": fade_s, **more}
    return Cue(id=number, start_s=start_s, length_s=length_s, piece=piece, **words)


@pytest.mark.timed
def test_two_pieces_cross_at_equal_power_and_a_pause_turns_round_without_a_click(
    engine: Start, music: dict[str, Piece]
) -> None:
    room = engine()
    link = room.link()
    room.tell(link, sheet(lay(music["low"], 1, 0, 5, 3.0, fade_in_s=0.0), lay(music["high"], 2, 2, 20, 3.0)), play())
    first = link.until("piece_started", cue=1)
    second = link.until("piece_started", cue=2)
    ended = link.until("piece_ended", cue=1)
    assert ended["why"] == "end"
    assert ended["played_s"] == 5.0
    assert second["frame"] - first["frame"] == 2 * RATE
    wait(0.2)
    pressed = clock.boottime()
    room.tell(link, play("pause", 2.0))
    wait(1.0)
    room.tell(link, play("play", 6.0))
    wait(1.0)
    room.tell(link, play("pause", 0.5))
    wait(1.0)
    telemetry = [m for m in link.read_for(0.6) if m.get("event") == "telemetry"][-1]
    assert not telemetry["moving"]
    assert telemetry["late_blocks"] == 0
    room.tell(link, play("play", 1.0))
    while link.until("telemetry")["buses"]["speakers"]["rms_dbfs"] < -23.2:
        pass
    wait(0.7)
    room.stop()
    heard = room.heard()
    found = analyse(room.wav)
    assert found.clicks == ()
    # The crossfade, by either tone, against sine and cosine.
    at = second["frame"]
    low = amplitude(heard.samples[at : at + 3 * RATE, 0], 440) / 0.1
    high = amplitude(heard.samples[at : at + 3 * RATE, 0], 660) / 0.1
    for index in range(5, 55):
        into = (index + 0.5) * 0.05 / 3.0 * np.pi / 2
        assert 20 * np.log10(low[index] / np.cos(into)) == pytest.approx(0, abs=0.05)
        assert 20 * np.log10(high[index] / np.sin(into)) == pytest.approx(0, abs=0.05)
    # The pause: on its way within 0.25 s, half way down after a second, and up again from there.
    at = heard.frame_at(pressed)
    level = amplitude(heard.samples[at:, 0], 660) / 0.1
    falls = int(np.argmax(level < level[0] - 0.001))
    assert 0 < falls * 0.05 <= promised(0.25)
    turns = falls + int(np.argmax(np.diff(level[falls:]) > 0))
    assert 0.2 < level[turns] < 0.95
    assert level[turns + 8] > level[turns]
    assert level[-10] == pytest.approx(1.0, abs=0.05)


def test_two_hundred_commands_in_a_storm_make_no_click(engine: Start, music: dict[str, Piece]) -> None:
    seed = random.randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    room = engine(BOTH)
    link = room.link()
    cues = [lay(music[name], n, 1.5 * n, 3, 1.0) for n, name in enumerate(["low", "cd", "ogg", "mp3", "low", "high"])]
    room.tell(link, sheet(*cues), play())
    for step in range(200):
        match chance.randrange(6):
            case 0 | 1:
                room.tell(link, play(chance.choice(("play", "play", "pause")), chance.choice((0.0, 0.1, 1.0))))
            case 2:
                room.tell(link, FadeMusic(level=chance.random(), fade_s=chance.choice((0.0, 0.1, 1.0))))
            case 3 | 4:
                bus = chance.choice(("speakers", "headphones"))
                room.tell(link, FadeBus(bus=bus, level_db=-30 * chance.random(), fade_s=chance.choice((0.0, 0.5))))
            case 5:
                longer = [lay(c.piece, c.id, c.start_s, 2.5 + chance.random(), 1.0) for c in cues]
                room.tell(link, sheet(*longer[: chance.choice((4, 6))], plan=step + 2))
        wait(0.04)
    link.read_for(0.6)
    room.stop()
    assert analyse(room.wav).clicks == ()


def test_an_engine_that_was_killed_goes_on_at_its_place_and_the_gap_is_true(
    engine: Start, music: dict[str, Piece]
) -> None:
    room = engine()
    link = room.link()
    room.tell(link, sheet(lay(music["noise"], 1, 0, 30)), play(), FadeBus(bus="speakers", level_db=-2.0, fade_s=0.0))
    started = link.until("piece_started")
    wait(2.3)
    killed = clock.boottime()
    room.kill()
    wait(0.2)
    room.start()
    link = room.link()
    report = link.until("report")
    assert (report["session"], report["transport"]) == ("s1", "play")
    assert report["buses"] == {"speakers": -2.0}
    link.until("telemetry", moving=True)
    told = [m["event"] for m in link.read_for(2.5)]
    assert "piece_started" not in told, "the piece had begun before"
    room.stop()
    heard = room.heard()
    lived_s = (heard.frame_at(killed) - started["frame"]) / RATE
    assert report["timeline_s"] == pytest.approx(lived_s, abs=0.6)
    # The piece of the second life goes on where that of the first was heard, after the silence that there truly was.
    gaps = find_silences(np.abs(heard.samples[started["frame"] + 4_800 :, 0]), RATE, 1e-4)
    longest = max(length for _, length in gaps)
    print("gap of", longest, "ms")
    at = heard.frame_at(killed) + round((longest / 1000 + 0.5) * RATE)
    place = place_of(music["noise"], heard.samples[at : at + RATE // 2, 0])
    assert place == pytest.approx((at - started["frame"]) / RATE - longest / 1000, abs=0.6)
    assert analyse(room.wav).clicks == () or len(analyse(room.wav).clicks) <= 1, "only the kill itself may click"


def test_a_console_pauses_and_resumes_without_a_daemon_and_the_daemon_is_told(
    engine: Start, music: dict[str, Piece]
) -> None:
    room = engine()
    daemon = room.link()
    room.tell(daemon, sheet(lay(music["low"], 1, 0, 25)), play())
    daemon.until("piece_started")
    daemon.close()
    console = room.link("console")
    asked = clock.boottime()
    console.send({"direct": "pause", "id": "key-1", "origin": {"console": "tty1"}})
    done = console.until("done")
    assert done["done"] == "key-1"
    assert asked <= done["boottime"] <= clock.boottime()
    console.send({"direct": "pause", "id": "key-1"})
    assert console.until("done")["boottime"] == done["boottime"]
    console.until("telemetry", moving=False)
    wait(0.4)  # what was rendered before is played
    silent = clock.boottime()
    room.kill()
    room.start()
    daemon = room.link()
    report = daemon.until("report")
    assert report["transport"] == "pause"
    assert [kept["act"]["id"] for kept in report["direct"]] == ["key-1"]
    place = report["timeline_s"]
    # A daemon that has not heard of the pause cannot undo it; one that has can.
    room.tell(daemon, play("play", 1.0))
    daemon.send({"ack_direct": ["key-1"]})
    wait(0.5)
    console = room.link("console")
    report = console.until("report")
    assert report["transport"] == "pause"
    assert report["direct"] == []
    assert report["timeline_s"] == place
    console.send({"direct": "resume", "id": "key-2"})
    console.until("done")
    while console.until("telemetry")["buses"]["speakers"]["rms_dbfs"] < -40:
        pass
    room.stop()
    heard = room.heard()
    level = amplitude(heard.samples[:, 0], 440)
    index = heard.frame_at(silent) // 2_400
    assert level[index] == 0.0
    assert level[-20:].max() > 0.01


def test_every_bus_of_four_channels_follows_its_own_fader(engine: Start, music: dict[str, Piece]) -> None:
    room = engine(BOTH)
    link = room.link()
    room.tell(link, sheet(lay(music["cd"], 1, 0, 20)), play(), FadeBus(bus="headphones", level_db=-12.0, fade_s=0.3))
    link.until("piece_started")
    link.read_for(1.5)
    telemetry = link.until("telemetry")
    room.stop()
    assert telemetry["buses"]["headphones"]["level_db"] == -12.0
    assert telemetry["buses"]["speakers"]["rms_dbfs"] == pytest.approx(-23, abs=0.3)
    samples = room.heard().samples
    assert samples.shape[1] == 4
    levels = [20 * np.log10(amplitude(samples[:, n], 660)[-10] / 0.1) for n in range(4)]
    assert levels == pytest.approx([0, 0, -12, -12], abs=0.1)


@contextmanager
def busy() -> Iterator[None]:
    """Beside four processes that compute without a pause; among the other tests there is no want of such."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4 if QUIET else 0)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.timed
def test_no_block_is_late_beside_four_busy_processes_and_a_plan_of_two_thousand_cues(
    engine: Start, music: dict[str, Piece]
) -> None:
    room = engine()
    link = room.link()
    names = ["low", "high", "ogg", "mp3", "cd"]
    cues = [lay(music[names[n % 5]], n, 2.0 * n, 3.0, 1.0) for n in range(2_000)]
    with busy():
        room.tell(link, sheet(*cues), play())
        for plan in range(2, 5):
            link.read_for(1.5)
            room.tell(link, sheet(*cues, plan=plan))
        link.read_for(1.5)
        telemetry = link.until("telemetry")
    room.stop()
    assert telemetry["late_blocks"] == 0
    assert telemetry["cue"]["id"] >= 2
    assert analyse(room.wav).longest_silence_ms < 50


def test_a_stop_fades_out_and_forgets(engine: Start, music: dict[str, Piece]) -> None:
    room = engine()
    link = room.link()
    room.tell(link, sheet(lay(music["low"], 1, 0, 20)), play())
    link.until("piece_started")
    wait(0.5)
    room.tell(link, play("stop", 0.5))
    assert link.until("piece_ended")["why"] == "cut"
    wait(0.3)
    report = room.link().until("report")
    assert (report["session"], report["transport"]) == ("", "stop")
    room.stop()
    assert analyse(room.wav).clicks == ()
    assert np.abs(room.heard().samples[-RATE // 10 :]).max() == 0.0


def test_a_stranger_and_nonsense_are_refused_and_the_music_goes_on(engine: Start, music: dict[str, Piece]) -> None:
    room = engine()
    link = room.link()
    room.tell(link, sheet(lay(music["low"], 1, 0, 20)), play())
    link.until("piece_started")
    assert (room.directory / "sound.sock").stat().st_mode & 0o777 == 0o660
    no_numbers = line_of({"ack_events": []}), line_of({"ack_direct": 5})
    for words in (b"nonsense\n", line_of({"do": "transport", "session": 5}), b"x" * 70_000 + b"\n", *no_numbers):
        stranger = room.link("console")
        stranger.send_raw(words)
        assert "error" in stranger.until("error")
    link.read_for(0.6)
    assert link.until("telemetry")["moving"]


def test_commands_older_than_the_last_and_of_a_replaced_session_are_ignored(
    engine: Start, music: dict[str, Piece]
) -> None:
    room = engine(output="null")
    link = room.link()
    room.seq = 10
    room.tell(link, sheet(lay(music["low"], 1, 0, 20)), play())
    link.until("piece_started")
    room.seq = 3
    room.tell(link, play("stop"))
    room.seq = 20
    room.tell(link, sheet(lay(music["high"], 1, 0, 20), session="s2"), play(session="s2"), session="s2")
    link.until("piece_started", title="high.flac")
    room.tell(link, play("stop", session="s1"), sheet(session="s1", plan=9))
    link.read_for(0.6)
    assert link.until("telemetry")["session"] == "s2"
    assert link.until("telemetry")["transport"] == "play"


_BLOCKED = """
import sys, threading
from pathlib import Path
blocked = Path(sys.argv[1]) / "sound.sock"
blocked.mkdir()
threading.Timer(1.0, blocked.rmdir).start()
"""


def test_an_engine_that_cannot_open_its_socket_yet_can_be_spoken_to_later(engine: Start) -> None:
    room = engine(before=_BLOCKED)
    assert room.link().until("report")["session"] == ""
