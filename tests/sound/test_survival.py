"""The engine is killed and frozen; the room hears a short dip, and the music goes on at the same frame."""

import os
import signal
from collections.abc import Callable

import numpy as np

from controller import clock
from controller.messages import Cue, FadeBus, Piece
from tests.measure_audio import analyse
from tests.sound.room import RATE, EngineProcess, Heard, place_of, play, sheet, wait

Start = Callable[..., EngineProcess]


def cue(piece: Piece, number: int = 1, start_s: float = 0.0, length_s: float = 19.0, **more: float) -> Cue:
    return Cue(id=number, start_s=start_s, length_s=length_s, piece=piece, **more)


def sound_again(heard: Heard, after: float) -> float:
    """Seconds from a CLOCK_BOOTTIME to the first sound after the silence that followed it."""
    first = heard.frame_at(after)
    loud = np.abs(heard.samples[first:, 0]).reshape(-1)[: len(heard.samples[first:]) // 480 * 480]
    by_ten_ms = loud.reshape(-1, 480).max(axis=1) > 1e-3
    silent = int(np.argmin(by_ten_ms))
    return (silent + int(np.argmax(by_ten_ms[silent:]))) / 100


def lost_of(piece: Piece, heard: Heard, before: float, after: float) -> float:
    """Seconds of the piece that are missing (or, negative, repeated) between two moments at which it sounds."""
    places = []
    for moment in (before, after):
        at = heard.frame_at(moment)
        places.append((place_of(piece, heard.samples[at : at + RATE // 2, 0]), at))
    (first, at_first), (second, at_second) = places
    stretch = heard.samples[at_first:at_second, 0].reshape(-1)
    quiet = np.abs(stretch[: len(stretch) // 480 * 480]).reshape(-1, 480).max(axis=1) < 1e-4
    return second - first - ((at_second - at_first) / RATE - quiet.sum() / 100)


def test_an_engine_that_is_killed_and_one_that_freezes_go_on_at_the_same_frame_by_themselves(
    engine: Start, music: dict[str, Piece]
) -> None:
    room = engine(watched=True)
    link = room.link()
    room.tell(link, sheet(cue(music["noise"])), play(), FadeBus(bus="speakers", level_db=-2.0, fade_s=0.0))
    started = link.until("piece_started")
    incidents = []
    for number in (signal.SIGKILL, signal.SIGSTOP):
        wait(0.7)
        before, pid = clock.boottime(), room.engine_pid
        wait(0.6)
        struck = clock.boottime()
        os.kill(pid, number)
        link = room.link_anew(pid)
        assert link.until("report")["buses"] == {"speakers": -2.0}
        link.read_for(1.5)
        told = link.heard
        restarts = [m for m in told if m["event"] == "restarted"]
        assert [m["why"] for m in restarts][-1:] == ["killed" if number == signal.SIGKILL else "hung"]
        assert {m["id"] for m in told if m["event"] == "piece_started"} <= {started["id"]}, "it had begun before"
        incidents.append((before, struck, clock.boottime()))
    link.read_for(0.6)
    room.stop()
    heard = room.heard()
    for (before, struck, after), limit in zip(incidents, (1.0, 2.0), strict=True):
        took, lost = sound_again(heard, struck), lost_of(music["noise"], heard, before, after)
        print(f"sound again after {took:.2f} s, music lost {lost:.2f} s")
        assert took < limit
        assert abs(lost) < 0.5
    found = analyse(room.wav, silence_db=-80)
    assert [at for at, _ in found.clicks if all(abs(at - (s - heard.boottime)) > 0.1 for _, s, _ in incidents)] == []
